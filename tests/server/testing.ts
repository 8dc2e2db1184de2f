/**
 * A real server on a real port and data folder, for the tests of this folder.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { hashToken, newToken } from "../../lib/auth/token.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";
import { Link, type Transport } from "../../lib/link/link.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { RpcClient } from "../../lib/rpc/client.ts";
import {
  checkNetdiskResponse,
  type NetdiskMethod,
  type NetdiskRequest,
  type NetdiskResponse,
} from "../../lib/netdisk/messages.ts";
import { chunkBytesFor, chunkCount } from "../../lib/transfer/chunks.ts";
import { createDigester, DIGEST_BYTES, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { ChunkJournal } from "../../lib/transfer/journal.ts";
import { ChunkSender } from "../../lib/transfer/sender.ts";
import { type RunningServer, serve, type ServeOptions } from "../../server/serve.ts";
import type { TokenScope } from "../../server/store/catalog.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";

const QUOTA_BYTES = 1024 ** 3;

/** A server for one test. */
export class TestServer implements AsyncDisposable {
  readonly data: string;
  readonly running: RunningServer;

  private constructor(data: string, running: RunningServer) {
    this.data = data;
    this.running = running;
  }

  /** Starts a server without TLS, unless the options say otherwise. */
  static async start(options: Partial<ServeOptions> = {}): Promise<TestServer> {
    const data = options.data ?? await Deno.makeTempDir({ prefix: "trivet-test-" });
    const running = await serve({ plain: true, port: 0, ...options, data });
    return new TestServer(data, running);
  }

  get port(): number {
    const [address] = this.running.addresses;
    assert(address?.transport === "tcp");
    return address.port;
  }

  /** A path in a user's home. */
  home(user: string, ...path: string[]): string {
    return join(this.data, "homes", user, ...path);
  }

  /** Adds an account beside the running server and returns a token of it. */
  async addUser(name: string, quotaBytes = QUOTA_BYTES): Promise<string> {
    const catalog = SqliteCatalog.open(join(this.data, "trivet.db"));
    try {
      const secret = new Uint8Array(32);
      const verifier = {
        salt: new Uint8Array(16),
        iterations: 600_000,
        storedKey: secret,
        serverKey: secret,
      };
      await catalog.createUser({ name, verifier, quotaBytes });
    } finally {
      await catalog.close();
    }
    await Deno.mkdir(this.home(name), { recursive: true, mode: 0o700 });
    return await this.addToken(name);
  }

  /** Adds a token of an account beside the running server. */
  async addToken(
    name: string,
    limits: { scope?: TokenScope; pathPrefix?: string[] } = {},
  ): Promise<string> {
    const catalog = SqliteCatalog.open(join(this.data, "trivet.db"));
    const token = newToken();
    try {
      await catalog.addToken({
        hash: Uint8Array.fromHex(await hashToken(token)),
        user: name,
        kind: "api",
        scope: "full",
        pathPrefix: [],
        expiresAtMs: null,
        label: "test",
        ...limits,
      });
    } finally {
      await catalog.close();
    }
    return token;
  }

  /** A raw connection. */
  async connect(): Promise<Deno.TcpConn> {
    return await Deno.connect({ hostname: "127.0.0.1", port: this.port });
  }

  /** A logged-in connection; `wrap` may put a fault between the two. */
  async login(
    token: string,
    wrap = (conn: Transport) => conn,
    service = "netdisk",
  ): Promise<RpcClient> {
    const link = new Link(wrap(await this.connect()));
    try {
      await greet(link, { service });
      await link.send(encodeControl(FrameType.AUTH, 0, { step: "token", token }));
      await expectFrame(link, FrameType.AUTH);
    } catch (error) {
      link.close();
      throw error;
    }
    link.setPayloadMaxBytes(FRAME_PAYLOAD_MAX_BYTES);
    return RpcClient.start(link);
  }

