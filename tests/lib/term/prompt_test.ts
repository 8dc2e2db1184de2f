import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { Prompter, type PrompterOptions, readPasswordStdin } from "../../../lib/term/prompt.ts";
import { FakeInput, FakeSink } from "./fakes.ts";

function make(
  chunks: readonly (string | null)[],
  options: Partial<PrompterOptions> = {},
): { input: FakeInput; sink: FakeSink; prompter: Prompter } {
  const [input, sink] = [new FakeInput(chunks), new FakeSink({ isTerminal: true })];
  return { input, sink, prompter: new Prompter({ input, sink, ...options }) };
}

async function refuse(work: Promise<unknown>, code: string, message: string): Promise<void> {
  const error = await assertRejects(() => work, TrivetError, message);
  assertEquals(error.code, code);
}

const INSTEAD = "pass --password-stdin";

Deno.test("Prompter.askSecret() shows the question and nothing of the answer", {
  permissions: "none",
}, async () => {
  const { input, sink, prompter } = make(["se", "cret\r"]);
  assertEquals(await prompter.askSecret("Password\x1b", INSTEAD), "secret");
  assertEquals(sink.text, "Password\\x1b: \n");
  assertEquals(input.raw, [true, false]);
});

Deno.test("Prompter.askSecret() ends the echo before the question appears", {
  permissions: "none",
}, async () => {
  const { input, sink, prompter } = make(["secret\r"]);
  const shownAt: string[] = [];
  input.setRaw = (isRaw) => {
    shownAt.push(`${isRaw} after ${JSON.stringify(sink.text)}`);
  };
  await prompter.askSecret("Password", INSTEAD);
  assertEquals(shownAt, ['true after ""', 'false after "Password: "']);
});

Deno.test("Prompter.askSecret() keeps what was typed ahead", { permissions: "none" }, async () => {
  const { prompter } = make(["one\rtwo\r", "user\n"]);
  assertEquals(await prompter.askSecret("Password", INSTEAD), "one");
  assertEquals(await prompter.askSecret("Again", INSTEAD), "two");
  assertEquals(await prompter.askLine("User", "pass USER"), "user");
});

Deno.test(
  "Prompter.askSecret() restores the terminal however it ends",
  { permissions: "none" },
  async () => {
    const cases: [(string | null)[], string, string][] = [
      [["abc\x03"], "INTERRUPTED", "Interrupted"],
      [["\x04"], "USAGE", 'Got no answer to "Password": pass --password-stdin'],
      [[null], "USAGE", "Got no answer"],
      [["x".repeat(5000)], "USAGE", "Password is longer than 4096 bytes"],
    ];
    for (const [chunks, code, message] of cases) {
      const { input, sink, prompter } = make(chunks);
      await refuse(prompter.askSecret("Password", INSTEAD), code, message);
      assertEquals([input.raw, sink.text], [[true, false], "Password: \n"]);
    }
  },
);

Deno.test(
  "Prompter.askSecret() ends with the signal while it waits",
  { permissions: "none" },
  async () => {
    const controller = new AbortController();
    const { input, prompter } = make([], { signal: controller.signal });
    const asked = prompter.askSecret("Password", INSTEAD);
    await input.waiting.promise;
    controller.abort(new TrivetError("INTERRUPTED", "Interrupted"));
    await refuse(asked, "INTERRUPTED", "Interrupted");
    assertEquals(input.raw, [true, false]);
    await refuse(prompter.askLine("User", INSTEAD), "INTERRUPTED", "Interrupted");
  },
);

