import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import {
  decodeNtpPacket,
  NTP_PACKET_BYTES,
  NtpLeap,
  NtpMode,
  type NtpPacket,
} from "../../../lib/clock/ntp_packet.ts";
import { LOCAL_REFRESH_MS, type NtpReference } from "../../../lib/clock/ntp_reference.ts";
import { NtpResponder, type NtpResponderOptions } from "../../../lib/clock/ntp_responder.ts";
import { ntpFromUnixNs, unixNsFromNtp } from "../../../lib/clock/ntp_timestamp.ts";
import { RateLimit } from "../../../lib/clock/rate_limit.ts";
import { bytesOf, CLIENT, FakeClock, noLimit, ntpRequest, textOf } from "./testing.ts";

const permissions = "none";
const OWN_PORT = 9123;

function responderOf(fake: FakeClock, options: Partial<NtpResponderOptions> = {}): NtpResponder {
  return new NtpResponder({
    limit: noLimit(),
    ownPort: OWN_PORT,
    clock: fake.stamps(),
    precision: -23,
    ...options,
  });
}

function ask(responder: NtpResponder, request = ntpRequest(), source = CLIENT): NtpPacket {
  const reply = responder.respond(request, source);
  assert(reply !== undefined, "there is an answer");
  const packet = decodeNtpPacket(reply);
  assert(packet !== undefined);
  return packet;
}

Deno.test("NtpResponder answers a client as RFC 5905 wants it", { permissions }, () => {
  const fake = new FakeClock();
  const responder = responderOf(fake);
  const startNs = fake.epochNs;
  fake.pass(2000);
  const request = ntpRequest({ transmit: 0xfedc_ba98_7654_3210n });
  request[2] = 6;
  const now = ntpFromUnixNs(fake.epochNs);
  assertEquals(ask(responder, request), {
    leap: NtpLeap.NONE,
    version: 4,
    mode: NtpMode.SERVER,
    stratum: 10,
    poll: 6,
    precision: -23,
    rootDelayNs: 0,
    // 2^-23 s and 15 ppm of two seconds, rounded up to the next 2^-16 s.
    rootDispersionNs: 2 * 1e9 / 65_536,
    referenceId: bytesOf("LOCL"),
    referenceTimestamp: ntpFromUnixNs(startNs),
    originateTimestamp: 0xfedc_ba98_7654_3210n,
    receiveTimestamp: now,
    transmitTimestamp: now,
  });
});

for (const version of [0, 1, 2, 3, 4, 5, 6, 7]) {
  for (const mode of [0, 1, 2, 3, 4, 5, 6, 7]) {
    const isAsked = version >= 1 && version <= 4 && (mode === 1 || mode === 3);
    Deno.test(`NtpResponder ${isAsked ? "answers" : "drops"} version ${version}, mode ${mode}`, {
      permissions,
    }, () => {
      const responder = responderOf(new FakeClock());
      const request = ntpRequest({ version, mode });
      if (isAsked) {
        const reply = ask(responder, request);
        assertEquals([reply.version, reply.mode], [version, mode + 1]);
        return;
      }
      assertEquals(responder.respond(request, CLIENT), undefined);
    });
  }
}

const PORTS: [port: number, hostname: string, isAnswered: boolean][] = [
  [0, "192.0.2.7", false],
  [7, "192.0.2.7", false],
  [122, "192.0.2.7", false],
  [123, "192.0.2.7", true],
  [124, "192.0.2.7", false],
  [1023, "192.0.2.7", false],
  [1024, "192.0.2.7", true],
  [65_535, "192.0.2.7", true],
  [OWN_PORT, "192.0.2.7", false],
];

for (const [port, hostname, isAnswered] of PORTS) {
  Deno.test(
    `NtpResponder ${isAnswered ? "answers" : "drops"} port ${port}`,
    { permissions },
    () => {
      const reply = responderOf(new FakeClock()).respond(ntpRequest(), { hostname, port });
      assertEquals(reply !== undefined, isAnswered);
    },
  );
}

Deno.test("NtpResponder on port 123 answers from 123 to 123, but not itself", {
  permissions,
}, () => {
  const responder = responderOf(new FakeClock(), { ownPort: 123, ownHost: "192.0.2.1" });
  assert(responder.respond(ntpRequest(), { hostname: "192.0.2.7", port: 123 }) !== undefined);
  assertEquals(responder.respond(ntpRequest(), { hostname: "192.0.2.1", port: 123 }), undefined);
});

