import { assert, assertEquals } from "@std/assert";
import { Output } from "../../../lib/term/output.ts";
import { Progress, PROGRESS_PLAIN_MS, PROGRESS_REDRAW_MS } from "../../../lib/term/progress.ts";
import { FakeClock, FakeSink } from "./fakes.ts";

interface Fixture {
  clock: FakeClock;
  stdout: FakeSink;
  stderr: FakeSink;
  output: Output;
  progress: Progress;
  size: { columns: number };
}

function make(isTerminal: boolean, options: { quiet?: boolean; json?: boolean } = {}): Fixture {
  const clock = new FakeClock();
  const [stdout, stderr] = [new FakeSink({ isTerminal }), new FakeSink({ isTerminal })];
  const size = { columns: 60 };
  const columns = () => size.columns;
  const output = new Output("demo", { stdout, stderr, env: () => undefined, columns, ...options });
  const progress = new Progress(output, clock);
  return { clock, stdout, stderr, output, progress, size };
}

Deno.test(
  "Progress redraws one line ten times a second on a terminal",
  { permissions: "none" },
  () => {
    const { clock, progress, stderr } = make(true);
    progress.start({ name: "f", action: "sending", doneBytes: 500, totalBytes: 1000 });
    for (let step = 1; step <= 100; step++) {
      clock.advance(10);
      progress.update({ doneBytes: 500 + step });
    }
    assertEquals(stderr.text.split("\r\x1b[J").length - 1, 1000 / PROGRESS_REDRAW_MS);
    assert(!stderr.text.includes("\n"));
    // The resumed half is no speed: 100 bytes went in one second.
    assert(stderr.text.includes("59%  ") && stderr.text.includes("  99 B/s"), stderr.text);
    progress.end("sent");
    assert(stderr.text.endsWith("\r\x1b[Jf  sent 100 B in 1s (100 B/s), 500 B were there\n"));
    assertEquals(clock.timers, 0);
  },
);

Deno.test("Progress keeps the last column free and follows the terminal's width", {
  permissions: "none",
}, () => {
  const { clock, progress, stderr, size } = make(true);
  progress.start({ name: "n".repeat(90), action: "sending", doneBytes: 1, totalBytes: 100 });
  clock.advance(100);
  assertEquals(stderr.text.replace("\r\x1b[J", "").length, 59);
  stderr.text = "";
  // The old line of 59 columns now takes three lines of 25.
  size.columns = 25;
  clock.advance(100);
  assert(stderr.text.startsWith("\x1b[2A\r\x1b[J"), JSON.stringify(stderr.text));
  assertEquals(stderr.text.replace("\x1b[2A\r\x1b[J", "").length, 24);
});

Deno.test("Progress steps aside for messages and results", { permissions: "none" }, () => {
  const { clock, progress, stderr, output } = make(true);
  progress.start({ name: "f", action: "receiving", totalBytes: 10 });
  clock.advance(100);
  stderr.text = "";
  output.warn("careful");
  const [message = "", redrawn = ""] = stderr.text.split("\n");
  assert(message.startsWith("\r\x1b[J") && message.endsWith("careful"), message);
  assert(redrawn.startsWith("\r\x1b[Jf  receiving"), redrawn);
  progress.stop();
  stderr.text = "";
  output.note("later");
  assertEquals(stderr.text, "later\n");
});

Deno.test("Progress.stop() and disposal leave an empty line", { permissions: "none" }, () => {
  const { clock, progress, stderr } = make(true);
  {
    using scoped = progress;
    scoped.start({ name: "f" });
    clock.advance(100);
  }
  assert(stderr.text.endsWith("connecting\r\x1b[J"), JSON.stringify(stderr.text));
  assertEquals(clock.timers, 0);
  progress.stop();
  progress.update({ doneBytes: 1 });
  progress.resumeAt(1);
  assert(stderr.text.endsWith("connecting\r\x1b[J"));
});

