import { assert, assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { encodeControl, encodeFrame } from "../../../lib/frame/encode.ts";
import { FrameType } from "../../../lib/frame/frame.ts";
import { type CallOptions, RpcClient, type RpcClientOptions } from "../../../lib/rpc/client.ts";
import { dataFrame, Peer } from "../../testing/calls.ts";
import { pattern } from "../../testing/frames.ts";
import { isSettled, linkPair, settle, type TransportPairOptions } from "../../testing/transport.ts";

async function assertCode(promise: Promise<unknown>, code: string, text = ""): Promise<void> {
  const error = await assertRejects(() => promise, TrivetError, text);
  assertEquals(error.code, code);
}

/** A client, and a server made by hand. */
function clientAndPeer(options: RpcClientOptions & TransportPairOptions = {}) {
  const { client: link, serverEnd } = linkPair(options);
  const peer = new Peer(serverEnd);
  return { client: RpcClient.start(link, options), link, peer };
}

Deno.test("RpcClient.call() matches answers in any order", async () => {
  const { client, peer } = clientAndPeer();
  await using _ = client;
  const calls = [1, 2, 3].map((n) => client.call("double", { n }, { body: pattern(n) }));
  const heard = [await peer.hear(), await peer.hear(), await peer.hear()];
  assertEquals(
    heard.map((frame) => frame?.head),
    [1, 2, 3].map((n) => ({ method: "double", params: { n } })),
  );
  for (const frame of heard.reverse()) {
    await peer.say(FrameType.RESPONSE, frame?.id ?? 0, { id: frame?.id }, pattern(frame?.id ?? 0));
  }
  const answers = await Promise.all(calls);
  assertEquals(answers, [1, 2, 3].map((id) => ({ head: { id }, body: pattern(id) })));
});

Deno.test("RpcClient.call() throws the server's ERROR, and the link lives on", async () => {
  const { client, peer } = clientAndPeer();
  await using _ = client;
  const refused = client.call("ls", {});
  await peer.hear();
  await peer.say(FrameType.ERROR, 1, new TrivetError("NOT_FOUND", "No such folder").toMessage());
  await assertCode(refused, "NOT_FOUND", "No such folder");
  const call = client.call("ls", {});
  assertEquals((await peer.hear())?.id, 2);
  await peer.say(FrameType.RESPONSE, 2, []);
  assertEquals((await call).head, []);
});

Deno.test("RpcClient keeps requestsInFlightMax and lets the next go in turn", async () => {
  const { client, peer } = clientAndPeer({ requestsInFlightMax: 64 });
  await using _ = client;
  const done: number[] = [];
  const calls = Array.from({ length: 66 }, (_, n) => client.call("a", n).then(() => done.push(n)));
  for (let id = 1; id <= 64; id++) assertEquals((await peer.hear())?.id, id);
  const next = peer.hear();
  assertEquals(await isSettled(next), false);
  await peer.say(FrameType.RESPONSE, 7, {});
  assertEquals((await next)?.head, { method: "a", params: 64 });
  // Whoever comes now does not overtake the one that waits.
  const late = client.call("a", "late");
  await peer.say(FrameType.RESPONSE, 8, {});
  assertEquals((await peer.hear())?.head, { method: "a", params: 65 });
  for (let id = 1; id <= 67; id++) await peer.say(FrameType.RESPONSE, id, {});
  await Promise.all([...calls, late]);
  assertEquals(done.length, 66);
});

Deno.test("RpcClient passes a place on when the one in turn has given up", async () => {
  const { client, peer } = clientAndPeer({ requestsInFlightMax: 1 });
  await using _ = client;
  const first = client.call("first", 0);
  await peer.hear();
  const abort = new AbortController();
  const second = client.call("second", 0, { signal: abort.signal });
  const third = client.call("third", 0);
  await settle();
  abort.abort(new TrivetError("INTERRUPTED", "Enough"));
  await Promise.all([
    assertCode(second, "INTERRUPTED"),
    peer.say(FrameType.RESPONSE, 1, {}),
    first,
  ]);
  const request = await peer.hear();
  assertEquals(request?.head, { method: "third", params: 0 });
  await peer.say(FrameType.RESPONSE, request?.id ?? 0, {});
  await third;
});

Deno.test("RpcClient passes a place on when it was given in the moment of the abort", async () => {
  const { client, peer } = clientAndPeer({ requestsInFlightMax: 1 });
  await using _ = client;
  const abort = new AbortController();
  const first = client.call("first", 0);
  const second = client.call("second", 0, { signal: abort.signal });
  const third = client.call("third", 0);
  await peer.hear();
  // Runs when the place is already the second call's, but before that goes on.
  const aborted = first.then(() => abort.abort(new TrivetError("INTERRUPTED", "Enough")));
  await Promise.all([
    assertCode(second, "INTERRUPTED"),
    peer.say(FrameType.RESPONSE, 1, {}),
    aborted,
  ]);
  const request = await peer.hear();
  assertEquals(request?.head, { method: "third", params: 0 });
  await peer.say(FrameType.RESPONSE, request?.id ?? 0, {});
  await third;
});

Deno.test("RpcClient.call() leaves neither timer nor listener behind", async () => {
  const { client, peer } = clientAndPeer();
  await using _ = client;
  const { signal } = new AbortController();
  const removed: string[] = [];
  const { removeEventListener } = signal;
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    removed.push(args[0]);
    removeEventListener.apply(signal, args);
  };
  const call = client.call("a", 0, { timeoutMs: 3_600_000, signal });
  await peer.hear();
  await peer.say(FrameType.RESPONSE, 1, {});
  await call;
  assertEquals(removed, ["abort"]);
});

