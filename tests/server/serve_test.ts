import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import { serve } from "../../server/serve.ts";
import { ask, noise, openUpload, sendChunks, TestServer } from "./testing.ts";

const MIB = 1024 * 1024;

/** What a busy machine may take for what is done at once. */
const PATIENCE_MS = 60_000;

Deno.test("serve() keeps its certificate and its users over a restart", async () => {
  const data = await Deno.makeTempDir({ prefix: "trivet-test-" });
  const first = await TestServer.start({ data, plain: false });
  const token = await first.addUser("ada");
  const { fingerprint } = first.running;
  assert(fingerprint?.startsWith("SHA256:"));
  await first.stop();
  await using second = await TestServer.start({ data, plain: false });
  assertEquals(second.running.fingerprint, fingerprint);
  assert(token.length > 0);
});

Deno.test("serve() refuses a data folder that another server uses", async () => {
  await using server = await TestServer.start();
  const error = await assertRejects(
    () => serve({ data: server.data, port: 0, plain: true }),
    TrivetError,
  );
  assertEquals(error.message, `Another trivetd uses the data folder "${server.data}"`);
});

Deno.test("serve() refuses a port that is taken, and leaves the data folder free", async () => {
  await using server = await TestServer.start();
  const data = await Deno.makeTempDir({ prefix: "trivet-test-" });
  const options = { data, port: server.port, plain: true };
  const error = await assertRejects(() => serve(options), TrivetError);
  assertEquals(error.code, "ADDRESS_IN_USE");
  await using second = await TestServer.start({ data });
  assert(second.port > 0);
});

Deno.test("serve() takes registrations by default only on loopback", async () => {
  await using local = await TestServer.start();
  assertEquals(local.running.registration, "open");
  await using open = await TestServer.start({ plain: false, listen: ["0.0.0.0"] });
  assertEquals(open.running.registration, "closed");
});

Deno.test("serve() keeps everything from other users of the machine", async () => {
  await using server = await TestServer.start({ plain: false });
  await server.addUser("ada");
  const modes = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o077;
  for (const path of ["", "/keys", "/keys/key.pem", "/trivet.db", "/homes/ada", "/parts"]) {
    assertEquals(await modes(server.data + path), 0, path);
  }
});

Deno.test("shutdown() lets a request in flight finish and refuses new ones", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  const content = noise(4 * MIB);
  await using rpc = await server.login(token);
  const upload = await openUpload(rpc, "a.bin", content.length);
  const call = await rpc.open("put.data", { uploadId: upload.uploadId });
  // The server has taken the request once it answers one that was sent behind it.
  await ask(rpc, "whoami", {});
  const stopped = server.running.shutdown(10_000);
  const refused = await assertRejects(() => ask(rpc, "whoami", {}), TrivetError);
  assertEquals(refused.code, "SHUTTING_DOWN");
  await assertRejects(() => server.connect());
  await call.end({}, new Uint8Array(0));
  assertEquals((await call.response).head, { badChunks: [] });
  await stopped;
});

Deno.test("shutdown() does not wait longer than it is told", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  const upload = await openUpload(rpc, "a.bin", 4 * MIB);
  const call = await rpc.open("put.data", { uploadId: upload.uploadId });
  await ask(rpc, "whoami", {});
  const startedMs = performance.now();
  await server.running.shutdown(300);
  assertLess(performance.now() - startedMs, PATIENCE_MS);
  assert(await call.response.then(() => false, () => true));
});

Deno.test("shutdown() closes idle guests and members at once", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  assertEquals((await ask(rpc, "whoami", {})).user, "ada");
  using guest = await server.connect();
  await sendChunksOfAnother(server, token);
  const startedMs = performance.now();
  await server.running.shutdown(10 * PATIENCE_MS);
  assertLess(performance.now() - startedMs, PATIENCE_MS);
  assertEquals(await guest.read(new Uint8Array(10)).catch(() => null), null);
});

async function sendChunksOfAnother(server: TestServer, token: string): Promise<void> {
  await using rpc = await server.login(token);
  const content = noise(2 * MIB);
  const upload = await openUpload(rpc, "b.bin", content.length);
  assertEquals((await sendChunks(rpc, upload, content)).bad, []);
}
