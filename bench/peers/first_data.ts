/**
 * When the first DATA frame leaves, seen from outside: a proxy between client and server notes the
 * moment at which it passes. Without TLS it reads the frames; with TLS it cannot, and notes when more
 * bytes have passed than all frames before DATA together have, which is later than the first DATA
 * frame's beginning.
 *
 * @module
 */

import { FrameDecoder } from "../../lib/frame/decode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";

/** Hello, login and requests together are a few KiB. */
const NOT_DATA_MAX_BYTES = 64 * 1024;

/** Forwards connections, and watches those from the client. */
export class WatchingProxy implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #targetPort: number;
  readonly #readsFrames: boolean;
  readonly #open = new Set<Deno.Conn>();
  #seenMs: number | undefined;

  /**
   * Listens on a free port.
   *
   * @param targetPort Where connections go.
   * @param options `readsFrames`: there is no TLS.
   */
  constructor(targetPort: number, options: { readsFrames: boolean }) {
    this.#targetPort = targetPort;
    this.#readsFrames = options.readsFrames;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accept();
  }

  /** The port to connect to. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** When DATA was first seen since the last call, by the clock of `performance.now()`. */
  takeSeenMs(): number | undefined {
    const seenMs = this.#seenMs;
    this.#seenMs = undefined;
    return seenMs;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#open) close(conn);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#targetPort });
      client.setNoDelay();
      server.setNoDelay();
      this.#open.add(client).add(server);
      this.#forward(client, server, this.#newWatch());
      this.#forward(server, client, () => {});
    }
  }

  async #forward(
    from: Deno.Conn,
    to: Deno.Conn,
    watch: (bytes: Uint8Array) => void,
  ): Promise<void> {
    const buffer = new Uint8Array(NOT_DATA_MAX_BYTES);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        const bytes = buffer.subarray(0, count);
        watch(bytes);
        for (let at = 0; at < count;) at += await to.write(bytes.subarray(at));
      }
    } catch {
      // One side is gone, and so is the other in a moment.
    }
    for (const conn of [from, to]) {
      this.#open.delete(conn);
      close(conn);
    }
  }

  /** Notes the time of the first DATA of one connection. */
  #newWatch(): (bytes: Uint8Array) => void {
    let passed = 0;
    const decoder = new FrameDecoder({ payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
    return (bytes) => {
      if (this.#seenMs !== undefined) return;
      passed += bytes.length;
      if (this.#readsFrames) {
        for (const frame of decoder.push(bytes)) {
          if (frame.type === FrameType.DATA) this.#seenMs ??= performance.now();
        }
      } else if (passed > NOT_DATA_MAX_BYTES) {
        this.#seenMs = performance.now();
      }
    };
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // The other direction was faster.
  }
}
