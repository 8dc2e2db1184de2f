/**
 * Two services of two servers that a forged datagram points at each other (CVE-2024-2169): whatever it
 * holds, they are silent after two packets.
 */
import { assert, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  ClassicResponder,
  daytimeWriter,
  writeTime,
} from "../../../lib/clock/classic_responder.ts";
import type { DatagramResponder, DatagramSource } from "../../../lib/clock/datagram_source.ts";
import { NtpResponder } from "../../../lib/clock/ntp_responder.ts";
import { TextResponder } from "../../../lib/clock/text_responder.ts";
import { UTC } from "../../../lib/clock/zone.ts";
import { bytesOf, FakeClock, noLimit, ntpRequest, requests } from "./testing.ts";

const permissions = "none";
/** Packets that are let through before a pair counts as endless. */
const PACKETS_MAX = 12;

interface Server {
  readonly responder: DatagramResponder;
  readonly source: DatagramSource;
}

type Maker = (fake: FakeClock, ownPort: number) => DatagramResponder;

const SERVICES: Readonly<Record<string, Maker>> = {
  text: (fake, ownPort) => new TextResponder({ limit: noLimit(), ownPort, ...fake.wall() }),
  "Chinese text": (fake, ownPort) =>
    new TextResponder({
      limit: noLimit(),
      ownPort,
      ...fake.wall(),
      locale: "zh-CN",
      zone: "Asia/Shanghai",
    }),
  SNTP: (fake, ownPort) => new NtpResponder({ limit: noLimit(), ownPort, clock: fake.stamps() }),
  DAYTIME: (fake, ownPort) =>
    new ClassicResponder({
      write: daytimeWriter(UTC),
      limit: noLimit(),
      ownPort,
      wallNs: () => fake.epochNs,
    }),
  TIME: (fake, ownPort) =>
    new ClassicResponder({
      write: writeTime,
      limit: noLimit(),
      ownPort,
      wallNs: () => fake.epochNs,
    }),
};

/** Two servers on ports of their own, so that no rule about ports ends it. */
function pairOf(fake: FakeClock, one: Maker, other: Maker): [Server, Server] {
  return [
    { responder: one(fake, 9001), source: { hostname: "192.0.2.1", port: 9001 } },
    { responder: other(fake, 9002), source: { hostname: "192.0.2.2", port: 9002 } },
  ];
}

/** Sends `forged` to the first server in the name of the second; how many packets follow. */
function packetsAfter(forged: Uint8Array, [one, other]: [Server, Server], fake: FakeClock): number {
  let [to, from] = [one, other];
  let packet = forged;
  for (let packets = 0; packets < PACKETS_MAX; packets++) {
    const reply = to.responder.respond(packet, from.source);
    if (reply === undefined) return packets;
    packet = reply.slice();
    [to, from] = [from, to];
    // On its way the next second may begin.
    fake.pass(300);
  }
  return PACKETS_MAX;
}

for (const [oneName, one] of Object.entries(SERVICES)) {
  for (const [otherName, other] of Object.entries(SERVICES)) {
    Deno.test(`${oneName} and ${otherName} stop within two packets`, { permissions }, () => {
      fc.assert(
        fc.property(requests, (forged) => {
          const fake = new FakeClock();
          const packets = packetsAfter(forged, pairOf(fake, one, other), fake);
          assertLessOrEqual(packets, 2);
        }),
        { numRuns: 300 },
      );
    });
  }
}

const FORGED = ["", "hello", "%Y", "%%Y", "%%%%%%%%Y", "%Q", "%s", "%H:%M", "%n", "1", "%", "%H%n"];

for (const text of FORGED) {
  Deno.test(`Two text services stop after ${JSON.stringify(text)}`, { permissions }, () => {
    for (
      const [one, other] of [["text", "text"], ["text", "Chinese text"], ["Chinese text", "text"]]
    ) {
      const fake = new FakeClock();
      const [a, b] = [SERVICES[one ?? ""], SERVICES[other ?? ""]];
      assert(a !== undefined && b !== undefined);
      const packets = packetsAfter(bytesOf(text), pairOf(fake, a, b), fake);
      assert(packets >= 1 && packets <= 2, `${packets} packets`);
    }
  });
}

Deno.test("Two SNTP services stop after one answer", { permissions }, () => {
  for (const mode of [1, 3]) {
    const fake = new FakeClock();
    const sntp = SERVICES.SNTP;
    assert(sntp !== undefined);
    const packets = packetsAfter(ntpRequest({ mode }), pairOf(fake, sntp, sntp), fake);
    assert(packets === 1, `${packets} packets`);
  }
});
