import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { CLASSIC_TEXT_MAX_BYTES } from "../../../lib/classic/decode.ts";
import { encodeClassicLength, encodeClassicText } from "../../../lib/classic/encode.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { CLASSIC_NAMES_MAX } from "../../../server/classic/answer.ts";
import { serve } from "../../../server/serve.ts";
import { PASSWORD, until } from "../../e2e/testing.ts";
import { concat } from "../../testing/frames.ts";
import { noise, TestServer } from "../testing.ts";
import { ClassicClient, hasPlace, partCount, usedBytes } from "./testing.ts";

const MIB = 1024 * 1024;
const CLASSIC = { classic: { port: 0 } };

Deno.test("serve() speaks the classic protocol with the netdisk's accounts, homes and quotas", async () => {
  await using server = await TestServer.start(CLASSIC);
  using client = await ClassicClient.register(server, "ada");
  assertEquals(await client.say("ls"), { status: true, data: [] });
  const content = noise(3 * MIB + 17);
  await client.upload("a b.bin", content);
  await Deno.mkdir(server.home("ada", "papers"));
  assertEquals(await client.say("ls"), { status: true, data: ["a b.bin", "papers/"] });
  assertEquals(await Deno.readFile(server.home("ada", "a b.bin")), content);
  assertEquals(await client.download("a b.bin"), content);
  assertEquals(await client.download(`a b.bin ${2 * MIB}`), content.subarray(2 * MIB));
  assertEquals((await client.download(`a b.bin ${content.length}`)).length, 0);
  await client.upload("papers/empty", new Uint8Array(0));
  assertEquals(await client.say("ls papers"), { status: true, data: ["empty"] });
  await client.upload("a b.bin", content.subarray(0, MIB));
  assertEquals((await client.say("ls a b.bin")).data, ["a b.bin"]);
  assertEquals(await usedBytes(server, "ada"), MIB);
  assertEquals(await partCount(server), 0);
  await client.send(encodeClassicText("q"));
  assert(await client.isClosed());
});

Deno.test("The classic protocol takes everything in one write, and one byte a write", async () => {
  await using server = await TestServer.start(CLASSIC);
  (await ClassicClient.register(server, "ada"))[Symbol.dispose]();
  const file = noise(1000);
  const bytes = concat([
    encodeClassicText(`login ada ${PASSWORD}`),
    encodeClassicText("upload a"),
    encodeClassicLength(file.length),
    file,
    encodeClassicText("download a 990"),
    encodeClassicText("ls"),
    encodeClassicText("q"),
  ]);
  for (const step of [bytes.length, 1]) {
    using client = await ClassicClient.connect(server);
    for (let at = 0; at < bytes.length; at += step) {
      await client.send(bytes.subarray(at, at + step));
    }
    const replies = [await client.reply(), await client.reply(), await client.reply()];
    assertEquals(replies.map(({ status }) => status), [true, true, true]);
    assertEquals(await client.block(), file.subarray(990));
    assertEquals(await client.reply(), { status: true, data: ["a"] });
    assert(await client.isClosed());
  }
});

Deno.test("The classic protocol refuses, says why and goes on", async () => {
  await using server = await TestServer.start(CLASSIC);
  using guest = await ClassicClient.connect(server);
  for (
    const [command, code] of [
      ["ls", "AUTH_REQUIRED"],
      ["download a", "AUTH_REQUIRED"],
      ["dir", "INVALID_REQUEST"],
      ["register ada short", "PASSWORD_INVALID"],
      [`register Ada ${PASSWORD}`, "USER_NAME_INVALID"],
      [`login ../ada ${PASSWORD}`, "USER_NAME_INVALID"],
    ] as const
  ) {
    const { status, code: found } = await guest.say(command);
    assertEquals([command, status, found], [command, false, code]);
  }
  using client = await ClassicClient.register(server, "ada");
  await Deno.mkdir(server.home("ada", "papers"));
  await client.upload("a", noise(10));
  for (
    const [command, code] of [
      ["ls ..", "PATH_DOT"],
      ["ls nowhere", "NOT_FOUND"],
      ["upload ../eve/a", "PATH_DOT"],
      ["upload papers", "IS_FOLDER"],
      ["upload nowhere/a", "NOT_FOUND"],
      ["download papers", "IS_FOLDER"],
      ["download ../../trivet.db", "PATH_DOT"],
      ["download a 11", "INVALID_REQUEST"],
      [`login ada ${PASSWORD}`, "INVALID_REQUEST"],
    ] as const
  ) {
    const { status, code: found } = await client.say(command);
    assertEquals([command, status, found], [command, false, code]);
  }
  assertEquals(await client.download("a 10"), new Uint8Array(0));
});

Deno.test("The classic protocol tells a wrong password from an unknown name by nothing, and slows guessing", async () => {
  await using server = await TestServer.start(CLASSIC);
  (await ClassicClient.register(server, "ada"))[Symbol.dispose]();
  using client = await ClassicClient.connect(server);
  const wrong = await client.say("login ada wrong password");
  assertEquals(wrong.code, "AUTH_FAILED");
  assertEquals(await client.say("login eve wrong password"), wrong);
  const codes: (string | undefined)[] = [];
  for (let tries = 0; tries < 5; tries++) codes.push((await client.say("login ada wrong")).code);
  assertEquals(codes, [...Array(4).fill("AUTH_FAILED"), "AUTH_THROTTLED"]);
});