Deno.test("RpcClient ends waiting for a place at abort, timeout and the link's end", async () => {
  const { client, peer } = clientAndPeer({ requestsInFlightMax: 1 });
  const first = client.call("first", 0);
  const lost = assertCode(first, "CONNECTION_LOST");
  await peer.hear();
  const abort = new AbortController();
  const aborted = client.call("aborted", 0, { signal: abort.signal });
  const timedOut = client.call("late", 0, { timeoutMs: 1 });
  const waits = client.call("waits", 0);
  abort.abort(new TrivetError("INTERRUPTED", "Enough"));
  await assertCode(aborted, "INTERRUPTED", "Enough");
  await assertCode(timedOut, "TIMEOUT", "within 1 ms");
  assertEquals(await isSettled(waits), false);
  peer.close();
  await assertCode(waits, "CONNECTION_LOST");
  await lost;
  await client.close();
});

Deno.test("RpcClient.call() sends nothing when its signal is already aborted", async () => {
  const { client, peer } = clientAndPeer();
  await using _ = client;
  const signal = AbortSignal.abort(new TrivetError("INTERRUPTED", "Before"));
  await assertCode(client.call("a", 0, { signal }), "INTERRUPTED", "Before");
  const call = client.call("b", 0);
  assertEquals((await peer.hear())?.head, { method: "b", params: 0 });
  await peer.say(FrameType.RESPONSE, 1, {});
  await call;
});

for (const how of ["abort", "timeout"] as const) {
  Deno.test(`RpcClient.call() sends CANCEL at ${how} and ignores the late answer`, async () => {
    const { client, peer } = clientAndPeer();
    await using _ = client;
    const abort = new AbortController();
    const options: CallOptions = how === "abort" ? { signal: abort.signal } : { timeoutMs: 1 };
    const call = client.call("slow", 0, options);
    const failed = assertCode(call, how === "abort" ? "INTERRUPTED" : "TIMEOUT");
    assertEquals((await peer.hear())?.type, FrameType.REQUEST);
    if (how === "abort") abort.abort(new TrivetError("INTERRUPTED", "Enough"));
    await failed;
    const cancel = await peer.hear();
    assertEquals([cancel?.type, cancel?.id], [FrameType.CANCEL, 1]);
    await peer.say(FrameType.RESPONSE, 1, {});
    await peer.send(dataFrame(1, 0, pattern(5)));
    await peer.say(FrameType.END, 1, {});
    const next = client.call("next", 0);
    assertEquals((await peer.hear())?.id, 2);
    await peer.say(FrameType.RESPONSE, 2, {});
    await next;
  });
}

