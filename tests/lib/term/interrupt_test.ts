import { assertEquals, assertInstanceOf } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { type EndSignal, Interrupt, type SignalSource } from "../../../lib/term/interrupt.ts";
import { systemSignals } from "../../../lib/term/system.ts";

class FakeSignals implements SignalSource {
  readonly signals = ["SIGINT", "SIGTERM"] as const;
  readonly listeners = new Map<EndSignal, Set<() => void>>();
  readonly exits: number[] = [];

  addListener(signal: EndSignal, listener: () => void): void {
    this.listeners.set(signal, (this.listeners.get(signal) ?? new Set()).add(listener));
  }

  removeListener(signal: EndSignal, listener: () => void): void {
    this.listeners.get(signal)?.delete(listener);
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  send(signal: EndSignal): void {
    for (const listener of this.listeners.get(signal) ?? []) listener();
  }
}

Deno.test(
  "Interrupt aborts at the first signal and exits at the second",
  { permissions: "none" },
  () => {
    const cases: [EndSignal, EndSignal, number][] = [
      ["SIGINT", "SIGINT", 130],
      ["SIGTERM", "SIGTERM", 143],
      ["SIGINT", "SIGTERM", 143],
      ["SIGTERM", "SIGINT", 130],
    ];
    for (const [first, second, code] of cases) {
      const signals = new FakeSignals();
      const seen: string[] = [];
      using interrupt = new Interrupt(signals, {
        onFirst: (signal) => seen.push(`first ${signal}`),
        onSecond: (signal) => seen.push(`second ${signal}`),
      });
      assertEquals(interrupt.signal.aborted, false);
      signals.send(first);
      assertEquals([interrupt.signal.aborted, signals.exits], [true, []]);
      const reason: unknown = interrupt.signal.reason;
      assertInstanceOf(reason, TrivetError);
      assertEquals([reason.code, reason.exitCode, reason.details], ["INTERRUPTED", 130, {
        signal: first,
      }]);
      signals.send(second);
      assertEquals([signals.exits, seen], [[code], [`first ${first}`, `second ${second}`]]);
    }
  },
);

Deno.test("Interrupt stops listening when it is disposed of", { permissions: "none" }, () => {
  const signals = new FakeSignals();
  const interrupt = new Interrupt(signals);
  assertEquals([...signals.listeners.values()].map(({ size }) => size), [1, 1]);
  interrupt[Symbol.dispose]();
  assertEquals([...signals.listeners.values()].map(({ size }) => size), [0, 0]);
  signals.send("SIGINT");
  assertEquals(interrupt.signal.aborted, false);
});

Deno.test(
  "systemSignals() delivers a real signal",
  { ignore: Deno.build.os === "windows" },
  async () => {
    const { promise, resolve, reject } = Promise.withResolvers<EndSignal>();
    using interrupt = new Interrupt(systemSignals(), { onFirst: resolve });
    // A listener does not keep the test alive, so something else must.
    const alive = setTimeout(() => reject(new Error("No signal came")), 10_000);
    Deno.kill(Deno.pid, "SIGTERM");
    assertEquals(await promise, "SIGTERM");
    clearTimeout(alive);
    assertEquals(interrupt.signal.aborted, true);
  },
);
