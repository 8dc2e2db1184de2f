import { assert, assertEquals, assertLess } from "@std/assert";
import { join } from "node:path";
import { hashToken } from "../../lib/auth/token.ts";
import { ScramClient } from "../../lib/auth/scram_client.ts";
import { type AuthRequest, AuthResponse } from "../../lib/auth/exchange.ts";
import { makeVerifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FrameType } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { RpcClient } from "../../lib/rpc/client.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { checkHead, readMessage } from "../../lib/rpc/messages.ts";
import { type LoginCatalog, LoginWatch, type WatchedLogin } from "../../server/login_watch.ts";
import type { OpenLogin } from "../../server/store/catalog_accounts.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";
import { ask, openUpload, TestServer } from "./testing.ts";

/** Longer than any test: these ask for each check themselves. */
const NEVER_MS = 2 ** 30;

/** A catalog in which some users' logins have ended. */
class FakeCatalog implements LoginCatalog {
  mark = "0";
  readonly ended = new Set<string>();
  readonly endedKeyIds = new Set<string>();
  readonly asked: string[][] = [];
  failure: Error | undefined;

  loginsMark(): Promise<string> {
    return this.failure === undefined ? Promise.resolve(this.mark) : Promise.reject(this.failure);
  }

  endedLogins(logins: readonly OpenLogin[]): Promise<number[]> {
    this.asked.push(logins.map(({ user }) => user));
    return Promise.resolve(logins.flatMap(({ user }, place) => this.ended.has(user) ? place : []));
  }

  endedKeys(ids: readonly string[]): Promise<string[]> {
    return Promise.resolve(ids.filter((id) => this.endedKeyIds.has(id)));
  }
}

function watchedOf(user: string): WatchedLogin & { readonly reasons: string[] } {
  const reasons: string[] = [];
  const end = (reason: TrivetError) => void reasons.push(reason.code);
  return { login: { user, tokenHash: null }, end, reasons };
}

Deno.test("LoginWatch.check() asks about all after a change, else about new ones only", async () => {
  const catalog = new FakeCatalog();
  await using watch = new LoginWatch(catalog, NEVER_MS);
  await watch.check();
  const [ada, bob] = [watchedOf("ada"), watchedOf("bob")];
  using _ada = watch.add(ada);
  await watch.check();
  using _bob = watch.add(bob);
  await watch.check();
  await watch.check();
  assertEquals(catalog.asked, [["ada"], ["bob"]]);
  catalog.ended.add("ada");
  catalog.mark = "1";
  await watch.check();
  assertEquals(catalog.asked.at(-1), ["ada", "bob"]);
  assertEquals([ada.reasons, bob.reasons], [["TOKEN_INVALID"], []]);
  // Whoever was ended is told once.
  catalog.mark = "2";
  await watch.check();
  assertEquals(catalog.asked.at(-1), ["bob"]);
});

Deno.test("LoginWatch.check() finds a login that ended before it was added", async () => {
  const catalog = new FakeCatalog();
  await using watch = new LoginWatch(catalog, NEVER_MS);
  using _bob = watch.add(watchedOf("bob"));
  catalog.ended.add("ada");
  catalog.mark = "1";
  await watch.check();
  const ada = watchedOf("ada");
  using _ada = watch.add(ada);
  await watch.check();
  assertEquals(ada.reasons, ["TOKEN_INVALID"]);
});

Deno.test("LoginWatch.check() ends those whose machine key has ended, and says so", async () => {
  const catalog = new FakeCatalog();
  await using watch = new LoginWatch(catalog, NEVER_MS);
  const watched = ["k1", "k2", undefined].map((keyId) => {
    const ada = watchedOf("ada");
    return { ...ada, login: { ...ada.login, ...(keyId === undefined ? {} : { keyId }) } };
  });
  using stack = new DisposableStack();
  for (const each of watched) stack.use(watch.add(each));
  await watch.check();
  catalog.endedKeyIds.add("k1");
  catalog.mark = "1";
  await watch.check();
  assertEquals(watched.map(({ reasons }) => reasons), [["KEY_INVALID"], [], []]);
});

Deno.test("LoginWatch.check() asks again after the database was busy", async () => {
  const catalog = new FakeCatalog();
  await using watch = new LoginWatch(catalog, NEVER_MS);
  const ada = watchedOf("ada");
  using _ada = watch.add(ada);
  catalog.ended.add("ada");
  catalog.failure = new TrivetError("SERVER_BUSY", "Cannot use database");
  await watch.check();
  assertEquals(ada.reasons, []);
  catalog.failure = undefined;
  await watch.check();
  assertEquals(ada.reasons, ["TOKEN_INVALID"]);
});