Deno.test("RpcClient.call() keeps its timeout while the server reads nothing", async () => {
  const { client } = clientAndPeer({ capacityBytes: 10 });
  const stuck = client.call("a", pattern(100).join());
  const lost = assertCode(stuck, "CONNECTION_LOST");
  await assertCode(client.call("b", 0, { timeoutMs: 1 }), "TIMEOUT");
  const abort = new AbortController();
  const aborted = client.call("c", 0, { signal: abort.signal });
  abort.abort(new TrivetError("INTERRUPTED", "Enough"));
  await assertCode(aborted, "INTERRUPTED");
  await client.close();
  await lost;
});

Deno.test("RpcClient.call() fails alone when its arguments cannot be encoded", async () => {
  const { client, peer } = clientAndPeer({ requestsInFlightMax: 1 });
  await using _ = client;
  await assertRejects(() => client.call("a", 1n), TypeError);
  await assertRejects(() => client.call("a", 0, { body: new Uint8Array(2 ** 21) }), RangeError);
  const call = client.call("b", 0);
  assertEquals((await peer.hear())?.head, { method: "b", params: 0 });
  await peer.say(FrameType.RESPONSE, 3, {});
  await call;
});

Deno.test("RpcClient.open() gives RESPONSE, DATA in order and END", async () => {
  const { client, peer } = clientAndPeer({ readMaxBytes: 7 });
  await using _ = client;
  const seen: number[] = [];
  const call = await client.open("get", {}, {
    onData: async ({ offset, bytes }) => {
      await settle();
      seen.push(offset, bytes.length, bytes[9] ?? -1);
    },
  });
  await peer.hear();
  await peer.say(FrameType.RESPONSE, call.id, { size: 40 });
  await peer.send(dataFrame(call.id, 0, pattern(20)));
  await peer.send(dataFrame(call.id, 20, pattern(20, 2)));
  await peer.say(FrameType.END, call.id, { isDone: true }, pattern(3));
  assertEquals((await call.response).head, { size: 40 });
  assertEquals(await call.ended, { head: { isDone: true }, body: pattern(3) });
  assertEquals(seen, [0, 20, pattern(20)[9] ?? 0, 20, 20, pattern(20, 2)[9] ?? 0]);
  client.release(call);
  client.release(call);
  const next = client.call("a", 0);
  // Released behind END: no CANCEL.
  assertEquals((await peer.hear())?.type, FrameType.REQUEST);
  await peer.say(FrameType.RESPONSE, 2, {});
  await next;
});

Deno.test("RpcClient.release() before the end cancels, and later DATA is dropped", async () => {
  const { client, peer } = clientAndPeer();
  await using _ = client;
  let count = 0;
  const call = await client.open("get", {}, { onData: () => void count++ });
  await peer.hear();
  await peer.say(FrameType.RESPONSE, 1, {});
  await peer.send(dataFrame(1, 0, pattern(5)));
  await call.response;
  client.release(call);
  await assertCode(call.ended, "INTERRUPTED");
  await assertCode(call.send(dataFrame(1, 0, pattern(5))), "INTERRUPTED");
  await assertCode(call.end({}), "INTERRUPTED");
  assertEquals((await peer.hear())?.type, FrameType.CANCEL);
  const before = count;
  await peer.send(dataFrame(1, 5, pattern(5)));
  const next = client.call("a", 0);
  await peer.hear();
  await peer.say(FrameType.RESPONSE, 2, {});
  await next;
  assertEquals(count, before);
});

