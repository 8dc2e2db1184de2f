/** The chat as scripts use it: real processes, lost connections and a server that is killed. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { onSteadyPort } from "../testing/steady_port.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import {
  type Person,
  type ServerProcess,
  sha256Of,
  tokenOf,
  until,
  World,
  writeNoise,
} from "./testing.ts";

/** What `who --json` says of a member. */
interface Presence {
  readonly user: string;
  readonly online: boolean;
}

/** People who are logged in. */
async function people(world: World, server: ServerProcess, ...names: string[]): Promise<Person[]> {
  return await Promise.all(names.map(async (name) => {
    const person = await world.person(name, server);
    await person.register(name);
    return person;
  }));
}

/** Lines of a stream; reads on until `isEnough`. */
async function linesUntil(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  isEnough: (line: string, count: number) => boolean,
): Promise<string[]> {
  const lines: string[] = [];
  const source = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of source) {
    lines.push(line);
    if (isEnough(line, lines.length)) break;
  }
  return lines;
}

Deno.test("people write to rooms and to each other, and find it again", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const [ann, bob, cat] = await people(world, server, "ann", "bob", "cat");
  assert(ann !== undefined && bob !== undefined && cat !== undefined);
  await ann.ok(["chat", "create", "lobby", "--topic", "Tea"]);
  await bob.ok(["chat", "join", "lobby"]);
  await ann.ok(["chat", "send", "lobby", "明天的会议改到三点"]);
  await bob.ok(["chat", "send", "lobby", "-"], { stdin: "Done 🎉\nsecond line\n" });
  await bob.ok(["chat", "send", "@ann", "only us"]);
  const { messages, more } = await ann.json(["chat", "history", "lobby"]);
  assertEquals(messages.map(({ from, text }: { from: string; text: string }) => [from, text]), [
    ["ann", "明天的会议改到三点"],
    ["bob", "Done 🎉\nsecond line"],
  ]);
  assertEquals(more, false);
  for (const word of ["会议", "🎉", "done"]) {
    assertEquals((await bob.json(["chat", "search", word])).messages.length, 1, word);
  }
  assertStringIncludes(await ann.ok(["chat", "tail", "@bob", "--since", "1h"]), "bob: only us");
  assertStringIncludes(await ann.ok(["chat", "who", "lobby"]), "bob  member");
  const { rooms } = await ann.json(["chat", "rooms"]);
  assertEquals(
    rooms.map(({ room, unread }: { room: string; unread: number }) => [room, unread]),
    [["@bob", 1], ["lobby", 1]],
  );
  const exported = await bob.ok(["--json", "chat", "history", "lobby", "--all"]);
  assertEquals(exported.trim().split("\n").map((line) => JSON.parse(line).text).length, 2);

  await ann.ok(["chat", "create", "den", "--private"]);
  await ann.ok(["chat", "send", "den", "hidden"]);
  for (
    const command of [["history", "den"], ["who", "den"], ["join", "den"], ["send", "den", "x"]]
  ) {
    const { code, stderr } = await cat.run(["--json", "chat", ...command]);
    assertEquals([code, JSON.parse(stderr).error.code], [3, "ROOM_NOT_FOUND"], command.join(" "));
  }
  assertEquals((await cat.json(["chat", "rooms"])).rooms.length, 1);
  assertEquals((await cat.json(["chat", "search", "hidden"])).messages, []);
  await ann.ok(["chat", "invite", "den", "@bob"]);
  await bob.ok(["chat", "join", "den"]);
  assertStringIncludes(await bob.ok(["chat", "history", "den"]), "hidden");
  await ann.ok(["chat", "kick", "den", "bob"]);
  assertEquals((await bob.run(["chat", "history", "den"])).code, 3);
  assertEquals((await cat.run(["chat", "history", "lobby"])).code, 4);
});

