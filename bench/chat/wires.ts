/**
 * The three protocols of the load: how a connection gets into the room, and what a message is.
 *
 * @module
 */

import { CHAT_SERVICE } from "../../lib/rpc/services.ts";
import { askStep } from "../../client/auth_steps.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FRAME_HEADER_BYTES, FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";
import { dial } from "../../lib/link/dial.ts";
import { parseFingerprint } from "../../lib/link/fingerprint.ts";
import type { KnownServer } from "../../lib/link/known_servers.ts";
import { Link, type Transport } from "../../lib/link/link.ts";
import { greet } from "../../lib/rpc/handshake.ts";
import { checkHead, DIRECT_METHOD, DirectOffer, readMessage } from "../../lib/rpc/messages.ts";
import { type Counter, FrameCounter, LineCounter } from "./counter.ts";
import type { LoadOptions } from "./load.ts";

/** What a protocol is to the load. */
export interface Wire {
  /** Connects the sender, or a receiver, which hears of the room when this resolves. */
  connect(number: number, role: "sender" | "receiver"): Promise<Transport>;
  /** So many messages in one buffer. */
  messages(count: number): Uint8Array;
  /** Counts what one receiver gets. */
  counter(): Counter;
}

/** Characters of each message. */
const TEXT = "m".repeat(100);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The wire of a contender. */
export function wireOf(options: LoadOptions): Wire {
  const { protocol, port } = options;
  if (protocol === "irc") return ircWire(port);
  if (protocol === "nats") return natsWire(port);
  return trivetWire(options);
}

function ircWire(port: number): Wire {
  const line = encoder.encode(`PRIVMSG #room :${TEXT}\r\n`);
  // As the server passes it on: with the sender in front, ":s0!~s0@localhost PRIVMSG …".
  const prefix = ":s0!~s0@localhost ";
  return {
    connect: async (number, role) => {
      const nick = `${role === "sender" ? "s" : "r"}${number}`;
      const conn = await connectTcp(port);
      await write(conn, `NICK ${nick}\r\nUSER ${nick} 0 * :${nick}\r\n`);
      await readUntil(conn, / 376 | 422 /);
      await write(conn, "JOIN #room\r\n");
      await readUntil(conn, / 366 /);
      return conn;
    },
    messages: (count) => repeated(line, count),
    counter: () => new LineCounter(":".charCodeAt(0), prefix.length + line.length),
  };
}

function natsWire(port: number): Wire {
  const payload = `${TEXT}\r\n`;
  const publication = encoder.encode(`PUB room ${TEXT.length}\r\n${payload}`);
  const delivered = `MSG room 1 ${TEXT.length}\r\n${payload}`;
  return {
    connect: async (_, role) => {
      const conn = await connectTcp(port);
      await write(conn, 'CONNECT {"verbose":false,"pedantic":false}\r\n');
      if (role === "receiver") await write(conn, "SUB room 1\r\n");
      await write(conn, "PING\r\n");
      await readUntil(conn, /PONG\r\n/);
      return conn;
    },
    messages: (count) => repeated(publication, count),
    counter: () => new LineCounter("M".charCodeAt(0), delivered.length),
  };
}

function trivetWire({ port, tokens = [], fingerprint }: LoadOptions): Wire {
  // Once the certificate is known, each connection is one and needs no other to ask for it.
  let known: KnownServer | undefined;
  let requestId = 1;
  let clientId = Date.now() * 1000;
  const enter = async (port: number, token: string) => {
    const address = { transport: "tcp", host: "127.0.0.1", port } as const;
    const options = fingerprint === undefined
      ? { plain: true }
      : { trust: { fingerprint: parseFingerprint(fingerprint), known } };
    const { conn, firstSeen } = await dial(address, options);
    known ??= firstSeen;
    // The link must read nothing that belongs to the load.
    const link = new Link(new FrameByFrame(conn));
    await greet(link, { client: "bench", service: CHAT_SERVICE });
    await askStep(link, { step: "token", token }, "authenticated");
    link.setPayloadMaxBytes(FRAME_PAYLOAD_MAX_BYTES);
    return { conn, link };
  };
  return {
    connect: async (number, role) => {
      const token = tokens[number] ?? "";
      let { conn, link } = await enter(port, token);
      if (role === "sender") return conn;
      if (fingerprint !== undefined) {
        // As clients do who listen.
        const offer = checkHead(DirectOffer, await ask(link, DIRECT_METHOD), DIRECT_METHOD);
        link.close();
        ({ conn, link } = await enter(offer.port, token));
      }
      await ask(link, "subscribe");
      return conn;
    },
    messages: (count) => {
      const frames = Array.from({ length: count }, () => {
        const params = { to: "room", text: TEXT, clientId: String(clientId++) };
        const id = requestId = requestId % 0xffff_ffff + 1;
        return encodeControl(FrameType.REQUEST, id, { method: "send", params });
      });
      return joined(frames);
    },
    counter: () => new FrameCounter(),
  };
}

/** Asks for something, and passes over what comes before the answer. */
async function ask(link: Link, method: string): Promise<unknown> {
  await link.send(encodeControl(FrameType.REQUEST, 1, { method, params: {} }));
  for (;;) {
    const frame = await link.receive();
    if (frame === null) throw new Error("The server closed the connection");
    if (frame.type === FrameType.RESPONSE) return readMessage(frame).head;
  }
}

/** Reads one frame at a time, so that whoever reads next begins with a whole one. */
class FrameByFrame implements Transport {
  readonly #conn: Transport;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  #payloadBytes = 0;

  constructor(conn: Transport) {
    this.#conn = conn;
  }

  async read(target: Uint8Array): Promise<number | null> {
    const isPayload = this.#payloadBytes > 0;
    const wanted = isPayload ? this.#payloadBytes : FRAME_HEADER_BYTES - this.#headerBytes;
    const count = await this.#conn.read(target.subarray(0, wanted));
    if (count === null) return null;
    if (isPayload) this.#payloadBytes -= count;
    else {
      this.#header.set(target.subarray(0, count), this.#headerBytes);
      this.#headerBytes += count;
      if (this.#headerBytes === FRAME_HEADER_BYTES) {
        this.#payloadBytes = new DataView(this.#header.buffer).getUint32(0);
        this.#headerBytes = 0;
      }
    }
    return count;
  }

  write(source: Uint8Array): Promise<number> {
    return this.#conn.write(source);
  }

  close(): void {
    this.#conn.close();
  }
}

async function connectTcp(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay();
  return conn;
}

async function write(conn: Transport, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function readUntil(conn: Transport, pattern: RegExp): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let text = ""; !pattern.test(text);) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`The connection ended: ${text}`);
    text = (text + decoder.decode(buffer.subarray(0, count), { stream: true })).slice(-4096);
  }
}

function repeated(bytes: Uint8Array, count: number): Uint8Array {
  return count === 1 ? bytes : joined(Array.from({ length: count }, () => bytes));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
