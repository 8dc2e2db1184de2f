import { assert, assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { encodeFrame } from "../../../lib/frame/encode.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_MAX_BYTES,
  FrameType,
} from "../../../lib/frame/frame.ts";
import {
  Link,
  SEND_QUEUE_MAX_BYTES,
  SEND_QUEUE_MAX_FRAMES,
  type Transport,
} from "../../../lib/link/link.ts";
import { concat, keep, pattern, rawFrame } from "../../testing/frames.ts";
import { isSettled, linkPair, settle, socketPair, transportPair } from "../../testing/transport.ts";

function numbered(id: number, length = 20): Uint8Array {
  return encodeFrame(FrameType.EVENT, id, pattern(length, id));
}

async function assertCode(promise: Promise<unknown>, code: string, text = ""): Promise<void> {
  const error = await assertRejects(() => promise, TrivetError, text);
  assertEquals(error.code, code);
}

/** A transport that never ends a write before the test says so. */
class HeldTransport implements Transport {
  readonly written: Uint8Array[] = [];
  #pending: PromiseWithResolvers<number>[] = [];

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  write(source: Uint8Array): Promise<number> {
    this.written.push(source);
    const pending = Promise.withResolvers<number>();
    this.#pending.push(pending);
    return pending.promise;
  }

  /** Ends the oldest write. */
  take(count: number): void {
    this.#pending.shift()?.resolve(count);
  }