Deno.test("LoginWatch forgets a connection that was closed", async () => {
  const catalog = new FakeCatalog();
  await using watch = new LoginWatch(catalog, NEVER_MS);
  const ada = watchedOf("ada");
  watch.add(ada)[Symbol.dispose]();
  catalog.ended.add("ada");
  await watch.check();
  assertEquals([catalog.asked, ada.reasons], [[], []]);
});

Deno.test("LoginWatch.hold() spares a connection until it is disposed of", async () => {
  const catalog = new FakeCatalog();
  await using watch = new LoginWatch(catalog, NEVER_MS);
  const ada = watchedOf("ada");
  using _ada = watch.add(ada);
  await watch.check();
  catalog.ended.add("ada");
  catalog.mark = "1";
  const held = watch.hold(ada.login);
  await watch.check();
  assertEquals(ada.reasons, []);
  held[Symbol.dispose]();
  await watch.check();
  assertEquals(ada.reasons, ["TOKEN_INVALID"]);
});

/** Opens the database beside a running server, as a command does. */
function openBeside(server: TestServer): SqliteCatalog {
  return SqliteCatalog.open(join(server.data, "trivet.db"));
}

/** Waits until a connection has failed, and says why and how long it took. */
async function failureOf(rpc: RpcClient): Promise<{ code: string; afterMs: number }> {
  const startedMs = performance.now();
  try {
    // An answer never comes: the upload's stream is not ended.
    const { uploadId } = await openUpload(rpc, "open", 10);
    await (await rpc.open("put.data", { uploadId })).response;
  } catch (error) {
    assert(error instanceof TrivetError);
    return { code: error.code, afterMs: performance.now() - startedMs };
  }
  throw new Error("The upload was answered");
}

Deno.test("a disabled account's connection is told so within a second or so", async () => {
  await using server = await TestServer.start();
  await using ada = await server.login(await server.addUser("ada"));
  await using bob = await server.login(await server.addUser("bob"));
  await using catalog = stackOf(openBeside(server));
  const failure = failureOf(ada);
  await catalog.used.setDisabled("ada", true);
  const { code, afterMs } = await failure;
  assertEquals(code, "TOKEN_INVALID");
  // Twice the second that it should take: a busy machine may need longer.
  assertLess(afterMs, 2000);
  assertEquals((await ask(bob, "whoami", {})).user, "bob");
});

Deno.test("only the connections of a token that ended are closed", async () => {
  await using server = await TestServer.start();
  const first = await server.addUser("ada");
  const second = await server.addToken("ada");
  await using ended = await server.login(first);
  await using kept = await server.login(second);
  await using catalog = stackOf(openBeside(server));
  const failure = failureOf(ended);
  await catalog.used.revokeToken(Uint8Array.fromHex(await hashToken(first)));
  assertEquals((await failure).code, "TOKEN_INVALID");
  assertEquals((await ask(kept, "whoami", {})).user, "ada");
});

Deno.test("a logout ends the other connections of the same session", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using here = await server.login(token);
  await using there = await server.login(token);
  const failure = failureOf(there);
  assertEquals(await ask(here, "logout", {}), { revoked: true });
  assertEquals((await failure).code, "TOKEN_INVALID");
});

Deno.test("a login by password alone ends with the password", async () => {
  await using server = await TestServer.start();
  await server.addUser("ada");
  await using catalog = stackOf(openBeside(server));
  await catalog.used.setVerifier("ada", await makeVerifier("the first password"));
  await using rpc = await loginByPassword(server, "the first password");
  const failure = failureOf(rpc);
  await catalog.used.setVerifier("ada", await makeVerifier("the second password"));
  assertEquals((await failure).code, "TOKEN_INVALID");
  await using again = await loginByPassword(server, "the second password");
  assertEquals((await ask(again, "whoami", {})).user, "ada");
});

/** Something with `close()` for `await using`. */
function stackOf(used: SqliteCatalog): AsyncDisposable & { readonly used: SqliteCatalog } {
  return { used, [Symbol.asyncDispose]: () => used.close() };
}

/** Logs in without asking for a session. */
async function loginByPassword(server: TestServer, password: string): Promise<RpcClient> {
  const link = new Link(await server.connect());
  await greet(link, { service: "netdisk" });
  const step = async (request: AuthRequest) => {
    await link.send(encodeControl(FrameType.AUTH, 0, request));
    const frame = await expectFrame(link, FrameType.AUTH);
    return checkHead(AuthResponse, readMessage(frame).head, "AUTH");
  };
  const scram = new ScramClient({ user: "ada", password });
  const { mechanism } = scram;
  const challenge = await step({ step: "scram-first", mechanism, message: scram.first() });
  assert(challenge.step === "scram-challenge");
  const done = await step({
    step: "scram-final",
    message: await scram.final(challenge.message),
  });
  assert(done.step === "authenticated" && done.token === undefined);
  return RpcClient.start(link);
}
