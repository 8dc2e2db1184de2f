import { assert, assertEquals, assertRejects } from "@std/assert";
import { Connector } from "../../client/connector.ts";
import { proveMachineKey } from "../../client/machine_key.ts";
import { MemoryTrustStore } from "../../client/trust.ts";
import { newMachineKey, parseMachineKey } from "../../lib/auth/machine_key.ts";
import { MachineKeyClient } from "../../lib/auth/machine_key_client.ts";
import { formatVerifier, makeVerifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FRAME_PAYLOAD_GUEST_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { RpcClient } from "../../lib/rpc/client.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { readError } from "../../lib/rpc/messages.ts";
import { addKey, revokeKey } from "./keys_testing.ts";
import { ask, TestServer } from "./testing.ts";

/** A connection whose hello is done, and the key's exchange if there is one. */
async function open(server: TestServer, text?: string): Promise<Link> {
  const link = new Link(await server.connect());
  try {
    const { mechanisms } = await greet(link, { service: "netdisk" });
    const plain = { service: "netdisk", mechanisms, channelBinding: undefined };
    if (text !== undefined) await proveMachineKey(link, { ...plain, key: parseMachineKey(text) });
  } catch (error) {
    link.close();
    throw error;
  }
  return link;
}

async function send(link: Link, head: unknown, type: FrameType = FrameType.AUTH): Promise<void> {
  await link.send(encodeControl(type, 0, head));
}

/** The error that the server ends a connection with. */
async function endOf(link: Link): Promise<string> {
  const frame = await link.receive();
  assert(frame?.type === FrameType.ERROR);
  const error = readError(frame);
  assertEquals(await link.receive(), null);
  return error.code;
}

Deno.test("serve with requireKey reads nothing of a login before the key", async () => {
  await using server = await TestServer.start({ requireKey: true });
  const token = await server.addUser("ada");
  const heads = [
    { step: "token", token },
    { step: "token", token: 7 },
    { step: "register", user: "bob", verifier: "" },
    { step: "scram-first", mechanism: "SCRAM-SHA-256", message: "n,,n=ada,r=0123456789abcdef" },
    { step: "machine-key-proof", proof: "" },
    { step: 1 },
    [],
    {},
  ];
  for (const head of heads) {
    using link = await open(server);
    await send(link, head);
    assertEquals(await endOf(link), "KEY_REQUIRED", JSON.stringify(head));
  }
  using link = await open(server);
  await send(link, { method: "whoami" }, FrameType.REQUEST);
  assertEquals(await endOf(link), "PROTOCOL_ERROR");
});

Deno.test("serve with requireKey says so in WELCOME", async () => {
  await using server = await TestServer.start({ requireKey: true });
  using link = new Link(await server.connect());
  const welcome = await greet(link, { service: "netdisk" });
  assertEquals(welcome.keyRequired, true);
  assert(welcome.mechanisms.includes("machine-key-1"));
});

Deno.test("a client without a key says nothing to a server that requires one", async () => {
  await using server = await TestServer.start({ requireKey: true });
  const address = { transport: "tcp", host: "127.0.0.1", port: server.port } as const;
  const connector = new Connector({ address, plain: true, trust: new MemoryTrustStore() });
  const error = await assertRejects(() => connector.open(), TrivetError);
  assertEquals(error.code, "KEY_REQUIRED");
});

Deno.test("a machine key admits a connection, which still has to log in", async () => {
  await using server = await TestServer.start({ requireKey: true });
  const token = await server.addUser("ada");
  const text = await addKey(server, "backup");
  using link = await open(server, text);
  await send(link, { step: "token", token });
  await expectFrame(link, FrameType.AUTH);
  const rpc = RpcClient.start(link);
  assertEquals((await ask(rpc, "whoami", {})).user, "ada");
  await rpc.close();

  using stranger = await open(server, text);
  await send(stranger, { method: "whoami" }, FrameType.REQUEST);
  assertEquals(await endOf(stranger), "PROTOCOL_ERROR");
  using again = await open(server, text);
  await send(again, { step: "machine-key", mechanism: "", keyId: "", nonce: "", ephemeral: "" });
  assertEquals(await endOf(again), "PROTOCOL_ERROR");
});

Deno.test("behind the key, the limits of strangers still hold", async () => {
  await using server = await TestServer.start({ requireKey: true, loginTimeoutMs: 500 });
  const text = await addKey(server, "backup");
  using large = await open(server, text);
  // One byte more than a stranger's frame may have: 4 bytes of length, the head, the body.
  const head = { step: "token", token: "x" };
  const room = FRAME_PAYLOAD_GUEST_MAX_BYTES - 4 - JSON.stringify(head).length;
  const frame = encodeControl(FrameType.AUTH, 0, head, new Uint8Array(room + 1));
  await large.send(frame);
  assertEquals(await endOf(large), "PROTOCOL_ERROR");
  using slow = await open(server, text);
  const frameOrNull = await slow.receive();
  assertEquals(frameOrNull === null || frameOrNull.type === FrameType.ERROR, true);
});

Deno.test("without requireKey a key is proven when it is shown, and a wrong one refused", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  const text = await addKey(server, "backup");
  for (const key of [text, undefined]) {
    using link = await open(server, key);
    await send(link, { step: "token", token });
    await expectFrame(link, FrameType.AUTH);
  }
  const error = await assertRejects(() => open(server, newMachineKey()), TrivetError);
  assertEquals(error.code, "KEY_NOT_PROVEN");
  // Behind any other step it comes too late.
  using late = await open(server);
  const verifier = formatVerifier(await makeVerifier("correct horse battery"));
  await send(late, { step: "register", user: "bob", verifier });
  await expectFrame(late, FrameType.AUTH);
  const key = parseMachineKey(text);
  const client = new MachineKeyClient({ service: "netdisk", mechanisms: ["machine-key-1"], key });
  await send(late, { step: "machine-key", ...await client.first() });
  assertEquals(await endOf(late), "PROTOCOL_ERROR");
});

Deno.test("a key that is revoked or ends closes the connections that it admitted", async () => {
  await using server = await TestServer.start({ requireKey: true });
  const token = await server.addUser("ada");
  const revoked = await addKey(server, "revoked");
  const other = await addKey(server, "other");
  const ending = await addKey(server, "ending", { expiresAtMs: Date.now() + 3000 });
  const links = [];
  for (const text of [revoked, ending, other]) {
    const link = await open(server, text);
    await send(link, { step: "token", token });
    await expectFrame(link, FrameType.AUTH);
    links.push(link);
  }
  const [first, second, third] = links;
  assert(first !== undefined && second !== undefined && third !== undefined);
  await revokeKey(server, "revoked");
  assertEquals(await endOf(first), "KEY_INVALID");
  assertEquals(await endOf(second), "KEY_INVALID");
  const rpc = RpcClient.start(third);
  assertEquals((await ask(rpc, "whoami", {})).user, "ada");
  await rpc.close();
  for (const link of links) link.close();
});

Deno.test("serve refuses requireKey together with the classic protocol", async () => {
  const error = await assertRejects(
    () => TestServer.start({ requireKey: true, classic: { port: 0 } }),
    TrivetError,
  );
  assertEquals(error.code, "USAGE");
});