  close(): void {
    for (const pending of this.#pending) pending.reject(new Deno.errors.Interrupted());
    this.#pending = [];
  }
}

for (
  const sizes of [
    { readMaxBytes: 1, writeMaxBytes: 1 },
    { readMaxBytes: 13, writeMaxBytes: 7 },
    { capacityBytes: 5 },
    {},
  ]
) {
  Deno.test(`Link carries frames in order with ${JSON.stringify(sizes)}`, async () => {
    const { client, server } = linkPair(sizes);
    const lengths = [0, 1, 100, 4096, 5000, sizes.readMaxBytes === 1 ? 2 : 70_000, 3];
    const sent = lengths.map((length, id) => client.send(numbered(id, length)));
    for (const [id, length] of lengths.entries()) {
      const frame = await server.receive();
      assertEquals(frame?.id, id);
      assertEquals(frame?.payload, pattern(length, id));
    }
    await Promise.all(sent);
    client.close();
    assertEquals(await server.receive(), null);
    server.close();
  });
}

Deno.test("Link.send() keeps the order of 2000 sends that nobody awaits", async () => {
  const { client, server, clientEnd } = linkPair({ capacityBytes: 1000, writeMaxBytes: 333 });
  const order: number[] = [];
  const sent = Array.from(
    { length: 2000 },
    (_, id) => client.send(numbered(id)).then(() => order.push(id)),
  );
  for (let id = 0; id < 2000; id++) assertEquals((await server.receive())?.id, id);
  await Promise.all(sent);
  assertEquals(order, Array.from({ length: 2000 }, (_, id) => id));
  assert(clientEnd.writeCount < 2000 * 32 / 333 + 1000);
});

Deno.test("Link.send() joins small frames that wait, and leaves large ones alone", async () => {
  const transport = new HeldTransport();
  const link = new Link(transport);
  const frames = [1, 2, 3].map((id) => numbered(id));
  const large = numbered(4, 100_000);
  const sent = [...frames, large, ...frames].map((frame) => link.send(frame));
  const sizes: number[] = [];
  for (let write = 0; write < 4; write++) {
    const size = transport.written[write]?.length ?? -1;
    sizes.push(size);
    transport.take(size);
    await settle();
  }
  assertEquals(sizes, [32, 64, 100_012, 96]);
  assertEquals(transport.written[2], large);
  // The hot path: a frame that fills a write is written from its own buffer.
  assertEquals(transport.written[2]?.buffer, large.buffer);
  await Promise.all(sent);
  link.close();
});

Deno.test("Link.send() joins up to 64 KiB in one write", async () => {
  const transport = new HeldTransport();
  const link = new Link(transport);
  const half = 32 * 1024 - FRAME_HEADER_BYTES;
  const sent = [numbered(1), numbered(2, half), numbered(3, half), numbered(4, 0)]
    .map((frame) => link.send(frame));
  for (let write = 0; write < 3; write++) {
    transport.take(transport.written[write]?.length ?? 0);
    await settle();
  }
  assertEquals(transport.written.map((bytes) => bytes.length), [32, 65_536, 12]);
  await Promise.all(sent);
  link.close();
});

Deno.test("Link.send() settles only when the frame is written, however partly", async () => {
  const transport = new HeldTransport();
  const link = new Link(transport);
  const frame = numbered(1);
  const sent = link.send(frame);
  transport.take(10);
  assertEquals(await isSettled(sent), false);
  assertEquals(transport.written[1], frame.subarray(10));
  transport.take(21);
  assertEquals(await isSettled(sent), false);
  transport.take(1);
  await sent;
  link.close();
});

Deno.test("Link.send() reads a frame until its promise settles and never afterwards", async () => {
  const { client, server } = linkPair({ capacityBytes: 17 });
  const buffer = new Uint8Array(FRAME_HEADER_BYTES + 200);
  const received = (async () => {
    const seen: Uint8Array[] = [];
    for (let count = 0; count < 50; count++) {
      const frame = await server.receive();
      if (frame !== null) seen.push(keep(frame).payload);
    }
    return seen;
  })();
  for (let round = 0; round < 50; round++) {
    buffer.set(rawFrame({ payload: pattern(200, round) }));
    await client.send(buffer);
    buffer.fill(0xee);
  }
  for (const [round, payload] of (await received).entries()) {
    assertEquals(payload, pattern(200, round));
  }
});

Deno.test("Link.send() takes SEND_QUEUE_MAX_BYTES and gives the peer up at one more", async () => {
  for (const extra of [0, 1]) {
    const transport = new HeldTransport();
    const link = new Link(transport);
    const sent = [link.send(numbered(0))];
    const frame = new Uint8Array(SEND_QUEUE_MAX_BYTES / 32);
    for (let count = 0; count < 31; count++) sent.push(link.send(frame));
    sent.push(link.send(new Uint8Array(frame.length + extra)));
    assertEquals(link.isClosed, extra === 1);
    if (extra === 0) link.close();
    for (const outcome of await Promise.allSettled(sent)) assertEquals(outcome.status, "rejected");
    if (extra === 1) {
      await assertCode(link.send(frame), "CONNECTION_LOST", "Cannot send: the peer does not read");
    }
  }
});

Deno.test("Link.send() takes SEND_QUEUE_MAX_FRAMES and gives the peer up at one more", async () => {
  const transport = new HeldTransport();
  const link = new Link(transport);
  const frame = encodeFrame(FrameType.PONG, 0);
  // The first one is being written, it does not wait.
  const sent = Array.from({ length: SEND_QUEUE_MAX_FRAMES + 1 }, () => link.send(frame));
  assertEquals(link.isClosed, false);
  sent.push(link.send(frame));
  assertEquals(link.isClosed, true);
  for (const outcome of await Promise.allSettled(sent)) assertEquals(outcome.status, "rejected");
});

Deno.test("Link.close() fails what is sent, what waits and what comes later with its reason", async () => {
  const { client } = linkPair({ capacityBytes: 10 });
  const sent = [1, 2, 3].map((id) => client.send(numbered(id, 70_000)));
  const reading = client.receive();
  client.close(new TrivetError("SHUTTING_DOWN", "Enough"));
  for (const promise of [...sent, reading, client.send(numbered(4)), client.receive()]) {
    await assertCode(promise, "SHUTTING_DOWN", "Enough");
  }
  assertEquals((await client.closed).message, "Enough");
  client.close();
  client[Symbol.dispose]();
});

Deno.test("Link.close() without a reason says CONNECTION_LOST", async () => {
  const { client } = linkPair();
  const reading = client.receive();
  assertEquals(await isSettled(client.closed), false);
  client.close();
  assertEquals(client.isClosed, true);
  await assertCode(reading, "CONNECTION_LOST");
  await assertCode(client.send(numbered(1)), "CONNECTION_LOST", "The connection is closed");
  assertEquals((await client.closed).code, "CONNECTION_LOST");
});

Deno.test("Link.receive() gives no frame once the link is closed", async () => {
  const { client, server } = linkPair();
  await client.send(concat([numbered(1), numbered(2)]));
  assertEquals((await server.receive())?.id, 1);
  server.close();
  await assertCode(server.receive(), "CONNECTION_LOST");
});

Deno.test("Link.closeAfter() sends the frame before it closes", async () => {
  const { client, server } = linkPair({ writeMaxBytes: 3 });
  const first = client.send(numbered(1));
  await client.closeAfter(numbered(2));
  await first;
  assertEquals(client.isClosed, true);
  assertEquals((await server.receive())?.id, 1);
  assertEquals((await server.receive())?.id, 2);
  assertEquals(await server.receive(), null);
});

Deno.test("Link.closeAfter() does not wait for ever for a peer that does not read", async () => {
  const { client } = linkPair({ capacityBytes: 4 });
  await client.closeAfter(numbered(1), new TrivetError("SHUTTING_DOWN", "Enough"));
  await assertCode(client.receive(), "SHUTTING_DOWN", "Enough");
});

Deno.test("Link tells an end between frames from one inside a frame, at each byte", async () => {
  const bytes = numbered(1);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const [ours, theirs] = transportPair();
    using link = new Link(ours);
    await theirs.writeAll(bytes.subarray(0, cut));
    theirs.close();
    if (cut === bytes.length) assertEquals((await link.receive())?.id, 1);
    if (cut === 0 || cut === bytes.length) assertEquals(await link.receive(), null);
    else await assertCode(link.receive(), "CONNECTION_LOST", "The connection ended inside a frame");
  }
});

