import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  encodePeerChallenge,
  encodePeerHello,
  encodePeerProof,
  PEER_CHALLENGE_BYTES,
  PEER_HELLO_BYTES,
  PEER_PROOF_BYTES,
  readPeerPacket,
} from "../../../lib/chat/peer_packets.ts";

const none = { permissions: "none" } as const;

const HELLO = {
  nonce: new Uint8Array(32).fill(1),
  ephemeral: new Uint8Array(32).fill(2),
  keyId: "0123456789abcdef01",
};
const CHALLENGE = {
  connectionId: "0102030405060708",
  nonce: new Uint8Array(32).fill(3),
  ephemeral: new Uint8Array(32).fill(4),
  proof: new Uint8Array(32).fill(5),
};
const PROOF = { connectionId: "0102030405060708", proof: new Uint8Array(32).fill(6) };

const PACKETS = [
  ["hello", encodePeerHello(HELLO), HELLO, PEER_HELLO_BYTES],
  ["challenge", encodePeerChallenge(CHALLENGE), CHALLENGE, PEER_CHALLENGE_BYTES],
  ["proof", encodePeerProof(PROOF), PROOF, PEER_PROOF_BYTES],
] as const;

for (const [kind, bytes, fields, length] of PACKETS) {
  Deno.test(`readPeerPacket() reads a ${kind}, and no other length of it`, none, () => {
    assertEquals(bytes.length, length);
    assertEquals(readPeerPacket(bytes), { kind, ...fields });
    for (let cut = 0; cut < length; cut++) {
      assertEquals(readPeerPacket(bytes.subarray(0, cut)), undefined, `${cut} bytes`);
    }
    assertEquals(readPeerPacket(new Uint8Array([...bytes, 0])), undefined);
  });
}

Deno.test(
  "readPeerPacket() refuses another version, and a HELLO that is filled with more",
  none,
  () => {
    for (const [at, value] of [[1, 0], [1, 2], [75, 1], [127, 1]] as const) {
      const bytes = encodePeerHello(HELLO);
      bytes[at] = value;
      assertEquals(readPeerPacket(bytes), undefined, `byte ${at}`);
    }
  },
);

Deno.test(
  "readPeerPacket() takes any bytes without an error, and what it reads is what was sent",
  none,
  () => {
    const first = fc.constantFrom(0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0x41);
    const lengths = fc.constantFrom(0, 1, 40, 104, 127);
    const rest = lengths.chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
    fc.assert(
      fc.property(first, rest, (type, bytes) => {
        const packet = readPeerPacket(new Uint8Array([type, ...bytes]));
        if (packet === undefined) return;
        const again = packet.kind === "hello"
          ? encodePeerHello(packet)
          : packet.kind === "challenge"
          ? encodePeerChallenge(packet)
          : encodePeerProof(packet);
        assertEquals([...again], [type, ...bytes]);
      }),
      { numRuns: 5000 },
    );
  },
);