  /** Ends the server and keeps its data, for the next one. */
  async stop(): Promise<void> {
    await this.running.shutdown(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.data, { recursive: true });
  }
}

/** Calls a method and checks its answer. */
export async function ask<M extends NetdiskMethod>(
  rpc: RpcClient,
  method: M,
  request: NetdiskRequest<M>,
  body?: Uint8Array,
): Promise<NetdiskResponse<M>> {
  const options = body === undefined ? {} : { body };
  return checkNetdiskResponse(method, (await rpc.call(method, request, options)).head);
}

/** An upload that the test drives step by step. */
export interface Upload {
  readonly uploadId: string;
  readonly chunkBytes: number;
  /** What the server claims to hold. */
  readonly journal: ChunkJournal;
}

/** Opens or continues an upload. */
export async function openUpload(
  rpc: RpcClient,
  name: string,
  size: number,
  resume: "auto" | "always" | "never" = "auto",
): Promise<Upload> {
  const request = { path: [name], size, overwrite: "replace", resume };
  const { head, body } = await rpc.call("put.open", request);
  const { uploadId, chunkBytes } = checkNetdiskResponse("put.open", head);
  assertEquals(chunkBytes, chunkBytesFor(size));
  return { uploadId, chunkBytes, journal: ChunkJournal.fromRecords(body) };
}

/** Options of {@linkcode sendChunks}. */
export interface SendOptions {
  /** Ends the stream, without END, behind this many chunks. */
  readonly stopAfterChunks?: number;
  /** Sends only these. */
  readonly only?: [number, number][];
}

/**
 * Sends the chunks that the server lacks.
 *
 * @returns The chunks sent and those that the server wants again.
 */
export async function sendChunks(
  rpc: RpcClient,
  upload: Upload,
  content: Uint8Array,
  options: SendOptions = {},
): Promise<{ sent: number; bad: number[] }> {
  const call = await rpc.open("put.data", { uploadId: upload.uploadId });
  const sender = new ChunkSender({
    source: bytesSource(content),
    size: content.length,
    chunkBytes: upload.chunkBytes,
    requestId: call.id,
    digester: await createDigester(),
    ...(options.only === undefined ? { skip: upload.journal } : { only: options.only }),
  });
  for (let frame = await sender.next(); frame !== null; frame = await sender.next()) {
    await call.send(frame);
    if (sender.sentBytes === (options.stopAfterChunks ?? Infinity) * upload.chunkBytes) {
      return { sent: sender.sentChunks, bad: [] };
    }
  }
  await call.end({}, sender.streamDigests);
  const { head } = await call.response;
  rpc.release(call);
  return {
    sent: sender.streamDigests.length / DIGEST_BYTES,
    bad: checkNetdiskResponse("put.data", head).badChunks,
  };
}

/** Publishes an upload. */
export async function commit(rpc: RpcClient, upload: Upload, content: Uint8Array): Promise<void> {
  await ask(rpc, "put.commit", {
    uploadId: upload.uploadId,
    size: content.length,
    digest: await digestOfDigests(content, upload.chunkBytes),
  });
}

/** XXH3-128 of all chunk digests. */
export async function digestOfDigests(content: Uint8Array, chunkBytes: number): Promise<string> {
  const digester = await createDigester();
  const journal = new ChunkJournal();
  const chunks = chunkCount(content.length, chunkBytes);
  for (let i = 0; i < chunks; i++) {
    journal.set(i, digestOf(digester, content.subarray(i * chunkBytes, (i + 1) * chunkBytes)));
  }
  return toHex(journal.digestAll(digester, chunks));
}

/** Reproducible bytes that compress badly. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    // xorshift32 (Marsaglia 2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** Bytes as a source of a sender. */
export function bytesSource(
  content: Uint8Array,
): { read(buffer: Uint8Array, offset: number): number } {
  return {
    read: (buffer, offset) => {
      const part = content.subarray(offset, offset + buffer.length);
      buffer.set(part);
      return part.length;
    },
  };
}
