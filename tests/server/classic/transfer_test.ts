import { assert, assertEquals, assertRejects } from "@std/assert";
import { CLASSIC_FILE_MAX_BYTES } from "../../../lib/classic/decode.ts";
import { encodeClassicLength } from "../../../lib/classic/encode.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { PASSWORD, until } from "../../e2e/testing.ts";
import { ask, noise, openUpload, TestServer } from "../testing.ts";
import { ClassicClient, hasPlace, makeHole, partCount, usedBytes } from "./testing.ts";

const MIB = 1024 * 1024;
const CLASSIC = { classic: { port: 0 } };

Deno.test("The classic protocol takes a file as large as the quota, and of a larger one no byte", async () => {
  await using server = await TestServer.start({ ...CLASSIC, defaultQuotaBytes: MIB });
  using client = await ClassicClient.register(server, "ada");
  await client.upload("b", noise(1));
  await client.upload("a", noise(MIB));
  // It is the answer to whatever comes next.
  const refused = await client.reply();
  assertEquals([refused.status, refused.code], [false, "QUOTA_EXCEEDED"]);
  assert(await client.isClosed());
  using again = await ClassicClient.connect(server);
  await again.say(`login ada ${PASSWORD}`);
  assertEquals((await again.say("ls")).data, ["b"]);
  assertEquals(await usedBytes(server, "ada"), 1);
  await again.upload("a", noise(MIB - 1));
  assertEquals((await again.say("ls")).data, ["a", "b"]);
  // Once nothing is left, the command itself is refused.
  assertEquals((await again.say("upload c")).code, "QUOTA_EXCEEDED");
  assertEquals(await usedBytes(server, "ada"), MIB);
  assertEquals(await partCount(server), 0);
});

Deno.test("The classic protocol refuses a negative length and leaves nothing behind", async () => {
  await using server = await TestServer.start(CLASSIC);
  using client = await ClassicClient.register(server, "ada");
  assert((await client.say("upload a")).status);
  await client.send(new Uint8Array([255, 255, 255, 255]));
  assertEquals((await client.reply()).code, "PROTOCOL_ERROR");
  assert(await client.isClosed());
  assertEquals(await usedBytes(server, "ada"), 0);
});

Deno.test("An upload of the classic protocol that is cut leaves the old file and gives its bytes back", async () => {
  await using server = await TestServer.start(CLASSIC);
  using client = await ClassicClient.register(server, "ada");
  await client.upload("a", noise(100));
  assert((await client.say("upload a")).status);
  await client.send(encodeClassicLength(MIB));
  await client.send(noise(MIB - 1));
  await until(async () => await usedBytes(server, "ada") === MIB + 100, "the reservation");
  client.conn.close();
  await until(async () => await usedBytes(server, "ada") === 100, "the bytes");
  assertEquals(await Deno.readFile(server.home("ada", "a")), noise(100));
  await until(async () => await partCount(server) === 0, "the part");
});

Deno.test("Another session takes an upload of the classic protocol over, and the other way round", async () => {
  await using server = await TestServer.start(CLASSIC);
  using client = await ClassicClient.register(server, "ada");
  await using rpc = await server.login(await server.addToken("ada"));
  assert((await client.say("upload a")).status);
  await client.send(encodeClassicLength(2 * MIB));
  await client.send(noise(MIB));
  await until(async () => await partCount(server) === 1, "the part");
  const { uploadId } = await openUpload(rpc, "a", 2 * MIB);
  assert(await client.isClosed());
  assertEquals(await partCount(server), 1);
  using again = await ClassicClient.connect(server);
  await again.say(`login ada ${PASSWORD}`);
  await again.upload("a", noise(5));
  assertEquals((await again.say("ls")).data, ["a"]);
  const error = await assertRejects(
    () => ask(rpc, "put.discard", { uploadId }),
    TrivetError,
  );
  assertEquals(error.code, "UPLOAD_TAKEN_OVER");
  assertEquals(await usedBytes(server, "ada"), 5);
});

Deno.test("A download of the classic protocol sends what a C int can announce, and no more", async () => {
  await using server = await TestServer.start(CLASSIC);
  using client = await ClassicClient.register(server, "ada");
  await makeHole(server, CLASSIC_FILE_MAX_BYTES + 1);
  const refused = await client.say("download hole");
  assertEquals(refused.code, "FILE_TOO_LARGE");
  assert(refused.error?.endsWith("so begin at byte 1 or behind it"));
  assert((await client.say("download hole 1")).status);
  assertEquals(await client.length(), CLASSIC_FILE_MAX_BYTES);
});

Deno.test("The classic protocol gives up who does not read a download", async () => {
  const classic = { port: 0, stallTimeoutMs: 300, connectionsMax: 1 };
  await using server = await TestServer.start({ classic });
  using client = await ClassicClient.register(server, "ada");
  // More than the buffers on the way hold.
  const size = await makeHole(server, 64 * MIB);
  assert((await client.say("download hole")).status);
  assertEquals(await client.length(), size);
  await until(() => hasPlace(server), "the end of the connection");
  await assertRejects(() => client.exactly(size), Error);
});

Deno.test("A download of the classic protocol does not complete a file that changes under way", async () => {
  await using server = await TestServer.start(CLASSIC);
  using client = await ClassicClient.register(server, "ada");
  const size = await makeHole(server, 64 * MIB);
  assert((await client.say("download hole")).status);
  assertEquals(await client.length(), size);
  await Deno.writeFile(server.home("ada", "hole"), noise(1), { append: true });
  await assertRejects(() => client.exactly(size), Error, "The server closed");
});

Deno.test("The classic protocol lets a partial upload of the same path give its bytes back", async () => {
  await using server = await TestServer.start({ ...CLASSIC, defaultQuotaBytes: MIB });
  using client = await ClassicClient.register(server, "ada");
  {
    await using rpc = await server.login(await server.addToken("ada"));
    await openUpload(rpc, "a", MIB);
  }
  assertEquals(await usedBytes(server, "ada"), MIB);
  assertEquals((await client.say("upload b")).code, "QUOTA_EXCEEDED");
  await client.upload("a", noise(MIB));
  assertEquals((await client.say("ls")).data, ["a"]);
});
