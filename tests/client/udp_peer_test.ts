import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { UdpPeer } from "../../client/clock/udp_peer.ts";
import type { Question } from "../../client/clock/udp_try.ts";
import { TrivetError } from "../../lib/errors.ts";
import { bytesOf, closedPort, FakeUdpServer, textOf } from "./clock_testing.ts";

/** Asks with "N" for the number of the try; an answer begins with "=". */
function counting(): () => Question<string> {
  let tries = 0;
  return () => ({
    request: bytesOf(String(++tries)),
    read: ({ bytes }) => {
      const text = new TextDecoder().decode(bytes);
      return text.startsWith("=") ? { value: text.slice(1) } : { ignored: `it says "${text}"` };
    },
  });
}

function patience(timeoutMs: number, signal = new AbortController().signal) {
  return { timeoutMs, signal };
}

/** Milliseconds that work took. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

Deno.test("UdpPeer.ask() returns the answer and the instants around it", async () => {
  await using server = new FakeUdpServer(({ reply }) => reply(bytesOf("=12")));
  const peer = new UdpPeer("127.0.0.1", server.port);
  assertEquals(peer.name, `127.0.0.1:${server.port}`);
  const beforeNs = Temporal.Now.instant().epochNanoseconds;
  const [sentNs, receivedNs] = await peer.ask(
    () => ({
      request: bytesOf("?"),
      read: (reply) => ({ value: [reply.sentNs, reply.receivedNs] as const }),
    }),
    patience(5000),
  );
  const afterNs = Temporal.Now.instant().epochNanoseconds;
  assert(beforeNs <= sentNs && sentNs < receivedNs, "sent before it was received");
  // The two clocks that were read may differ by what their readings take.
  assert(receivedNs <= afterNs + 1_000_000n, "received before the call returned");
});

Deno.test("UdpPeer.ask() asks again when datagrams get lost, each time from another port", async () => {
  await using server = new FakeUdpServer(({ index, bytes, reply }) =>
    index === 2 ? reply(bytesOf(`=${new TextDecoder().decode(bytes)}`)) : undefined
  );
  const peer = new UdpPeer("127.0.0.1", server.port);
  const answer = await peer.ask(counting(), patience(1000));
  assertEquals(answer, "3");
  assertEquals(server.requests.map(textOf), ["1", "2", "3"]);
  assertEquals(new Set(server.requests.map(({ fromPort }) => fromPort)).size, 3);
});

Deno.test("UdpPeer.ask() waits longer from try to try, and no longer than the deadline", async () => {
  const times: number[] = [];
  await using server = new FakeUdpServer(() => times.push(performance.now()));
  const peer = new UdpPeer("127.0.0.1", server.port);
  const startMs = performance.now();
  const error = await assertRejects(() => peer.ask(counting(), patience(500)), TrivetError);
  const tookMs = performance.now() - startMs;
  assertEquals([error.code, error.exitCode], ["TIMEOUT", 5]);
  assertEquals(
    error.message,
    `Cannot get an answer from "127.0.0.1:${server.port}" over UDP: 3 datagrams in 500ms, none ` +
      `answered; check that the service runs there and that no firewall drops UDP port ${server.port}`,
  );
  assertEquals(error.details, { address: peer.name, tries: 3, ignored: 0 });
  // 100, 200 and the remaining 200 ms, with room for a busy machine.
  assertEquals(times.length, 3);
  assertLess(95, (times[1] ?? 0) - (times[0] ?? 0));
  assertLess(190, (times[2] ?? 0) - (times[1] ?? 0));
  assertLess(495, tookMs);
});

Deno.test("UdpPeer.ask() takes a late reply for no answer to a later datagram", async () => {
  const late = Promise.withResolvers<void>();
  await using server = new FakeUdpServer(async ({ index, reply }) => {
    if (index === 0) {
      await late.promise;
      await reply(bytesOf("=late"));
    } else {
      late.resolve();
      await reply(bytesOf("=in time"));
    }
  });
  const peer = new UdpPeer("127.0.0.1", server.port);
  assertEquals(await peer.ask(counting(), patience(1000)), "in time");
});

Deno.test("UdpPeer.ask() ignores what comes from another address", async () => {
  await using server = new FakeUdpServer(async ({ spoof, reply }) => {
    await spoof(bytesOf("=false"));
    await reply(bytesOf("=true"));
  });
  const peer = new UdpPeer("127.0.0.1", server.port);
  assertEquals(await peer.ask(counting(), patience(5000)), "true");

  await using liar = new FakeUdpServer(({ spoof }) => spoof(bytesOf("=false")));
  const victim = new UdpPeer("127.0.0.1", liar.port);
  const error = await assertRejects(() => victim.ask(counting(), patience(1000)), TrivetError);
  assertEquals(error.code, "TIMEOUT");
  assertStringIncludes(
    error.message,
    "3 replies were ignored, the last because it came from another address",
  );
});

Deno.test("UdpPeer.ask() ignores replies that are no answer, and says why in the end", async () => {
  await using server = new FakeUdpServer(({ index, reply }) =>
    index === 0 ? reply(bytesOf("nonsense")) : undefined
  );
  const peer = new UdpPeer("127.0.0.1", server.port);
  const error = await assertRejects(() => peer.ask(counting(), patience(1000)), TrivetError);
  assertStringIncludes(error.message, '1 reply was ignored, the last because it says "nonsense"');
  assertEquals(error.details["ignored"], 1);
});

Deno.test("UdpPeer.ask() throws at once what the question throws", async () => {
  await using server = new FakeUdpServer(({ reply }) => reply(bytesOf("no")));
  const peer = new UdpPeer("127.0.0.1", server.port);
  const question = {
    request: bytesOf("?"),
    read: () => {
      throw new TrivetError("PERMISSION_DENIED", "Refused");
    },
  };
  const error = await assertRejects(() => peer.ask(() => question, patience(5000)), TrivetError);
  assertEquals(error.code, "PERMISSION_DENIED");
  assertEquals(server.requests.length, 1);
});

Deno.test("UdpPeer.ask() does not wait for a closed port of this machine", async () => {
  for (const host of ["127.0.0.1", "::1"]) {
    const peer = new UdpPeer(host, closedPort(host));
    const tookMs = await timeOf(async () => {
      const error = await assertRejects(() => peer.ask(counting(), patience(60_000)), TrivetError);
      assertEquals([error.code, error.exitCode], ["UNREACHABLE", 5]);
      assertEquals(error.message, `Cannot reach "${peer.name}" over UDP: nobody listens there`);
    });
    assertLess(tookMs, 10_000);
  }
});

Deno.test("UdpPeer.ask() gives up with its signal", async () => {
  const controller = new AbortController();
  const reason = new TrivetError("INTERRUPTED", "Interrupted");
  await using server = new FakeUdpServer(() => controller.abort(reason));
  const peer = new UdpPeer("127.0.0.1", server.port);
  const asking = () => peer.ask(counting(), patience(60_000, controller.signal));
  assertEquals(await assertRejects(asking, TrivetError), reason);
  // And asks nobody when it was too late from the beginning.
  await assertRejects(asking, TrivetError, "Interrupted");
  assertEquals(server.requests.length, 1);
});

Deno.test("UdpPeer.ask() speaks IPv6", async () => {
  await using server = new FakeUdpServer(({ reply }) => reply(bytesOf("=six")), "::1");
  for (const host of ["::1", "0:0:0:0:0:0:0:1"]) {
    assertEquals(await new UdpPeer(host, server.port).ask(counting(), patience(5000)), "six");
  }
});

Deno.test("UdpPeer.ask() resolves names, and says when it cannot", async () => {
  await using server = new FakeUdpServer(({ reply }) => reply(bytesOf("=found")));
  const peer = new UdpPeer("localhost", server.port);
  assertEquals(await peer.ask(counting(), patience(5000)), "found");
  assertEquals(await peer.ask(counting(), patience(5000)), "found");

  const nobody = new UdpPeer("nobody.invalid", 9000);
  const error = await assertRejects(() => nobody.ask(counting(), patience(10_000)), TrivetError);
  assertEquals(error.code, "UNREACHABLE");
  assertStringIncludes(error.message, '"nobody.invalid:9000": its name cannot be resolved');
});

Deno.test("UdpPeer.ask() tries the other addresses of a name, and keeps the one that answers", async () => {
  await using server = new FakeUdpServer(({ reply }) => reply(bytesOf("=found")));
  const silent = Deno.listenDatagram({ transport: "udp", hostname: "::1", port: server.port });
  let resolved = 0;
  const peer = new UdpPeer("clock.test", server.port, () => {
    resolved += 1;
    return Promise.resolve(["::1", "127.0.0.1"]);
  });
  const silentMs = await timeOf(async () => {
    assertEquals(await peer.ask(counting(), patience(2000)), "found");
  });
  // The first datagram went to the one that says nothing, and had a fifth of the time.
  assertLess(390, silentMs);
  silent.close();
  assertEquals(await peer.ask(counting(), patience(2000)), "found");
  assertEquals(resolved, 1);

  // Where one is closed, no time is lost.
  const next = new UdpPeer("clock.test", server.port, () => Promise.resolve(["::1", "127.0.0.1"]));
  const closedMs = await timeOf(async () => {
    assertEquals(await next.ask(counting(), patience(60_000)), "found");
  });
  assertLess(closedMs, 1000 + 5000);
});

Deno.test("UdpPeer.ask() resolves a name anew once its address says nothing more", async () => {
  let answering = true;
  await using server = new FakeUdpServer(({ reply }) =>
    answering ? reply(bytesOf("=yes")) : undefined
  );
  let resolved = 0;
  const peer = new UdpPeer("clock.test", server.port, () => {
    resolved += 1;
    return Promise.resolve(["127.0.0.1"]);
  });
  await peer.ask(counting(), patience(20_000));
  answering = false;
  await assertRejects(() => peer.ask(counting(), patience(200)), TrivetError, "none answered");
  answering = true;
  await peer.ask(counting(), patience(20_000));
  assertEquals(resolved, 2);
});

Deno.test("UdpPeer.ask() does not wait for a name longer than the deadline", async () => {
  const never = Promise.withResolvers<never>();
  const peer = new UdpPeer("clock.test", 9000, (_target, signal) => {
    signal.addEventListener("abort", () => never.reject(signal.reason));
    return never.promise;
  });
  const error = await assertRejects(() => peer.ask(counting(), patience(100)), TrivetError);
  assertEquals(error.code, "TIMEOUT");
  assertStringIncludes(error.message, "its name was not resolved within 100ms");
});
