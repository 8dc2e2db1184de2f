import { assertEquals } from "@std/assert";
import { BadSocket } from "../../../lib/datagram/bad_socket.ts";

const TO = "127.0.0.1:9";

/** A socket that keeps what it is given. */
function openSink(): { sent: number[]; send: (bytes: Uint8Array) => Promise<number> } {
  const sent: number[] = [];
  return {
    sent,
    send: (bytes) => {
      sent.push(bytes[0] ?? -1);
      return Promise.resolve(bytes.length);
    },
  };
}

Deno.test("BadSocket.send() loses, repeats and delays what it is told to", async () => {
  for (
    const [options, wanted] of [
      [{ lossPercent: 100 }, []],
      [{ duplicatePercent: 100 }, [1, 1, 2, 2]],
      [{ delayMs: 20 }, [1, 2]],
      [{}, [1, 2]],
    ] as const
  ) {
    const sink = openSink();
    const bad = new BadSocket(sink, options);
    bad.send(Uint8Array.of(1), TO);
    bad.send(Uint8Array.of(2), TO);
    if ("delayMs" in options) assertEquals(sink.sent, []);
    await bad.drain();
    assertEquals(sink.sent, [...wanted]);
  }
});

Deno.test("BadSocket.drain() does not wait for ever", async () => {
  const sink = openSink();
  const bad = new BadSocket(sink, { delayMs: 3_600_000 });
  bad.send(Uint8Array.of(1), TO);
  await bad.drain();
  assertEquals(sink.sent, []);
});
