/**
 * A way between client and server on which a scenario decides what becomes of the bytes: passed on, held
 * up, changed, given out one by one, or the end of the connection.
 *
 * @module
 */

/** What becomes of some bytes: what is passed on in their place; `null` resets the connection. */
export type Treatment = (
  bytes: Uint8Array<ArrayBuffer>,
  way: Way,
) => Uint8Array<ArrayBuffer>[] | null | Promise<Uint8Array<ArrayBuffer>[] | null>;

/** Where bytes go, on which connection, and how many went before them. */
export interface Way {
  readonly direction: "up" | "down";
  /** Connections are counted from 0. */
  readonly connection: number;
  readonly passedBytes: number;
}

const READ_BYTES = 32 * 1024;

/** See the module. */
export class RoughProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: () => number;
  readonly #treat: Treatment;
  readonly #pumps = new Set<Promise<void>>();
  readonly #open = new Set<Deno.Conn>();
  #connections = 0;

  /**
   * Begins to listen.
   *
   * @param target The server's port now.
   * @param treat What becomes of each piece.
   */
  constructor(target: () => number, treat: Treatment) {
    this.#target = target;
    this.#treat = treat;
    this.#track(this.#accept());
  }

  /** Where it listens. */
  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Ends every connection at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) this.#end(conn);
    await Promise.all(this.#pumps);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const connection = this.#connections++;
      this.#open.add(client);
      const target = { hostname: "127.0.0.1", port: this.#target() };
      const server = await Deno.connect(target).catch(() => undefined);
      if (server === undefined) {
        this.#end(client);
        continue;
      }
      this.#open.add(server);
      this.#track(this.#pump(client, server, { direction: "up", connection }));
      this.#track(this.#pump(server, client, { direction: "down", connection }));
    }
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    way: Pick<Way, "direction" | "connection">,
  ): Promise<void> {
    let passedBytes = 0;
    try {
      for (;;) {
        const buffer = new Uint8Array(READ_BYTES);
        const count = await from.read(buffer);
        if (count === null) break;
        const pieces = await this.#treat(buffer.subarray(0, count), { ...way, passedBytes });
        if (pieces === null) break;
        passedBytes += count;
        for (const piece of pieces) {
          for (let at = 0; at < piece.length;) at += await to.write(piece.subarray(at));
        }
      }
    } catch {
      // One side has gone; so goes the other.
    }
    this.#end(from);
    this.#end(to);
  }

  #track(pump: Promise<void>): void {
    this.#pumps.add(pump);
    pump.finally(() => this.#pumps.delete(pump));
  }

  #end(conn: Deno.Conn): void {
    if (!this.#open.delete(conn)) return;
    conn.close();
  }
}