for (const durability of ["commit", "os"]) {
  Deno.test(`what was acknowledged is in the history after the server was killed, with --chat-durability ${durability}`, async () => {
    await using world = await World.create();
    const options = ["--chat-durability", durability];
    const server = await world.serve([...onSteadyPort(), ...options]);
    const [ann] = await people(world, server, "ann");
    assert(ann !== undefined);
    await ann.ok(["chat", "create", "lobby"]);
    const { message } = await ann.json(["chat", "send", "lobby", "kept"]);
    await server.stop("SIGKILL");
    await world.serve(["--port", String(server.port), ...options]);
    const { messages } = await ann.json(["chat", "history", "lobby"]);
    assertEquals(messages, [message]);
    // Nothing is called as anything was that the disk may have lost.
    const next = (await ann.json(["chat", "send", "lobby", "next"])).message;
    assertEquals(next.id > message.id + 1, durability === "os");
    assertEquals((await ann.json(["chat", "search", "kept"])).messages, [message]);
  });
}

Deno.test("connections that are cut in a burst leave no gap and repeat nothing", async () => {
  const count = 200;
  await using world = await World.create();
  // Without TLS, so that nothing goes past the proxy.
  const server = await world.serve(["--chat-rate", "1000", "--plain"]);
  const [ann, bob] = await people(world, server, "ann", "bob");
  assert(ann !== undefined && bob !== undefined);
  await ann.ok(["chat", "create", "lobby"]);
  await bob.ok(["chat", "join", "lobby"]);
  let [passed, cuts, isCutting] = [0, 0, false];
  await using proxy = new TcpProxy(server.port, (bytes) => {
    passed += bytes.length;
    if (!isCutting || passed < 15_000) return;
    passed = 0;
    cuts += 1;
    throw new Error("Cut by the test");
  });
  const through = async (person: Person) => ({
    TRIVET_SERVER: proxy.address,
    TRIVET_TOKEN: await tokenOf(person),
  });
  const follower = bob.spawn(["--json", "chat", "tail", "lobby", "--follow"], {
    env: await through(bob),
  });
  const warnings = new Response(follower.stderr).text();
  const heard = linesUntil(follower.stdout, (_, heard) => heard === count + 1);
  for (let tries = 0; tries < 30; tries++) {
    const { members } = await ann.json(["chat", "who", "lobby"]);
    if (members.every(({ user, online }: Presence) => online === (user === "bob"))) break;
  }
  isCutting = true;
  await ann.ok(["chat", "send", "lobby", "--lines"], {
    stdin: Array.from({ length: count }, (_, i) => `message ${i}\n`).join(""),
    env: await through(ann),
  });
  isCutting = false;
  await ann.ok(["chat", "send", "lobby", "end"]);
  const texts = (await heard).map((line) => JSON.parse(line).text);
  follower.kill("SIGINT");
  await follower.status;
  await warnings;
  const wanted = [...Array.from({ length: count }, (_, i) => `message ${i}`), "end"];
  assertEquals(texts, wanted);
  const kept = await ann.ok(["--json", "chat", "history", "lobby", "--all"]);
  assertEquals(kept.trim().split("\n").map((line) => JSON.parse(line).text), wanted);
  assert(cuts >= 3, `${cuts} cuts`);
});

