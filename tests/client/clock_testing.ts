/**
 * UDP servers whose answers a test writes itself.
 *
 * @module
 */

import {
  decodeNtpPacket,
  encodeNtpPacket,
  NtpMode,
  type NtpPacket,
} from "../../lib/clock/ntp_packet.ts";
import { ntpFromUnixNs } from "../../lib/clock/ntp_timestamp.ts";
import { wallClockNs } from "../../lib/clock/wall_clock.ts";

/** One request to a {@linkcode FakeUdpServer}. */
export interface FakeRequest {
  /** The datagram. */
  readonly bytes: Uint8Array;
  /** How many came before it. */
  readonly index: number;
  /** The port it came from. */
  readonly fromPort: number;
  /** Answers it. */
  reply(bytes: Uint8Array): Promise<void>;
  /** Answers it from another port, as somebody else would. */
  spoof(bytes: Uint8Array): Promise<void>;
}

/** A UDP server on a free port of this machine. */
export class FakeUdpServer implements AsyncDisposable {
  readonly port: number;
  /** What was asked, in order. */
  readonly requests: FakeRequest[] = [];
  readonly #socket: Deno.DatagramConn;
  readonly #stranger: Deno.DatagramConn;
  readonly #serving: Promise<void>;

  constructor(handle: (request: FakeRequest) => unknown, hostname = "127.0.0.1") {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    this.#stranger = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    this.port = this.#socket.addr.transport === "udp" ? this.#socket.addr.port : 0;
    this.#serving = this.#serve(handle);
  }

  async #serve(handle: (request: FakeRequest) => unknown): Promise<void> {
    const pending: unknown[] = [];
    for await (const [bytes, from] of this.#socket) {
      if (from.transport !== "udp") continue;
      const request: FakeRequest = {
        bytes,
        index: this.requests.length,
        fromPort: from.port,
        reply: async (answer) => void await this.#socket.send(answer, from),
        spoof: async (answer) => void await this.#stranger.send(answer, from),
      };
      this.requests.push(request);
      pending.push(handle(request));
    }
    await Promise.all(pending);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#serving;
    this.#stranger.close();
  }
}

/** A UDP port of this machine on which nobody listens. */
export function closedPort(hostname = "127.0.0.1"): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const { addr } = socket;
  socket.close();
  return addr.transport === "udp" ? addr.port : 0;
}

/** Text in a datagram. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text of a datagram. */
export function textOf({ bytes }: Pick<FakeRequest, "bytes">): string {
  return new TextDecoder().decode(bytes);
}

/**
 * A good reply of an NTP server.
 *
 * @param request What it answers.
 * @param change What is different; `offsetNs` is how far the server's clock is ahead.
 */
export function ntpReply(
  request: FakeRequest,
  { offsetNs = 0n, ...change }: Partial<NtpPacket> & { readonly offsetNs?: bigint } = {},
): Uint8Array {
  const asked = decodeNtpPacket(request.bytes);
  if (asked === undefined) throw new TypeError("The request is no NTP packet");
  const now = ntpFromUnixNs(wallClockNs() + offsetNs);
  return encodeNtpPacket({
    leap: 0,
    version: asked.version,
    mode: NtpMode.SERVER,
    stratum: 2,
    poll: asked.poll,
    precision: -20,
    rootDelayNs: 0,
    rootDispersionNs: 0,
    referenceId: Uint8Array.of(192, 0, 2, 1),
    referenceTimestamp: now,
    originateTimestamp: asked.transmitTimestamp,
    receiveTimestamp: now,
    transmitTimestamp: now,
    ...change,
  });
}
