import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  type ProgressState,
  renderProgress,
  renderSummary,
} from "../../../lib/term/render_progress.ts";
import { textWidth } from "../../../lib/term/text.ts";

const MIB = 1024 ** 2;

const STATE: ProgressState = {
  action: "sending",
  name: "big.iso",
  doneBytes: 450 * MIB,
  totalBytes: 1500 * MIB,
  rate: 100 * MIB,
  fileNumber: 2,
  fileCount: 5,
};

Deno.test("renderProgress() shows less where there is less room", { permissions: "none" }, () => {
  const cases: [number, string][] = [
    [
      120,
      "big.iso  (2/5)  sending   30%  [########--------------------]  450.0 MiB / 1.5 GiB  100.0 MiB/s  ETA 0:11",
    ],
    [80, "big.iso  (2/5)  sending   30%  450.0 MiB / 1.5 GiB  100.0 MiB/s  ETA 0:11"],
    [60, "big.iso  (2/5)  sending   30%  100.0 MiB/s  ETA 0:11"],
    [45, "big.iso  sending   30%  100.0 MiB/s  ETA 0:11"],
    [40, "big.iso  sending   30%  100.0 MiB/s"],
    [24, "big.iso  sending   30%"],
    [13, "big.iso   30%"],
    [12, " 30%"],
    [3, " \u2026%"],
    [0, ""],
  ];
  for (const [width, line] of cases) assertEquals(renderProgress(STATE, width), line);
});

Deno.test("renderProgress() shows what is known", { permissions: "none" }, () => {
  const cases: [Partial<ProgressState>, string][] = [
    [{ totalBytes: undefined }, "big.iso  (2/5)  sending  450.0 MiB  100.0 MiB/s"],
    [
      { action: "connecting", rate: undefined, doneBytes: 0 },
      "big.iso  (2/5)  connecting  1.5 GiB",
    ],
    [
      { action: "finishing", doneBytes: 1500 * MIB, rate: undefined, fileNumber: undefined },
      "big.iso  finishing  100%  [############################]  1.5 GiB / 1.5 GiB",
    ],
    [
      { rate: 0 },
      "big.iso  (2/5)  sending   30%  [###----------]  450.0 MiB / 1.5 GiB  0 B/s  ETA --:--",
    ],
    [
      { fileCount: undefined },
      "big.iso  (2)  sending   30%  [###-------]  450.0 MiB / 1.5 GiB  100.0 MiB/s  ETA 0:11",
    ],
    [
      { totalBytes: 0, doneBytes: 0, rate: undefined },
      "big.iso  (2/5)  sending  100%  [############################]  0 B / 0 B",
    ],
    [
      { action: "verifying" },
      "big.iso  (2/5)  verifying   30%  [#-----]  450.0 MiB / 1.5 GiB  100.0 MiB/s  ETA 0:11",
    ],
  ];
  for (const [change, line] of cases) {
    assertEquals(renderProgress({ ...STATE, ...change }, 85), line);
  }
});

Deno.test("renderProgress() says 100% only when all is done", { permissions: "none" }, () => {
  assert(renderProgress({ ...STATE, doneBytes: 1500 * MIB - 1 }, 60).includes(" 99%"));
  assert(renderProgress({ ...STATE, doneBytes: 1500 * MIB }, 60).includes("100%"));
});

Deno.test("renderProgress() cuts and tames names", { permissions: "none" }, () => {
  const long = renderProgress({ ...STATE, name: "a".repeat(200) + ".iso" }, 100);
  assertEquals(textWidth(long), 100);
  assert(long.includes("\u2026") && long.includes(".iso  (2/5)"), long);
  assert(!renderProgress({ ...STATE, name: "\x1b[2J\n" }, 100).includes("\x1b"));
});

Deno.test("renderProgress() never exceeds the width", { permissions: "none" }, () => {
  const optional = (value: fc.Arbitrary<number>) => fc.option(value, { nil: undefined });
  const bytes = fc.nat(Number.MAX_SAFE_INTEGER);
  const state = fc.record({
    action: fc.constantFrom("connecting" as const, "verifying" as const, "receiving" as const),
    name: fc.string({ unit: "binary", maxLength: 80 }),
    doneBytes: bytes,
    totalBytes: optional(bytes),
    rate: optional(fc.double({ min: 0, max: 1e15, noNaN: true })),
    fileNumber: optional(fc.nat()),
    fileCount: optional(fc.nat()),
  });
  fc.assert(
    fc.property(state, fc.nat(130), (state, width) => {
      const line = renderProgress(state, width);
      assertLessOrEqual(textWidth(line), width, JSON.stringify(line));
      // deno-lint-ignore no-control-regex -- no control character may be there
      assert(!/[\x00-\x1f\x7f-\x9f]/.test(line));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("renderSummary() counts what moved, not what was there", { permissions: "none" }, () => {
  const state = { ...STATE, doneBytes: 1500 * MIB };
  assertEquals(
    renderSummary({ state, outcome: "sent", resumedBytes: 500 * MIB, elapsed_ms: 10_000 }),
    "big.iso  (2/5)  sent 1000.0 MiB in 10s (100.0 MiB/s), 500.0 MiB were there",
  );
  const small = { action: "receiving" as const, name: "a\nb", doneBytes: 5 };
  assertEquals(
    renderSummary({ state: small, outcome: "received", resumedBytes: 0, elapsed_ms: 0 }),
    "a\\x0ab  received 5 B in 0ms",
  );
});
