/** The client and the server of calls against each other, in memory and over sockets. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { FRAME_PAYLOAD_MAX_BYTES } from "../../../lib/frame/frame.ts";
import { Link, type Transport } from "../../../lib/link/link.ts";
import { RpcClient } from "../../../lib/rpc/client.ts";
import { type CallHandler, serveCalls, type ServeCallsOptions } from "../../../lib/rpc/server.ts";
import { dataFrame, startCalls } from "../../testing/calls.ts";
import { pattern } from "../../testing/frames.ts";
import { isSettled, settle, socketPair, transportPair } from "../../testing/transport.ts";

const DATA_BYTES = 256 * 1024;

/** What a service does: a little of everything. */
const handle: CallHandler = async (call) => {
  switch (call.method) {
    case "echo":
      return { head: call.params, body: call.body };
    case "put": {
      let bytes = 0;
      const end = await call.receive(async (data) => {
        if (data.offset % (3 * DATA_BYTES) === 0) await settle();
        assertEquals(data.offset, bytes);
        bytes += data.bytes.length;
      });
      return { head: { bytes }, body: end.body };
    }
    case "get": {
      await call.respond({});
      const frame = dataFrame(call.id, 0, pattern(DATA_BYTES));
      for (let count = 0; count < 20; count++) await call.send(frame);
      await call.end({});
      return;
    }
    default:
      throw new TrivetError("UNKNOWN_METHOD", `There is no method "${call.method}"`);
  }
};

interface Ends extends AsyncDisposable {
  readonly clientEnd: Transport;
  readonly serverEnd: Transport;
}

