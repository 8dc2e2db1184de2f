/**
 * The options of `trivetd serve` for the chat; a part of the table in `config.ts`.
 *
 * @module
 */

import { parseNetem } from "../lib/datagram/netem.ts";
import { DURABILITY_MODES } from "../lib/netdisk/messages.ts";
import type { OptionTable, ValuesOf } from "../lib/term/command.ts";
import { CHAT_UDP_PORT } from "./chat/datagrams.ts";
import type { ChatOptions } from "./chat/hub.ts";
import { OUTBOX_MAX_BYTES } from "./chat/outbox.ts";
import { MESSAGES_PER_SECOND } from "./chat/rates.ts";
import { CHAT_CATALOG_LIMITS } from "./store/sqlite_chat.ts";

/** More than any machine serves. */
const COUNT_MAX = 1_000_000;

const PORT_MAX = 65_535;

/** Shorter times would delete what nobody has read yet. */
const KEEP_MIN_MS = 60_000;

/** Less would cut connections for a few long messages at once. */
const QUEUE_MIN_BYTES = 64 * 1024;

/** See the module. */
export const CHAT_SERVE_OPTIONS = {
  "chat-keep": {
    kind: "duration",
    env: "TRIVETD_CHAT_KEEP",
    min: KEEP_MIN_MS,
    help: "Delete messages that are older, such as 365d (default: keep them)",
  },
  "chat-keep-count": {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_CHAT_KEEP_COUNT",
    min: 1,
    help: "Delete all but the newest messages of each room (default: keep them)",
  },
  "chat-rate": {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_CHAT_RATE",
    default: String(MESSAGES_PER_SECOND),
    min: 1,
    max: COUNT_MAX,
    help: "Messages that one account may send per second",
  },
  "chat-rooms": {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_CHAT_ROOMS",
    default: String(CHAT_CATALOG_LIMITS.roomsPerUserMax),
    min: 1,
    max: COUNT_MAX,
    help: "Rooms that one account may be in",
  },
  "chat-queue": {
    kind: "bytes",
    env: "TRIVETD_CHAT_QUEUE",
    default: `${OUTBOX_MAX_BYTES / 1024 ** 2}M`,
    min: QUEUE_MIN_BYTES,
    help: "Events that wait for a connection before it is cut",
  },
  "chat-durability": {
    kind: "choice",
    choices: DURABILITY_MODES,
    env: "TRIVETD_CHAT_DURABILITY",
    default: "commit",
    help: "Wait until the disk holds a message, or only the system (os)",
  },
  "chat-udp": {
    kind: "choice",
    choices: ["on", "off"],
    env: "TRIVETD_CHAT_UDP",
    default: "on",
    help: "Whether the chat is spoken over UDP, too",
  },
  "chat-udp-port": {
    kind: "integer",
    valueName: "PORT",
    env: "TRIVETD_CHAT_UDP_PORT",
    default: String(CHAT_UDP_PORT),
    min: 0,
    max: PORT_MAX,
    help: "UDP port of the chat; 0 takes any free one",
  },
  netem: {
    kind: "string",
    valueName: "SPEC",
    env: "TRIVETD_NETEM",
    help: "For tests: lose, delay or repeat the chat's datagrams, such as loss=20,delay=50ms",
  },
} as const satisfies OptionTable;

/** What the options say about the chat. */
export function toChatOptions(values: ValuesOf<typeof CHAT_SERVE_OPTIONS>): ChatOptions {
  const keepMs = values["chat-keep"];
  const keepCount = values["chat-keep-count"];
  const { netem } = values;
  return {
    messagesPerSecond: values["chat-rate"],
    outboxMaxBytes: values["chat-queue"],
    durability: values["chat-durability"],
    limits: { roomsPerUserMax: values["chat-rooms"] },
    ...(keepMs === undefined ? {} : { keepMs }),
    ...(keepCount === undefined ? {} : { keepCount }),
    ...(values["chat-udp"] === "on" ? { udpPort: values["chat-udp-port"] } : {}),
    ...(netem === undefined ? {} : { netem: parseNetem(netem) }),
  };
}
