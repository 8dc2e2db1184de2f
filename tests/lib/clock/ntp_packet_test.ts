import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  decodeNtpPacket,
  encodeNtpPacket,
  NTP_PACKET_BYTES,
  NtpLeap,
  NtpMode,
  type NtpPacket,
} from "../../../lib/clock/ntp_packet.ts";

const permissions = "none";

/** A packet, and the bytes that RFC 5905 §7.3, figure 8, gives it. */
const PACKET: NtpPacket = {
  leap: NtpLeap.DELETE,
  version: 4,
  mode: NtpMode.SERVER,
  stratum: 10,
  poll: -3,
  precision: -25,
  rootDelayNs: 1.5e9,
  rootDispersionNs: 250e6,
  referenceId: new TextEncoder().encode("LOCL"),
  referenceTimestamp: 0x0102_0304_0506_0708n,
  originateTimestamp: 0x1112_1314_1516_1718n,
  receiveTimestamp: 0xf122_2324_2526_2728n,
  transmitTimestamp: 0xffff_ffff_ffff_ffffn,
};

const HEX = "a40afde7" + "00018000" + "00004000" + "4c4f434c" + "0102030405060708" +
  "1112131415161718" + "f122232425262728" + "ffffffffffffffff";

Deno.test("encodeNtpPacket() puts every field in its place", { permissions }, () => {
  assertEquals(encodeNtpPacket(PACKET).toHex(), HEX);
});

Deno.test("encodeNtpPacket() refuses a reference id that is too long", { permissions }, () => {
  assertThrows(() => encodeNtpPacket({ ...PACKET, referenceId: new Uint8Array(5) }), RangeError);
});

Deno.test("decodeNtpPacket() reads what encodeNtpPacket() wrote", { permissions }, () => {
  assertEquals(decodeNtpPacket(Uint8Array.fromHex(HEX)), PACKET);
});

Deno.test("decodeNtpPacket() reads from the middle of a buffer and ignores the rest", {
  permissions,
}, () => {
  const buffer = Uint8Array.fromHex("ffffff" + HEX + "00112233");
  assertEquals(decodeNtpPacket(buffer.subarray(3)), PACKET);
});

Deno.test("decodeNtpPacket() keeps the reference id when the buffer is used again", {
  permissions,
}, () => {
  const bytes = Uint8Array.fromHex(HEX);
  const packet = decodeNtpPacket(bytes);
  bytes.fill(0);
  assertEquals(packet, PACKET);
});

Deno.test("decodeNtpPacket() finds 47 bytes too short and 48 enough", { permissions }, () => {
  for (let length = 0; length < NTP_PACKET_BYTES; length++) {
    assertEquals(decodeNtpPacket(new Uint8Array(length)), undefined);
  }
  assert(decodeNtpPacket(new Uint8Array(NTP_PACKET_BYTES)) !== undefined);
});

Deno.test("encodeNtpPacket() gives every 48 bytes back", { permissions }, () => {
  const bytes = fc.uint8Array({ minLength: NTP_PACKET_BYTES, maxLength: NTP_PACKET_BYTES });
  fc.assert(fc.property(bytes, (bytes) => {
    const packet = decodeNtpPacket(bytes);
    assert(packet !== undefined);
    assertEquals(encodeNtpPacket(packet), bytes);
  }));
});
