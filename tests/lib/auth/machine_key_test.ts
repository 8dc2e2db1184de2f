import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  deriveAuthKey,
  isMachineKeyId,
  MACHINE_KEY_CHARS,
  newMachineKey,
  parseMachineKey,
} from "../../../lib/auth/machine_key.ts";
import { MachineKeyClient } from "../../../lib/auth/machine_key_client.ts";
import type { MachineKeyChallenge } from "../../../lib/auth/machine_key_messages.ts";
import {
  type FixedShare,
  MACHINE_KEY_TIMEOUT_MS,
  type MachineKeyLink,
  type MachineKeyTranscript,
  transcriptHash,
} from "../../../lib/auth/machine_key_schedule.ts";
import { type FoundKey, MachineKeyServer } from "../../../lib/auth/machine_key_server.ts";
import { type ErrorCode, TrivetError } from "../../../lib/errors.ts";

const permissions = "none";

const TEXT = newMachineKey({ id: bytesOf(9, 1), secret: bytesOf(32, 2) });
const KEY = parseMachineKey(TEXT);
const AUTH_KEY = await deriveAuthKey(KEY);
/** The same id, another secret. */
const WRONG_KEY = parseMachineKey(newMachineKey({ id: bytesOf(9, 1) }));
const LINK: MachineKeyLink = {
  service: "netdisk",
  mechanisms: ["SCRAM-SHA-256-PLUS", "token", "machine-key-1"],
  channelBinding: bytesOf(32, 7),
};
const FIXED: FixedShare = { nonce: bytesOf(32, 3), privateKey: bytesOf(32, 4) };

function bytesOf(length: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value);
}

function lookup(keyId: string): Promise<FoundKey> {
  const isDecoy = keyId !== KEY.id;
  return Promise.resolve({ authKey: isDecoy ? bytesOf(32, 9) : AUTH_KEY, isDecoy });
}

interface ServerChanges extends Partial<MachineKeyLink> {
  readonly share?: FixedShare;
  readonly now?: () => number;
}

function newServer(changes: ServerChanges = {}): MachineKeyServer {
  return new MachineKeyServer({ ...LINK, lookup, now: () => 0, ...changes });
}

function newClient(key = KEY, changes: Partial<MachineKeyLink> & { share?: FixedShare } = {}) {
  return new MachineKeyClient({ ...LINK, key, ...changes });
}

async function refused(code: ErrorCode, work: () => unknown): Promise<void> {
  const error = await assertRejects(async () => await work(), TrivetError);
  assertEquals(error.code, code, error.message);
}

/** Runs the two messages of a client against a server and answers the client's proof. */
async function meet(client: MachineKeyClient, server: MachineKeyServer): Promise<string> {
  return await client.prove(await server.challenge(await client.first()));
}

Deno.test("newMachineKey() and parseMachineKey() agree, and a damaged key is refused", {
  permissions,
}, () => {
  assertMatch(TEXT, /^tvk_[A-Za-z0-9_-]{60}$/);
  assertEquals(TEXT.length, MACHINE_KEY_CHARS);
  assertEquals(KEY, { id: "010101010101010101", secret: bytesOf(32, 2) });
  assertEquals(isMachineKeyId(KEY.id), true);
  assertNotEquals(newMachineKey(), newMachineKey());
  const swapped = TEXT.slice(0, 20) + (TEXT[20] === "A" ? "B" : "A") + TEXT.slice(21);
  for (const text of ["", TEXT.slice(0, -1), TEXT + "A", TEXT.replace("tvk_", "tvt_"), swapped]) {
    const error = assertThrows(() => parseMachineKey(text), TrivetError);
    assertEquals(error.code, "KEY_INVALID");
    assertEquals(error.message.includes(TEXT.slice(8, 16)), false);
  }
  assertThrows(() => newMachineKey({ secret: bytesOf(31, 1) }), RangeError);
  assertThrows(() => newMachineKey({ id: bytesOf(8, 1) }), RangeError);
});

Deno.test("deriveAuthKey() depends on the secret and on the id", { permissions }, async () => {
  const other = { ...KEY, id: "020202020202020202" };
  const keys = [AUTH_KEY, await deriveAuthKey(other), await deriveAuthKey(WRONG_KEY), KEY.secret];
  assertEquals(new Set(keys.map((key) => key.toHex())).size, 4);
});

Deno.test("both sides accept each other and hold the same session keys, one for each direction", {
  permissions,
}, async () => {
  const [client, server] = [newClient(), newServer()];
  assertEquals(client.sessionKeys, undefined);
  server.accept(await meet(client, server));
  assertEquals(client.sessionKeys?.send, server.sessionKeys?.receive);
  assertEquals(client.sessionKeys?.receive, server.sessionKeys?.send);
  assertNotEquals(client.sessionKeys?.send, client.sessionKeys?.receive);
  assertEquals(client.sessionKeys?.send.length, 32);
  const again = newClient();
  await meet(again, newServer());
  assertNotEquals(again.sessionKeys?.send, client.sessionKeys?.send);
});