Deno.test("NtpResponder drops 47 bytes and answers 48 and more with 48", { permissions }, () => {
  const responder = responderOf(new FakeClock());
  for (let length = 0; length < NTP_PACKET_BYTES; length++) {
    assertEquals(responder.respond(ntpRequest().subarray(0, length), CLIENT), undefined);
  }
  for (const length of [48, 49, 68, 1500]) {
    const request = new Uint8Array(length);
    request.set(ntpRequest());
    assertEquals(responder.respond(request, CLIENT)?.length, NTP_PACKET_BYTES);
  }
});

Deno.test("NtpResponder gives a million random originate timestamps back", { permissions }, () => {
  const responder = new NtpResponder({ limit: noLimit(), ownPort: OWN_PORT });
  const request = ntpRequest();
  const asked = new BigUint64Array(request.buffer);
  const transmit = new BigUint64Array(8192);
  let wrong = 0;
  for (let i = 0; i < 1_000_000; i++) {
    if (i % transmit.length === 0) crypto.getRandomValues(transmit);
    asked[5] = transmit[i % transmit.length] ?? 0n;
    const reply = responder.respond(request, CLIENT);
    if (reply === undefined || new BigUint64Array(reply.buffer)[3] !== asked[5]) wrong++;
  }
  assertEquals(wrong, 0);
});

Deno.test("NtpResponder answers or drops every packet as its first byte says", {
  permissions,
}, () => {
  const responder = responderOf(new FakeClock());
  const bytes = fc.uint8Array({ minLength: NTP_PACKET_BYTES, maxLength: NTP_PACKET_BYTES });
  fc.assert(
    fc.property(bytes, (request) => {
      const asked = decodeNtpPacket(request);
      assert(asked !== undefined);
      const { version, mode } = asked;
      const before = request.slice();
      const reply = responder.respond(request, CLIENT);
      assertEquals(request, before, "the request stays as it is");
      if (version < 1 || version > 4 || mode !== 1 && mode !== 3) {
        assertEquals(reply, undefined);
        return;
      }
      assert(reply !== undefined && reply.length <= request.length);
      const packet = decodeNtpPacket(reply);
      assertEquals(packet?.originateTimestamp, asked.transmitTimestamp);
      assertEquals([packet?.version, packet?.mode], [version, mode + 1]);
      assertEquals(packet?.poll, asked.poll);
      assertEquals(responder.respond(reply.slice(), CLIENT), undefined, "no answer is answered");
    }),
    { numRuns: 2000 },
  );
});

Deno.test("NtpResponder answers every pair of first and second byte or drops it", {
  permissions,
}, () => {
  const responder = responderOf(new FakeClock());
  const request = ntpRequest();
  let answered = 0;
  for (let i = 0; i < 65_536; i++) {
    [request[0], request[1]] = [i >> 8, i & 255];
    if (responder.respond(request, CLIENT) !== undefined) answered++;
  }
  // Four versions, two modes, all leap bits, all strata.
  assertEquals(answered, 4 * 2 * 4 * 256);
});

Deno.test("NtpResponder stamps the arrival first and the answer last", { permissions }, () => {
  const responder = new NtpResponder({ limit: noLimit(), ownPort: OWN_PORT });
  const beforeNs = BigInt(Date.now()) * 1_000_000n;
  let last = 0n;
  for (let i = 0; i < 1000; i++) {
    const reply = ask(responder);
    assert(reply.receiveTimestamp < reply.transmitTimestamp, "some time passes in between");
    last = reply.transmitTimestamp;
  }
  const awayNs = unixNsFromNtp(last, beforeNs) - beforeNs;
  assertGreater(awayNs, -5_000_000n);
  assertLess(awayNs, 60_000_000_000n);
});

Deno.test("NtpResponder goes on in era 1", { permissions }, () => {
  const fake = new FakeClock("2036-02-07T06:28:15.5Z");
  const responder = responderOf(fake);
  assertEquals(ask(responder).transmitTimestamp, 0xffff_ffff_8000_0000n);
  fake.pass(1000);
  assertEquals(ask(responder).receiveTimestamp, 0x0000_0000_8000_0000n);
  const far = new FakeClock("2036-02-08T00:00:00.25Z");
  assertEquals(ask(responderOf(far)).transmitTimestamp, 63_104n << 32n | 0x4000_0000n);
});

