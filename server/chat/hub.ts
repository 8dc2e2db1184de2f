/**
 * The chat of one server: what it keeps, who hears of it, and the deleting of what is old.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { NetemOptions } from "../../lib/datagram/netem.ts";
import type { ChatCatalogLimits, ExpiryQuery } from "../store/catalog_chat.ts";
import { SqliteChat } from "../store/sqlite_chat.ts";
import type { ChatFiles, ChatHub } from "./context.ts";
import { LocalBroker } from "./local_broker.ts";
import { OUTBOX_MAX_BYTES } from "./outbox.ts";
import { MessageRates } from "./rates.ts";

/** How the chat is set up. */
export interface ChatOptions {
  /** Messages that are older are deleted; none without it. In milliseconds. */
  readonly keepMs?: number;
  /** All but so many newest messages of each conversation are deleted; none without it. */
  readonly keepCount?: number;
  /** Messages that one user may send a second. */
  readonly messagesPerSecond?: number;
  /** Most bytes of events that wait for one connection. */
  readonly outboxMaxBytes?: number;
  /** What one user, one room and one message may have. */
  readonly limits?: Partial<ChatCatalogLimits>;
  /** With `os`, nobody waits until the disk holds a message: a power cut may take the last ones back. */
  readonly durability?: "commit" | "os";
  /** UDP port; 0 takes any free one. Without it the chat is spoken over TCP alone. */
  readonly udpPort?: number;
  /** Makes the network worse for the datagrams that the server sends, to try out what that does. */
  readonly netem?: NetemOptions;
}

/** How often old messages are looked for, in milliseconds. */
const EXPIRY_EVERY_MS = 60_000;

/** Messages that are deleted at once; while there are more, the next come a moment later. */
const EXPIRY_BATCH = 500;

/** Pause between two batches, in which others have their turn. */
const EXPIRY_PAUSE_MS = 20;

const log = getLogger(["trivet", "chat"]);

/**
 * Opens the chat.
 *
 * @param database The server's database file.
 * @param files The files that messages may carry.
 * @param options Limits, and how long messages are kept.
 * @returns The hub; disposing of it closes its end of the database.
 */
export function openChatHub(
  database: string,
  files: ChatFiles,
  options: ChatOptions = {},
): ChatHub & AsyncDisposable {
  const { limits = {}, messagesPerSecond, outboxMaxBytes = OUTBOX_MAX_BYTES } = options;
  const { durability = "commit" } = options;
  const catalog = SqliteChat.open(database, { limits, durability });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  const expire = async () => {
    const isMore = await expireOnce(catalog, options);
    if (isClosed) return;
    timer = setTimeout(expire, isMore ? EXPIRY_PAUSE_MS : EXPIRY_EVERY_MS);
  };
  if (options.keepMs !== undefined || options.keepCount !== undefined) {
    timer = setTimeout(expire, 0);
  }
  return {
    files,
    catalog,
    broker: new LocalBroker(),
    rates: new MessageRates(messagesPerSecond),
    outboxMaxBytes,
    [Symbol.asyncDispose]: async () => {
      isClosed = true;
      clearTimeout(timer);
      await catalog.close();
    },
  };
}

/** Deletes a batch of what is old; whether there may be more. Never rejects. */
async function expireOnce(
  catalog: Pick<SqliteChat, "expire">,
  { keepMs, keepCount }: ChatOptions,
): Promise<boolean> {
  const query: ExpiryQuery = {
    limit: EXPIRY_BATCH,
    ...(keepMs === undefined ? {} : { sentBeforeMs: Date.now() - keepMs }),
    ...(keepCount === undefined ? {} : { keepCount }),
  };
  try {
    return await catalog.expire(query) >= EXPIRY_BATCH;
  } catch (error) {
    log.warning("Cannot delete old messages: {error}", { error });
    return false;
  }
}