Deno.test("a reader that stalls is cut, others go on, and it misses nothing in the end", async () => {
  const count = 3000;
  await using world = await World.create();
  const server = await world.serve(["--chat-rate", "100000", "--chat-queue", "64K"]);
  const [ann, bob, cat] = await people(world, server, "ann", "bob", "cat");
  assert(ann !== undefined && bob !== undefined && cat !== undefined);
  await ann.ok(["chat", "create", "lobby"]);
  const followers: {
    process: Deno.ChildProcess;
    heard: Promise<string[]>;
    said: Promise<string>;
  }[] = [];
  for (const person of [bob, cat]) {
    await person.ok(["chat", "join", "lobby"]);
    const process = person.spawn(["--json", "chat", "tail", "lobby", "--follow"]);
    followers.push({
      process,
      heard: linesUntil(process.stdout, (_, heard) => heard === count),
      said: new Response(process.stderr).text(),
    });
  }
  for (let tries = 0; tries < 30; tries++) {
    const { members } = await ann.json(["chat", "who", "lobby"]);
    if (members.every(({ user, online }: Presence) => online === (user !== "ann"))) break;
  }
  const [stalled, reader] = followers;
  assert(stalled !== undefined && reader !== undefined);
  stalled.process.kill("SIGSTOP");
  const filler = "x".repeat(4000);
  const wanted = Array.from({ length: count }, (_, i) => `${i} ${filler}`);
  await ann.ok(["chat", "send", "lobby", "--lines"], { stdin: `${wanted.join("\n")}\n` });
  const textsOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).text);
  assertEquals(textsOf(await reader.heard), wanted);
  stalled.process.kill("SIGCONT");
  assertEquals(textsOf(await stalled.heard), wanted);
  for (const { process } of followers) {
    process.kill("SIGINT");
    await process.status;
  }
  assertStringIncludes(await stalled.said, "connecting again");
  assert(!(await reader.said).includes("connecting again"));
});

Deno.test("presence follows devices that die, and a server that does", async () => {
  await using world = await World.create();
  const server = await world.serve(onSteadyPort());
  const [ann, bob] = await people(world, server, "ann", "bob");
  assert(ann !== undefined && bob !== undefined);
  await ann.ok(["chat", "create", "lobby"]);
  await bob.ok(["chat", "join", "lobby"]);
  const isOnline = async () => {
    const { members } = await ann.json(["chat", "who", "lobby"]);
    return members.find(({ user }: Presence) => user === "bob").online;
  };
  const devices: { process: Deno.ChildProcess; said: string }[] = [];
  for (let i = 0; i < 2; i++) {
    // Over TCP, where the system tells at once that a program is gone; over UDP silence does.
    const process = bob.spawn(["chat", "tail", "lobby", "--follow", "--transport", "tcp"]);
    const device = { process, said: "" };
    process.stdout.cancel();
    (async () => {
      for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
        device.said += text;
      }
    })();
    devices.push(device);
    await until(() => device.said.includes("Listening"), "the device");
  }
  const [one, two] = devices;
  assert(one !== undefined && two !== undefined);
  one.process.kill("SIGKILL");
  await one.process.status;
  assertEquals(await isOnline(), true);
  await server.stop("SIGKILL");
  await world.serve(["--port", String(server.port)]);
  await until(isOnline, "the device to come back");
  two.process.kill("SIGKILL");
  await two.process.status;
  await until(async () => !await isOnline(), "the device to be missed");
});

Deno.test("people edit, redact, react to and answer messages, and say what they have read", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const [ann, bob] = await people(world, server, "ann", "bob");
  assert(ann !== undefined && bob !== undefined);
  await ann.ok(["chat", "create", "lobby"]);
  await bob.ok(["chat", "join", "lobby"]);
  const send = async (person: Person, ...args: string[]) =>
    String((await person.json(["chat", "send", "lobby", ...args])).message.id);
  const id = await send(ann, "tpyo");
  await ann.ok(["chat", "edit", id, "-"], { stdin: "typo\n" });
  await bob.ok(["chat", "react", id, "👍"]);
  await bob.ok(["chat", "react", id, "nice"]);
  await bob.ok(["chat", "react", id, "nice", "--remove"]);
  const answer = await send(bob, "--reply", id, "which one");
  const last = await send(ann, "mistake");
  await ann.ok(["chat", "redact", last]);
  const lines = (await bob.ok(["chat", "history", "lobby"])).trim().split("\n");
  assertEquals(lines.map((line) => line.replace(/^(\d+) +\S+ \S+ +/, "")), [
    "ann: typo (edited) [👍 1]",
    `bob: (to ${id}) which one`,
    "ann: (redacted by ann)",
  ]);
  const around = await bob.json(["chat", "history", "lobby", "--around", answer, "--limit", "1"]);
  assertEquals(around.messages.map(({ text }: { text: string }) => text), ["which one"]);
  const refused = await bob.run(["--json", "chat", "edit", id, "mine"]);
  assertEquals(JSON.parse(refused.stderr).error.code, "PERMISSION_DENIED");
  assertEquals((await bob.run(["chat", "redact", "one"])).code, 2);
  assertEquals((await bob.run(["chat", "redact", "0"])).code, 2);

  const unread = async (person: Person) =>
    (await person.json(["chat", "rooms"])).rooms[0].unread as number;
  const more = await send(ann, "more");
  assertEquals(await unread(bob), 1);
  assertEquals(await bob.json(["chat", "read", "lobby", last]), {
    room: "lobby",
    read: Number(last),
  });
  assertEquals(await unread(bob), 1);
  await bob.ok(["chat", "read", "lobby", more]);
  assertEquals(await unread(bob), 0);
  assertEquals(await unread(ann), 0);
  await bob.ok(["chat", "send", "lobby", "new"]);
  assertEquals(await unread(ann), 1);
  await ann.ok(["chat", "read", "lobby"]);
  assertEquals(await unread(ann), 0);
});

