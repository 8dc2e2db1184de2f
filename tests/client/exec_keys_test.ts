import { assertEquals, assertRejects } from "@std/assert";
import { ExecClient, type ExecClientOptions } from "../../client/exec.ts";
import { proveMachineKey } from "../../client/machine_key.ts";
import { newMachineKey, parseMachineKey } from "../../lib/auth/machine_key.ts";
import { TrivetError } from "../../lib/errors.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FrameType } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { addKey, revokeKey } from "../server/keys_testing.ts";
import { TestServer } from "../server/testing.ts";
import { ExecWorld, processesWith, run, TextWriter } from "./exec_testing.ts";

const COMMANDS = `
[commands.nightly]
executable = "/bin/echo"
arguments = ["nightly"]
keys = ["backup"]

[commands.both]
executable = "/bin/echo"
arguments = ["both"]
users = ["ann"]
keys = ["backup"]

[commands.person]
executable = "/bin/echo"
arguments = ["person"]
users = ["*"]

[commands.wait]
executable = "/bin/sh"
arguments = ["-c", "echo ready; sleep $0 & wait"]
keys = ["backup"]
parameters = [{ name = "SECONDS", pattern = "[0-9.]+" }]
`;

/** Connects as somebody with a key. */
async function connect(
  { server }: ExecWorld,
  machineKey: string,
  credentials: ExecClientOptions["credentials"] = { byKeyAlone: true },
): Promise<ExecClient> {
  const address = `127.0.0.1:${server.port}`;
  return await ExecClient.connect({ server: address, plain: true, credentials, machineKey });
}

async function codeOf(action: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => action, TrivetError)).code;
}

async function namesOf(client: ExecClient): Promise<string[]> {
  return (await client.list()).map(({ name }) => name);
}

Deno.test("a machine key with no account runs what is listed for it, and nothing else", async () => {
  await using world = await ExecWorld.start(COMMANDS);
  await using backup = await connect(world, await addKey(world.server, "backup"));
  assertEquals(backup.user, "key:backup");
  assertEquals(await namesOf(backup), ["nightly", "both", "wait"]);
  assertEquals((await run(backup, "nightly")).stdout, "nightly\n");
  assertEquals((await run(backup, "both")).stdout, "both\n");
  assertEquals(await codeOf(backup.start("person")), "COMMAND_NOT_FOUND");
  await using other = await connect(world, await addKey(world.server, "ann"));
  assertEquals(await namesOf(other), []);
  for (const name of ["nightly", "both", "person"]) {
    assertEquals(await codeOf(other.start(name)), "COMMAND_NOT_FOUND");
  }
  const attempts = await world.attempts();
  assertEquals(attempts.map(({ user, result }) => [user, result]), [
    ["key:backup", "OK"],
    ["key:backup", "OK"],
    ["key:backup", "COMMAND_NOT_FOUND"],
    ...Array.from({ length: 3 }, () => ["key:ann", "COMMAND_NOT_FOUND"]),
  ]);
  assertEquals(new Set(attempts.map(({ key }) => String(key).length)), new Set([18]));
});

Deno.test("whoever logs in behind a listed machine key may run what is listed for it", async () => {
  await using world = await ExecWorld.start(COMMANDS);
  const key = await addKey(world.server, "backup");
  const token = await world.server.addUser("bob");
  await using bob = await connect(world, key, { token });
  assertEquals(bob.user, "bob");
  assertEquals((await run(bob, "nightly")).stdout, "nightly\n");
  assertEquals((await run(bob, "person")).stdout, "person\n");
  const without = await world.client(token);
  assertEquals(await codeOf(without.start("nightly")), "COMMAND_NOT_FOUND");
});

Deno.test("a login by key takes the exchange, and the service of remote commands", async () => {
  await using world = await ExecWorld.start(COMMANDS);
  const elsewhere = await addKey(world.server, "backup", { services: ["netdisk"] });
  for (const wrong of [newMachineKey(), elsewhere]) {
    assertEquals(await codeOf(connect(world, wrong)), "KEY_NOT_PROVEN");
  }
  using link = new Link(await world.server.connect());
  await greet(link, { service: "exec" });
  await link.send(encodeControl(FrameType.AUTH, 0, { step: "machine-key-login" }));
  assertEquals(await codeOf(expectFrame(link, FrameType.AUTH)), "AUTH_REQUIRED");
  assertEquals(await world.attempts(), []);
});

Deno.test("a login by key opens no netdisk", async () => {
  await using server = await TestServer.start();
  const key = parseMachineKey(await addKey(server, "backup"));
  using link = new Link(await server.connect());
  const { mechanisms } = await greet(link, { service: "netdisk" });
  await proveMachineKey(link, { key, service: "netdisk", mechanisms, channelBinding: undefined });
  await link.send(encodeControl(FrameType.AUTH, 0, { step: "machine-key-login" }));
  assertEquals(await codeOf(expectFrame(link, FrameType.AUTH)), "AUTH_REQUIRED");
});

Deno.test("a machine key that is revoked ends its commands and all their processes", async () => {
  await using world = await ExecWorld.start(COMMANDS);
  await using client = await connect(world, await addKey(world.server, "backup"));
  const stdout = new TextWriter();
  const seconds = `${2000 + Math.floor(Math.random() * 1_000_000)}.125`;
  const command = await client.start("wait", [seconds], { stdout });
  await stdout.until("ready");
  await revokeKey(world.server, "backup");
  assertEquals(await codeOf(command.ended), "KEY_INVALID");
  while ((await processesWith(seconds)).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