for (const isAsync of [false, true]) {
  Deno.test(`RpcClient cancels a call whose sink ${isAsync ? "rejects" : "throws"}`, async () => {
    const { client, peer } = clientAndPeer();
    await using _ = client;
    const full = new TrivetError("DISK_FULL", "No space");
    const call = await client.open("get", {}, {
      onData: () => {
        if (isAsync) return Promise.reject(full);
        throw full;
      },
    });
    await peer.hear();
    await peer.send(dataFrame(1, 0, pattern(5)));
    await assertCode(call.response, "DISK_FULL");
    await assertCode(call.ended, "DISK_FULL");
    assertEquals(call.signal.reason, full);
    assertEquals((await peer.hear())?.type, FrameType.CANCEL);
    assertEquals(client.failure, null);
  });
}

Deno.test("RpcClient fails the rest of a call when ERROR comes behind RESPONSE", async () => {
  const { client, peer } = clientAndPeer();
  await using _ = client;
  const call = await client.open("get", {}, { onData() {} });
  await peer.hear();
  await peer.say(FrameType.RESPONSE, 1, { size: 9 });
  await peer.say(FrameType.ERROR, 1, new TrivetError("CHANGED", "Changed").toMessage());
  assertEquals((await call.response).head, { size: 9 });
  await assertCode(call.ended, "CHANGED");
});

Deno.test("RpcClient.close() does not wait for a sink that never ends", async () => {
  const { client, peer } = clientAndPeer();
  const call = await client.open("get", {}, { onData: () => new Promise<void>(() => {}) });
  await peer.hear();
  await peer.send(dataFrame(1, 0, pattern(5)));
  await settle();
  await client.close();
  await assertCode(call.ended, "CONNECTION_LOST");
  assertEquals((await peer.hear())?.type, FrameType.BYE);
  assertEquals(await peer.hear(), null);
});

Deno.test("RpcClient fails every call when the link is closed while a sink is busy", async () => {
  const { client, link, peer } = clientAndPeer();
  const busy = await client.open("get", {}, { onData: () => new Promise<void>(() => {}) });
  const other = assertCode(client.call("ls", {}), "SHUTTING_DOWN");
  await peer.hear();
  await peer.send(dataFrame(1, 0, pattern(5)));
  await settle();
  link.close(new TrivetError("SHUTTING_DOWN", "Enough"));
  await assertCode(busy.ended, "SHUTTING_DOWN");
  await other;
  assertEquals(client.failure?.code, "SHUTTING_DOWN");
  await client.close();
});

const HELLO = encodeControl(FrameType.HELLO, 1, {});
const strange: [what: string, bytes: Uint8Array, code: string][] = [
  ["BYE", encodeControl(FrameType.BYE, 0, {}), "SHUTTING_DOWN"],
  [
    "ERROR 0",
    encodeControl(FrameType.ERROR, 0, new TrivetError("SERVER_BUSY", "Busy").toMessage()),
    "SERVER_BUSY",
  ],
  ["RESPONSE 0", encodeControl(FrameType.RESPONSE, 0, {}), "PROTOCOL_ERROR"],
  ["HELLO for a call", HELLO, "PROTOCOL_ERROR"],
  ["DATA that nobody asked for", dataFrame(1, 0, pattern(3)), "PROTOCOL_ERROR"],
  ["a RESPONSE without a head", encodeFrame(FrameType.RESPONSE, 1), "PROTOCOL_ERROR"],
  ["a bad ERROR", encodeControl(FrameType.ERROR, 1, { code: 1 }), "PROTOCOL_ERROR"],
  ["a long PING", encodeFrame(FrameType.PING, 0, pattern(65)), "PROTOCOL_ERROR"],
  ["garbage", new Uint8Array(12).fill(0xff), "PROTOCOL_ERROR"],
  ["half a frame", HELLO.subarray(0, 13), "CONNECTION_LOST"],
  ["nothing", new Uint8Array(0), "CONNECTION_LOST"],
];

