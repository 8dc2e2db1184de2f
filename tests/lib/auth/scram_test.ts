import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type ErrorCode, TrivetError } from "../../../lib/errors.ts";
import { ScramClient, type ScramClientOptions } from "../../../lib/auth/scram_client.ts";
import { deriveScramKeys, tlsServerEndPoint } from "../../../lib/auth/scram_keys.ts";
import { ScramServer, type ScramServerOptions } from "../../../lib/auth/scram_server.ts";
import { makeVerifier, type Verifier } from "../../../lib/auth/verifier.ts";

const permissions = "none";

// RFC 7677 §3.
const CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO";
const SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const SALT = "W22ZaJ0SNY7soEsUEjb6gQ==";
const CLIENT_FIRST = `n,,n=user,r=${CLIENT_NONCE}`;
const SERVER_FIRST = `r=${CLIENT_NONCE}${SERVER_NONCE},s=${SALT},i=4096`;
const WITHOUT_PROOF = `c=biws,r=${CLIENT_NONCE}${SERVER_NONCE}`;
const CLIENT_FINAL = `${WITHOUT_PROOF},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
const SERVER_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const FAKE_SECRET = new Uint8Array(32).fill(9);
const BINDING = await tlsServerEndPoint(new TextEncoder().encode("a certificate"));
const OTHER_BINDING = await tlsServerEndPoint(new TextEncoder().encode("another certificate"));
const CREDENTIALS = { user: "alice", password: "correct horse", iterationsMin: 4096 };
const ALICE = await makeVerifier(CREDENTIALS.password, { iterations: 4096 });

function rfcClient(options: Partial<ScramClientOptions> = {}): ScramClient {
  const vector = { user: "user", password: "pencil", nonce: CLIENT_NONCE, iterationsMin: 4096 };
  return new ScramClient({ ...vector, ...options });
}

async function rfcServer(): Promise<ScramServer> {
  const salt = Uint8Array.fromBase64(SALT);
  const { storedKey, serverKey } = await deriveScramKeys("pencil", { salt, iterations: 4096 });
  const verifier: Verifier = { salt, iterations: 4096, storedKey, serverKey };
  const lookup = (user: string) => user === "user" ? verifier : undefined;
  return new ScramServer({ lookup, fakeSecret: FAKE_SECRET, nonce: SERVER_NONCE });
}

function aliceServer(options: Partial<ScramServerOptions> = {}): ScramServer {
  const lookup = (user: string) => user === "alice" ? ALICE : undefined;
  return new ScramServer({ lookup, fakeSecret: FAKE_SECRET, ...options });
}

async function assertCode(code: ErrorCode, run: () => Promise<unknown>): Promise<TrivetError> {
  const error = await assertRejects(run, TrivetError);
  assertEquals(error.code, code, error.message);
  return error;
}

/** Runs a whole login; throws where the first of both sides does. */
async function login(client: ScramClient, server: ScramServer): Promise<void> {
  const serverFirst = await server.first(client.first());
  const clientFinal = await client.final(serverFirst);
  client.verify(await server.final(clientFinal));
}

Deno.test("ScramClient passes the test vector of RFC 7677 §3", { permissions }, async () => {
  const client = rfcClient();
  assertEquals(client.first(), CLIENT_FIRST);
  assertEquals(await client.final(SERVER_FIRST), CLIENT_FINAL);
  client.verify(SERVER_FINAL);
});

Deno.test("ScramServer passes the test vector of RFC 7677 §3", { permissions }, async () => {
  const server = await rfcServer();
  assertEquals(await server.first(CLIENT_FIRST), SERVER_FIRST);
  assertEquals([server.user, server.authenticated], ["user", false]);
  assertEquals(await server.final(CLIENT_FINAL), SERVER_FINAL);
  assertEquals([server.user, server.authenticated], ["user", true]);
});

Deno.test(
  "ScramClient and ScramServer agree with the default rounds",
  { permissions },
  async () => {
    const verifier = await makeVerifier("correct horse");
    const server = aliceServer({ lookup: () => Promise.resolve(verifier) });
    await login(new ScramClient({ user: "alice", password: "correct horse" }), server);
    assertEquals(server.authenticated, true);
  },
);

Deno.test("ScramClient prepares the password as makeVerifier() does", { permissions }, async () => {
  const verifier = await makeVerifier("pass\u00A0w\u00F6rt \u2168", { iterations: 4096 });
  const client = new ScramClient({ ...CREDENTIALS, password: "pass wo\u0308rt IX" });
  await login(client, aliceServer({ lookup: () => verifier }));
});

Deno.test(
  "ScramClient and ScramServer bind to the certificate on TLS",
  { permissions },
  async () => {
    const client = new ScramClient({ ...CREDENTIALS, channelBinding: BINDING });
    const server = aliceServer({ channelBinding: BINDING });
    assertEquals([client.mechanism, server.mechanism], [
      "SCRAM-SHA-256-PLUS",
      "SCRAM-SHA-256-PLUS",
    ]);
    await login(client, server);
    assertEquals(server.authenticated, true);
    const plain = new ScramClient(CREDENTIALS);
    assertEquals([plain.mechanism, aliceServer().mechanism], ["SCRAM-SHA-256", "SCRAM-SHA-256"]);
  },
);

Deno.test("ScramServer refuses a binding to another certificate", { permissions }, async () => {
  const client = new ScramClient({ ...CREDENTIALS, channelBinding: OTHER_BINDING });
  const server = aliceServer({ channelBinding: BINDING });
  await assertCode("AUTH_FAILED", () => login(client, server));
  assertEquals(server.authenticated, false);
});

for (
  const [title, header, onTls] of [
    ["n on TLS", "n,,", true],
    ["y on TLS", "y,,", true],
    ["another binding type on TLS", "p=tls-unique,,", true],
    ["a longer binding type on TLS", "p=tls-server-end-pointx,,", true],
    ["p on a plain link", "p=tls-server-end-point,,", false],
    ["y on a plain link", "y,,", false],
  ] as const
) {
  Deno.test(`ScramServer.first() refuses ${title}`, { permissions }, async () => {
    let looked = false;
    const lookup = () => {
      looked = true;
      return ALICE;
    };
    const server = aliceServer({ lookup, ...(onTls ? { channelBinding: BINDING } : {}) });
    await assertCode("AUTH_FAILED", () => server.first(`${header}n=alice,r=${CLIENT_NONCE}`));
    assertEquals(looked, false);
  });
}

Deno.test("ScramServer.final() refuses a stripped GS2 header on TLS", { permissions }, async () => {
  // Somebody between them turned the client's "n" into "p": the signed header gives it away.
  const client = new ScramClient(CREDENTIALS);
  const server = aliceServer({ channelBinding: BINDING });
  const first = client.first().replace("n,,", "p=tls-server-end-point,,");
  const final = await client.final(await server.first(first));
  await assertCode("AUTH_FAILED", () => server.final(final));
});

Deno.test("ScramServer.final() says the same of a wrong password and an unknown name", {
  permissions,
}, async () => {
  const wrong = new ScramClient({ ...CREDENTIALS, password: "wrong horse" });
  const fakeRounds = { user: "nobody", password: "correct horse" };
  const [one, two] = [
    await assertCode("AUTH_FAILED", () => login(wrong, aliceServer())),
    await assertCode("AUTH_FAILED", () => login(new ScramClient(fakeRounds), aliceServer())),
  ];
  assertEquals(one.toMessage(), two.toMessage());
});

Deno.test(
  "ScramServer.first() shows unknown names a stable challenge",
  { permissions },
  async () => {
    const challenge = async (user: string) => {
      const first = await aliceServer().first(`n,,n=${user},r=${CLIENT_NONCE}`);
      return first.split(",").slice(1).join(",");
    };
    assertEquals(await challenge("nobody"), await challenge("nobody"));
    assertNotEquals(await challenge("nobody"), await challenge("somebody"));
    assertEquals((await challenge("nobody")).length, `s=${SALT},i=600000`.length);
  },
);

Deno.test("ScramServer.first() passes on what lookup throws", { permissions }, async () => {
  const lookup = () => {
    throw new TrivetError("AUTH_THROTTLED", "Wait 5 s");
  };
  const server = aliceServer({ lookup });
  await assertCode("AUTH_THROTTLED", () => server.first(new ScramClient(CREDENTIALS).first()));
  assertEquals(server.user, "alice");
  await assertCode("PROTOCOL_ERROR", () => server.final(CLIENT_FINAL));
});

for (const user of ["Alice", "a=2Cb", "=3D", "a".repeat(33), "ä"]) {
  Deno.test(`ScramServer.first() refuses the name "${user}"`, { permissions }, async () => {
    const first = `n,,n=${user},r=${CLIENT_NONCE}`;
    await assertCode("USER_NAME_INVALID", () => aliceServer().first(first));
  });
}

Deno.test("ScramServer.final() refuses a replayed final message", { permissions }, async () => {
  const recorded = new ScramClient({ ...CREDENTIALS, nonce: CLIENT_NONCE });
  const first = recorded.first();
  const before = aliceServer();
  const final = await recorded.final(await before.first(first));
  await before.final(final);
  const after = aliceServer();
  await after.first(first);
  const error = await assertCode("AUTH_FAILED", () => after.final(final));
  assertStringIncludes(error.message, "nonce");
  await assertCode("PROTOCOL_ERROR", () => before.final(final));
  assertEquals(after.authenticated, false);
});

Deno.test("ScramServer makes a nonce of its own for each exchange", { permissions }, async () => {
  const first = new ScramClient(CREDENTIALS).first();
  assertNotEquals(await aliceServer().first(first), await aliceServer().first(first));
});

Deno.test("ScramServer.final() refuses a proof with any bit changed", { permissions }, async () => {
  for (const at of [0, 7, 100, 255]) {
    const client = new ScramClient(CREDENTIALS);
    const server = aliceServer();
    const final = await client.final(await server.first(client.first()));
    const [head = "", proof = ""] = final.split(",p=");
    const bytes = Uint8Array.fromBase64(proof);
    bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
    await assertCode("AUTH_FAILED", () => server.final(`${head},p=${bytes.toBase64()}`));
  }
});

Deno.test("ScramServer.final() signs extensions too", { permissions }, async () => {
  const server = await rfcServer();
  await server.first(CLIENT_FIRST);
  const changed = CLIENT_FINAL.replace(",p=", ",x=added,p=");
  await assertCode("AUTH_FAILED", () => server.final(changed));
});

Deno.test("ScramServer refuses steps out of order", { permissions }, async () => {
  await assertCode("PROTOCOL_ERROR", () => aliceServer().final(CLIENT_FINAL));
  const twice = await rfcServer();
  await twice.first(CLIENT_FIRST);
  await assertCode("PROTOCOL_ERROR", () => twice.first(CLIENT_FIRST));
  await assertCode("PROTOCOL_ERROR", () => twice.final(CLIENT_FINAL));
  const side = await rfcServer();
  const both = await Promise.allSettled([side.first(CLIENT_FIRST), side.first(CLIENT_FIRST)]);
  assertEquals(both.map(({ status }) => status), ["rejected", "rejected"]);
});

Deno.test("ScramClient refuses steps out of order", { permissions }, async () => {
  const early = rfcClient();
  assertThrows(() => early.verify(SERVER_FINAL), TrivetError);
  await assertCode("PROTOCOL_ERROR", () => rfcClient().final(SERVER_FIRST));
  const unproven = rfcClient();
  unproven.first();
  assertThrows(() => unproven.verify(SERVER_FINAL), TrivetError);
  const again = rfcClient();
  again.first();
  await again.final(SERVER_FIRST);
  await assertCode("PROTOCOL_ERROR", () => again.final(SERVER_FIRST));
  assertThrows(() => again.verify(SERVER_FINAL), TrivetError);
});

for (
  const [title, serverFinal, code] of [
    ["another signature", `v=${new Uint8Array(32).toBase64()}`, "SERVER_NOT_PROVEN"],
    ["a short signature", `v=${new Uint8Array(31).toBase64()}`, "PROTOCOL_ERROR"],
    ["no signature", "v=", "PROTOCOL_ERROR"],
    ["nothing", "", "PROTOCOL_ERROR"],
    ["a refusal", "e=invalid-proof", "AUTH_FAILED"],
    ["a refusal in its own words", "e=send your password", "AUTH_FAILED"],
  ] as const
) {
  Deno.test(`ScramClient.verify() refuses ${title}, for good`, { permissions }, async () => {
    const client = rfcClient();
    client.first();
    await client.final(SERVER_FIRST);
    const error = assertThrows(() => client.verify(serverFinal), TrivetError);
    assertEquals(error.code, code);
    assertEquals(error.message.includes("password"), false);
    assertThrows(() => client.verify(SERVER_FINAL), TrivetError);
  });
}

for (
  const [title, change, code] of [
    ["a nonce of another exchange", ["r=rOpr", "r=XOpr"], "SERVER_NOT_PROVEN"],
    ["the client's nonce alone", [SERVER_NONCE, ""], "SERVER_NOT_PROVEN"],
    ["15 characters of server nonce", [SERVER_NONCE, "a".repeat(15)], "SERVER_NOT_PROVEN"],
    ["257 characters of server nonce", [SERVER_NONCE, "a".repeat(257)], "SERVER_NOT_PROVEN"],
    ["4095 rounds", ["i=4096", "i=4095"], "SERVER_NOT_PROVEN"],
    ["5001 rounds", ["i=4096", "i=5001"], "SERVER_NOT_PROVEN"],
    ["9999999999 rounds", ["i=4096", "i=9999999999"], "SERVER_NOT_PROVEN"],
    ["a salt of 15 bytes", [SALT, new Uint8Array(15).toBase64()], "SERVER_NOT_PROVEN"],
    ["a salt of 65 bytes", [SALT, new Uint8Array(65).toBase64()], "SERVER_NOT_PROVEN"],
    ["rounds of 0", ["i=4096", "i=0"], "PROTOCOL_ERROR"],
  ] as const
) {
  Deno.test(`ScramClient.final() refuses ${title}`, { permissions }, async () => {
    const client = rfcClient({ iterationsMax: 5000 });
    client.first();
    const changed = SERVER_FIRST.replace(change[0], () => change[1]);
    assertNotEquals(changed, SERVER_FIRST);
    await assertCode(code, () => client.final(changed));
    await assertCode("PROTOCOL_ERROR", () => client.final(SERVER_FIRST));
  });
}

for (
  const [title, change] of [
    ["16 characters of server nonce", [SERVER_NONCE, "a".repeat(16)]],
    ["256 characters of server nonce", [SERVER_NONCE, "a".repeat(256)]],
    ["5000 rounds", ["i=4096", "i=5000"]],
    ["a salt of 64 bytes", [SALT, new Uint8Array(64).toBase64()]],
    ["an extension", ["i=4096", "i=4096,x=y"]],
  ] as const
) {
  Deno.test(`ScramClient.final() takes ${title}`, { permissions }, async () => {
    const client = rfcClient({ iterationsMax: 5000 });
    client.first();
    assert((await client.final(SERVER_FIRST.replace(change[0], () => change[1]))).includes(",p="));
  });
}

Deno.test("ScramClient.final() refuses fewer than 600 000 rounds by default", {
  permissions,
}, async () => {
  const client = new ScramClient({ user: "user", password: "pencil", nonce: CLIENT_NONCE });
  client.first();
  await assertCode(
    "SERVER_NOT_PROVEN",
    () => client.final(SERVER_FIRST.replace("4096", "599999")),
  );
});

Deno.test("ScramClient checks its options", { permissions }, () => {
  for (
    const options of [
      { iterationsMin: 4095 },
      { iterationsMax: 10_000_001 },
      { iterationsMin: 5001, iterationsMax: 5000 },
      { nonce: "a".repeat(15) },
      { nonce: "a".repeat(257) },
      { nonce: "a,".repeat(10) },
    ]
  ) {
    assertThrows(() => rfcClient(options), RangeError);
  }
  assertThrows(() => rfcClient({ user: "a,b" }), TrivetError);
  assertThrows(() => rfcClient({ password: "" }), TrivetError);
  assertThrows(() => aliceServer({ nonce: "a".repeat(15) }), RangeError);
});
