/**
 * What the tests of this folder share: folders that vanish, connections that break, and a server whose
 * answers a test writes itself.
 *
 * @module
 */

import { join } from "node:path";
import type { DataConnections } from "../../client/connections.ts";
import { NetdiskClient } from "../../client/netdisk.ts";
import { FRAME_PAYLOAD_MAX_BYTES } from "../../lib/frame/frame.ts";
import { Link, type Transport } from "../../lib/link/link.ts";
import { RpcClient } from "../../lib/rpc/client.ts";
import { type CallHandler, serveCalls } from "../../lib/rpc/server.ts";
import { createDigester, digestOf } from "../../lib/transfer/digest.ts";
import { TestServer } from "../server/testing.ts";

/** Runs a test in a folder of its own. */
export async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Names in a folder, hidden ones too. */
export function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

/** A client of a server without TLS. */
export async function connectTo(server: TestServer, token: string): Promise<NetdiskClient> {
  const address = `127.0.0.1:${server.port}`;
  return await NetdiskClient.connect({ server: address, plain: true, credentials: { token } });
}

/** Counts how often `work` waits for the disk. */
export async function syncsDuring(work: () => Promise<unknown>): Promise<number> {
  const { sync } = Deno.FsFile.prototype;
  let count = 0;
  Deno.FsFile.prototype.sync = function (): Promise<void> {
    count += 1;
    return sync.call(this);
  };
  try {
    await work();
  } finally {
    Deno.FsFile.prototype.sync = sync;
  }
  return count;
}

/** Lends connections that the test opens; `opened` counts them. */
export class TestConnections implements DataConnections {
  readonly #open: (number: number) => Promise<RpcClient>;
  opened = 0;

  constructor(open: (number: number) => Promise<RpcClient>) {
    this.#open = open;
  }

  borrow(): Promise<RpcClient> {
    this.opened += 1;
    return this.#open(this.opened);
  }

  giveBack(rpc: RpcClient): Promise<void> {
    return rpc.close();
  }
}

/** What a {@linkcode FaultyTransport} does. */
export interface Faults {
  /** Closes the connection once it has written so many bytes. */
  readonly cutAfterWritten?: number;
  /** Closes the connection once it has read so many bytes. */
  readonly cutAfterRead?: number;
  /** Flips a bit of the byte at this place of what is written. */
  readonly flipWritten?: readonly number[];
  /** Flips a bit of the byte at this place of what is read. */
  readonly flipRead?: readonly number[];
}

/** A connection with faults. */
export class FaultyTransport implements Transport {
  readonly #inner: Transport;
  readonly #faults: Faults;
  #written = 0;
  #read = 0;

  constructor(inner: Transport, faults: Faults) {
    this.#inner = inner;
    this.#faults = faults;
  }

  async read(target: Uint8Array): Promise<number | null> {
    const count = await this.#inner.read(target);
    if (count === null) return null;
    for (const at of this.#faults.flipRead ?? []) flip(target.subarray(0, count), at - this.#read);
    this.#read += count;
    if (this.#read > (this.#faults.cutAfterRead ?? Infinity)) {
      this.#inner.close();
      throw new Deno.errors.ConnectionReset("Cut by the test");
    }
    return count;
  }

  async write(source: Uint8Array): Promise<number> {
    const copy = source.slice();
    for (const at of this.#faults.flipWritten ?? []) flip(copy, at - this.#written);
    const count = await this.#inner.write(copy);
    this.#written += count;
    if (this.#written > (this.#faults.cutAfterWritten ?? Infinity)) {
      this.#inner.close();
      throw new Deno.errors.BrokenPipe("Cut by the test");
    }
    return count;
  }

  close(): void {
    this.#inner.close();
  }
}

function flip(bytes: Uint8Array, at: number): void {
  const byte = bytes[at];
  if (byte !== undefined) bytes[at] = byte ^ 1;
}

/** Two ends of a connection in memory. */
export function memoryPair(): [Transport, Transport] {
  const [a, b] = [new Pipe(), new Pipe()];
  const end = (input: Pipe, output: Pipe): Transport => ({
    read: (target) => input.read(target),
    write: (source) => output.write(source),
    close: () => {
      input.close();
      output.close();
    },
  });
  return [end(a, b), end(b, a)];
}

class Pipe {
  readonly #chunks: Uint8Array[] = [];
  #isClosed = false;
  #wake: (() => void) | undefined;

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#isClosed) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const chunk = this.#chunks.shift() ?? new Uint8Array();
    const taken = chunk.subarray(0, target.length);
    target.set(taken);
    if (taken.length < chunk.length) this.#chunks.unshift(chunk.subarray(taken.length));
    return taken.length;
  }

  write(source: Uint8Array): Promise<number> {
    if (this.#isClosed) return Promise.reject(new Deno.errors.BrokenPipe("Closed"));
    this.#chunks.push(source.slice());
    this.#wake?.();
    return Promise.resolve(source.length);
  }

  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }
}

/** A server whose answers the test writes; each connection is in memory. */
export class ScriptedServer implements AsyncDisposable {
  readonly #handle: CallHandler;
  readonly #serving: Promise<void>[] = [];
  readonly #links: Link[] = [];
  /** Methods in the order of their requests. */
  readonly methods: string[] = [];

  constructor(handle: CallHandler) {
    this.#handle = handle;
  }

  /** Opens a logged-in connection. */
  connect(): RpcClient {
    const [ours, theirs] = memoryPair();
    const limits = { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES };
    const link = new Link(theirs, limits);
    this.#links.push(link);
    this.#serving.push(serveCalls(link, (call) => {
      this.methods.push(call.method);
      return this.#handle(call);
    }));
    return RpcClient.start(new Link(ours, limits));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links) link.close();
    await Promise.all(this.#serving);
  }
}

/** The chunk digests of some bytes, one after another. */
export async function chunkDigests(content: Uint8Array, chunkBytes: number): Promise<Uint8Array> {
  const digester = await createDigester();
  const digests: number[] = [];
  for (let at = 0; at < content.length; at += chunkBytes) {
    digests.push(...digestOf(digester, content.subarray(at, at + chunkBytes)));
  }
  return Uint8Array.from(digests);
}

/** A real server with an account, a folder of this machine, and connections with faults. */
export class TransferSetup implements AsyncDisposable {
  readonly server: TestServer;
  readonly token: string;
  readonly folder: string;
  connections: TestConnections | undefined;

  /** Takes what `parts()` made. */
  constructor({ server, token, folder }: TransferSetupParts) {
    this.server = server;
    this.token = token;
    this.folder = folder;
  }

  /** Starts a server and makes an account and a folder. */
  static async parts(): Promise<TransferSetupParts> {
    const server = await TestServer.start();
    const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
    return { server, token: await server.addUser("ann"), folder };
  }

  get local(): string {
    return join(this.folder, "file");
  }

  /** The n-th connection has the n-th faults. */
  connect(faults: readonly Faults[] = []): TestConnections {
    this.connections = new TestConnections((number) =>
      this.server.login(this.token, (conn) => new FaultyTransport(conn, faults[number - 1] ?? {}))
    );
    return this.connections;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** What a {@linkcode TransferSetup} holds. */
export type TransferSetupParts = Pick<TransferSetup, "server" | "token" | "folder">;
