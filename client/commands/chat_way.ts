/**
 * The options that say which way the chat's connections go.
 *
 * @module
 */

import { parseNetem } from "../../lib/datagram/netem.ts";
import type { OptionTable, ValuesOf } from "../../lib/term/command.ts";
import type { ChatTransportOptions } from "../chat_dialer.ts";
import { CHAT_TRANSPORTS } from "../chat_transports.ts";

const PORT_MAX = 65_535;

/** See the module. */
export const WAY_OPTIONS = {
  transport: {
    kind: "choice",
    choices: CHAT_TRANSPORTS,
    env: "TRIVET_CHAT_TRANSPORT",
    default: "auto",
    help: "Way of the messages; auto follows the chat over UDP where that passes, else over TCP",
  },
  "udp-port": {
    kind: "integer",
    valueName: "PORT",
    env: "TRIVET_CHAT_UDP_PORT",
    min: 1,
    max: PORT_MAX,
    help: "UDP port of the chat, where a router forwards it (default: what the server says)",
  },
  netem: {
    kind: "string",
    valueName: "SPEC",
    env: "TRIVET_NETEM",
    help: "For tests: lose, delay or repeat datagrams over UDP, such as loss=20,delay=50ms",
  },
} as const satisfies OptionTable;

/** What the options say. */
export function toChatWay(values: ValuesOf<typeof WAY_OPTIONS>): ChatTransportOptions {
  const { transport, netem } = values;
  return {
    transport,
    udpPort: values["udp-port"],
    ...(netem === undefined ? {} : { netem: parseNetem(netem) }),
  };
}
