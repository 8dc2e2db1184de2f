import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { DatagramConnection } from "../../../lib/datagram/connection.ts";
import {
  CloseCode,
  DATAGRAM_MAX_BYTES,
  MESSAGE_MAX_BYTES,
  SendBufferFullError,
  STREAM_MAX,
} from "../../../lib/datagram/types.ts";
import {
  CLIENT_SECRET,
  CONNECTION_ID,
  DatagramPair,
  numbered,
  numberOf,
  SERVER_SECRET,
} from "../../testing/datagram_pair.ts";

const none = { permissions: "none" } as const;

/** Sends `count` messages both ways and reads until all have come; each exactly once and in order. */
function exchange(pair: DatagramPair, count: number, length: number): void {
  let sent = 0;
  const next = { client: [0, 0, 0], server: [0, 0, 0] };
  const read = (side: "client" | "server") => {
    for (let got = pair[side].read(); got !== undefined; got = pair[side].read()) {
      const expected = next[side][got.stream] ?? 0;
      assertEquals(numberOf(got.message), expected);
      assertEquals(got.message, numbered(expected, length));
      next[side][got.stream] = expected + 1;
    }
  };
  pair.until(() => {
    while (
      sent < count && Math.min(pair.client.writableBytes, pair.server.writableBytes) > length
    ) {
      const stream = sent % 3;
      const message = numbered(Math.floor(sent / 3), length);
      pair.client.send(stream, message);
      pair.server.send(stream, message);
      sent += 1;
    }
    read("client");
    read("server");
    const arrived = (counts: number[]) => counts.reduce((sum, one) => sum + one, 0);
    return arrived(next.client) === count && arrived(next.server) === count;
  }, 3_600_000);
  pair.until(() => pair.client.bufferedBytes === 0 && pair.server.bufferedBytes === 0, 600_000);
}

Deno.test("DatagramConnection carries messages of every length", none, () => {
  for (const length of [0, 1, 2, 1100, 1165, 1166, 1167, 1200, MESSAGE_MAX_BYTES]) {
    const pair = new DatagramPair();
    const message = new Uint8Array(length).fill(7);
    pair.client.send(STREAM_MAX, message);
    pair.until(() => {
      const got = pair.server.read();
      if (got !== undefined) assertEquals(got, { stream: STREAM_MAX, message });
      return got !== undefined;
    });
    assertEquals(pair.server.read(), undefined);
  }
});

Deno.test(
  "DatagramConnection delivers each message once and in order, whatever happens",
  none,
  () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer(),
          loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
          double: fc.double({ min: 0, max: 0.3, noNaN: true }),
          jitterMs: fc.integer({ min: 0, max: 100 }),
          length: fc.constantFrom(4, 40, 700, 5000),
        }),
        ({ length, ...network }) => exchange(new DatagramPair(network), 60, length),
      ),
      { numRuns: 60 },
    );
  },
);

Deno.test(
  "DatagramConnection gets many messages through 20 % loss, doubles and reordering",
  none,
  () => {
    exchange(new DatagramPair({ seed: 3, loss: 0.2, double: 0.1, jitterMs: 40 }), 2000, 60);
  },
);

Deno.test(
  "DatagramConnection sends no datagram above the limit and no packet number twice",
  none,
  () => {
    const pair = new DatagramPair({ loss: 0.2, jitterMs: 30 });
    pair.keepsTrace = true;
    exchange(pair, 200, 3000);
    const seen = new Set<string>();
    for (const { from, bytes } of pair.trace) {
      assert(bytes.length <= DATAGRAM_MAX_BYTES);
      const number = `${from} ${bytes.subarray(9, 17).toHex()}`;
      assert(!seen.has(number));
      seen.add(number);
    }
  },
);

Deno.test("DatagramConnection fills a link that loses nothing", none, () => {
  const pair = new DatagramPair({ delayMs: 20, bitsPerSecond: 10_000_000, queueBytes: 50_000 });
  const message = new Uint8Array(MESSAGE_MAX_BYTES);
  let bytes = 0;
  pair.run(10_000, () => {
    while (pair.client.writableBytes === MESSAGE_MAX_BYTES) pair.client.send(0, message);
    for (let got = pair.server.read(); got; got = pair.server.read()) bytes += got.message.length;
  });
  assert(bytes * 8 / 10 >= 9_000_000, `${bytes} bytes`);
});

