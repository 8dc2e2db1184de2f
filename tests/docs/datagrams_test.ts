/** docs/protocol.md says what the datagrams are: frames, keys, bytes. */

import { assertEquals } from "@std/assert";
import * as node from "node:crypto";
import { ByteReader } from "../../lib/datagram/bytes.ts";
import { ACK_RANGES_MAX, PacketFrame, readFrame } from "../../lib/datagram/packet.ts";
import {
  deriveResetToken,
  encodeReset,
  PacketOpener,
  PacketSealer,
} from "../../lib/datagram/protection.ts";
import { readPage, sectionOf, tablesOf } from "./page.ts";

const SECTION = sectionOf(await readPage("docs/protocol.md"), "## Datagrams");
const BLOCKS = [...SECTION.matchAll(/^```text\n([\s\S]*?)^```$/gm)].map(([, text]) => text ?? "");
const VECTORS = new Map(
  (BLOCKS.at(-1) ?? "").trim().split("\n").map((line) => {
    const [name = "", value = ""] = line.split(/ {2,}/);
    return [name, value];
  }),
);

function vector(name: string): string {
  const value = VECTORS.get(name);
  if (value === undefined) throw new Error(`docs/protocol.md has no vector "${name}"`);
  return value;
}

function bytes(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(vector(name));
}

Deno.test("docs/protocol.md's datagram is what is sealed and opened", () => {
  const number = Number.parseInt(vector("packet number"), 16);
  const id = vector("connection id");
  const sealer = new PacketSealer(bytes("secret"), id, number);
  assertEquals(sealer.seal(bytes("frames")).toHex(), vector("datagram"));
  const opener = new PacketOpener(bytes("secret"), id);
  assertEquals(opener.numberOf(bytes("datagram")), number);
  assertEquals(opener.open(bytes("datagram"), number)?.toHex(), vector("frames"));
});

Deno.test("docs/protocol.md's words lead to the key, the IV and the datagram", () => {
  for (const name of ["key", "iv"] as const) {
    const length = name === "key" ? 32 : 12;
    const info = `trivet datagram-1 ${name}`;
    assertEquals(
      new Uint8Array(node.hkdfSync("sha256", bytes("secret"), "", info, length)).toHex(),
      vector(name),
    );
  }
  const nonce = bytes("iv");
  for (const [i, byte] of bytes("packet number").entries()) {
    nonce[4 + i] = (nonce[4 + i] ?? 0) ^ byte;
  }
  const datagram = bytes("datagram");
  const options = { authTagLength: 16 };
  const cipher = node.createCipheriv("chacha20-poly1305", bytes("key"), nonce, options);
  cipher.setAAD(datagram.subarray(0, 17), { plaintextLength: datagram.length - 33 });
  const sealed = cipher.update(bytes("frames"));
  cipher.final();
  const header = `d1${vector("connection id")}${vector("packet number")}`;
  assertEquals(
    header + sealed.toString("hex") + cipher.getAuthTag().toString("hex"),
    datagram.toHex(),
  );
});

Deno.test("docs/protocol.md's reset is what is sent", () => {
  const id = vector("connection id");
  const token = deriveResetToken(bytes("reset secret"), id);
  assertEquals(encodeReset(id, token).toHex(), vector("reset"));
});

Deno.test("docs/protocol.md's frames are those that are read", () => {
  const reader = new ByteReader(bytes("frames"));
  const frames = [];
  while (reader.left > 0) frames.push(readFrame(reader));
  assertEquals(frames, [
    { type: PacketFrame.WINDOW, total: 4_194_304 },
    { type: PacketFrame.CHALLENGE, data: Uint8Array.from({ length: 8 }, (_, i) => i) },
    {
      type: PacketFrame.ACK,
      ranges: [{ start: 90, end: 101 }, { start: 70, end: 80 }],
      delayUs: 2500,
    },
    {
      type: PacketFrame.STREAM,
      stream: 3,
      offset: 1000,
      bytes: new TextEncoder().encode("\x00\x05hello"),
    },
    { type: PacketFrame.CLOSE, code: 0, reason: "bye" },
    { type: PacketFrame.PING },
  ]);
});

Deno.test("docs/protocol.md lists every frame of a datagram", () => {
  const [table = []] = tablesOf(SECTION);
  const listed = table.map(([name = "", type = ""]) => [name, Number(type)]);
  assertEquals(listed, Object.entries(PacketFrame));
  assertEquals(SECTION.includes(`further ranges (at most ${ACK_RANGES_MAX - 1})`), true);
});