Deno.test("Link takes a TLS end without close_notify as an end", async () => {
  for (const bytes of [numbered(1), numbered(1).subarray(0, 5)]) {
    let turn = 0;
    const transport: Transport = {
      read(target) {
        if (turn++ > 0) return Promise.reject(new Deno.errors.UnexpectedEof());
        target.set(bytes);
        return Promise.resolve(bytes.length);
      },
      write: (source) => Promise.resolve(source.length),
      close() {},
    };
    using link = new Link(transport);
    if (bytes.length > 12) {
      assertEquals((await link.receive())?.id, 1);
      assertEquals(await link.receive(), null);
    } else {
      await assertCode(link.receive(), "CONNECTION_LOST", "inside a frame");
    }
  }
});

Deno.test("Link says CONNECTION_LOST with its cause when the peer resets", async () => {
  const { client, clientEnd, server } = linkPair({ capacityBytes: 10 });
  const reading = client.receive();
  const sending = client.send(numbered(1, 1000));
  clientEnd.reset();
  const error = await assertRejects(() => reading, TrivetError);
  assertEquals(error.code, "CONNECTION_LOST");
  assert(error.cause instanceof Deno.errors.ConnectionReset);
  await assertCode(sending, "CONNECTION_LOST");
  assertEquals(client.isClosed, true);
  server.close();
});

Deno.test("Link fails every frame that waits when a write fails", async () => {
  const { client, clientEnd } = linkPair();
  clientEnd.onWrite = () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
  const sent = [1, 2, 3].map((id) => client.send(numbered(id)));
  for (const promise of sent) await assertCode(promise, "CONNECTION_LOST");
  assertEquals(client.isClosed, true);
});

Deno.test("Link says PROTOCOL_ERROR for bytes that are no frame", async () => {
  for (
    const [fields, text] of [
      [{ length: 4097 }, "length is 4097, the limit is 4096"],
      [{ length: 0xffff_ffff }, "length is 4294967295"],
      [{ type: 99 }, "type 99 is unknown"],
      [{ reserved: 1 }, "the reserved field is not 0"],
    ] as const
  ) {
    const [ours, theirs] = transportPair({ readMaxBytes: 5 });
    using link = new Link(ours);
    await theirs.writeAll(rawFrame(fields));
    await assertCode(link.receive(), "PROTOCOL_ERROR", text);
  }
});

