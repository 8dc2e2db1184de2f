import { assert, assertEquals, assertRejects } from "@std/assert";
import type { AuthRequest } from "../../lib/auth/exchange.ts";
import { AuthResponse } from "../../lib/auth/exchange.ts";
import { ScramClient } from "../../lib/auth/scram_client.ts";
import { PAIR_POLICY } from "../../lib/auth/throttle.ts";
import { formatVerifier, makeVerifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";
import { readCertificate } from "../../lib/link/certificate.ts";
import { Link } from "../../lib/link/link.ts";
import { RpcClient } from "../../lib/rpc/client.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { checkHead, readMessage } from "../../lib/rpc/messages.ts";
import { ask, TestServer } from "./testing.ts";

const PASSWORD = "correct horse battery";

async function step(link: Link, request: AuthRequest): Promise<AuthResponse> {
  await link.send(encodeControl(FrameType.AUTH, 0, request));
  const frame = await expectFrame(link, FrameType.AUTH);
  return checkHead(AuthResponse, readMessage(frame).head, "AUTH");
}

async function open(server: TestServer): Promise<Link> {
  const link = new Link(await server.connect());
  await greet(link, { service: "netdisk" });
  return link;
}

async function register(link: Link, user: string, password = PASSWORD): Promise<AuthResponse> {
  const verifier = formatVerifier(await makeVerifier(password));
  return await step(link, { step: "register", user, verifier });
}

async function logIn(
  link: Link,
  user: string,
  password: string,
  channelBinding?: Uint8Array<ArrayBuffer>,
): Promise<AuthResponse> {
  const binding = channelBinding === undefined ? {} : { channelBinding };
  const scram = new ScramClient({ user, password, ...binding });
  const challenge = await step(link, {
    step: "scram-first",
    mechanism: scram.mechanism,
    message: scram.first(),
    session: { label: "test" },
  });
  assert(challenge.step === "scram-challenge");
  const message = await scram.final(challenge.message);
  const done = await step(link, { step: "scram-final", message });
  assert(done.step === "authenticated");
  scram.verify(done.message ?? "");
  return done;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrivetError)).code;
}

Deno.test("a person registers, logs in, and goes on with the token until logout", async () => {
  await using server = await TestServer.start();
  using link = await open(server);
  assertEquals(await register(link, "ada"), { step: "registered", user: "ada" });
  const done = await logIn(link, "ada", PASSWORD);
  assert(done.step === "authenticated" && done.token !== undefined);
  {
    await using rpc = await server.login(done.token);
    assertEquals((await ask(rpc, "whoami", {})).user, "ada");
    assertEquals(await ask(rpc, "logout", {}), { revoked: true });
  }
  assertEquals(await codeOf(server.login(done.token)), "TOKEN_INVALID");
});

Deno.test("the database holds neither password nor token", async () => {
  await using server = await TestServer.start();
  using link = await open(server);
  await register(link, "ada");
  const done = await logIn(link, "ada", PASSWORD);
  assert(done.step === "authenticated" && done.token !== undefined);
  const found: string[] = [];
  for await (const { name } of Deno.readDir(server.data)) {
    if (!name.startsWith("trivet.db")) continue;
    const text = new TextDecoder("latin1").decode(await Deno.readFile(`${server.data}/${name}`));
    for (const secret of [PASSWORD, done.token]) if (text.includes(secret)) found.push(name);
  }
  assertEquals(found, []);
});

Deno.test("a name can be registered once, and only while registration is open", async () => {
  await using server = await TestServer.start();
  using first = await open(server);
  await register(first, "ada");
  using second = await open(server);
  assertEquals(await codeOf(register(second, "ada")), "USER_EXISTS");
  using third = await open(server);
  assertEquals(await codeOf(register(third, "Ada!")), "USER_NAME_INVALID");
  await using closed = await TestServer.start({ registration: "closed" });
  using fourth = await open(closed);
  assertEquals(await codeOf(register(fourth, "ada")), "REGISTRATION_CLOSED");
});

Deno.test("a wrong password and an unknown name are refused with the same words", async () => {
  await using server = await TestServer.start();
  using link = await open(server);
  await register(link, "ada");
  const messages: string[] = [];
  for (const user of ["ada", "nobody"]) {
    using guest = await open(server);
    const error = await assertRejects(() => logIn(guest, user, "wrong password"), TrivetError);
    assertEquals(error.code, "AUTH_FAILED");
    messages.push(error.message);
  }
  assertEquals(messages[0], messages[1]);
});

Deno.test("guessing is slowed down after the free failures, and says how long to wait", async () => {
  await using server = await TestServer.start();
  using first = await open(server);
  await register(first, "ada");
  const codes: string[] = [];
  for (let i = 0; i < 6; i++) {
    using guest = await open(server);
    const error = await assertRejects(
      () => logIn(guest, "ada", `wrong password ${i}`),
      TrivetError,
    );
    codes.push(error.code);
    if (error.code === "AUTH_THROTTLED") assertEquals(error.details, { wait_seconds: 1 });
  }
  assertEquals(codes, [...Array(5).fill("AUTH_FAILED"), "AUTH_THROTTLED"]);
});