// It would take: a server that does not compare, or compares less than all of the proof.
Deno.test(
  "MachineKeyServer.accept() refuses a client with the wrong key",
  { permissions },
  async () => {
    const [client, server] = [newClient(WRONG_KEY), newServer()];
    const challenge = await server.challenge(await client.first());
    await refused("KEY_NOT_PROVEN", () => client.prove(challenge));
    // A client that does not care about the server's proof gets no further.
    const liar = newClient(WRONG_KEY);
    const fake = new MachineKeyServer({
      ...LINK,
      now: () => 0,
      lookup: async () => ({ authKey: await deriveAuthKey(WRONG_KEY), isDecoy: false }),
    });
    const proof = await meet(liar, fake);
    await refused("KEY_INVALID", () => server.accept(proof));
    assertEquals(server.sessionKeys, undefined);
  },
);

// It would take: a client that answers before it has compared the server's proof.
Deno.test("MachineKeyClient.prove() gives a fake server nothing", { permissions }, async () => {
  const client = newClient();
  await client.first();
  const share = { nonce: bytesOf(32, 1).toBase64(), ephemeral: bytesOf(32, 9).toBase64() };
  const made: MachineKeyChallenge = { ...share, proof: bytesOf(32, 1).toBase64() };
  await refused("KEY_NOT_PROVEN", () => client.prove(made));
  assertEquals(client.sessionKeys, undefined);
  await refused("PROTOCOL_ERROR", () => client.prove(made));
});

// It would take: a server whose nonce and ephemeral key are the same again. The last lines do that.
Deno.test("a recorded exchange cannot be replayed to the server", { permissions }, async () => {
  const server = newServer({ share: FIXED });
  const client = newClient();
  const hello = await client.first();
  const proof = await client.prove(await server.challenge(hello));
  server.accept(proof);
  await refused("PROTOCOL_ERROR", () => server.accept(proof));
  const fresh = newServer();
  await fresh.challenge(hello);
  await refused("KEY_INVALID", () => fresh.accept(proof));
  const careless = newServer({ share: FIXED });
  await careless.challenge(hello);
  careless.accept(proof);
});

// It would take: a client whose nonce and ephemeral key are the same again. The last lines do that.
Deno.test("a recorded challenge cannot be replayed to the client", { permissions }, async () => {
  const client = newClient(KEY, { share: FIXED });
  const challenge = await newServer().challenge(await client.first());
  const fresh = newClient();
  await fresh.first();
  await refused("KEY_NOT_PROVEN", () => fresh.prove(challenge));
  const careless = newClient(KEY, { share: FIXED });
  await careless.first();
  await careless.prove(challenge);
});

// It would take: one proof key, and one message under it, for both directions.
Deno.test("a proof that is sent back proves nothing", { permissions }, async () => {
  const server = newServer();
  const challenge = await server.challenge(await newClient().first());
  await refused("KEY_INVALID", () => server.accept(challenge.proof));
  // And a whole message sent back, with the client's own share as the server's.
  const client = newClient();
  const hello = await client.first();
  await refused("KEY_NOT_PROVEN", () => client.prove({ ...hello, proof: challenge.proof }));
});

// It would take: a transcript without the field that differs.
Deno.test("sides that see another link do not accept each other", { permissions }, async () => {
  const views: [string, Partial<MachineKeyLink>][] = [
    ["swapped certificate", { channelBinding: bytesOf(32, 8) }],
    ["no TLS at the server", { channelBinding: undefined }],
    ["empty certificate", { channelBinding: new Uint8Array(0) }],
    ["better mechanism taken away", { mechanisms: ["machine-key-2", ...LINK.mechanisms] }],
    ["mechanisms in another order", { mechanisms: LINK.mechanisms.toReversed() }],
    ["another service", { service: "exec" }],
  ];
  for (const [, view] of views) {
    await refused("KEY_NOT_PROVEN", () => meet(newClient(), newServer(view)));
  }
  const plain = { channelBinding: undefined };
  const server = newServer(plain);
  server.accept(await meet(newClient(KEY, plain), server));
});

Deno.test("transcriptHash() covers every field, and where one ends", { permissions }, async () => {
  const share = { nonce: bytesOf(32, 1), ephemeral: bytesOf(32, 2) };
  const base: MachineKeyTranscript = { ...LINK, keyId: KEY.id, client: share, server: share };
  const other = { nonce: bytesOf(32, 3), ephemeral: share.ephemeral };
  const another = { nonce: share.nonce, ephemeral: bytesOf(32, 3) };
  const changes: Partial<MachineKeyTranscript>[] = [
    {},
    { service: "netdis" },
    { service: "" },
    { mechanisms: ["machine-key-1"] },
    { channelBinding: bytesOf(32, 8) },
    { channelBinding: bytesOf(31, 7) },
    { channelBinding: undefined },
    { channelBinding: new Uint8Array(0) },
    { keyId: "010101010101010102" },
    { client: other },
    { client: another },
    { server: other },
    { server: another },
  ];
  const hashes = await Promise.all(changes.map(async (change) => {
    return (await transcriptHash({ ...base, ...change })).toHex();
  }));
  assertEquals(new Set(hashes).size, changes.length);
});

