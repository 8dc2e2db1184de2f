import { assertEquals, assertThrows } from "@std/assert";
import type { NtpPacket } from "../../../lib/clock/ntp_packet.ts";
import type { NtpReference } from "../../../lib/clock/ntp_reference.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { Mirror, parseMirror } from "../../../server/clock/mirror.ts";
import { closedPort, FakeUdpServer, ntpReply } from "../../client/clock_testing.ts";

/** A daemon that answers each question as the next of `changes` says; not at all after the last. */
function daemon(changes: (Partial<NtpPacket> & { offsetNs?: bigint } | null)[]): FakeUdpServer {
  return new FakeUdpServer(async (request) => {
    const change = changes[request.index] ?? null;
    if (change !== null) await request.reply(ntpReply(request, change));
  });
}

/** A pause that a test ends, and what it was to last. */
class Pauses {
  readonly asked: number[] = [];
  #begun = Promise.withResolvers<void>();
  #end = Promise.withResolvers<void>();

  readonly pause = (ms: number, signal: AbortSignal): Promise<void> => {
    this.asked.push(ms);
    this.#end = Promise.withResolvers();
    signal.addEventListener("abort", () => this.#end.resolve(), { once: true });
    this.#begun.resolve();
    return this.#end.promise;
  };

  /** Lets the time pass, and waits until the next question has been settled. */
  async next(): Promise<void> {
    await this.#begun.promise;
    this.#begun = Promise.withResolvers();
    this.#end.resolve();
    await this.#begun.promise;
  }
}

const TIMEOUT_MS = 300;

function addressOf({ port }: { readonly port: number }) {
  return parseMirror(`127.0.0.1:${port}`);
}

Deno.test("Mirror takes over what the daemon says, and gives it up when it says otherwise", async () => {
  await using server = daemon([{ stratum: 2 }, { stratum: 3 }, { leap: 3 }, { stratum: 4 }]);
  const heard: (number | undefined)[] = [];
  const pauses = new Pauses();
  await using mirror = new Mirror(
    addressOf(server),
    (reference) => heard.push(reference?.stratum),
    { pause: pauses.pause, timeoutMs: TIMEOUT_MS },
  );
  await mirror.start();
  assertEquals(heard, [2], "the first question is settled before anybody is answered");
  await pauses.next();
  await pauses.next();
  await pauses.next();
  assertEquals(heard, [2, 3, undefined, 4]);
  assertEquals(pauses.asked, [32_000, 64_000, 16_000, 32_000]);
  // A daemon that is silent once may only have been busy.
  await pauses.next();
  assertEquals(heard.length, 4);
  assertEquals(pauses.asked.at(-1), 16_000);
});

Deno.test("Mirror says so when nobody answers", async () => {
  const heard: (NtpReference | undefined)[] = [];
  const options = { pause: new Pauses().pause, timeoutMs: 50 };
  const address = addressOf({ port: closedPort() });
  await using mirror = new Mirror(address, (reference) => heard.push(reference), options);
  await mirror.start();
  assertEquals(heard, [undefined]);
});

Deno.test("Mirror does not believe another port, nor a clock that is not this one", async () => {
  await using server = new FakeUdpServer(async (request) => {
    await request.spoof(ntpReply(request, { stratum: 1 }));
    await request.reply(ntpReply(request, { stratum: 5, originateTimestamp: 1n }));
    await request.reply(ntpReply(request, { stratum: 6, offsetNs: 200_000_000n }));
  });
  const heard: (number | undefined)[] = [];
  const options = { pause: new Pauses().pause, timeoutMs: TIMEOUT_MS };
  await using mirror = new Mirror(
    addressOf(server),
    (reference) => heard.push(reference?.stratum),
    options,
  );
  await mirror.start();
  assertEquals(heard, [undefined]);
});

Deno.test("parseMirror() takes this machine alone", () => {
  const tcp = { transport: "tcp" } as const;
  assertEquals(parseMirror("127.0.0.1"), { ...tcp, host: "127.0.0.1", port: 123 });
  assertEquals(parseMirror("127.1.2.3:1123"), { ...tcp, host: "127.1.2.3", port: 1123 });
  assertEquals(parseMirror("[::1]:1123"), { ...tcp, host: "::1", port: 1123 });
  assertEquals(parseMirror("localhost"), { ...tcp, host: "127.0.0.1", port: 123 });
  for (const text of ["192.0.2.1", "time.example", "::", "0.0.0.0", "unix:/run/chrony", ""]) {
    assertEquals(assertThrows(() => parseMirror(text), TrivetError).code, "USAGE", text);
  }
});
