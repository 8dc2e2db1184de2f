/**
 * Following the chat over connections that break: subscribe, catch up with what changed since the last
 * event, then go on with the events, none twice.
 *
 * @module
 */

import { CHAT_PAGE_MAX } from "../lib/chat/limits.ts";
import { ChatEvent as EventHead, checkChatResponse } from "../lib/chat/messages.ts";
import { TrivetError } from "../lib/errors.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import { checkHead } from "../lib/rpc/messages.ts";
import type { ChatFollowOptions } from "./chat.ts";
import type { ChatEvent } from "./chat_types.ts";
import { isMendable, sleep } from "./retry.ts";

/** Events that wait for a reader; beyond them the connection is given up and caught up with later. */
const QUEUE_MAX = 20_000;

/** First wait before another connection; each next one is twice as long. */
const WAIT_FIRST_MS = 250;

/** Longest wait before another connection. */
const WAIT_MAX_MS = 15_000;

/** Stands for: from now on. */
const UNKNOWN = -1;

/** Opens a connection that is logged in. */
export type OpenChat = (signal?: AbortSignal) => Promise<RpcClient>;

/**
 * Yields events until the signal ends it.
 *
 * @param open Opens connections.
 * @param options From where.
 * @throws {TrivetError} What another connection cannot mend; the signal's reason.
 */
export async function* followEvents(
  open: OpenChat,
  options: ChatFollowOptions,
): AsyncGenerator<ChatEvent> {
  const { signal } = options;
  const position = { seq: options.after ?? UNKNOWN };
  let hasListened = false;
  let tries = 0;
  for (;;) {
    try {
      const rpc = await open(signal);
      try {
        for await (const event of followOnce(rpc, position, signal)) {
          if (event === "listening") {
            hasListened = true;
            tries = 0;
            options.onListening?.();
          } else yield event;
        }
      } finally {
        await rpc.close();
      }
    } catch (error) {
      signal?.throwIfAborted();
      // The first connection must come about; what worked once may be waited for.
      if (!hasListened || !isPassing(error)) throw error;
      const waitMs = Math.min(WAIT_FIRST_MS * 2 ** tries, WAIT_MAX_MS) * (0.75 + Math.random() / 2);
      tries += 1;
      options.onRetry?.(error, Math.round(waitMs));
      await sleep(waitMs, signal);
    }
  }
}

/** Events of one connection; it ends by throwing. */
async function* followOnce(
  rpc: RpcClient,
  position: { seq: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatEvent | "listening"> {
  const queue = new EventQueue(rpc, signal);
  const { head } = checkChatResponse(
    "subscribe",
    (await rpc.call("subscribe", {}, { signal })).head,
  );
  if (position.seq === UNKNOWN) position.seq = head;
  yield "listening";
  while (position.seq < head) {
    const query = { after: position.seq, limit: CHAT_PAGE_MAX };
    const { messages, more } = checkChatResponse(
      "sync",
      (await rpc.call("sync", query, { signal })).head,
    );
    for (const message of messages) {
      position.seq = message.seq;
      yield { event: "message", message };
    }
    if (!more) position.seq = Math.max(position.seq, head);
  }
  for (;;) {
    const event = await queue.next();
    if (event.event === "message") {
      // It was among those that were caught up with.
      if (event.message.seq <= position.seq) continue;
      position.seq = event.message.seq;
    }
    yield event;
  }
}

/** Events between the connection and who reads them. */
class EventQueue {
  readonly #rpc: RpcClient;
  readonly #signal: AbortSignal | undefined;
  #events: ChatEvent[] = [];
  #at = 0;
  #wake: (() => void) | undefined;

  constructor(rpc: RpcClient, signal: AbortSignal | undefined) {
    this.#rpc = rpc;
    this.#signal = signal;
    rpc.listen((head) => this.#take(head));
    const wake = () => this.#wake?.();
    rpc.failed.addEventListener("abort", wake, { once: true });
    signal?.addEventListener("abort", wake, { once: true });
  }

  /** The next event; throws once there is none and the connection is lost. */
  async next(): Promise<ChatEvent> {
    for (;;) {
      const event = this.#events[this.#at];
      if (event !== undefined) {
        this.#at += 1;
        return event;
      }
      this.#events = [];
      this.#at = 0;
      this.#signal?.throwIfAborted();
      this.#rpc.failed.throwIfAborted();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #take(head: unknown): void {
    this.#events.push(checkHead(EventHead, head, "EVENT"));
    if (this.#events.length - this.#at > QUEUE_MAX) this.#rpc.close();
    this.#wake?.();
  }
}

/** Whether another connection can mend it. */
function isPassing(error: unknown): error is TrivetError {
  return isMendable(error) || (error instanceof TrivetError && error.code === "SLOW_READER");
}
