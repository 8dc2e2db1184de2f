import { assertEquals, assertRejects } from "@std/assert";
import { DatagramTransport } from "../../../lib/datagram/transport.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { encodeControl } from "../../../lib/frame/encode.ts";
import { FrameType } from "../../../lib/frame/frame.ts";
import { decodeControl } from "../../../lib/frame/decode.ts";
import { Link } from "../../../lib/link/link.ts";
import { DatagramPair } from "../../testing/datagram_pair.ts";

const none = { permissions: "none" } as const;

/** A pair with a transport at each end. */
function openTransports() {
  const pair = new DatagramPair();
  const client = new DatagramTransport(pair.client);
  const server = new DatagramTransport(pair.server);
  /** Lets all that was said arrive, and those who wait go on. */
  const settle = async (ms = 1000) => {
    for (let round = 0; round < 20; round++) {
      pair.run(ms / 20);
      client.wake();
      server.wake();
      await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
      await Promise.resolve();
    }
  };
  return { pair, client, server, settle };
}

Deno.test("DatagramTransport carries frames as a TCP connection does", none, async () => {
  const { client, server, settle } = openTransports();
  const near = new Link(client, { payloadMaxBytes: 200_000 });
  const far = new Link(server, { payloadMaxBytes: 200_000 });
  const body = new Uint8Array(100_000).fill(3);
  const sent = near.send(encodeControl(FrameType.REQUEST, 5, { method: "x" }, body));
  const received = far.receive();
  await settle();
  await sent;
  const frame = await received;
  assertEquals([frame?.type, frame?.id], [FrameType.REQUEST, 5]);
  assertEquals(decodeControl(frame?.payload ?? new Uint8Array(0)).body, body);
  near.close();
  far.close();
});

Deno.test(
  "DatagramTransport.close() waits for what was written, then ends the stream",
  none,
  async () => {
    const { pair, client, server, settle } = openTransports();
    assertEquals(await client.write(Uint8Array.of(1, 2, 3)), 3);
    client.close();
    assertEquals(pair.client.state, "open");
    await assertRejects(() => client.write(Uint8Array.of(1)), TrivetError, "it is closed");
    const target = new Uint8Array(2);
    await settle();
    assertEquals([await server.read(target), ...target], [2, 1, 2]);
    assertEquals([await server.read(target), target[0]], [1, 3]);
    assertEquals(await server.read(target), null);
  },
);

Deno.test("DatagramTransport tells an end that is no good one", none, async () => {
  const { pair, client, server, settle } = openTransports();
  const reading = assertRejects(() => server.read(new Uint8Array(9)), TrivetError, "too slow");
  pair.run(100);
  pair.client.close(16, "too slow");
  await settle();
  await reading;
  const error = await assertRejects(() => server.write(new Uint8Array(1)), TrivetError);
  assertEquals(error.code, "CONNECTION_LOST");
  await assertRejects(() => client.read(new Uint8Array(1)), TrivetError);
});

Deno.test("DatagramTransport.write() waits for room", none, async () => {
  const pair = new DatagramPair({ limits: { sendBufferMaxBytes: 1000 } });
  const client = new DatagramTransport(pair.client);
  assertEquals(await client.write(new Uint8Array(900)), 900);
  let isDone = false;
  const writing = client.write(new Uint8Array(200)).then(() => isDone = true);
  await Promise.resolve();
  assertEquals(isDone, false);
  pair.run(100);
  client.wake();
  await writing;
  assertEquals(isDone, true);
});
