/**
 * A user of a simulated chat: the client's own code, which sends again and follows over connections that
 * break.
 *
 * @module
 */

import { ChatClient } from "../../client/chat.ts";
import type { ChatMessage } from "../../client/chat_types.ts";
import { isMendable } from "../../client/retry.ts";
import { FRAME_PAYLOAD_MAX_BYTES } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { RpcClient } from "../../lib/rpc/client.ts";
import { CHAT_KEEPALIVE } from "../../server/chat/service.ts";
import type { Carrier } from "./carrier.ts";
import type { Host, Network } from "./network.ts";

/** Letters of most messages, at most. */
const SHORT_MAX_CHARS = 12;

/** Messages of a hundred that are long, and their letters at most. */
const LONG_PERCENT = 1;
const LONG_MAX_CHARS = 15_000;

/** A message that the server said it has. */
export interface Acked {
  readonly id: number;
  readonly room: string;
  readonly from: string;
  /** The how-manieth of this user in this room. */
  readonly number: number;
  /** From the call to the answer. */
  readonly tookMs: number;
}

/** See the module. */
export class ChatUser {
  readonly name: string;
  readonly host: Host;
  readonly #acked: Acked[] = [];
  readonly #followed: ChatMessage[] = [];
  readonly #network: Network;
  readonly #carrier: Carrier;
  readonly #end = new AbortController();
  /** Calls that failed for good and were made again, as a person would. */
  failures = 0;

  constructor(network: Network, { host, carrier }: { host: Host; carrier: Carrier }) {
    this.#network = network;
    this.#carrier = carrier;
    this.host = host;
    this.name = host.name;
  }

  /** Messages that the server said it has, in the order of its answers. */
  get acked(): readonly Acked[] {
    return this.#acked;
  }

  /** Messages that {@linkcode ChatUser.follow} told of, in their order. */
  get followed(): readonly ChatMessage[] {
    return this.#followed;
  }

  /** Logs in. */
  async enter(): Promise<ChatClient> {
    return await this.#insist(() => {
      return ChatClient.over(() => this.#open(), { server: "sim", user: this.name });
    });
  }

  /** Sends messages to a room one after the other; each until the server has it. */
  async send(chat: ChatClient, room: string, count: number): Promise<void> {
    for (let number = 0; number < count; number++) {
      const clientId = `${this.name}-${room}-${String(number).padStart(6, "0")}`;
      const startedMs = this.#network.clock.nowMs;
      const text = `${number} ${"x".repeat(this.#drawLength())}`;
      const { id } = await this.#insist(() => chat.send(room, text, { clientId }));
      const tookMs = this.#network.clock.nowMs - startedMs;
      this.#acked.push({ id, room, from: this.name, number, tookMs });
    }
  }

  /** Follows everything from the beginning, until {@linkcode ChatUser.stop}. */
  async follow(chat: ChatClient): Promise<void> {
    const { signal } = this.#end;
    for (;;) {
      try {
        const after = this.#followed.at(-1)?.seq ?? 0;
        for await (const event of chat.follow({ after, signal })) {
          if (event.event === "message") this.#followed.push(event.message);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!isMendable(error)) throw error;
        this.failures += 1;
      }
    }
  }

  /** Ends following. */
  stop(): void {
    this.#end.abort(new Error("stopped"));
  }

  /** Most messages are short; some need many datagrams. */
  #drawLength(): number {
    const { random } = this.#network;
    return random.below(random.chance(LONG_PERCENT) ? LONG_MAX_CHARS : SHORT_MAX_CHARS);
  }

  async #open(): Promise<RpcClient> {
    const transport = await this.#carrier.connect(this.host);
    const link = new Link(transport, { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
    return RpcClient.start(link, { keepalive: CHAT_KEEPALIVE });
  }

  /** Calls again when the client has given up, for as long as that may help. */
  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!isMendable(error)) throw error;
        this.failures += 1;
        await this.#network.clock.sleep(1000);
      }
    }
  }
}