for (const [what, bytes, code] of strange) {
  Deno.test(`RpcClient fails every call with ${code} at ${what}`, async () => {
    const { client, peer } = clientAndPeer();
    const calls = [client.call("a", 0), client.call("b", 0)].map((call) => assertCode(call, code));
    await peer.hear();
    await peer.send(bytes);
    if (code === "CONNECTION_LOST") peer.close();
    await Promise.all(calls);
    assertEquals(client.failure?.code, code);
    await assertCode(client.call("c", 0), code);
    await client.close();
    assertEquals(client.failure?.code, code);
  });
}

Deno.test("RpcClient refuses short DATA and DATA behind END", async () => {
  const short = encodeFrame(FrameType.DATA, 1, pattern(11));
  for (
    const frames of [[short], [encodeControl(FrameType.END, 1, {}), dataFrame(1, 0, pattern(1))]]
  ) {
    const { client, peer } = clientAndPeer();
    const call = await client.open("get", {}, { onData() {} });
    await peer.hear();
    for (const frame of frames) await peer.send(frame);
    await assertCode(call.response, "PROTOCOL_ERROR");
    await client.close();
  }
});

Deno.test("RpcClient answers PING with its payload of up to 64 bytes, ignores PONG and EVENT", async () => {
  const { client, peer } = clientAndPeer();
  await using _ = client;
  for (const length of [0, 64]) {
    await peer.send(encodeFrame(FrameType.PONG, 0, pattern(3)));
    await peer.say(FrameType.EVENT, 0, {});
    await peer.say(FrameType.EVENT, 77, {});
    await peer.send(encodeFrame(FrameType.PING, 0, pattern(length)));
    assertEquals(await peer.hear(), { type: FrameType.PONG, id: 0, head: [...pattern(length)] });
  }
});

Deno.test("RpcClient pings a silent server, then gives it up", async () => {
  // The timer of a keepalive does not keep the program alive: something else must.
  const alive = setTimeout(() => {}, 60_000);
  const { client, peer } = clientAndPeer({ keepalive: { pingAfterMs: 5, closeAfterMs: 15 } });
  const call = client.call("a", 0);
  const failed = assertCode(call, "CONNECTION_LOST", "The server has been silent for too long");
  await peer.hear();
  assertEquals((await peer.hear())?.type, FrameType.PING);
  await failed;
  clearTimeout(alive);
  assertEquals(await peer.hear(), null);
});

Deno.test("RpcClient that holds the link back for its sink keeps pinging and stays", async () => {
  const alive = setTimeout(() => {}, 60_000);
  const { client, peer } = clientAndPeer({ keepalive: { pingAfterMs: 2, closeAfterMs: 6 } });
  await using _ = client;
  const sink = Promise.withResolvers<void>();
  const call = await client.open("get", {}, { onData: () => sink.promise });
  await peer.hear();
  await peer.send(dataFrame(1, 0, pattern(5)));
  for (let count = 0; count < 8; count++) assertEquals((await peer.hear())?.type, FrameType.PING);
  clearTimeout(alive);
  assertEquals(client.failure, null);
  sink.resolve();
  await peer.say(FrameType.END, 1, {});
  await call.ended;
  assert(client.failure === null);
});

Deno.test("RpcClient.close() says BYE, fails what is in flight, and may be called twice", async () => {
  const { client, peer } = clientAndPeer();
  const call = assertCode(client.call("a", 0), "CONNECTION_LOST", "The connection was closed");
  await peer.hear();
  await Promise.all([client.close(), client.close()]);
  await client.close();
  await call;
  assertEquals((await peer.hear())?.type, FrameType.BYE);
});
