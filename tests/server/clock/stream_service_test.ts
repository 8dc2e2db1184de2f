import { assert, assertEquals, assertLess } from "@std/assert";
import { StreamService, type StreamServiceOptions } from "../../../server/clock/stream_service.ts";

const ANSWER = new TextEncoder().encode("now\r\n");

function start(options: StreamServiceOptions = {}): StreamService {
  const place = { host: "127.0.0.1", port: 0, option: "--daytime-port" };
  const service = new StreamService(place, options);
  service.start(() => ANSWER);
  return service;
}

/** Reads to the end, without ending its own side. */
async function readAll(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(100);
  let text = "";
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}

Deno.test("StreamService answers and hangs up, whatever the client has sent", async () => {
  await using service = start();
  for (const sent of [0, 1, 511, 513, 100_000]) {
    using conn = await Deno.connect({ port: service.port });
    if (sent > 0) await conn.write(new Uint8Array(sent));
    assertEquals(await readAll(conn), "now\r\n");
  }
});

Deno.test("StreamService serves as many at once as it may, and again when one has gone", async () => {
  await using service = start({ streamsMax: 3 });
  const conns = [];
  for (let i = 0; i < 3; i++) {
    const conn = await Deno.connect({ port: service.port });
    conns.push(conn);
    assertEquals(await readAll(conn), "now\r\n");
  }
  using refused = await Deno.connect({ port: service.port });
  assertEquals(await readAll(refused).catch(() => ""), "");
  conns.pop()?.close();
  // The server learns of it in its own time.
  let text = "";
  for (let tries = 0; text === "" && tries < 1000; tries++) {
    using conn = await Deno.connect({ port: service.port });
    text = await readAll(conn).catch(() => "");
  }
  assertEquals(text, "now\r\n");
  for (const conn of conns) conn.close();
});

Deno.test("StreamService hangs up on a client that does not", async () => {
  await using service = start({ timeoutMs: 50, streamsMax: 1 });
  using idle = await Deno.connect({ port: service.port });
  const startedMs = performance.now();
  assertEquals(await readAll(idle), "now\r\n");
  // The place is free again once the server has closed its side.
  for (let text = ""; text === "";) {
    assertLess(performance.now() - startedMs, 60_000);
    using conn = await Deno.connect({ port: service.port });
    text = await readAll(conn).catch(() => "");
  }
  assert(performance.now() - startedMs >= 45);
});

Deno.test("StreamService closes what is open when it ends", async () => {
  const service = start();
  using idle = await Deno.connect({ port: service.port });
  assertEquals(await readAll(idle), "now\r\n");
  const startedMs = performance.now();
  await service[Symbol.asyncDispose]();
  assertLess(performance.now() - startedMs, 2000);
  await service[Symbol.asyncDispose]();
});
