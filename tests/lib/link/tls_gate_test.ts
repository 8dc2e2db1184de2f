import { assert, assertEquals } from "@std/assert";
import { createCertificate, readCertificate } from "../../../lib/link/certificate.ts";
import type { AcceptedConn } from "../../../lib/link/link.ts";
import { TlsGate } from "../../../lib/link/tls_gate.ts";

const { certPem: cert, keyPem: key } = await createCertificate({ serverId: "test" });
const { names: [HOST = ""] } = await readCertificate(cert);

/** A gate, and who is on both sides of one connection through it. */
function openGate() {
  const front = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const inner = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const gate = new TlsGate(front, inner);
  const connect = async () => {
    const accepting = gate.accept();
    const client = await Deno.connect({ hostname: "127.0.0.1", port: front.addr.port });
    return { client, conn: await accepting };
  };
  return { gate, connect, innerPort: inner.addr.port };
}

/** Whether the peer ends the connection; what it sent is read. */
async function ends(conn: Deno.Conn): Promise<boolean> {
  const buffer = new Uint8Array(1024);
  while (await conn.read(buffer).catch(() => null) !== null);
  return true;
}

async function readAll(conn: AcceptedConn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at));
    assert(count !== null, "the stream ended early");
    at += count;
  }
  return bytes;
}

async function writeAll(conn: AcceptedConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
}

Deno.test("TlsGate passes both directions on, whole", async () => {
  const { gate, connect } = openGate();
  const { client, conn } = await connect();
  using tls = await Deno.startTls(client, { hostname: HOST, caCerts: [cert] });
  using _conn = conn;
  const up = noise(3_000_001);
  const received = readAll(conn, up.length);
  await writeAll(tls, up);
  assertEquals((await received).length, up.length);
  const sending = writeAll(conn, up);
  const down = await readAll(tls, up.length);
  await sending;
  assert(down.every((byte, at) => byte === up[at]));
  gate.close();
});

Deno.test("TlsGate conn.close() delivers what was written before", async () => {
  const { gate, connect } = openGate();
  const { client, conn } = await connect();
  using tls = await Deno.startTls(client, { hostname: HOST, caCerts: [cert] });
  const handshake = readAll(conn, 1);
  await tls.write(Uint8Array.of(1));
  await handshake;
  const down = noise(500_000);
  await writeAll(conn, down);
  conn.close();
  assertEquals((await readAll(tls, down.length)).length, down.length);
  assert(await ends(tls));
  gate.close();
});

Deno.test("TlsGate conn.close() ends a handshake that never finishes", async () => {
  const { gate, connect } = openGate();
  // Nothing; the first byte of a handshake; a handshake record that is announced and never comes.
  for (const bytes of [[], [0x16], [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]]) {
    const { client, conn } = await connect();
    await client.write(Uint8Array.from(bytes));
    const reading = conn.read(new Uint8Array(10)).catch((error) => error);
    await new Promise((resolve) => setTimeout(resolve, 20));
    conn.close();
    assert(await ends(client), String(bytes));
    assert(await reading instanceof Error);
    client.close();
  }
  gate.close();
});

Deno.test("TlsGate answers a peer without TLS with an alert and ends it", async () => {
  const { gate, connect } = openGate();
  const { client, conn } = await connect();
  await client.write(new TextEncoder().encode("hello"));
  const failed = conn.read(new Uint8Array(10)).catch((error) => error);
  const alert = new Uint8Array(7);
  assertEquals(await client.read(alert), 7);
  assertEquals([...alert], [0x15, 3, 3, 0, 2, 2, 10]);
  assert(await ends(client));
  assertEquals((await failed).code, "PROTOCOL_ERROR");
  conn.close();
  client.close();
  gate.close();
});

Deno.test("TlsGate serves nobody who finds the inner port", async () => {
  const { gate, connect, innerPort } = openGate();
  using stranger = await Deno.connect({ hostname: "127.0.0.1", port: innerPort });
  const { client, conn } = await connect();
  using tls = await Deno.startTls(client, { hostname: HOST, caCerts: [cert] });
  const received = readAll(conn, 3);
  await writeAll(tls, Uint8Array.of(1, 2, 3));
  assertEquals([...await received], [1, 2, 3]);
  conn.close();
  gate.close();
  // The handshake of a TLS connection that nobody claims ends with its peer only.
  stranger.close();
});
