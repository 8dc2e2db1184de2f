/**
 * When the first DATA frame leaves, seen from outside. Without TLS a proxy between client and server
 * reads the frames and notes the moment. With TLS nobody between can, and transfers go past it to a
 * port of their own: there it is the moment at which the server has written the first of it, a little
 * later than it left.
 *
 * @module
 */

import { join } from "node:path";
import { FrameDecoder } from "../../lib/frame/decode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";

const BUFFER_BYTES = 64 * 1024;

/** How often the server's folder is looked at. */
const LOOK_EVERY_MS = 1;

/** Forwards connections, and watches those from the client. */
export class WatchingProxy implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #targetPort: number;
  readonly #open = new Set<Deno.Conn>();
  #seenMs: number | undefined;

  /**
   * Listens on a free port.
   *
   * @param targetPort Where connections go.
   */
  constructor(targetPort: number) {
    this.#targetPort = targetPort;
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
    const buffer = new Uint8Array(BUFFER_BYTES);
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
    const decoder = new FrameDecoder({ payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
    return (bytes) => {
      if (this.#seenMs !== undefined) return;
      for (const frame of decoder.push(bytes)) {
        if (frame.type === FrameType.DATA) this.#seenMs ??= performance.now();
      }
    };
  }
}

/** Watches a server's folder of uploads in progress. */
export class PartsWatch implements Disposable {
  readonly #folder: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #seenMs: number | undefined;

  /**
   * Begins to watch.
   *
   * @param data The server's data folder.
   */
  constructor(data: string) {
    this.#folder = join(data, "parts");
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** When an upload was first seen to hold bytes since the last call, by `performance.now()`. */
  takeSeenMs(): number | undefined {
    const seenMs = this.#seenMs;
    this.#seenMs = undefined;
    return seenMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#seenMs !== undefined) return;
    try {
      for (const { name } of Deno.readDirSync(this.#folder)) {
        if (Deno.statSync(join(this.#folder, name)).size > 0) this.#seenMs = performance.now();
      }
    } catch {
      // The upload was committed between the two.
    }
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // The other direction was faster.
  }
}
