/**
 * Sends hostile input to a server, before and after login, over as many connections as it takes: most
 * inputs cost the connection.
 *
 * @module
 */

import type { SeededRandom } from "../../../lib/datagram/seeded_random.ts";
import { encodeControl } from "../../../lib/frame/encode.ts";
import { FrameType } from "../../../lib/frame/frame.ts";
import { PROTOCOL_VERSION } from "../../../lib/rpc/messages.ts";
import { hostileInput } from "./grammar.ts";

const SERVICES = ["netdisk", "chat"] as const;

/** Inputs that one connection sends at most; what comes behind a broken one is not read. */
const INPUTS_MAX = 60;

/** Connections at once. */
const LANES = 16;

/** How long the server may take to answer or to close. */
const PATIENCE_MS = 200;

/** What is attacked. */
export interface Target {
  /** A server without TLS: what is tried is behind it. */
  readonly port: number;
  /** A token of some account. */
  readonly token: string;
}

/**
 * Attacks.
 *
 * @param target Whom.
 * @param random Decides all.
 * @param inputs How many inputs are sent.
 * @returns How many connections it took.
 */
export async function attack(
  target: Target,
  random: SeededRandom,
  inputs: number,
): Promise<number> {
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    const own = random.fork();
    let connections = 0;
    for (let left = Math.floor((inputs + lane) / LANES); left > 0; connections++) {
      const count = Math.min(1 + own.below(INPUTS_MAX), left);
      await attackOnce(target, own, count);
      left -= count;
    }
    return connections;
  });
  return (await Promise.all(lanes)).reduce((sum, each) => sum + each, 0);
}

async function attackOnce(target: Target, random: SeededRandom, count: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: target.port });
  const reading = drain(conn);
  const inputs = Array.from({ length: count }, () => hostileInput(random));
  try {
    if (random.chance(80)) await write(conn, greeting(target, random));
    for (const input of inputs) await write(conn, input);
    await conn.closeWrite();
  } catch {
    // The server has closed it: that is how most end.
  }
  await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}

/** HELLO, and in most cases a login. */
function greeting({ token }: Target, random: SeededRandom): Uint8Array {
  const service = SERVICES[random.below(SERVICES.length)] ?? "netdisk";
  const hello = { version: PROTOCOL_VERSION, service, client: "hostile" };
  const frames = [encodeControl(FrameType.HELLO, 0, hello)];
  if (random.chance(85)) frames.push(encodeControl(FrameType.AUTH, 0, { step: "token", token }));
  const all = new Uint8Array(frames.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const frame of frames) {
    all.set(frame, at);
    at += frame.length;
  }
  return all;
}

async function drain(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    while (await conn.read(buffer) !== null) { /* whatever it says */ }
  } catch {
    // Closed, by either side.
  }
}

async function write(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