Deno.test("NtpResponder's dispersion grows by 15 ppm until its clock counts as read anew", {
  permissions,
}, () => {
  const fake = new FakeClock();
  const responder = responderOf(fake);
  const first = ask(responder);
  fake.pass(LOCAL_REFRESH_MS - 1);
  const grown = ask(responder);
  assertLess(Math.abs(grown.rootDispersionNs - first.rootDispersionNs - 64e9 * 15e-6), 31_000);
  assertEquals(grown.referenceTimestamp, first.referenceTimestamp);
  fake.pass(1);
  const anew = ask(responder);
  assertEquals(anew.rootDispersionNs, first.rootDispersionNs);
  assertEquals(anew.referenceTimestamp, ntpFromUnixNs(fake.epochNs));
  assertEquals(anew.receiveTimestamp, anew.referenceTimestamp);
});

/** What chronyd might know of a clock. */
function mirrored(fake: FakeClock): NtpReference {
  return {
    leap: NtpLeap.INSERT,
    stratum: 2,
    referenceId: Uint8Array.of(192, 0, 2, 99),
    rootDelayNs: 3e9 / 65_536,
    rootDispersionNs: 5e9 / 65_536,
    referenceTimestamp: 0x1234_5678_9abc_def0n,
    asOfMs: fake.monotonicMs,
  };
}

Deno.test("NtpResponder.setReference() changes what replies say, and back", { permissions }, () => {
  const fake = new FakeClock();
  const responder = responderOf(fake);
  const reference = mirrored(fake);
  responder.setReference(reference);
  const { asOfMs: _, ...said } = reference;
  const { leap, stratum, referenceId, rootDelayNs, rootDispersionNs, referenceTimestamp } = ask(
    responder,
  );
  const heard = { leap, stratum, referenceId, rootDelayNs, rootDispersionNs, referenceTimestamp };
  assertEquals(heard, said);
  // It grows without end: only the mirror may say that it is read anew.
  fake.pass(1_000_000);
  const grown = ask(responder).rootDispersionNs - rootDispersionNs;
  assertLess(Math.abs(grown - 1e12 * 15e-6), 16_000);

  responder.setReference(undefined);
  const local = ask(responder);
  assertEquals([local.leap, local.stratum, textOf(local.referenceId)], [0, 10, "LOCL"]);
  assertLess(local.rootDispersionNs, 16_000);
});

/** A responder whose only client has used up its limit, by the chance of being answered. */
function exhausted(chance: number, options: Partial<NtpResponderOptions>): NtpResponder {
  const limit = new RateLimit({ perSecond: 1, burst: 1, random: () => chance });
  const responder = responderOf(new FakeClock(), { ...options, limit });
  ask(responder);
  return responder;
}

Deno.test("NtpResponder answers some beyond the limit, refuses some, drops the rest", {
  permissions,
}, () => {
  for (const kissOfDeath of [true, false]) {
    assertEquals(ask(exhausted(0.1, { kissOfDeath })).stratum, 10);
    assertEquals(exhausted(0.9, { kissOfDeath }).respond(ntpRequest(), CLIENT), undefined);
  }
  assertEquals(exhausted(0.4, {}).respond(ntpRequest(), CLIENT), undefined);
});

Deno.test("NtpResponder's refusal is a kiss-o'-death RATE and nothing else", {
  permissions,
}, () => {
  const responder = exhausted(0.4, { kissOfDeath: true });
  const kiss = ask(responder, ntpRequest({ version: 3 }));
  assertEquals([kiss.leap, kiss.version, kiss.mode], [NtpLeap.UNKNOWN, 3, NtpMode.SERVER]);
  assertEquals([kiss.stratum, textOf(kiss.referenceId)], [0, "RATE"]);
  assertEquals(kiss.originateTimestamp, 0x0102_0304_0506_0708n);
  assertEquals(kiss.transmitTimestamp, kiss.receiveTimestamp);
  assertEquals([kiss.rootDelayNs, kiss.rootDispersionNs, kiss.referenceTimestamp], [0, 0, 0n]);
  // Another source is answered as ever.
  const other = ask(responder, ntpRequest(), { hostname: "192.0.2.8", port: 40_000 });
  assertEquals([other.leap, other.stratum, textOf(other.referenceId)], [0, 10, "LOCL"]);
});