Deno.test(
  "Progress writes a plain line every few seconds elsewhere",
  { permissions: "none" },
  () => {
    const { clock, progress, stderr } = make(false);
    progress.start({ name: "f", action: "sending", totalBytes: 1000 });
    clock.advance(PROGRESS_PLAIN_MS - 1);
    assertEquals(stderr.text, "");
    progress.update({ doneBytes: 250 });
    clock.advance(1);
    const first =
      "f  sending   25%  [#######---------------------]  250 B / 1000 B  50 B/s  ETA 0:15\n";
    assertEquals(stderr.text, first);
    clock.advance(PROGRESS_PLAIN_MS - 1);
    assertEquals(stderr.text, first);
    progress.update({ doneBytes: 1000 });
    progress.end("sent");
    assertEquals(stderr.text, first + "f  sent 1000 B in 9.9s (100 B/s)\n");
    assert(!stderr.text.includes("\x1b") && !stderr.text.includes("\r"));
  },
);

Deno.test("Progress gives verifying a plain line of its own", { permissions: "none" }, () => {
  const { progress, stderr } = make(false);
  progress.start({ name: "f", totalBytes: 1000, doneBytes: 400 });
  progress.update({ action: "verifying" });
  assertEquals(stderr.text.split("  ").slice(0, 2), ["f", "verifying"]);
  progress.update({ action: "sending" });
  assertEquals(stderr.text.split("\n").length, 2);
});

Deno.test("Progress measures each action by itself", { permissions: "none" }, () => {
  const { clock, progress, stderr } = make(true);
  progress.start({ name: "f", action: "verifying", totalBytes: 100_000 });
  clock.advance(900);
  progress.update({ doneBytes: 50_000 });
  clock.advance(100);
  assert(stderr.text.includes("KiB/s"));
  progress.update({ action: "sending" });
  stderr.text = "";
  clock.advance(50);
  progress.update({ doneBytes: 50_001 });
  clock.advance(50);
  assert(stderr.text.includes("10 B/s"), stderr.text);
});

Deno.test(
  "Progress.resumeAt() takes what was there out of the sums",
  { permissions: "none" },
  () => {
    const { clock, progress, stderr } = make(false);
    progress.start({ name: "f", totalBytes: 1000 });
    progress.resumeAt(900);
    clock.advance(1000);
    progress.update({ action: "sending", doneBytes: 1000 });
    progress.end("sent");
    assertEquals(stderr.text, "f  sent 100 B in 1s (100 B/s), 900 B were there\n");
  },
);

Deno.test("Progress shows files one after another with one timer", { permissions: "none" }, () => {
  const { clock, progress, stderr } = make(true);
  progress.start({ name: "a", fileNumber: 1, fileCount: 2 });
  progress.start({ name: "b", fileNumber: 2, fileCount: 2 });
  assertEquals(clock.timers, 1);
  clock.advance(100);
  assertEquals(stderr.text, "\r\x1b[Jb  (2/2)  connecting");
});

Deno.test("Progress is silent with quiet and json", { permissions: "none" }, () => {
  for (const options of [{ quiet: true }, { json: true }]) {
    const { clock, progress, stdout, stderr } = make(true, options);
    progress.start({ name: "f", totalBytes: 1 });
    clock.advance(20_000);
    progress.update({ action: "verifying" });
    progress.end("sent");
    assertEquals([stdout.text, stderr.text, clock.timers], ["", "", 0]);
  }
});

Deno.test(
  "Progress with the real timer ends with the transfer",
  { permissions: "none" },
  async () => {
    const drawn = Promise.withResolvers<string>();
    const progress = new Progress({
      progressMode: "line",
      columns: 80,
      draw: (text) => drawn.resolve(text),
      attach: () => {},
    });
    // The timer does not keep a program alive, so something else must.
    const alive = setTimeout(() => drawn.reject(new Error("Nothing was drawn")), 10_000);
    progress.start({ name: "f" });
    assertEquals(await drawn.promise, "\r\x1b[Jf  connecting");
    clearTimeout(alive);
    progress.stop();
  },
);
