import { assert, assertEquals, assertRejects } from "@std/assert";
import type { DatagramSource } from "../../../lib/clock/datagram_source.ts";
import {
  DATAGRAM_MAX_BYTES,
  DatagramService,
  openDatagramServices,
} from "../../../server/clock/datagram_service.ts";
import { UdpClient } from "../../testing/udp_client.ts";

const PLACE = { host: "127.0.0.1", port: 0, option: "--time-port" };

/** Serves what a function answers. */
function start(
  respond: (request: Uint8Array, source: DatagramSource) => Uint8Array | undefined,
): DatagramService {
  const service = new DatagramService(PLACE);
  service.start({ respond });
  return service;
}

Deno.test("DatagramService goes on after an answer that fails, or cannot be sent", async () => {
  let count = 0;
  await using service = start((request) => {
    count++;
    if (count === 1) throw new Error("A defect");
    // More than a datagram can hold.
    return count === 2 ? new Uint8Array(70_000) : request;
  });
  await using client = new UdpClient();
  for (const text of ["one", "two"]) await client.send(text, service.port);
  assertEquals(await client.askText("three", service.port), "three");
  assertEquals([count, client.answers.length], [3, 1]);
});

Deno.test("DatagramService tells who asks, and does not answer what gets no answer", async () => {
  const sources: DatagramSource[] = [];
  await using service = start((request, { hostname, port }) => {
    sources.push({ hostname, port });
    return request.length > 1 ? request : undefined;
  });
  await using client = new UdpClient();
  await client.send("", service.port);
  await client.send("x", service.port);
  assertEquals(await client.askText("xy", service.port), "xy");
  assertEquals(client.answers.length, 1);
  assertEquals(sources, new Array(3).fill({ hostname: "127.0.0.1", port: client.port }));
});

Deno.test("DatagramService cuts what is longer than its buffer", async () => {
  const lengths: number[] = [];
  await using service = start((request) => {
    lengths.push(request.length);
    return new Uint8Array(1);
  });
  await using client = new UdpClient();
  const asked = [0, 512, 513, DATAGRAM_MAX_BYTES, DATAGRAM_MAX_BYTES + 1, 60_000];
  for (const length of asked) await client.ask(new Uint8Array(length), service.port);
  assertEquals(lengths, asked.map((length) => Math.min(length, DATAGRAM_MAX_BYTES)));
});

Deno.test("DatagramService keeps the answers of two responders apart", async () => {
  const BURST = 64;
  // Each writes all its answers into one buffer, as the one of SNTP does.
  const responders = Array.from({ length: 2 }, () => {
    const reply = new Uint8Array(4);
    return {
      count: 0,
      respond(request: Uint8Array): Uint8Array {
        this.count++;
        reply.set(request);
        return reply;
      },
    };
  });
  await using service = new DatagramService(PLACE);
  service.start(...responders);
  await using client = new UdpClient();
  const asked = Array.from({ length: BURST }, (_, i) => new Uint8Array(4).fill(i));
  await Promise.all(asked.map((request) => client.send(request, service.port)));
  await client.until(BURST);
  const answers = client.answers.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  assertEquals(answers, asked);
  assert(responders.every(({ count }) => count > 0), "Only one of them was asked");
});

Deno.test("DatagramService ends when it is disposed of, before and after it has started", async () => {
  const idle = new DatagramService(PLACE);
  await idle[Symbol.asyncDispose]();
  const service = start((request) => request);
  await service[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
  await using again = new DatagramService({ ...PLACE, port: service.port });
  assertEquals(again.port, service.port);
});

Deno.test("openDatagramServices() leaves nothing open when one cannot be", async () => {
  await using taken = new UdpClient("::1");
  const place = { port: taken.port, option: "--time-port" };
  const error = await assertRejects(async () => {
    for (const service of openDatagramServices(["127.0.0.1", "::1"], place)) {
      await service[Symbol.asyncDispose]();
    }
  });
  assert(error instanceof Error);
  await using free = new DatagramService({ ...PLACE, port: taken.port });
  assertEquals(free.port, taken.port);
});