Deno.test("DatagramConnection delivers small messages soon at 10 % loss", none, () => {
  const pair = new DatagramPair({ seed: 5, loss: 0.1, delayMs: 30, jitterMs: 32.5 });
  const sentMs: number[] = [];
  const tookMs: number[] = [];
  for (let i = 0; i < 500; i++) {
    sentMs.push(pair.now);
    pair.client.send(1, numbered(i));
    pair.run(20, () => {
      for (let got = pair.server.read(); got; got = pair.server.read()) {
        tookMs.push(pair.now - (sentMs[numberOf(got.message)] ?? 0));
      }
    });
  }
  const meanMs = tookMs.reduce((sum, ms) => sum + ms, 0) / tookMs.length;
  assert(tookMs.length > 490);
  assert(meanMs < 60, `mean ${meanMs} ms`);
  assert(Math.max(...tookMs) < 196, `worst ${Math.max(...tookMs)} ms`);
  assert(pair.client.stats().repeatedBytes > 0);
});

Deno.test("DatagramConnection repeats the end of a burst only where packets get lost", none, () => {
  for (const loss of [0, 0.1]) {
    const pair = new DatagramPair({ seed: 3, loss, delayMs: 30, jitterMs: 5 });
    const tookMs: number[] = [];
    for (let i = 0; i < 100; i++) {
      const sentMs = pair.now;
      pair.client.send(1, numbered(i, 200));
      pair.run(500, () => {
        while (pair.server.read() !== undefined) tookMs.push(pair.now - sentMs);
      });
    }
    const { repeatedBytes } = pair.client.stats();
    assertEquals(tookMs.length, 100);
    if (loss === 0) assertEquals(repeatedBytes, 0);
    else assert(repeatedBytes > 0 && repeatedBytes <= 2 * 100 * 202, `${repeatedBytes} bytes`);
    // A probe comes after 80 ms at the earliest, which makes 110.
    const late = tookMs.filter((ms) => ms > 100).length;
    assert(late <= 3, `${late} are late: ${tookMs}`);
  }
});

Deno.test("DatagramConnection.send() refuses what it cannot take", none, () => {
  const pair = new DatagramPair({ limits: { sendBufferMaxBytes: 1000, streamsMax: 2 } });
  const { client } = pair;
  for (const stream of [-1, 0.5, STREAM_MAX + 1, NaN]) {
    assertThrows(() => client.send(stream, new Uint8Array(1)), RangeError, "is not from 0 to");
  }
  assertThrows(
    () => client.send(0, new Uint8Array(MESSAGE_MAX_BYTES + 1)),
    RangeError,
    "16385 bytes",
  );
  assertEquals(client.writableBytes, 998);
  const error = assertThrows(() => client.send(0, new Uint8Array(999)), SendBufferFullError);
  assertEquals(error.retry, true);
  client.send(0, new Uint8Array(998));
  assertEquals(client.writableBytes, 0);
  pair.until(() => client.bufferedBytes === 0);
  client.send(1, new Uint8Array(1));
  assertThrows(() => client.send(2, new Uint8Array(1)), RangeError, "2 streams");
  client.close();
  assertEquals(client.writableBytes, 0);
  assertThrows(() => client.send(0, new Uint8Array(1)), TypeError, "has ended");
});

Deno.test(
  "DatagramConnection holds no more than its buffer for a reader that is slow",
  none,
  () => {
    const limits = { receiveBufferMaxBytes: 100_000 };
    const pair = new DatagramPair({ limits });
    for (let i = 0; i < 100; i++) pair.client.send(i % 4, numbered(Math.floor(i / 4), 5000));
    pair.run(10_000);
    const held = 100 * 5002 - pair.client.bufferedBytes;
    assert(held <= 100_000 && held > 90_000, `${held} bytes`);
    let count = 0;
    pair.until(() => {
      for (let got = pair.server.read(); got; got = pair.server.read()) count += 1;
      return count === 100;
    });
  },
);

Deno.test("DatagramConnection goes on after a minute of silence within its limits", none, () => {
  const pair = new DatagramPair();
  pair.run(300_000);
  assertEquals([pair.client.state, pair.server.state], ["open", "open"]);
  // A ping and its answer now and then.
  assert(pair.client.stats().sentDatagrams < 60);
});

Deno.test("DatagramConnection gives up after 45 s of silence", none, () => {
  const pair = new DatagramPair({ delayMs: 1 });
  pair.run(1000);
  pair.isCut = true;
  // What was heard last came at the very start.
  pair.run(43_900);
  assertEquals(pair.client.state, "open");
  pair.run(1200);
  assertEquals(pair.client.state, "closed");
  assertEquals(pair.client.end?.by, "idle");
  assertEquals(pair.client.nextTimeout(), undefined);
  assertEquals(pair.client.poll(pair.now), undefined);
});

