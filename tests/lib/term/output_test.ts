import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { Output, OutputClosedError, type OutputOptions } from "../../../lib/term/output.ts";
import { FakeSink } from "./fakes.ts";

interface Fixture {
  stdout: FakeSink;
  stderr: FakeSink;
  output: Output;
}

function make(
  options: Partial<OutputOptions> = {},
  isTerminal = false,
  env: Record<string, string> = {},
): Fixture {
  const stdout = new FakeSink({ isTerminal });
  const stderr = new FakeSink({ isTerminal });
  const output = new Output("demo", { stdout, stderr, env: (name) => env[name], ...options });
  return { stdout, stderr, output };
}

const ERROR = new TrivetError("NOT_FOUND", 'Cannot find "a\x1b[2J"', { details: { path: "a" } });

Deno.test(
  "Output writes results to stdout and messages to stderr",
  { permissions: "none" },
  async () => {
    const { output, stdout, stderr } = make();
    output.line("one", "red");
    output.text("help\n");
    await output.bytes(new TextEncoder().encode("a longer piece of data\n"));
    output.json({ never: "seen" });
    output.note("noted");
    output.warn("careful");
    output.error(ERROR);
    assertEquals(stdout.text, "one\nhelp\na longer piece of data\n");
    assertEquals(
      stderr.text,
      'noted\ndemo: warning: careful\ndemo: Cannot find "a\\x1b[2J"\n  List the folder with trivet ls\n',
    );
  },
);

Deno.test("Output writes one document on stdout and JSON lines on stderr with json", {
  permissions: "none",
}, () => {
  const { output, stdout, stderr } = make({ json: true }, true);
  output.line("never seen");
  output.json({ name: "a\x1b\u202e\x9b\u2028", size: 5 });
  output.note("never seen");
  output.warn("careful");
  output.error(ERROR);
  assertEquals(stdout.text, '{"name":"a\\u001b\\u202e\\u009b\\u2028","size":5}\n');
  assertEquals(JSON.parse(stdout.text), { name: "a\x1b\u202e\x9b\u2028", size: 5 });
  const [warning, error, end] = stderr.text.split("\n");
  assertEquals(JSON.parse(warning ?? ""), { warning: { message: "careful" } });
  assertEquals(JSON.parse(error ?? ""), { error: ERROR.toMessage() });
  assertEquals(end, "");
});

Deno.test("Output.json() writes one document and no second", { permissions: "none" }, () => {
  const { output, stdout } = make({ json: true });
  output.json(undefined);
  assertThrows(() => output.json(1), TypeError, "second JSON document");
  assertEquals(stdout.text, "null\n");
});

Deno.test("Output leaves notes out with quiet, not warnings", { permissions: "none" }, () => {
  const { output, stderr } = make({ quiet: true });
  output.note("never seen");
  output.warn("careful");
  assertEquals(stderr.text, "demo: warning: careful\n");
});

Deno.test(
  "Output colours terminals alone, and not where it is unwanted",
  { permissions: "none" },
  () => {
    const coloured = (fixture: Fixture) => {
      fixture.output.line("x", "green");
      fixture.output.warn("y");
      return [fixture.stdout, fixture.stderr].map(({ text }) => text.includes("\x1b["));
    };
    assertEquals(coloured(make({}, true)), [true, true]);
    assertEquals(coloured(make({}, true, { NO_COLOR: "", TERM: "xterm" })), [true, true]);
    assertEquals(coloured(make({}, false)), [false, false]);
    assertEquals(coloured(make({ noColor: true }, true)), [false, false]);
    assertEquals(coloured(make({}, true, { NO_COLOR: "1" })), [false, false]);
    assertEquals(coloured(make({}, true, { TERM: "dumb" })), [false, false]);
    // Each stream for itself: results in a pipe, messages on the terminal.
    assertEquals(coloured(make({ stdout: new FakeSink() }, true)).at(1), true);
  },
);

Deno.test("Output.line() makes text safe on a terminal and leaves it to a pipe", {
  permissions: "none",
}, () => {
  const [terminal, pipe] = [make({}, true), make({}, false)];
  for (const { output } of [terminal, pipe]) output.line("a\x1b[2J\u202e");
  assertEquals(terminal.stdout.text, "a\\x1b[2J\\u{202e}\n");
  assertEquals(pipe.stdout.text, "a\x1b[2J\u202e\n");
});

Deno.test("Output.fail() gives the exit code of the error", { permissions: "none" }, () => {
  const { output, stderr } = make();
  assertEquals(output.fail(ERROR), 3);
  assertEquals(output.fail(new RangeError("Broken")), 1);
  assertStringIncludes(stderr.text, "demo: RangeError: Broken\n");
  assertEquals(output.fail("text"), 1);
});

Deno.test("Output ends quietly when nobody reads stdout", { permissions: "none" }, async () => {
  const { output, stdout, stderr } = make();
  stdout.error = new Deno.errors.BrokenPipe("os error 32");
  const error = assertThrows(() => output.line("x"), OutputClosedError);
  assertEquals(output.fail(error), 0);
  await assertRejects(() => output.bytes(new Uint8Array(1)), OutputClosedError);
  assertEquals(stderr.text, "");
  stdout.error = new Error("No space left on device");
  assertThrows(() => output.line("x"), Error, "No space left on device");
  await assertRejects(() => output.bytes(new Uint8Array(1)), Error, "No space left on device");
});

Deno.test("Output goes on when nobody reads stderr", { permissions: "none" }, () => {
  const { output, stdout, stderr } = make();
  stderr.error = new Deno.errors.BrokenPipe("os error 32");
  output.warn("unheard");
  output.line("result");
  assertEquals([output.fail(ERROR), stdout.text], [3, "result\n"]);
});

Deno.test("Output lets what is on the last line step aside", { permissions: "none" }, () => {
  const { output, stderr } = make();
  const overlay = (name: string) => ({
    hide: () => output.draw(`<hide ${name}>`),
    show: () => output.draw(`<show ${name}>`),
  });
  output.attach(overlay("a"));
  output.warn("w");
  output.attach(overlay("b"));
  output.attach(undefined);
  output.warn("w");
  assertEquals(
    stderr.text,
    "<hide a>demo: warning: w\n<show a><hide a><hide b>demo: warning: w\n",
  );
});

Deno.test(
  "Output.progressMode follows the terminal and the options",
  { permissions: "none" },
  () => {
    const mode = (...args: Parameters<typeof make>) => make(...args).output.progressMode;
    assertEquals(mode({}, true), "line");
    assertEquals(mode({}, false), "plain");
    assertEquals(mode({ stderr: new FakeSink() }, true), "plain");
    assertEquals(mode({}, true, { TERM: "dumb" }), "plain");
    assertEquals(mode({ quiet: true }, true), "off");
    assertEquals(mode({ json: true }, true), "off");
  },
);

Deno.test("Output.columns falls back to 80", { permissions: "none" }, () => {
  assertEquals(make().output.columns, 80);
  assertEquals(make({ columns: () => 0 }).output.columns, 80);
  assertEquals(make({ columns: () => 132 }).output.columns, 132);
});