Deno.test("Link.setPayloadMaxBytes() raises the limit to the byte", async () => {
  const [ours, theirs] = transportPair({ capacityBytes: 4 * FRAME_PAYLOAD_MAX_BYTES });
  using link = new Link(ours);
  await theirs.writeAll(rawFrame({ id: 1 }));
  assertEquals((await link.receive())?.id, 1);
  link.setPayloadMaxBytes(FRAME_PAYLOAD_MAX_BYTES);
  await theirs.writeAll(rawFrame({ id: 2, payload: pattern(FRAME_PAYLOAD_MAX_BYTES) }));
  await theirs.writeAll(rawFrame({ length: FRAME_PAYLOAD_MAX_BYTES + 1 }));
  assertEquals((await link.receive())?.payload.length, FRAME_PAYLOAD_MAX_BYTES);
  await assertCode(link.receive(), "PROTOCOL_ERROR");
});

Deno.test("Link.lastReceivedMs tells when bytes came, also those of half a frame", async () => {
  let nowMs = 100;
  const [ours, theirs] = transportPair();
  using link = new Link(ours, { now: () => nowMs });
  assertEquals([link.nowMs, link.lastReceivedMs], [100, 100]);
  nowMs = 200;
  await link.send(numbered(1));
  assertEquals(link.lastReceivedMs, 100);
  const reading = link.receive();
  await theirs.writeAll(numbered(2).subarray(0, 3));
  await settle();
  assertEquals(link.lastReceivedMs, 200);
  nowMs = 300;
  await theirs.writeAll(numbered(2).subarray(3));
  assertEquals((await reading)?.id, 2);
  assertEquals([link.nowMs, link.lastReceivedMs], [300, 300]);
});

for (const kind of ["tcp", "unix"] as const) {
  const ignore = kind === "unix" && Deno.build.os === "windows";

  Deno.test({ name: `Link carries 16 MiB over ${kind}, both ways at once`, ignore }, async () => {
    await using ends = await socketPair(kind);
    const payloadMaxBytes = FRAME_PAYLOAD_MAX_BYTES;
    using client = new Link(ends.clientEnd, { payloadMaxBytes });
    using server = new Link(ends.serverEnd, { payloadMaxBytes });
    const frame = encodeFrame(FrameType.DATA, 1, pattern(1024 * 1024));
    const small = encodeFrame(FrameType.EVENT, 2, pattern(64));
    const send = async (link: Link) => {
      for (let count = 0; count < 16; count++) {
        await Promise.all([link.send(frame), link.send(small), link.send(small)]);
      }
    };
    const receive = async (link: Link) => {
      let bytes = 0;
      for (let count = 0; count < 48; count++) {
        const read = await link.receive();
        assertEquals(read?.id, count % 3 === 0 ? 1 : 2);
        bytes += read?.payload.length ?? 0;
      }
      return bytes;
    };
    const results = await Promise.all([
      receive(client),
      receive(server),
      send(client),
      send(server),
    ]);
    assertEquals(results.slice(0, 2), [16 * (1024 * 1024 + 128), 16 * (1024 * 1024 + 128)]);
    client.close();
    assertEquals(await server.receive(), null);
  });

  Deno.test({ name: `Link.close() ends pending calls over ${kind}`, ignore }, async () => {
    await using ends = await socketPair(kind);
    using client = new Link(ends.clientEnd);
    using server = new Link(ends.serverEnd);
    const reading = client.receive();
    // Far more than the system's buffers hold: these writes are under way for ever.
    const sent = Array.from({ length: 16 }, (_, id) => client.send(numbered(id, 1024 * 1024)));
    const outcomes = Promise.allSettled(sent);
    assertEquals(await server.receive().catch((error) => error.code), "PROTOCOL_ERROR");
    client.close(new TrivetError("SHUTTING_DOWN", "Enough"));
    await assertCode(reading, "SHUTTING_DOWN");
    const last = (await outcomes).at(-1);
    assert(last?.status === "rejected" && last.reason.code === "SHUTTING_DOWN");
  });

  Deno.test({ name: `Link notices over ${kind} that the peer has gone`, ignore }, async () => {
    await using ends = await socketPair(kind);
    using client = new Link(ends.clientEnd);
    using server = new Link(ends.serverEnd);
    await client.send(numbered(1).subarray(0, 20));
    client.close();
    await assertCode(server.receive(), "CONNECTION_LOST", "The connection ended inside a frame");
    const failed = (async () => {
      for (;;) await server.send(numbered(1, 1000));
    })();
    await assertCode(failed, "CONNECTION_LOST");
    assertEquals(server.isClosed, true);
  });
}
