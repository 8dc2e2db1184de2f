/**
 * A client of the classic netdisk protocol for the tests of this folder.
 *
 * @module
 */

import { assert } from "@std/assert";
import { encodeClassicLength, encodeClassicText } from "../../../lib/classic/encode.ts";
import { PASSWORD } from "../../e2e/testing.ts";
import { ask, type TestServer } from "../testing.ts";

/** What a server replies. */
export interface Reply {
  readonly status: boolean;
  readonly data?: string | string[];
  readonly error?: string;
  readonly code?: string;
}

/** See the module. */
export class ClassicClient implements Disposable {
  readonly conn: Deno.TcpConn;

  private constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  static async connect(server: TestServer): Promise<ClassicClient> {
    const [address] = server.running.classic;
    assert(address !== undefined);
    return new ClassicClient(await Deno.connect({ hostname: address.host, port: address.port }));
  }

  /** Connects, registers and logs in. */
  static async register(server: TestServer, user: string): Promise<ClassicClient> {
    const client = await ClassicClient.connect(server);
    for (const command of ["register", "login"]) {
      const { status, error } = await client.say(`${command} ${user} ${PASSWORD}`);
      assert(status, error);
    }
    return client;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.conn.write(bytes.subarray(sent));
  }

  async say(text: string): Promise<Reply> {
    await this.send(encodeClassicText(text));
    return await this.reply();
  }

  async reply(): Promise<Reply> {
    return JSON.parse(new TextDecoder().decode(await this.block()));
  }

  /** Uploads a file; whether all of it was taken shows only later. */
  async upload(name: string, content: Uint8Array): Promise<void> {
    const { status, error } = await this.say(`upload ${name}`);
    assert(status, error);
    await this.send(encodeClassicLength(content.length));
    await this.send(content);
  }

  /** Downloads a file. */
  async download(nameAndSeek: string): Promise<Uint8Array> {
    const { status, error } = await this.say(`download ${nameAndSeek}`);
    assert(status, error);
    return await this.block();
  }

  /** A length and so many bytes. */
  async block(): Promise<Uint8Array> {
    return await this.exactly(await this.length());
  }

  async length(): Promise<number> {
    return new DataView((await this.exactly(4)).buffer).getInt32(0, true);
  }

  /** Whether the server has hung up, in good order or not. */
  async isClosed(): Promise<boolean> {
    return await this.conn.read(new Uint8Array(1)).catch(() => null) === null;
  }

  async exactly(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const count = await this.conn.read(bytes.subarray(at));
      if (count === null) throw new Error(`The server closed after ${at} of ${length} bytes`);
      at += count;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // A test closed it.
    }
  }
}

/** How many partial uploads lie on the disk. */
export async function partCount(server: TestServer): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(`${server.data}/parts`))).length;
}

/** What an account takes up of its quota. */
export async function usedBytes(server: TestServer, user: string): Promise<number> {
  await using rpc = await server.login(await server.addToken(user));
  return (await ask(rpc, "whoami", {})).usedBytes;
}

/** Whether one more connection is served. */
export async function hasPlace(server: TestServer): Promise<boolean> {
  using client = await ClassicClient.connect(server);
  return await client.say("ls").then(({ code }) => code === "AUTH_REQUIRED", () => false);
}

/** Makes a file "hole" that takes no space. */
export async function makeHole(server: TestServer, size: number): Promise<number> {
  using file = await Deno.create(server.home("ada", "hole"));
  await file.truncate(size);
  return size;
}