Deno.test("The classic protocol closes who does not log in, though bytes drip", async () => {
  await using server = await TestServer.start({ classic: { port: 0, loginTimeoutMs: 300 } });
  using guest = await ClassicClient.connect(server);
  await guest.send(encodeClassicLength(CLASSIC_TEXT_MAX_BYTES));
  const drip = setInterval(() => guest.conn.write(new Uint8Array(1)).catch(() => {}), 20);
  assert(await guest.isClosed());
  clearInterval(drip);
});

Deno.test("The classic protocol closes who says nothing, and gives up a file that does not go on", async () => {
  const classic = { port: 0, idleTimeoutMs: 1000, stallTimeoutMs: 300 };
  await using server = await TestServer.start({ classic });
  using client = await ClassicClient.register(server, "ada");
  assert((await client.say("upload a")).status);
  await client.send(encodeClassicLength(10));
  assert(await client.isClosed());
  await until(async () => await partCount(server) === 0, "the part");
  using idle = await ClassicClient.connect(server);
  assert((await idle.say(`login ada ${PASSWORD}`)).status);
  assert(await idle.isClosed());
});

Deno.test("The classic protocol does not wait for ever behind a refusal", async () => {
  await using server = await TestServer.start({ classic: { port: 0, lingerMs: 300 } });
  using client = await ClassicClient.connect(server);
  await client.send(encodeClassicLength(CLASSIC_TEXT_MAX_BYTES + 1));
  assertEquals((await client.reply()).code, "PROTOCOL_ERROR");
  const drip = setInterval(() => client.conn.write(new Uint8Array(1)).catch(() => done()), 20);
  const { promise, resolve: done } = Promise.withResolvers<void>();
  await promise;
  clearInterval(drip);
});

Deno.test("The classic protocol lists as many names as it says, and not one more", async () => {
  await using server = await TestServer.start(CLASSIC);
  using client = await ClassicClient.register(server, "ada");
  await Deno.mkdir(server.home("ada", "full"));
  for (let index = 0; index < CLASSIC_NAMES_MAX; index++) {
    Deno.writeTextFileSync(server.home("ada", "full", String(index)), "");
  }
  const { data } = await client.say("ls full");
  assertEquals(new Set(data).size, CLASSIC_NAMES_MAX);
  Deno.writeTextFileSync(server.home("ada", "full", "one more"), "");
  assertEquals((await client.say("ls full")).code, "FAILED");
});

Deno.test("The classic protocol serves no account that was disabled meanwhile", async () => {
  await using server = await TestServer.start(CLASSIC);
  using client = await ClassicClient.register(server, "ada");
  const database = new DatabaseSync(`${server.data}/trivet.db`);
  database.exec("UPDATE users SET disabled = 1");
  database.close();
  assertEquals((await client.say("ls")).code, "AUTH_REQUIRED");
  assertEquals((await client.say("upload a")).code, "AUTH_REQUIRED");
  using again = await ClassicClient.connect(server);
  assertEquals((await again.say(`login ada ${PASSWORD}`)).code, "AUTH_FAILED");
});

Deno.test("The classic protocol takes as many connections as it is told", async () => {
  await using server = await TestServer.start({ classic: { port: 0, connectionsMax: 2 } });
  using first = await ClassicClient.connect(server);
  using second = await ClassicClient.connect(server);
  assertEquals((await first.say("ls")).code, "AUTH_REQUIRED");
  assertEquals((await second.say("ls")).code, "AUTH_REQUIRED");
  using third = await ClassicClient.connect(server);
  assert(await third.isClosed());
  await first.send(encodeClassicText("q"));
  assert(await first.isClosed());
  await until(() => hasPlace(server), "a place");
});

Deno.test("shutdown() lets an upload of the classic protocol finish and closes who waits", async () => {
  await using server = await TestServer.start(CLASSIC);
  using client = await ClassicClient.register(server, "ada");
  using guest = await ClassicClient.connect(server);
  assert((await client.say("upload a")).status);
  await client.send(encodeClassicLength(10));
  await until(async () => await partCount(server) === 1, "the part");
  const stopped = server.running.shutdown(10_000);
  assert(await guest.isClosed());
  await client.send(noise(10));
  assert(await client.isClosed());
  await stopped;
  assertEquals(await Deno.readFile(server.home("ada", "a")), noise(10));
});

Deno.test("serve() takes no registrations by default once the classic protocol leaves loopback", async () => {
  await using server = await TestServer.start({ classic: { port: 0, hosts: ["0.0.0.0"] } });
  assertEquals(server.running.registration, "closed");
  using client = await ClassicClient.connect(server);
  const { code } = await client.say(`register ada ${PASSWORD}`);
  assertEquals(code, "REGISTRATION_CLOSED");
});

Deno.test("serve() refuses a port of the classic protocol that is taken", async () => {
  await using server = await TestServer.start(CLASSIC);
  const port = server.running.classic[0]?.port ?? 0;
  const data = await Deno.makeTempDir({ prefix: "trivet-test-" });
  const options = { data, port: 0, plain: true, classic: { port } };
  const error = await assertRejects(() => serve(options), TrivetError);
  assertEquals(error.code, "ADDRESS_IN_USE");
  await Deno.remove(data, { recursive: true });
});
