import { assert, assertEquals, assertRejects } from "@std/assert";
import { Connector } from "../../client/connector.ts";
import { openDirect } from "../../client/direct.ts";
import { openSession } from "../../client/session.ts";
import { MemoryTrustStore } from "../../client/trust.ts";
import { parseAddress } from "../../lib/link/address.ts";
import { parseFingerprint } from "../../lib/link/fingerprint.ts";
import { checkHead, DIRECT_METHOD, DirectOffer } from "../../lib/rpc/messages.ts";
import { ask, TestServer } from "../server/testing.ts";

/** A server with TLS, and a connection through its gate. */
async function setUp(stack: AsyncDisposableStack, direct?: boolean) {
  const server = stack.use(
    await TestServer.start({ plain: false, ...(direct === undefined ? {} : { direct }) }),
  );
  const credentials = { token: await server.addUser("ann") };
  const connector = new Connector({
    address: parseAddress(`127.0.0.1:${server.port}`),
    trust: new MemoryTrustStore(),
    fingerprint: parseFingerprint(server.running.fingerprint ?? ""),
  });
  const { rpc: control } = stack.use(await openSessionOf(connector, credentials));
  return { server, control, options: { connector, credentials } };
}

async function openSessionOf(connector: Connector, credentials: { token: string }) {
  const { rpc } = await openSession(connector, credentials);
  return { rpc, [Symbol.asyncDispose]: () => rpc.close() };
}

Deno.test("openDirect() logs in past the gate", async () => {
  await using stack = new AsyncDisposableStack();
  const { control, options } = await setUp(stack);
  await using direct = await openDirect(control, options);
  assert(direct !== undefined);
  assert(direct !== control);
  assertEquals((await ask(direct, "whoami", {})).user, "ann");
  assertEquals((await ask(control, "whoami", {})).user, "ann");
});

Deno.test("a direct connection asks for a login like any other", async () => {
  await using stack = new AsyncDisposableStack();
  const { control, options } = await setUp(stack);
  const wrong = { ...options, credentials: { token: "tvt_wrong" } };
  assertEquals(await openDirect(control, wrong), undefined);
  const offer = checkHead(DirectOffer, (await control.call(DIRECT_METHOD, {})).head, "offer");
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: offer.port });
  await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  const buffer = new Uint8Array(64);
  // An alert, or nothing, and then the end.
  while (await conn.read(buffer).catch(() => null) !== null);
  assertEquals((await ask(control, "whoami", {})).user, "ann");
});

Deno.test("openDirect() finds nothing where the server is told to offer none", async () => {
  await using stack = new AsyncDisposableStack();
  const { control, options } = await setUp(stack, false);
  assertEquals(await openDirect(control, options), undefined);
  assertEquals(control.failure, null);
});

Deno.test("openDirect() rejects when the caller gives up", async () => {
  await using stack = new AsyncDisposableStack();
  const { control, options } = await setUp(stack);
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => openDirect(control, { ...options, signal }), Error, "enough");
});
