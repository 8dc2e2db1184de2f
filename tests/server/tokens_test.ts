import { assert, assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import { TOKEN_PAGE_MAX } from "../../lib/netdisk/access_messages.ts";
import { TOKEN_LIFETIME_MAX_MS } from "../../lib/netdisk/token_limits.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { ask, TestServer } from "./testing.ts";

const HOUR_MS = 60 * 60 * 1000;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrivetError)).code;
}

/** Waits until the server has ended a connection, and says with which code its calls fail. */
async function endOf(rpc: RpcClient): Promise<string> {
  return await codeOf((async () => {
    for (;;) await ask(rpc, "whoami", {});
  })());
}

Deno.test("only a login of scope full for the whole home manages tokens", async () => {
  await using server = await TestServer.start();
  await server.addUser("ada");
  for (const limits of [{ scope: "write" }, { scope: "read" }, { pathPrefix: ["in"] }] as const) {
    const { pathPrefix = [], ...scope } = { ...{ pathPrefix: [] }, ...limits };
    const token = await server.addToken("ada", { ...scope, pathPrefix: [...pathPrefix] });
    await using rpc = await server.login(token);
    const ids = ["0123456789abcdef"];
    assertEquals(await codeOf(ask(rpc, "token.create", { scope: "read" })), "PERMISSION_DENIED");
    assertEquals(await codeOf(ask(rpc, "token.list", {})), "PERMISSION_DENIED");
    assertEquals(await codeOf(ask(rpc, "token.revoke", { ids })), "PERMISSION_DENIED");
  }
});

Deno.test("account.passwd wants a connection that logged in by password", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  const verifier = "x";
  assertEquals(await codeOf(ask(rpc, "account.passwd", { verifier })), "AUTH_REQUIRED");
});

Deno.test("token.create keeps to its limits", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  const create = (lifetimeMs: number) => ask(rpc, "token.create", { scope: "full", lifetimeMs });
  assertEquals(await codeOf(create(0)), "INVALID_REQUEST");
  assertEquals(await codeOf(create(TOKEN_LIFETIME_MAX_MS + 1)), "INVALID_REQUEST");
  const { expiresMs } = await create(TOKEN_LIFETIME_MAX_MS);
  assert(expiresMs !== null && Math.abs(Date.now() + TOKEN_LIFETIME_MAX_MS - expiresMs) < 60_000);
  const label = (chars: number) =>
    ask(rpc, "token.create", { scope: "read", label: "x".repeat(chars) });
  assertEquals(await codeOf(label(129)), "INVALID_REQUEST");
  await label(128);
  const bad = ask(rpc, "token.create", { scope: "read", path: [".."] });
  assertEquals(await codeOf(bad), "PATH_DOT");
});

Deno.test("a token that ends makes none that ends later", async () => {
  await using server = await TestServer.start();
  await using owner = await server.login(await server.addUser("ada"));
  const short = await ask(owner, "token.create", { scope: "full", lifetimeMs: HOUR_MS });
  await using rpc = await server.login(short.token);
  const create = (request: { lifetimeMs?: number }) =>
    ask(rpc, "token.create", { scope: "full", ...request });
  assertEquals(await codeOf(create({})), "PERMISSION_DENIED");
  assertEquals(await codeOf(create({ lifetimeMs: 2 * HOUR_MS })), "PERMISSION_DENIED");
  await create({ lifetimeMs: HOUR_MS / 2 });
});

Deno.test("token.list pages, and token.revoke ends open connections", async () => {
  await using server = await TestServer.start();
  await using owner = await server.login(await server.addUser("ada"));
  const made = [];
  for (let i = 0; i < TOKEN_PAGE_MAX; i++) {
    made.push(await ask(owner, "token.create", { scope: "read" }));
  }
  const first = await ask(owner, "token.list", {});
  assertEquals([first.tokens.length, first.more], [TOKEN_PAGE_MAX, true]);
  const after = first.tokens.at(-1)?.id ?? "";
  const second = await ask(owner, "token.list", { after });
  assertEquals([second.tokens.length, second.more], [1, false]);
  assertEquals([...first.tokens, ...second.tokens].filter((each) => each.isCurrent).length, 1);

  const [one, two] = made;
  assert(one !== undefined && two !== undefined);
  await using ended = await server.login(one.token);
  await using alive = await server.login(two.token);
  assertEquals(await ask(owner, "token.revoke", { ids: [one.id] }), { revoked: 1 });
  assertEquals(await endOf(ended), "TOKEN_INVALID");
  assertEquals((await ask(alive, "whoami", {})).user, "ada");
  assertEquals(await codeOf(server.login(one.token)), "TOKEN_INVALID");
  const ids = Array.from({ length: TOKEN_PAGE_MAX + 1 }, () => two.id);
  assertEquals(await codeOf(ask(owner, "token.revoke", { ids })), "INVALID_REQUEST");
  await ask(owner, "token.revoke", { ids: ids.slice(1) });
});