const kinds: Record<string, () => Promise<Ends>> = {
  memory: () => {
    const [clientEnd, serverEnd] = transportPair({ readMaxBytes: 9999, capacityBytes: 100_000 });
    return Promise.resolve({
      clientEnd,
      serverEnd,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
  tcp: () => socketPair("tcp"),
  unix: () => socketPair("unix"),
};

for (const [kind, connect] of Object.entries(kinds)) {
  const ignore = kind === "unix" && Deno.build.os === "windows";

  /** Runs `body` with a client and a server over this kind of transport. */
  const withCalls = async (
    body: (client: RpcClient) => Promise<void>,
    options: ServeCallsOptions = {},
  ) => {
    await using ends = await connect();
    const payloadMaxBytes = FRAME_PAYLOAD_MAX_BYTES;
    const served = serveCalls(new Link(ends.serverEnd, { payloadMaxBytes }), handle, options);
    const client = RpcClient.start(new Link(ends.clientEnd, { payloadMaxBytes }));
    await body(client);
    await client.close();
    await served;
  };

  Deno.test({ name: `500 pipelined calls over ${kind}`, ignore }, async () => {
    await withCalls(async (client) => {
      const calls = Array.from({ length: 500 }, async (_, n) => {
        const body = pattern(n * 7, n);
        assertEquals(await client.call("echo", { n }, { body }), { head: { n }, body });
      });
      const unknown = await assertRejects(() => client.call("nonsense", {}), TrivetError);
      assertEquals(unknown.code, "UNKNOWN_METHOD");
      await Promise.all(calls);
    });
  });

  Deno.test({ name: `upload, download and calls at once over ${kind}`, ignore }, async () => {
    await withCalls(async (client) => {
      const upload = async () => {
        const call = await client.open("put", {});
        for (let count = 0; count < 20; count++) {
          await call.send(dataFrame(call.id, count * DATA_BYTES, pattern(DATA_BYTES)));
        }
        await call.end({}, pattern(16));
        assertEquals(await call.response, { head: { bytes: 20 * DATA_BYTES }, body: pattern(16) });
        client.release(call);
      };
      const download = async () => {
        let bytes = 0;
        const onData = (data: { bytes: Uint8Array }) => void (bytes += data.bytes.length);
        const call = await client.open("get", {}, { onData });
        await call.ended;
        assertEquals(bytes, 20 * DATA_BYTES);
        client.release(call);
      };
      const echo = async () => {
        for (let n = 0; n < 50; n++) assertEquals((await client.call("echo", n)).head, n);
      };
      await Promise.all([upload(), download(), echo(), upload(), download()]);
    });
  });

  Deno.test(
    { name: `a released download leaves the link usable over ${kind}`, ignore },
    async () => {
      await withCalls(async (client) => {
        for (let round = 0; round < 5; round++) {
          const call = await client.open("get", {}, { onData() {} });
          await call.response;
          client.release(call);
          assertEquals((await client.call("echo", round)).head, round);
        }
      });
    },
  );

  Deno.test({ name: `a shutdown ends calls over ${kind} with SHUTTING_DOWN`, ignore }, async () => {
    const shutdown = new AbortController();
    await withCalls(async (client) => {
      assertEquals((await client.call("echo", 1)).head, 1);
      shutdown.abort();
      const error = await assertRejects(() => client.call("echo", 2), TrivetError);
      assertEquals(error.code, "SHUTTING_DOWN");
    }, { shutdown: shutdown.signal });
  });
}

Deno.test("a slow sink on the server holds the client's upload back", async () => {
  const gate = Promise.withResolvers<void>();
  await using calls = startCalls(async (call) => {
    await call.receive(() => gate.promise);
    return { head: {} };
  }, { capacityBytes: 1024 * 1024 });
  const call = await calls.client.open("put", {});
  let sent = 0;
  const sending = (async () => {
    for (; sent < 100; sent++) await call.send(dataFrame(call.id, 0, pattern(DATA_BYTES)));
    await call.end({});
  })();
  assertEquals(await isSettled(sending), false);
  // One frame with the sink, one on its way into the decoder, 1 MiB in between.
  assert(sent <= 6, `${sent} frames left`);
  gate.resolve();
  await sending;
  await call.response;
  calls.client.release(call);
});

Deno.test("a slow sink at the client holds the server's download back", async () => {
  const gate = Promise.withResolvers<void>();
  let sent = 0;
  await using calls = startCalls(async (call) => {
    await call.respond({});
    for (; sent < 100; sent++) await call.send(dataFrame(call.id, 0, pattern(DATA_BYTES)));
    await call.end({});
  });
  const call = await calls.client.open("get", {}, { onData: () => gate.promise });
  await call.response;
  assertEquals(await isSettled(call.ended), false);
  assert(sent <= 6, `${sent} frames left`);
  gate.resolve();
  await call.ended;
  assertEquals(sent, 100);
  calls.client.release(call);
});

Deno.test("an upload that the server refuses stops at the client", async () => {
  await using calls = startCalls(async (call) => {
    if (call.method === "echo") return { head: call.params };
    await call.receive(() => {
      throw new TrivetError("DISK_FULL", "No space");
    });
    return { head: {} };
  });
  const call = await calls.client.open("put", {});
  const error = await assertRejects(async () => {
    for (;;) await call.send(dataFrame(call.id, 0, pattern(DATA_BYTES)));
  }, TrivetError);
  assertEquals(error.code, "DISK_FULL");
  calls.client.release(call);
  assertEquals((await calls.client.call("echo", 1)).head, 1);
});

Deno.test("a client that leaves in the middle ends the server's handlers", async () => {
  const seen = Promise.withResolvers<AbortSignal>();
  const calls = startCalls(async (call) => {
    seen.resolve(call.signal);
    await call.receive(() => {});
  });
  const call = await calls.client.open("put", {});
  await call.send(dataFrame(call.id, 0, pattern(10)));
  const signal = await seen.promise;
  calls.clientEnd.reset();
  await calls.served;
  assertEquals(signal.reason.code, "CONNECTION_LOST");
  const error = await assertRejects(() => call.response, TrivetError);
  assertEquals(error.code, "CONNECTION_LOST");
  await calls.client.close();
});
