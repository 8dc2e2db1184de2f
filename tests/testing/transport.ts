/** Two ends of a connection in memory, with chosen read and write sizes, backpressure and faults. */

import { Link, type LinkOptions, type Transport } from "../../lib/link/link.ts";
import { FRAME_PAYLOAD_MAX_BYTES } from "../../lib/frame/frame.ts";

/** How the bytes travel. */
export interface TransportPairOptions {
  /** Most bytes that one read returns. */
  readonly readMaxBytes?: number;
  /** Most bytes that one write takes. */
  readonly writeMaxBytes?: number;
  /** Bytes that one direction holds before writers wait, as a socket's buffers do. */
  readonly capacityBytes?: number;
}

/** One direction. Bytes are copied when there is room, not when `write()` is called. */
class Pipe {
  readonly #options: Required<TransportPairOptions>;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  #readerClosed = false;
  #writerClosed = false;
  #isReset = false;
  #changed = Promise.withResolvers<void>();

  constructor(options: Required<TransportPairOptions>) {
    this.#options = options;
  }

  async read(target: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#readerClosed) throw new Deno.errors.Interrupted("operation canceled");
      if (this.#isReset) throw new Deno.errors.ConnectionReset("connection reset by peer");
      const [first] = this.#held;
      if (first !== undefined) return this.#takeFirst(first, target);
      if (this.#writerClosed) return null;
      await this.#changed.promise;
    }
  }

  async write(source: Uint8Array): Promise<number> {
    for (;;) {
      if (this.#writerClosed) throw new Deno.errors.Interrupted("operation canceled");
      if (this.#isReset) throw new Deno.errors.ConnectionReset("connection reset by peer");
      if (this.#readerClosed) throw new Deno.errors.BrokenPipe("broken pipe");
      const room = this.#options.capacityBytes - this.#heldBytes;
      const count = Math.min(source.length, room, this.#options.writeMaxBytes);
      if (count > 0) {
        this.#held.push(source.slice(0, count));
        this.#heldBytes += count;
        this.#tell();
        return count;
      }
      await this.#changed.promise;
    }
  }

  closeReader(): void {
    this.#readerClosed = true;
    this.#tell();
  }

  closeWriter(): void {
    this.#writerClosed = true;
    this.#tell();
  }

  reset(): void {
    this.#isReset = true;
    this.#tell();
  }

  #takeFirst(first: Uint8Array, target: Uint8Array): number {
    const count = Math.min(first.length, target.length, this.#options.readMaxBytes);
    target.set(first.subarray(0, count));
    if (count === first.length) this.#held.shift();
    else this.#held[0] = first.subarray(count);
    this.#heldBytes -= count;
    this.#tell();
    return count;
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** One end of a pair; behaves as `Deno.Conn` does. */
export class MemoryTransport implements Transport {
  /** How often `write()` was called. */
  writeCount = 0;
  /** Replaces `write()`, to inject faults. */
  onWrite: ((source: Uint8Array) => Promise<number>) | undefined;
  readonly #inbound: Pipe;
  readonly #outbound: Pipe;
  #closed = false;

  constructor(inbound: Pipe, outbound: Pipe) {
    this.#inbound = inbound;
    this.#outbound = outbound;
  }

  read(target: Uint8Array): Promise<number | null> {
    return this.#inbound.read(target);
  }

  write(source: Uint8Array): Promise<number> {
    this.writeCount += 1;
    return this.onWrite?.(source) ?? this.#outbound.write(source);
  }

  close(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
    this.#closed = true;
    this.#inbound.closeReader();
    this.#outbound.closeWriter();
  }

  /** Ends the outgoing direction; the other one stays. */
  closeWrite(): void {
    this.#outbound.closeWriter();
  }

  /** Breaks both directions, as a reset does. */
  reset(): void {
    this.#inbound.reset();
    this.#outbound.reset();
  }

  /** Writes all of `bytes`, whatever they are. */
  async writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#outbound.write(bytes.subarray(at));
  }
}

/** Two ends that are connected. */
export function transportPair(
  options: TransportPairOptions = {},
): [MemoryTransport, MemoryTransport] {
  const all = {
    readMaxBytes: options.readMaxBytes ?? Infinity,
    writeMaxBytes: options.writeMaxBytes ?? Infinity,
    capacityBytes: options.capacityBytes ?? 1024 * 1024,
  };
  const there = new Pipe(all);
  const back = new Pipe(all);
  return [new MemoryTransport(back, there), new MemoryTransport(there, back)];
}

/** Two links that are connected and past the login. */
export function linkPair(
  options: TransportPairOptions & LinkOptions = {},
): { client: Link; server: Link; clientEnd: MemoryTransport; serverEnd: MemoryTransport } {
  const [clientEnd, serverEnd] = transportPair(options);
  const linkOptions = { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES, ...options };
  const client = new Link(clientEnd, linkOptions);
  const server = new Link(serverEnd, linkOptions);
  return { client, server, clientEnd, serverEnd };
}

/** Lets everything happen that needs no timer and no socket. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const channel = new MessageChannel();
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(null);
    await promise;
    channel.port1.close();
    channel.port2.close();
  }
}

/** Whether a promise has settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  const first = await Promise.race([promise.catch(() => {}), settle().then(() => pending)]);
  return first !== pending;
}

/** A real connection over loopback TCP or a Unix socket. */
export async function socketPair(
  kind: "tcp" | "unix",
): Promise<{ clientEnd: Deno.Conn; serverEnd: Deno.Conn } & AsyncDisposable> {
  const folder = kind === "unix" ? await Deno.makeTempDir() : undefined;
  using listener = folder === undefined
    ? Deno.listen({ hostname: "127.0.0.1", port: 0 })
    : Deno.listen({ transport: "unix", path: `${folder}/socket` });
  const [clientEnd, serverEnd] = await Promise.all([
    folder === undefined
      ? Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port })
      : Deno.connect({ transport: "unix", path: `${folder}/socket` }),
    listener.accept(),
  ]);
  return {
    clientEnd,
    serverEnd,
    async [Symbol.asyncDispose]() {
      for (const end of [clientEnd, serverEnd]) {
        try {
          end.close();
        } catch {
          // The test has closed it.
        }
      }
      if (folder !== undefined) await Deno.remove(folder, { recursive: true });
    },
  };
}
