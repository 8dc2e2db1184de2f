/**
 * One short session with a real server, frame by frame, the same every time: the dump in
 * docs/protocol.md.
 *
 * @module
 */

import { join } from "node:path";
import { hashToken, newToken, TOKEN_SECRET_BYTES } from "../../lib/auth/token.ts";
import { encodeControl, encodeFrame } from "../../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { PROTOCOL_VERSION } from "../../lib/rpc/messages.ts";
import { createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { CLIENT_NAME } from "../../lib/version.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";
import { TestServer } from "../server/testing.ts";

const USER = "ada";
const SERVER_ID = "0011223344556677";
/** 2025-10-09T08:53:20Z */
const TIME_MS = 1_760_000_000_000;
const QUOTA_BYTES = 1024 ** 3;
const BYTES_A_LINE = 16;
/** A file that is put and got again. */
export const CONTENT = "Trivet\n";

/** The token of the session: 32 bytes from 0 to 31. */
export const TOKEN: string = newToken({
  secret: Uint8Array.from({ length: TOKEN_SECRET_BYTES }, (_, index) => index),
});

/** One frame of the session. */
interface Recorded {
  readonly from: "client" | "server";
  readonly type: FrameType;
  readonly id: number;
  readonly payload: Uint8Array;
}

/** Runs the session and writes its dump. */
export async function dumpExchange(): Promise<string> {
  const data = await Deno.makeTempDir({ prefix: "trivet-test-" });
  await prepare(data);
  await using server = await TestServer.start({ data });
  using link = new Link(await server.connect(), { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
  const session = new Session(link);
  await session.ask(FrameType.HELLO, 0, {
    version: PROTOCOL_VERSION,
    service: "netdisk",
    client: CLIENT_NAME,
  });
  await session.ask(FrameType.AUTH, 0, { step: "token", token: TOKEN });
  await session.request(1, "ls", { path: [] });
  const content = new TextEncoder().encode(CONTENT);
  const digest = toHex(digestOf(await createDigester(), content));
  const put = { path: ["docs", "trivet.txt"], mtimeMs: TIME_MS, overwrite: "fail", digest };
  await session.request(2, "put.file", put, content);
  await session.request(3, "get.open", { path: ["docs", "trivet.txt"] });
  await session.receive();
  await session.receive();
  await session.request(4, "stat", { path: ["missing"] });
  await session.send(FrameType.PING, 0, encodeFrame(FrameType.PING, 0));
  await session.receive();
  await session.send(FrameType.BYE, 0, encodeControl(FrameType.BYE, 0, {}));
  return session.recorded.map(dumpFrame).join("\n\n");
}

/** Makes the data folder of a server whose every answer can be foretold. */
async function prepare(data: string): Promise<void> {
  const catalog = SqliteCatalog.open(join(data, "trivet.db"));
  await catalog.setting("server_id", () => Uint8Array.fromHex(SERVER_ID));
  const key = new Uint8Array(32);
  const verifier = {
    salt: new Uint8Array(16),
    iterations: 600_000,
    storedKey: key,
    serverKey: key,
  };
  await catalog.createUser({ name: USER, verifier, quotaBytes: QUOTA_BYTES });
  await catalog.addToken({
    hash: Uint8Array.fromHex(await hashToken(TOKEN)),
    user: USER,
    kind: "api",
    scope: "full",
    pathPrefix: [],
    expiresAtMs: null,
    label: "test",
  });
  await catalog.close();
  const home = join(data, "homes", USER);
  const time = new Date(TIME_MS);
  await Deno.mkdir(join(home, "docs"), { recursive: true });
  await Deno.chmod(join(home, "docs"), 0o755);
  await Deno.chmod(home, 0o700);
  await Deno.utime(join(home, "docs"), time, time);
  await Deno.utime(home, time, time);
}

class Session {
  readonly recorded: Recorded[] = [];
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  async send(type: FrameType, id: number, frame: Uint8Array): Promise<void> {
    this.recorded.push({ from: "client", type, id, payload: frame.slice(12) });
    await this.#link.send(frame);
  }

  async receive(): Promise<void> {
    const frame = await this.#link.receive();
    if (frame === null) throw new Error("The server closed the connection");
    const { type, id } = frame;
    this.recorded.push({ from: "server", type, id, payload: masked(frame.payload) });
  }

  async ask(type: FrameType, id: number, head: unknown, body?: Uint8Array): Promise<void> {
    await this.send(type, id, encodeControl(type, id, head, body));
    await this.receive();
  }

  async request(id: number, method: string, params: unknown, body?: Uint8Array): Promise<void> {
    await this.ask(FrameType.REQUEST, id, { method, params }, body);
  }
}

/** A payload whose etags, which depend on the file system, are overwritten. */
function masked(payload: Uint8Array): Uint8Array {
  const text = Array.from(payload, (byte) => String.fromCharCode(byte)).join("");
  const same = text.replace(/"etag":"[0-9a-f]{16}"/g, '"etag":"0123456789abcdef"');
  return Uint8Array.from(same, (char) => char.charCodeAt(0));
}

function dumpFrame({ from, type, id, payload }: Recorded): string {
  const name = Object.entries(FrameType).find(([, value]) => value === type)?.[0];
  const bytes = encodeFrame(type, id, payload);
  const lines = [`${from === "client" ? ">" : "<"} ${name}, id ${id}`];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    const slice = bytes.subarray(at, at + BYTES_A_LINE);
    const hex = Array.from(slice, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = Array.from(slice, printable).join("");
    lines.push(`  ${at.toString(16).padStart(4, "0")}  ${hex.padEnd(3 * BYTES_A_LINE)} ${text}`);
  }
  return lines.join("\n");
}

function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
}