Deno.test("DatagramConnection survives a cut and goes on where it was", none, () => {
  const pair = new DatagramPair();
  for (let i = 0; i < 50; i++) pair.client.send(0, numbered(i, 5000));
  pair.run(15);
  pair.isCut = true;
  pair.run(20_000);
  pair.isCut = false;
  let next = 0;
  pair.until(() => {
    for (let got = pair.server.read(); got; got = pair.server.read()) {
      assertEquals(numberOf(got.message), next++);
    }
    return next === 50;
  }, 20_000);
});

Deno.test("DatagramConnection.close() tells the peer, also when it is lost at first", none, () => {
  for (const isLost of [false, true]) {
    const pair = new DatagramPair();
    pair.run(1000);
    pair.isCut = isLost;
    pair.client.close(17, "enough " + "é".repeat(200));
    assertEquals(pair.client.state, "closing");
    pair.flush();
    pair.isCut = false;
    pair.until(() => pair.server.state !== "open", 1000);
    assertEquals(pair.server.state, "draining");
    const { by, code, reason = "" } = pair.server.end ?? {};
    assertEquals([by, code], ["peer", 17]);
    assertEquals(reason, "enough " + "é".repeat(124));
    assertThrows(() => pair.server.send(0, numbered(2)), TypeError);
    pair.until(() => pair.server.state === "closed" && pair.client.state === "closed");
    assertEquals(pair.client.end?.by, "self");
    pair.client.close(1, "again");
    assertEquals(pair.client.end?.code, 17);
  }
});

Deno.test("DatagramConnection.read() still gives what had come before the end", none, () => {
  const pair = new DatagramPair();
  pair.client.send(0, numbered(5));
  pair.run(100);
  pair.client.close();
  pair.until(() => pair.server.state === "closed");
  assertEquals(numberOf(pair.server.read()?.message ?? new Uint8Array(4)), 5);
});

Deno.test("DatagramConnection of a server is silent until the client came", none, () => {
  const server = new DatagramConnection({
    role: "server",
    secrets: { send: SERVER_SECRET, receive: CLIENT_SECRET },
    connectionId: CONNECTION_ID,
    now: 0,
  });
  server.send(0, numbered(1));
  assertEquals(server.poll(0), undefined);
  assertEquals(server.isConfirmed, false);
  assertEquals(server.nextTimeout(), 15_000);
  server.timeout(15_000);
  assertEquals(server.poll(15_000), undefined);
  server.close();
  assertEquals(server.state, "closed");
});

Deno.test("DatagramConnection ends when too many datagrams are not genuine", none, () => {
  const pair = new DatagramPair({ limits: { forgedMax: 3 } });
  pair.keepsTrace = true;
  pair.run(1000);
  const [first] = pair.trace;
  assert(first !== undefined);
  const forged = first.bytes.slice();
  forged.set([1], 14);
  for (let i = 0; i < 2; i++) pair.server.receive(forged, first.from, pair.now);
  assertEquals(pair.server.state, "open");
  pair.server.receive(forged, first.from, pair.now);
  assertEquals(pair.server.end?.code, CloseCode.EXHAUSTED);
  assertEquals(pair.server.stats().forgedDatagrams, 3);
});

Deno.test("DatagramConnection refuses secrets and ids of another form", none, () => {
  const good = {
    role: "client",
    secrets: { send: CLIENT_SECRET, receive: SERVER_SECRET },
    connectionId: CONNECTION_ID,
    now: 0,
  } as const;
  const short = new Uint8Array(31);
  for (
    const wrong of [
      { secrets: { send: short, receive: SERVER_SECRET } },
      { secrets: { send: CLIENT_SECRET, receive: short } },
      { connectionId: "0123" },
      { connectionId: "00112233445566AA" },
      { limits: { receiveBufferMaxBytes: 65535 } },
    ]
  ) {
    assertThrows(() => new DatagramConnection({ ...good, ...wrong }), RangeError);
  }
  assertEquals(
    new DatagramConnection({ ...good, limits: { receiveBufferMaxBytes: 65536 } }).state,
    "open",
  );
});

Deno.test("DatagramConnection.close() acknowledges what came right before", none, () => {
  const pair = new DatagramPair();
  pair.run(1000);
  pair.client.send(0, numbered(1));
  pair.until(() => pair.server.read() !== undefined);
  pair.server.close(0, "bye");
  pair.until(() => pair.client.state !== "open");
  assertEquals([pair.client.end?.by, pair.client.bufferedBytes], ["peer", 0]);
});
