import { assert, assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { encodeControl, encodeFrame } from "../../../lib/frame/encode.ts";
import { FrameType } from "../../../lib/frame/frame.ts";
import { type CallHandler, serveCalls, type ServeCallsOptions } from "../../../lib/rpc/server.ts";
import { dataFrame, Peer, type PeerFrame } from "../../testing/calls.ts";
import { pattern } from "../../testing/frames.ts";
import { isSettled, linkPair, settle, type TransportPairOptions } from "../../testing/transport.ts";

async function assertCode(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await assertRejects(() => promise, TrivetError);
  assertEquals(error.code, code);
}

/** A server, and a client made by hand. */
function serverAndPeer(
  handle: CallHandler,
  options: ServeCallsOptions & TransportPairOptions = {},
) {
  const { server: link, clientEnd } = linkPair(options);
  const peer = new Peer(clientEnd);
  const request = (id: number, method = "a", params: unknown = {}) =>
    peer.say(FrameType.REQUEST, id, { method, params });
  return { served: serveCalls(link, handle, options), link, peer, request, clientEnd };
}

function codeOf(frame: PeerFrame | null): unknown {
  return frame?.type === FrameType.ERROR && typeof frame.head === "object" && frame.head !== null
    ? Reflect.get(frame.head, "code")
    : undefined;
}

/** A handler that waits until its call is aborted, and notes why. */
function untilAborted(reasons: unknown[]): CallHandler {
  return async ({ signal }) => {
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    reasons.push(signal.reason instanceof TrivetError ? signal.reason.code : signal.reason);
  };
}

Deno.test("serveCalls() runs requests side by side and answers in any order", async () => {
  const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const { served, peer, request } = serverAndPeer(async ({ id, method, params, body }) => {
    await gates[id - 1]?.promise;
    return { head: { method, params }, body };
  });
  for (const id of [1, 2, 3]) {
    await peer.say(FrameType.REQUEST, id, { method: "m", params: id }, pattern(id));
  }
  for (const id of [3, 1, 2]) {
    gates[id - 1]?.resolve();
    const answer = await peer.hear();
    assertEquals([answer?.id, answer?.head], [id, { method: "m", params: id }]);
  }
  // A number is free again once it is answered, and arguments may be left out.
  await peer.say(FrameType.REQUEST, 1, { method: "m" });
  assertEquals((await peer.hear())?.head, { method: "m" });
  await request(1);
  assertEquals((await peer.hear())?.id, 1);
  peer.close();
  await served;
});

Deno.test("serveCalls() takes 64 requests in flight and answers SERVER_BUSY to the 65th", async () => {
  const gate = Promise.withResolvers<void>();
  const { served, peer, request } = serverAndPeer(async () => {
    await gate.promise;
    return { head: {} };
  });
  for (let id = 1; id <= 65; id++) await request(id);
  const busy = await peer.hear();
  assertEquals([busy?.id, codeOf(busy)], [65, "SERVER_BUSY"]);
  gate.resolve();
  for (let id = 1; id <= 64; id++) assertEquals((await peer.hear())?.type, FrameType.RESPONSE);
  await request(66);
  assertEquals((await peer.hear())?.type, FrameType.RESPONSE);
  peer.close();
  await served;
});

Deno.test("serveCalls() gives a cancelled call's place away, but not without end", async () => {
  const gate = Promise.withResolvers<void>();
  const { served, peer, request } = serverAndPeer(() => gate.promise, { requestsInFlightMax: 2 });
  // Handlers that are slow to notice: four run, though two are in flight at most.
  for (const id of [1, 2]) {
    await request(id);
    await peer.say(FrameType.CANCEL, id);
  }
  for (const id of [3, 4, 5]) await request(id);
  assertEquals([codeOf(await peer.hear())], ["SERVER_BUSY"]);
  await peer.say(FrameType.CANCEL, 3);
  await request(6);
  const busy = await peer.hear();
  assertEquals([busy?.id, codeOf(busy)], [6, "SERVER_BUSY"]);
  gate.resolve();
  peer.close();
  await served;
});

Deno.test("serveCalls() frees the number before the answer leaves", async () => {
  const { served, peer, request, clientEnd } = serverAndPeer(() => Promise.resolve({ head: {} }), {
    requestsInFlightMax: 1,
    capacityBytes: 64,
  });
  for (let round = 0; round < 50; round++) {
    await request(1);
    assertEquals((await peer.hear())?.type, FrameType.RESPONSE);
  }
  clientEnd.close();
  await served;
});

Deno.test("serveCalls() aborts a handler at CANCEL and answers nothing", async () => {
  const reasons: unknown[] = [];
  const { served, peer, request } = serverAndPeer(async (call) => {
    if (call.method === "ping") return { head: {} };
    await untilAborted(reasons)(call);
    await assertCode(call.respond({}), "INTERRUPTED");
    await assertCode(call.send(dataFrame(1, 0, pattern(1))), "INTERRUPTED");
    await assertCode(call.end({}), "INTERRUPTED");
    return { head: "too late" };
  });
  await request(1);
  await peer.say(FrameType.CANCEL, 1);
  await peer.say(FrameType.CANCEL, 1);
  await peer.say(FrameType.CANCEL, 99);
  await request(2, "ping");
  assertEquals((await peer.hear())?.id, 2);
  assertEquals(reasons, ["INTERRUPTED"]);
  peer.close();
  await served;
});

Deno.test("serveCalls() answers a defect with INTERNAL, without its text, and tells onDefect", async () => {
  const told: unknown[] = [];
  const defect = new Error("/etc/secret");
  const { served, peer, request } = serverAndPeer(({ method }) => {
    if (method === "throw") throw defect;
    return Promise.resolve({ head: method === "undefined" ? undefined : 1n });
  }, {
    onDefect: (error, method) => {
      told.push([error, method]);
      throw new Error("The log fails too");
    },
  });
  for (const [id, method] of ["throw", "undefined", "bigint"].entries()) {
    await request(id + 1, method);
    const answer = await peer.hear();
    assertEquals([answer?.id, codeOf(answer)], [id + 1, "INTERNAL"]);
    assert(!JSON.stringify(answer).includes("secret"));
  }
  assertEquals(told[0], [defect, "throw"]);
  assertEquals(told.length, 3);
  peer.close();
  await served;
});

Deno.test("serveCalls() sends a TrivetError as it is, and tells nobody", async () => {
  const told: unknown[] = [];
  const error = new TrivetError("QUOTA_EXCEEDED", "Too much", { details: { need_bytes: 5 } });
  const { served, peer, request } = serverAndPeer(() => Promise.reject(error), {
    onDefect: (error) => told.push(error),
  });
  await request(1);
  assertEquals((await peer.hear())?.head, error.toMessage());
  assertEquals(told, []);
  peer.close();
  await served;
});

Deno.test("serveCalls() shortens an error that fits no frame", async () => {
  const { served, peer, request } = serverAndPeer(() => {
    throw new TrivetError("NOT_FOUND", "a".repeat(2 ** 21));
  });
  await request(1);
  assertEquals(codeOf(await peer.hear()), "NOT_FOUND");
  peer.close();
  await served;
});

Deno.test("ServerCall.receive() gets DATA in order and END, and holds the link back", async () => {
  const seen: number[] = [];
  let step = Promise.withResolvers<void>();
  const { served, peer, request, clientEnd } = serverAndPeer(async (call) => {
    const end = await call.receive(async ({ offset, bytes }) => {
      await step.promise;
      seen.push(offset);
      assertEquals(bytes, pattern(1000, offset));
    });
    return { head: end.head, body: end.body };
  }, { capacityBytes: 4000 });
  await request(1);
  const sending = (async () => {
    for (let offset = 0; offset < 30; offset++) {
      await peer.send(dataFrame(1, offset, pattern(1000, offset)));
    }
    await peer.say(FrameType.END, 1, { isDone: true }, pattern(16));
  })();
  assertEquals(await isSettled(sending), false);
  assertEquals(seen, []);
  // One step, one frame: what is behind it waits in the system's buffers and at the sender.
  const first = step;
  step = Promise.withResolvers<void>();
  first.resolve();
  await settle();
  assertEquals([seen, await isSettled(sending)], [[0], false]);
  step.resolve();
  await sending;
  assertEquals(await peer.hear(), { type: FrameType.RESPONSE, id: 1, head: { isDone: true } });
  assertEquals(seen, Array.from({ length: 30 }, (_, offset) => offset));
  clientEnd.close();
  await served;
});

Deno.test("ServerCall.receive() gets DATA that came before it was called", async () => {
  const gate = Promise.withResolvers<void>();
  const seen: number[] = [];
  const { served, peer, request } = serverAndPeer(async (call) => {
    await gate.promise;
    await call.receive(({ offset, bytes }) => {
      assertEquals(bytes, pattern(10, offset));
      seen.push(offset);
    });
    return { head: seen };
  }, { readMaxBytes: 11 });
  await request(1);
  for (const offset of [0, 1, 2]) await peer.send(dataFrame(1, offset, pattern(10, offset)));
  await peer.say(FrameType.END, 1, {});
  await settle();
  gate.resolve();
  assertEquals((await peer.hear())?.head, [0, 1, 2]);
  peer.close();
  await served;
});

Deno.test("serveCalls() drops DATA of a call that failed or never wanted it, and lives on", async () => {
  const { served, peer, request } = serverAndPeer(async ({ method }) => {
    await settle();
    if (method === "fail") throw new TrivetError("QUOTA_EXCEEDED", "Too much");
    return { head: {} };
  });
  for (const [id, method] of [[1, "fail"], [2, "ok"]] as const) {
    await request(id, method);
    for (let count = 0; count < 100; count++) await peer.send(dataFrame(id, 0, pattern(1000)));
    await peer.say(FrameType.END, id, {});
    assertEquals((await peer.hear())?.id, id);
  }
  await peer.send(dataFrame(77, 0, pattern(1000)));
  await request(3);
  assertEquals((await peer.hear())?.id, 3);
  peer.close();
  await served;
});

for (const isAsync of [false, true]) {
  Deno.test(`serveCalls() sends ERROR when the sink ${isAsync ? "rejects" : "throws"}`, async () => {
    let count = 0;
    const { served, peer, request } = serverAndPeer(async (call) => {
      await call.receive(() => {
        count += 1;
        const full = new TrivetError("DISK_FULL", "No space");
        if (isAsync) return Promise.reject(full);
        throw full;
      });
    });
    await request(1);
    for (let offset = 0; offset < 5; offset++) await peer.send(dataFrame(1, offset, pattern(10)));
    await peer.say(FrameType.END, 1, {});
    assertEquals(codeOf(await peer.hear()), "DISK_FULL");
    assertEquals(count, 1);
    peer.close();
    await served;
  });
}

Deno.test("ServerCall sends RESPONSE, DATA and END by itself", async () => {
  const { served, peer, request } = serverAndPeer(async (call) => {
    await call.respond({ size: 3 });
    await call.send(dataFrame(call.id, 0, pattern(3)));
    await call.end({}, pattern(16));
  });
  await request(5);
  const types = [await peer.hear(), await peer.hear(), await peer.hear()]
    .map((frame) => [frame?.type, frame?.id]);
  assertEquals(types, [[FrameType.RESPONSE, 5], [FrameType.DATA, 5], [FrameType.END, 5]]);
  peer.close();
  await served;
});

const strange: [what: string, bytes: Uint8Array][] = [
  ["request number 0", encodeControl(FrameType.REQUEST, 0, { method: "a" })],
  ["a number in use", encodeControl(FrameType.REQUEST, 1, { method: "a" })],
  ["a REQUEST without a method", encodeControl(FrameType.REQUEST, 2, {})],
  ["a method of 257 characters", encodeControl(FrameType.REQUEST, 2, { method: "a".repeat(257) })],
  ["a REQUEST without a head", encodeFrame(FrameType.REQUEST, 2)],
  ["an END without a head", encodeFrame(FrameType.END, 1)],
  ["short DATA", encodeFrame(FrameType.DATA, 1, pattern(11))],
  ["HELLO", encodeControl(FrameType.HELLO, 0, {})],
  ["WELCOME", encodeControl(FrameType.WELCOME, 0, {})],
  ["AUTH", encodeControl(FrameType.AUTH, 0, {})],
  ["RESPONSE", encodeControl(FrameType.RESPONSE, 1, {})],
  ["ERROR", encodeControl(FrameType.ERROR, 1, {})],
  ["EVENT", encodeControl(FrameType.EVENT, 0, {})],
  ["a PING of 65 bytes", encodeFrame(FrameType.PING, 0, pattern(65))],
  ["garbage", new Uint8Array(12).fill(0x7e)],
];

for (const [what, bytes] of strange) {
  Deno.test(`serveCalls() ends the link with PROTOCOL_ERROR at ${what}`, async () => {
    const reasons: unknown[] = [];
    const { served, peer, request } = serverAndPeer((call) => {
      call.receive(() => {}).catch(() => {});
      return untilAborted(reasons)(call);
    });
    await request(1);
    await peer.send(bytes);
    const answer = await peer.hear();
    assertEquals([answer?.id, codeOf(answer)], [0, "PROTOCOL_ERROR"]);
    assertEquals(await peer.hear(), null);
    await served;
    assertEquals(reasons, ["PROTOCOL_ERROR"]);
  });
}

Deno.test("serveCalls() answers PING with its payload of up to 64 bytes", async () => {
  const { served, peer } = serverAndPeer(() => Promise.resolve());
  for (const length of [0, 64]) {
    await peer.send(encodeFrame(FrameType.PONG, 0, pattern(3)));
    await peer.send(encodeFrame(FrameType.PING, 0, pattern(length)));
    assertEquals(await peer.hear(), { type: FrameType.PONG, id: 0, head: [...pattern(length)] });
  }
  peer.close();
  await served;
});

for (const how of ["BYE", "the end", "a reset", "half a frame"] as const) {
  Deno.test(`serveCalls() aborts every handler at ${how}`, async () => {
    const reasons: unknown[] = [];
    const { served, peer, request, clientEnd } = serverAndPeer(untilAborted(reasons));
    await request(1);
    await request(2);
    await settle();
    if (how === "BYE") await peer.say(FrameType.BYE, 0);
    else if (how === "a reset") clientEnd.reset();
    else {
      if (how === "half a frame") await peer.send(new Uint8Array(5));
      peer.close();
    }
    await served;
    assertEquals(reasons, ["CONNECTION_LOST", "CONNECTION_LOST"]);
  });
}

Deno.test("serveCalls() ends when the link is closed while DATA waits for a sink", async () => {
  // One handler never asks for its DATA, the other one's sink never ends.
  for (const method of ["deaf", "stuck"]) {
    const reasons: unknown[] = [];
    const { served, peer, request, link } = serverAndPeer(async (call) => {
      if (method === "stuck") {
        await call.receive(() => new Promise<void>(() => {})).catch((error) => {
          reasons.push(error.code);
        });
      } else await untilAborted(reasons)(call);
    });
    await request(1);
    await peer.send(dataFrame(1, 0, pattern(10)));
    await settle();
    link.close(new TrivetError("SHUTTING_DOWN", "Enough"));
    await served;
    assertEquals(reasons, ["SHUTTING_DOWN"]);
  }
});

Deno.test("serveCalls() pings a silent client, then gives it up", async () => {
  const alive = setTimeout(() => {}, 60_000);
  const reasons: unknown[] = [];
  const { served, peer, request } = serverAndPeer(untilAborted(reasons), {
    keepalive: { pingAfterMs: 5, closeAfterMs: 15 },
  });
  await request(1);
  assertEquals((await peer.hear())?.type, FrameType.PING);
  assertEquals(await peer.hear(), null);
  await served;
  assertEquals(reasons, ["CONNECTION_LOST"]);
  clearTimeout(alive);
});

Deno.test("serveCalls() that holds the link back for a sink keeps pinging and stays", async () => {
  const alive = setTimeout(() => {}, 60_000);
  const sink = Promise.withResolvers<void>();
  const { served, peer, request } = serverAndPeer(async (call) => {
    await call.receive(() => sink.promise);
    return { head: "done" };
  }, { keepalive: { pingAfterMs: 2, closeAfterMs: 6 } });
  await request(1);
  await peer.send(dataFrame(1, 0, pattern(10)));
  for (let count = 0; count < 8; count++) assertEquals((await peer.hear())?.type, FrameType.PING);
  sink.resolve();
  await peer.say(FrameType.END, 1);
  let answer = await peer.hear();
  while (answer?.type === FrameType.PING) answer = await peer.hear();
  assertEquals(answer?.head, "done");
  // Nothing holds the link any more: now silence is the client's.
  while (answer !== null) answer = await peer.hear();
  await served;
  clearTimeout(alive);
});

Deno.test("serveCalls() drains at shutdown: what runs is answered, the new refused, then BYE", async () => {
  const shutdown = new AbortController();
  const gate = Promise.withResolvers<void>();
  const { served, peer, request } = serverAndPeer(async (call) => {
    await call.receive(() => {});
    await gate.promise;
    return { head: "done" };
  }, { shutdown: shutdown.signal });
  await request(1);
  await settle();
  shutdown.abort();
  await request(2);
  const refused = await peer.hear();
  assertEquals([refused?.id, codeOf(refused)], [2, "SHUTTING_DOWN"]);
  await peer.send(dataFrame(1, 0, pattern(10)));
  await peer.say(FrameType.END, 1);
  gate.resolve();
  assertEquals((await peer.hear())?.head, "done");
  assertEquals((await peer.hear())?.type, FrameType.BYE);
  assertEquals(await peer.hear(), null);
  await served;
});

for (const when of ["before", "while idle"]) {
  Deno.test(`serveCalls() says BYE at once at a shutdown ${when}`, async () => {
    const shutdown = new AbortController();
    if (when === "before") shutdown.abort();
    const { served, peer } = serverAndPeer(() => Promise.resolve(), { shutdown: shutdown.signal });
    if (when === "while idle") {
      await settle();
      shutdown.abort();
    }
    assertEquals((await peer.hear())?.type, FrameType.BYE);
    assertEquals(await peer.hear(), null);
    await served;
  });
}

Deno.test("serveCalls() does not wait at shutdown for a client that reads nothing", async () => {
  const shutdown = new AbortController();
  const { served } = serverAndPeer(() => Promise.resolve(), {
    shutdown: shutdown.signal,
    capacityBytes: 4,
  });
  shutdown.abort();
  await served;
});

Deno.test("ServerCall.receive() gets nothing behind END or behind its own failure", async () => {
  for (const fails of [false, true]) {
    const gate = Promise.withResolvers<void>();
    let count = 0;
    const { served, peer, request } = serverAndPeer(async (call) => {
      const ended = call.receive(() => {
        count += 1;
        if (fails) throw new TrivetError("DISK_FULL", "No space");
      });
      await gate.promise;
      await ended;
      return { head: {} };
    });
    await request(1);
    await peer.send(dataFrame(1, 0, pattern(10)));
    if (!fails) await peer.say(FrameType.END, 1);
    for (let offset = 1; offset < 5; offset++) await peer.send(dataFrame(1, offset, pattern(10)));
    await settle();
    gate.resolve();
    assertEquals(codeOf(await peer.hear()), fails ? "DISK_FULL" : undefined);
    assertEquals(count, 1);
    peer.close();
    await served;
  }
});

Deno.test("serveCalls() returns only when every handler has returned, cancelled ones too", async () => {
  const gate = Promise.withResolvers<void>();
  const { served, peer, request } = serverAndPeer(() => gate.promise);
  await request(1);
  await request(2);
  await peer.say(FrameType.CANCEL, 1);
  await settle();
  peer.close();
  assertEquals(await isSettled(served), false);
  gate.resolve();
  await served;
});

Deno.test("serveCalls() sends no ERROR of a cancelled call", async () => {
  const { served, peer, request } = serverAndPeer(async (call) => {
    if (call.method === "ping") return { head: {} };
    await untilAborted([])(call);
    throw call.signal.reason;
  });
  await request(1);
  await peer.say(FrameType.CANCEL, 1);
  await settle();
  await request(2, "ping");
  assertEquals((await peer.hear())?.id, 2);
  peer.close();
  await served;
});