Deno.test(
  "another version of the exchange is neither spoken nor taken",
  { permissions },
  async () => {
    const hello = await newClient().first();
    for (const mechanism of ["machine-key-0", "machine-key-2", "machine-key-1 ", ""]) {
      await refused("VERSION_MISMATCH", () => newServer().challenge({ ...hello, mechanism }));
    }
    await refused("KEY_NOT_PROVEN", () => newClient(KEY, { mechanisms: ["token"] }));
  },
);

// It would take: a comparison of as many bytes as were sent.
Deno.test("truncated and lengthened fields are refused", { permissions }, async () => {
  for (const length of [0, 1, 16, 31, 33]) {
    const field = bytesOf(length, 1).toBase64();
    const hello = await newClient().first();
    for (const name of ["nonce", "ephemeral"]) {
      await refused("PROTOCOL_ERROR", () => newServer().challenge({ ...hello, [name]: field }));
    }
    for (const name of ["nonce", "ephemeral", "proof"]) {
      const client = newClient();
      const challenge = await newServer().challenge(await client.first());
      await refused("PROTOCOL_ERROR", () => client.prove({ ...challenge, [name]: field }));
    }
    const [client, server] = [newClient(), newServer()];
    const proof = Uint8Array.fromBase64(await meet(client, server)).subarray(0, length);
    const text = (length > 32 ? new Uint8Array([...proof, 0]) : proof).toBase64();
    await refused("PROTOCOL_ERROR", () => server.accept(text));
  }
  const hello = await newClient().first();
  for (const keyId of ["", "01", KEY.id.slice(2), KEY.id + "01", KEY.id.toUpperCase() + " "]) {
    await refused("PROTOCOL_ERROR", () => newServer().challenge({ ...hello, keyId }));
  }
});

Deno.test(
  "MachineKeyServer.accept() refuses a proof with any bit changed",
  { permissions },
  async () => {
    for (let bit = 0; bit < 256; bit += 17) {
      const [client, server] = [newClient(), newServer()];
      const proof = Uint8Array.fromBase64(await meet(client, server));
      proof[bit >> 3] = (proof[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await refused("KEY_INVALID", () => server.accept(proof.toBase64()));
    }
  },
);

// It would take: an agreement that answers the all-zero secret which such points lead to.
Deno.test("X25519 keys of low order are refused by both sides", { permissions }, async () => {
  const points = [
    "00".repeat(32),
    "01" + "00".repeat(31),
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ];
  for (const point of points) {
    const ephemeral = Uint8Array.fromHex(point).toBase64();
    const client = newClient();
    const hello = await client.first();
    await refused("PROTOCOL_ERROR", () => newServer().challenge({ ...hello, ephemeral }));
    const challenge = await newServer().challenge(hello);
    await refused("PROTOCOL_ERROR", () => client.prove({ ...challenge, ephemeral }));
  }
});

Deno.test(
  "MachineKeyServer takes ten seconds and not a millisecond more",
  { permissions },
  async () => {
    let nowMs = 0;
    const server = newServer({ now: () => nowMs });
    nowMs = 4_000;
    const proof = await meet(newClient(), server);
    nowMs = MACHINE_KEY_TIMEOUT_MS;
    server.accept(proof);
    nowMs = 0;
    const late = newServer({ now: () => nowMs });
    const lateProof = await meet(newClient(), late);
    nowMs = MACHINE_KEY_TIMEOUT_MS + 1;
    await refused("TIMEOUT", () => late.accept(lateProof));
    assertEquals(MACHINE_KEY_TIMEOUT_MS, 10_000);
  },
);

Deno.test("MachineKeyServer never takes a decoy, whatever is proven", { permissions }, async () => {
  const server = new MachineKeyServer({
    ...LINK,
    now: () => 0,
    lookup: () => Promise.resolve({ authKey: AUTH_KEY, isDecoy: true }),
  });
  const proof = await meet(newClient(), server);
  await refused("KEY_INVALID", () => server.accept(proof));
});

Deno.test("steps out of order end the exchange", { permissions }, async () => {
  const client = newClient();
  const hello = await client.first();
  await refused("PROTOCOL_ERROR", () => client.first());
  const challenge = await newServer().challenge(hello);
  await refused("PROTOCOL_ERROR", () => client.prove(challenge));
  const server = newServer();
  await refused("PROTOCOL_ERROR", () => server.accept(challenge.proof));
  await refused("PROTOCOL_ERROR", () => server.challenge(hello));
});
