import { assertEquals } from "@std/assert";
import type { OutputSink } from "../../../lib/term/output.ts";
import { Stdout, STDOUT_LOOK_AFTER_BYTES } from "../../../lib/term/stdout.ts";

/** Notes by which way bytes came. */
class FakeStream implements OutputSink {
  readonly ways: string[] = [];

  write(bytes: Uint8Array): Promise<number> {
    this.ways.push(`turn ${bytes.length}`);
    return Promise.resolve(bytes.length);
  }

  writeSync(bytes: Uint8Array): number {
    this.ways.push(`once ${bytes.length}`);
    return bytes.length;
  }

  isTerminal(): boolean {
    return false;
  }
}

Deno.test("Stdout.write() looks after enough bytes, once, and then writes at once", async () => {
  const stream = new FakeStream();
  let looks = 0;
  const stdout = new Stdout(stream, () => {
    looks += 1;
    return Promise.resolve(true);
  });
  const most = new Uint8Array(STDOUT_LOOK_AFTER_BYTES - 1);
  assertEquals(await stdout.write(most), most.length);
  assertEquals(await stdout.write(new Uint8Array(1)), 1);
  assertEquals(looks, 0);
  for (const length of [2, 3]) assertEquals(await stdout.write(new Uint8Array(length)), length);
  assertEquals(looks, 1);
  assertEquals(stream.ways, [`turn ${most.length}`, "turn 1", "once 2", "once 3"]);
});

Deno.test("Stdout.write() goes on in turn where the stream may make it wait", async () => {
  const stream = new FakeStream();
  const stdout = new Stdout(stream, () => Promise.resolve(false));
  const most = new Uint8Array(STDOUT_LOOK_AFTER_BYTES);
  for (const bytes of [most, most.subarray(0, 2), most.subarray(0, 3)]) await stdout.write(bytes);
  assertEquals(stream.ways, [`turn ${most.length}`, "turn 2", "turn 3"]);
});

Deno.test("stdoutNeverWaits() tells files and devices from pipes", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const module = new URL("../../../lib/term/stdout.ts", import.meta.url).href;
  const code = `import { stdoutNeverWaits } from "${module}";
    await Deno.stderr.write(new TextEncoder().encode(String(await stdoutNeverWaits())));`;
  const target = await Deno.makeTempFile();
  try {
    const seen: string[] = [];
    for (const redirect of ["> /dev/null", `> '${target}'`, "| cat"]) {
      const { stderr } = await new Deno.Command("sh", {
        args: ["-c", `"$0" eval --quiet "$1" ${redirect}`, Deno.execPath(), code],
        stdin: "null",
      }).output();
      seen.push(new TextDecoder().decode(stderr));
    }
    assertEquals(seen, ["true", "true", "false"]);
  } finally {
    await Deno.remove(target);
  }
});
