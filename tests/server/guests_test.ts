import { assert, assertEquals, assertLess } from "@std/assert";
import { encodeControl, encodeFrame } from "../../lib/frame/encode.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_GUEST_MAX_BYTES,
  FrameType,
} from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { ask, TestServer } from "./testing.ts";

/** Reads until the peer closes; how long that took. */
async function closedAfterMs(conn: Deno.Conn): Promise<number> {
  const startedMs = performance.now();
  const buffer = new Uint8Array(1024);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // A reset is an end too.
  }
  return performance.now() - startedMs;
}

function header(length: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length);
  bytes[4] = FrameType.HELLO;
  return bytes;
}

Deno.test("a guest that announces 4 GiB, or one byte above the limit, is cut at once", async () => {
  await using server = await TestServer.start();
  for (const length of [2 ** 32 - 1, FRAME_PAYLOAD_GUEST_MAX_BYTES + 1]) {
    using conn = await server.connect();
    await conn.write(header(length));
    assertLess(await closedAfterMs(conn), 2000);
  }
});

Deno.test("a guest may announce as much as the limit, and is cut at the deadline", async () => {
  await using server = await TestServer.start({ loginTimeoutMs: 400 });
  using conn = await server.connect();
  await conn.write(header(FRAME_PAYLOAD_GUEST_MAX_BYTES));
  const afterMs = await closedAfterMs(conn);
  assert(afterMs > 300 && afterMs < 3000, `${afterMs} ms`);
});

Deno.test("a slow drip of bytes does not move the deadline", async () => {
  await using server = await TestServer.start({ loginTimeoutMs: 500 });
  using conn = await server.connect();
  const frame = encodeControl(FrameType.HELLO, 0, { version: 1, service: "netdisk" });
  const drip = (async () => {
    for (const byte of frame) {
      await conn.write(Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })().catch(() => {});
  const afterMs = await closedAfterMs(conn);
  assert(afterMs > 400 && afterMs < 3000, `${afterMs} ms`);
  await drip;
});

Deno.test("a crowd of idle guests loses its oldest, and a user is served meanwhile", async () => {
  await using server = await TestServer.start({ guestsMax: 50 });
  const token = await server.addUser("ada");
  const crowd: Deno.Conn[] = [];
  try {
    for (let i = 0; i < 200; i++) crowd.push(await server.connect());
    await using rpc = await server.login(token);
    assertEquals((await ask(rpc, "whoami", {})).user, "ada");
    const [oldest] = crowd;
    assert(oldest !== undefined);
    assertLess(await closedAfterMs(oldest), 2000);
  } finally {
    for (const conn of crowd) conn.close();
  }
});

Deno.test("garbage on the TLS port ends that connection only", async () => {
  await using server = await TestServer.start({ plain: false, loginTimeoutMs: 1000 });
  const noise = crypto.getRandomValues(new Uint8Array(4096));
  for (const bytes of [noise, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"), header(10)]) {
    using conn = await server.connect();
    await conn.write(bytes);
    assertLess(await closedAfterMs(conn), 5000);
  }
  // What comes next is still answered with a handshake.
  const cert = await Deno.readTextFile(`${server.data}/keys/cert.pem`);
  const { names } = await (await import("../../lib/link/certificate.ts")).readCertificate(cert);
  const tcp = await server.connect();
  using tls = await Deno.startTls(tcp, { hostname: names[0] ?? "", caCerts: [cert] });
  const welcome = await greet(new Link(tls), { service: "netdisk" });
  assertEquals(welcome.mechanisms, ["SCRAM-SHA-256-PLUS", "token", "machine-key-1"]);
});

Deno.test("nothing but HELLO and AUTH is taken before the login", async () => {
  await using server = await TestServer.start();
  for (const type of [FrameType.REQUEST, FrameType.DATA, FrameType.PING, FrameType.EVENT]) {
    const conn = await server.connect();
    using link = new Link(conn);
    await link.send(encodeFrame(type, 1));
    const frame = await link.receive();
    assertEquals(frame?.type, FrameType.ERROR);
    assertEquals(await link.receive(), null);
  }
  const conn = await server.connect();
  using link = new Link(conn);
  await greet(link, { service: "netdisk" });
  await link.send(encodeControl(FrameType.REQUEST, 1, { method: "whoami", params: {} }));
  assertEquals((await link.receive())?.type, FrameType.ERROR);
  assertEquals(await link.receive(), null);
});

Deno.test("a wrong token is refused and the connection closed", async () => {
  await using server = await TestServer.start();
  const { newToken } = await import("../../lib/auth/token.ts");
  for (const token of [newToken(), "tvt_wrong", ""]) {
    const conn = await server.connect();
    using link = new Link(conn);
    await greet(link, { service: "netdisk" });
    await link.send(encodeControl(FrameType.AUTH, 0, { step: "token", token }));
    const error = await expectFrame(link, FrameType.AUTH).catch((error) => error);
    assertEquals(error.code, "TOKEN_INVALID");
    assertEquals(await link.receive(), null);
  }
});

Deno.test("a service that the server does not offer is refused", async () => {
  await using server = await TestServer.start();
  const conn = await server.connect();
  using link = new Link(conn);
  const error = await greet(link, { service: "toaster" }).catch((error) => error);
  assertEquals(error.code, "UNKNOWN_SERVICE");
});