Deno.test("members fetch a file that a message carries, as long as they may read it", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const [ann, bob, cat] = await people(world, server, "ann", "bob", "cat");
  assert(ann !== undefined && bob !== undefined && cat !== undefined);
  await ann.ok(["chat", "create", "den", "--private"]);
  await ann.ok(["chat", "invite", "den", "bob"]);
  await bob.ok(["chat", "join", "den"]);
  writeNoise(ann.path("plan.pdf"), 3 * 1024 * 1024);
  const send = async (...words: string[]) =>
    (await ann.json(["chat", "send", "den", ...words, "--file", "plan.pdf"])).message;
  const first = await send();
  assertEquals([first.text, first.file.name, first.file.size_bytes], [
    "plan.pdf",
    "plan.pdf",
    3 * 1024 * 1024,
  ]);
  const second = await send("the same again");
  assertEquals(second.file.name, "plan (2).pdf");
  assertStringIncludes(await ann.ok(["ls", "Chat Files"]), "plan (2).pdf");
  assert((await ann.json(["df"])).used_bytes >= 6 * 1024 * 1024);
  assertEquals((await bob.json(["df"])).used_bytes, 0);
  assertStringIncludes(
    await bob.ok(["chat", "history", "den"]),
    `[plan.pdf, 3.0 MiB: trivet get chat:${first.id}]`,
  );
  await bob.ok(["get", `chat:${first.id}`]);
  await bob.ok(["get", `chat:${second.id}`, "copy.pdf"]);
  const wanted = await sha256Of(ann.path("plan.pdf"));
  for (const name of ["plan.pdf", "copy.pdf"]) assertEquals(await sha256Of(bob.path(name)), wanted);
  const codeOf = async (person: Person, id: number) => {
    const { stderr } = await person.run(["--json", "get", `chat:${id}`, "x"]);
    return JSON.parse(stderr).error.code;
  };
  assertEquals(await codeOf(cat, first.id), "MESSAGE_NOT_FOUND");
  await ann.ok(["rm", "Chat Files/plan (2).pdf"]);
  assertEquals(await codeOf(bob, second.id), "NOT_FOUND");
  await ann.ok(["chat", "kick", "den", "bob"]);
  assertEquals(await codeOf(bob, first.id), "MESSAGE_NOT_FOUND");
  await ann.ok(["chat", "redact", String(first.id)]);
  assertEquals(await codeOf(ann, first.id), "NOT_FOUND");
  assertEquals((await ann.run(["chat", "send", "den", "--file", "missing"])).code, 3);
  const refused = await ann.run(["chat", "send", "den", "--lines", "--file", "plan.pdf"]);
  assertEquals(refused.code, 2);
});