Deno.test(
  "Prompter asks nobody without a terminal or with noInput",
  { permissions: "none" },
  async () => {
    const terminal = () => new FakeInput(["never\n"]);
    const without: Partial<PrompterOptions>[] = [
      { noInput: true, input: terminal() },
      { input: new FakeInput(["never\n"], false) },
      { sink: new FakeSink(), input: terminal() },
    ];
    for (const options of without) {
      const { prompter, sink } = make([], options);
      assertEquals(prompter.canAsk, false);
      const message = `Cannot ask for "Password" here: ${INSTEAD}`;
      await refuse(prompter.askSecret("Password", INSTEAD), "USAGE", message);
      await refuse(prompter.askLine("Password", INSTEAD), "USAGE", message);
      assertEquals([
        await prompter.askYesNo("Go on", true),
        await prompter.askYesNo("Go on", false),
      ], [true, false]);
      assertEquals(sink.text, "");
    }
  },
);

Deno.test("Prompter.askLine() reads lines in pieces", { permissions: "none" }, async () => {
  const { prompter, sink } = make(["  an", "n \r\nbob\nlast", null]);
  assertEquals(await prompter.askLine("User", INSTEAD), "ann");
  assertEquals(await prompter.askLine("User", INSTEAD), "bob");
  assertEquals(await prompter.askLine("User", INSTEAD), "last");
  assertEquals(sink.text, "User: User: User: ");
  await refuse(make([null]).prompter.askLine("User", INSTEAD), "USAGE", "Got no answer");
});

Deno.test("Prompter.askLine() is bounded", { permissions: "none" }, async () => {
  assertEquals((await make(["x".repeat(4096) + "\n"]).prompter.askLine("Q", "")).length, 4096);
  await refuse(
    make(["x".repeat(4097) + "\n"]).prompter.askLine("Q", ""),
    "USAGE",
    "longer than 4096",
  );
});

Deno.test("Prompter.askYesNo() asks until it understands", { permissions: "none" }, async () => {
  const cases: [(string | null)[], boolean, boolean, string][] = [
    [["y\n"], false, true, "Continue [y/N]? "],
    [["NO\n"], true, false, "Continue [Y/n]? "],
    [["\n"], true, true, "Continue [Y/n]? "],
    [["\n"], false, false, "Continue [y/N]? "],
    [[null], true, true, "Continue [Y/n]? "],
    [["what\n", "yes\n"], false, true, "Continue [y/N]? Continue [y/N]? "],
  ];
  for (const [chunks, fallback, answer, shown] of cases) {
    const { prompter, sink } = make(chunks);
    assertEquals(await prompter.askYesNo("Continue", fallback), answer);
    assertEquals(sink.text, shown);
  }
});

Deno.test("readPasswordStdin() reads one line and no more", { permissions: "none" }, async () => {
  const cases: [(string | null)[], string, string][] = [
    [["secret\nDATA"], "secret", "DATA"],
    [["secret\r\nDATA"], "secret", "DATA"],
    [["sec", "ret", null], "secret", ""],
    [[" two words \r\r\n"], " two words \r", ""],
    [["geh\u00e4im\u{1f511}\n"], "geh\u00e4im\u{1f511}", ""],
    [["\ufeffx\n"], "\ufeffx", ""],
    [["x".repeat(4096) + "\r\n"], "x".repeat(4096), ""],
  ];
  for (const [chunks, password, rest] of cases) {
    const input = new FakeInput(chunks, false);
    assertEquals(await readPasswordStdin(input), password);
    assertEquals(input.rest, rest);
  }
});

Deno.test("readPasswordStdin() refuses what is no password", { permissions: "none" }, async () => {
  const cases: [(string | Uint8Array | null)[], string][] = [
    [[null], "its first line is empty"],
    [["\nx\n"], "its first line is empty"],
    [["\r\n"], "its first line is empty"],
    [["x".repeat(4097) + "\n"], "longer than 4096 bytes"],
    [["x".repeat(100_000)], "longer than 4096 bytes"],
    [[Uint8Array.of(0xff, 0x0a)], "it is not UTF-8"],
  ];
  for (const [chunks, message] of cases) {
    await refuse(readPasswordStdin(new FakeInput(chunks, false)), "USAGE", message);
  }
});
