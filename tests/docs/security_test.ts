/** docs/security.md says what the code does: the exchange of machine keys, field by field. */

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import * as node from "node:crypto";
import { deriveAuthKey, parseMachineKey } from "../../lib/auth/machine_key.ts";
import { MachineKeyClient } from "../../lib/auth/machine_key_client.ts";
import { MachineKeyServer } from "../../lib/auth/machine_key_server.ts";
import { readPage, sectionOf } from "./page.ts";

const SECTION = sectionOf(await readPage("docs/security.md"), "### The exchange");
const BLOCKS = [...SECTION.matchAll(/^```text\n([\s\S]*?)^```$/gm)].map(([, text]) => text ?? "");
const VECTORS = new Map(
  (BLOCKS.at(-1) ?? "").trim().split("\n").map((line) => {
    const [name = "", value = ""] = line.split(/ {2,}/);
    return [name, value];
  }),
);

function vector(name: string): string {
  const value = VECTORS.get(name);
  if (value === undefined) throw new Error(`docs/security.md has no vector "${name}"`);
  return value;
}

function bytes(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(vector(name));
}

Deno.test("docs/security.md's exchange is what both sides do", async () => {
  const key = parseMachineKey(vector("key"));
  assertEquals([key.id, key.secret.toHex()], [vector("key id"), vector("secret")]);
  const link = {
    service: vector("service"),
    mechanisms: vector("mechanisms").split(","),
    channelBinding: bytes("certificate hash"),
  };
  const shareOf = (side: string) => ({
    share: { nonce: bytes(`${side} nonce`), privateKey: bytes(`${side} private`) },
  });
  const authKey = await deriveAuthKey(key);
  const client = new MachineKeyClient({ ...link, key, ...shareOf("client") });
  const server = new MachineKeyServer({
    ...link,
    ...shareOf("server"),
    now: () => 0,
    lookup: () => Promise.resolve({ authKey, isDecoy: false }),
  });
  const hello = await client.first();
  const challenge = await server.challenge(hello);
  const proof = await client.prove(challenge);
  server.accept(proof);
  const hex = (base64: string) => Uint8Array.fromBase64(base64).toHex();
  assertEquals(hex(hello.ephemeral), vector("client ephemeral"));
  assertEquals(hex(challenge.ephemeral), vector("server ephemeral"));
  assertEquals(authKey.toHex(), vector("authentication key"));
  assertEquals(hex(challenge.proof), vector("server proof"));
  assertEquals(hex(proof), vector("client proof"));
  assertEquals(client.sessionKeys?.send.toHex(), vector("client to server"));
  assertEquals(server.sessionKeys?.send.toHex(), vector("server to client"));
});

// Written from the page alone, with another implementation of the cryptography.
Deno.test("docs/security.md's formulas give its vectors", () => {
  const hmac = (secret: Uint8Array, data: string | Uint8Array) =>
    node.createHmac("sha256", secret).update(data).digest();
  const field = (data: string | Uint8Array) => {
    const content = Buffer.from(data);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    return Buffer.concat([length, content]);
  };
  const privateKey = (name: string) =>
    node.createPrivateKey({
      key: Buffer.from(`302e020100300506032b656e04220420${vector(name)}`, "hex"),
      format: "der",
      type: "pkcs8",
    });
  const shared = node.diffieHellman({
    privateKey: privateKey("server private"),
    publicKey: node.createPublicKey(privateKey("client private")),
  });
  assertEquals(shared.toString("hex"), vector("shared secret"));
  const authKey = hmac(
    bytes("secret"),
    `trivet machine-key-1 authentication ${vector("key id")}`,
  );
  assertEquals(authKey.toString("hex"), vector("authentication key"));
  const transcript = node.createHash("sha256").update(Buffer.concat([
    field("trivet machine-key-1"),
    field(vector("mechanisms")),
    field(vector("service")),
    field("tls-server-end-point"),
    field(bytes("certificate hash")),
    field(bytes("key id")),
    field(bytes("client nonce")),
    field(bytes("client ephemeral")),
    field(bytes("server nonce")),
    field(bytes("server ephemeral")),
  ])).digest();
  assertEquals(transcript.toString("hex"), vector("transcript"));
  const keyFor = (purpose: string) => {
    const input = Buffer.concat([authKey, shared]);
    const info = `trivet machine-key-1 ${purpose}`;
    return Buffer.from(node.hkdfSync("sha256", input, transcript, info, 32));
  };
  const serverProof = hmac(keyFor("server proof"), transcript);
  const clientProof = hmac(
    keyFor("client proof"),
    Buffer.concat([field(transcript), field(serverProof)]),
  );
  assertEquals(serverProof.toString("hex"), vector("server proof"));
  assertEquals(clientProof.toString("hex"), vector("client proof"));
  for (const purpose of ["client to server", "server to client"]) {
    assertEquals(keyFor(purpose).toString("hex"), vector(purpose));
  }
});
