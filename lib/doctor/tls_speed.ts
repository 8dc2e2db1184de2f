/**
 * How fast one end of a TLS connection is on this machine, without a network.
 *
 * @module
 */

import { createCertificate, PRIVATE_NAME_SUFFIX } from "../link/certificate.ts";

const SERVER_ID = "doctor";
const MEASURE_MS = 250;
const SEND_BYTES = 256 * 1024;
/** What Deno hands out of a TLS connection at once is a record of 16 KiB. */
const RECEIVE_BYTES = 64 * 1024;

/**
 * Sends to itself over TLS. Both ends run on one thread, so one alone does twice as much.
 *
 * @returns Bytes per second of one end.
 */
export async function measureTls(): Promise<number> {
  const { certPem, keyPem } = await createCertificate({ serverId: SERVER_ID });
  await using stack = new AsyncDisposableStack();
  const hostname = "127.0.0.1";
  const listener = stack.use(
    Deno.listenTls({ hostname, port: 0, cert: certPem, key: keyPem }),
  );
  const tcp = await Deno.connect({ hostname, port: listener.addr.port });
  const [accepted, sender] = await Promise.all([
    acceptFrom(listener, tcp),
    Deno.startTls(tcp, { hostname: SERVER_ID + PRIVATE_NAME_SUFFIX, caCerts: [certPem] }),
  ]);
  const receiver = stack.use(accepted);
  stack.use(sender);
  const done = send(sender);
  const buffer = new Uint8Array(RECEIVE_BYTES);
  const startMs = performance.now();
  let bytes = 0;
  for (let got = await receiver.read(buffer); got !== null; got = await receiver.read(buffer)) {
    bytes += got;
  }
  const passedMs = performance.now() - startMs;
  await done;
  return Math.round(2 * bytes / passedMs * 1000);
}

/** Another program of this machine may come first; it is not let in. */
async function acceptFrom(listener: Deno.TlsListener, tcp: Deno.TcpConn): Promise<Deno.TlsConn> {
  for (;;) {
    const conn = await listener.accept();
    if (conn.remoteAddr.port === tcp.localAddr.port) {
      await conn.handshake();
      return conn;
    }
    conn.close();
  }
}

async function send(conn: Deno.TlsConn): Promise<void> {
  const block = new Uint8Array(SEND_BYTES);
  const endMs = performance.now() + MEASURE_MS;
  while (performance.now() < endMs) {
    for (let at = 0; at < block.length;) at += await conn.write(block.subarray(at));
  }
  await conn.closeWrite();
}