Deno.test("on TLS a login is bound to the certificate, and cannot be downgraded", async () => {
  await using server = await TestServer.start({ plain: false });
  const cert = await Deno.readTextFile(`${server.data}/keys/cert.pem`);
  const { names, sha256 } = await readCertificate(cert);
  const openTls = async () => {
    const conn = await Deno.startTls(await server.connect(), {
      hostname: names[0] ?? "",
      caCerts: [cert],
    });
    const link = new Link(conn);
    await greet(link, { service: "netdisk" });
    return link;
  };
  using first = await openTls();
  await register(first, "ada");
  const done = await logIn(first, "ada", PASSWORD, sha256);
  assert(done.step === "authenticated" && done.user === "ada");
  using unbound = await openTls();
  assertEquals(await codeOf(logIn(unbound, "ada", PASSWORD)), "AUTH_FAILED");
  using foreign = await openTls();
  const other = crypto.getRandomValues(new Uint8Array(32));
  assertEquals(await codeOf(logIn(foreign, "ada", PASSWORD, other)), "AUTH_FAILED");
});

Deno.test("steps out of order are refused", async () => {
  await using server = await TestServer.start();
  using link = await open(server);
  assertEquals(
    await codeOf(step(link, { step: "scram-final", message: "c=biws,r=x,p=eA==" })),
    "PROTOCOL_ERROR",
  );
  using second = await open(server);
  const scram = new ScramClient({ user: "ada", password: PASSWORD });
  const request = { step: "scram-first", mechanism: scram.mechanism } as const;
  await step(second, { ...request, message: scram.first() });
  assertEquals(await codeOf(step(second, { step: "token", token: "x" })), "PROTOCOL_ERROR");
});

Deno.test("invites cannot be guessed quickly", async () => {
  await using server = await TestServer.start({ registration: "closed" });
  const verifier = formatVerifier(await makeVerifier(PASSWORD));
  const attempt = async (user: string, invite: string) => {
    using link = await open(server);
    return await step(link, { step: "register", user, verifier, invite });
  };
  for (let i = 0; i < PAIR_POLICY.free; i++) {
    assertEquals(await codeOf(attempt("ada", `tvi_${i}`)), "INVITE_INVALID");
  }
  assertEquals(await codeOf(attempt("ada", "tvi_x")), "AUTH_THROTTLED");
  // Names of accounts do not matter, so that another name is no other guess.
  assertEquals(await codeOf(attempt("bob", "tvi_x")), "AUTH_THROTTLED");
});

/** Logs in by password without a token; what the server says to the proof is the caller's to read. */
async function beginLogin(link: Link, password: string): Promise<() => Promise<AuthResponse>> {
  const scram = new ScramClient({ user: "ada", password });
  const challenge = await step(link, {
    step: "scram-first",
    mechanism: scram.mechanism,
    message: scram.first(),
  });
  assert(challenge.step === "scram-challenge");
  const message = await scram.final(challenge.message);
  return async () => await step(link, { step: "scram-final", message });
}

async function becomeMember(link: Link, password: string): Promise<RpcClient> {
  await (await beginLogin(link, password))();
  link.setPayloadMaxBytes(FRAME_PAYLOAD_MAX_BYTES);
  return RpcClient.start(link);
}

/** Calls until the connection fails; the code. */
async function endOf(rpc: RpcClient): Promise<string> {
  return await codeOf((async () => {
    for (;;) await ask(rpc, "whoami", {});
  })());
}

Deno.test("account.passwd ends every connection of the old password and its tokens", async () => {
  await using server = await TestServer.start();
  using link = await open(server);
  await register(link, "ada");
  const done = await logIn(link, "ada", PASSWORD);
  assert(done.step === "authenticated" && done.token !== undefined);
  await using byToken = await server.login(done.token);
  await using byApiToken = await server.login(await server.addToken("ada"));
  await using other = await becomeMember(await open(server), PASSWORD);
  const late = await open(server);
  const finishLate = await beginLogin(late, PASSWORD);
  await using asker = await becomeMember(await open(server), PASSWORD);

  const verifier = formatVerifier(await makeVerifier("another password"));
  assertEquals(await ask(asker, "account.passwd", { verifier }), { ended: 1 });
  assertEquals(await endOf(byToken), "TOKEN_INVALID");
  assertEquals(await endOf(other), "TOKEN_INVALID");
  assertEquals((await ask(byApiToken, "whoami", {})).user, "ada");
  assertEquals(await codeOf(server.login(done.token)), "TOKEN_INVALID");
  // The proof holds for one change only.
  assertEquals(await codeOf(ask(asker, "account.passwd", { verifier })), "AUTH_REQUIRED");
  // A login that began before the change and ends behind it.
  await finishLate();
  late.setPayloadMaxBytes(FRAME_PAYLOAD_MAX_BYTES);
  await using tooLate = RpcClient.start(late);
  assertEquals(await endOf(tooLate), "TOKEN_INVALID");
});

Deno.test("a login that asks for a token and ends behind a change of the password fails", async () => {
  await using server = await TestServer.start();
  using link = await open(server);
  await register(link, "ada");
  const scram = new ScramClient({ user: "ada", password: PASSWORD });
  const challenge = await step(link, {
    step: "scram-first",
    mechanism: scram.mechanism,
    message: scram.first(),
    session: { label: "late" },
  });
  assert(challenge.step === "scram-challenge");
  await using asker = await becomeMember(await open(server), PASSWORD);
  const verifier = formatVerifier(await makeVerifier("another password"));
  await ask(asker, "account.passwd", { verifier });
  const message = await scram.final(challenge.message);
  assertEquals(await codeOf(step(link, { step: "scram-final", message })), "AUTH_FAILED");
  await using owner = await server.login(await server.addToken("ada"));
  const { tokens } = await ask(owner, "token.list", {});
  assertEquals(tokens.map(({ kind }) => kind), ["api"]);
});
