/** Portable executables, with a tiny program and a script in Deno's place that calls the real one. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { fileURLToPath } from "node:url";
import { buildPortable, pack } from "../../tools/compile/portable.ts";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const NO_SHELL = Deno.build.os === "windows";

const MAIN = `const [verb, ...rest] = Deno.args;
if (verb === "lazy") console.log((await import("./lazy.ts")).ANSWER);
else if (verb === "exit") Deno.exit(Number(rest[0]));
else if (verb === "forbidden") console.log((await Deno.permissions.query({ name: "read" })).state);
else if (verb === "mask") { const path = rest[0] ?? ""; Deno.writeTextFileSync(path, ""); }
else if (verb === "wait") {
  Deno.addSignalListener("SIGTERM", () => Deno.exit(42));
  console.log("ready");
  setInterval(() => {}, 60_000);
} else console.log(JSON.stringify(Deno.args));
`;
const LAZY = `console.log("evaluated");\nexport const ANSWER = 42;\n`;

/** Each program is built once, by its flags: bundling takes seconds. */
const BUILT = new Map<string, Promise<Uint8Array>>();

async function bytesOf(flags: readonly string[]): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-portable-" });
  try {
    await Deno.writeTextFile(`${folder}/main.ts`, MAIN);
    await Deno.writeTextFile(`${folder}/lazy.ts`, LAZY);
    const deno = `#!/bin/sh\nexec '${Deno.execPath()}' "$@"\n`;
    await buildPortable({
      name: "tiny",
      entry: `${folder}/main.ts`,
      output: `${folder}/tiny`,
      flags: ["--no-prompt", ...flags],
      deno: await pack(new TextEncoder().encode(deno)),
      config: CONFIG,
    });
    return await Deno.readFile(`${folder}/tiny`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A built program, the cache it unpacks into, and a folder to run it in. */
class Tiny implements AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  readonly cache: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.path = `${folder}/tiny`;
    this.cache = `${folder}/cache`;
  }

  static async build(flags: readonly string[] = []): Promise<Tiny> {
    const key = flags.join();
    const bytes = BUILT.get(key) ?? bytesOf(flags);
    BUILT.set(key, bytes);
    const tiny = new Tiny(await Deno.makeTempDir({ prefix: "trivet-portable-" }));
    await Deno.writeFile(tiny.path, await bytes, { mode: 0o755 });
    return tiny;
  }

  command(args: readonly string[], env: Record<string, string> = {}): Deno.Command {
    return new Deno.Command(this.path, {
      args: [...args],
      cwd: this.folder,
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", XDG_CACHE_HOME: this.cache, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async run(
    args: readonly string[],
    env?: Record<string, string>,
  ): Promise<{ code: number; out: string; err: string }> {
    const { code, stdout, stderr } = await this.command(args, env).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

function portableTest(behaviour: string, fn: () => Promise<void>): void {
  Deno.test({ name: `buildPortable() makes a file that ${behaviour}`, ignore: NO_SHELL, fn });
}

portableTest("hands every argument over as it is", async () => {
  await using tiny = await Tiny.build();
  const args = ["--help", "--version", "a b", "c\nd", "", "'\"$HOME`*", "--allow-all", "-"];
  const { code, out, err } = await tiny.run(args);
  assertEquals({ code, args: JSON.parse(out), err }, { code: 0, args, err: "" });
});

portableTest("ends with the program's exit code", async () => {
  await using tiny = await Tiny.build();
  assertEquals((await tiny.run(["exit", "7"])).code, 7);
});

portableTest("evaluates a dynamic import only when it is reached", async () => {
  await using tiny = await Tiny.build();
  assertEquals((await tiny.run(["lazy"])).out, "evaluated\n42\n");
  assertEquals((await tiny.run(["x"])).out, '["x"]\n');
});

portableTest("has the permissions it was built with and no others", async () => {
  await using strict = await Tiny.build();
  assertEquals((await strict.run(["forbidden"])).out, "prompt\n");
  await using open = await Tiny.build(["--allow-read"]);
  assertEquals((await open.run(["forbidden"])).out, "granted\n");
});

portableTest("leaves the file mask as it was and keeps its own folder private", async () => {
  await using tiny = await Tiny.build(["--allow-write"]);
  await tiny.run(["mask", `${tiny.folder}/made`]);
  const mode = async (path: string): Promise<number> => ((await Deno.stat(path)).mode ?? 0) & 0o777;
  assertEquals(await mode(`${tiny.folder}/made`), 0o666 & ~Deno.umask());
  assertEquals(await mode(`${tiny.cache}/trivet`), 0o700);
});

portableTest("becomes the program, so that signals reach it", async () => {
  await using tiny = await Tiny.build();
  const child = tiny.command(["wait"]).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    assertEquals(line, "ready");
    child.kill("SIGTERM");
  }
  const { code } = await child.status;
  await child.stderr.cancel();
  assertEquals(code, 42);
});

portableTest("can be started for the first time by several at once", async () => {
  await using tiny = await Tiny.build();
  const runs = await Promise.all(Array.from({ length: 8 }, (_, at) => tiny.run([String(at)])));
  assertEquals(runs.map(({ code, out }) => `${code} ${out}`), runs.map((_, at) => `0 ["${at}"]\n`));
  const names = await namesIn(`${tiny.cache}/trivet`);
  assertEquals(names.filter((name) => !name.startsWith("deno-dir")).length, 2, names.join());
});

portableTest("refuses to unpack what is damaged", async () => {
  await using tiny = await Tiny.build();
  const bytes = await Deno.readFile(tiny.path);
  const last = bytes.length - 12;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  await Deno.writeFile(tiny.path, bytes);
  const { code, out, err } = await tiny.run([]);
  assertEquals([code, out], [6, ""]);
  assertStringIncludes(err, "it is damaged");
  assertEquals((await namesIn(`${tiny.cache}/trivet`)).filter((n) => n.startsWith("deno-")), []);
});

portableTest("works without a home, in a private folder for temporary files", async () => {
  await using tiny = await Tiny.build();
  const env = { XDG_CACHE_HOME: "", TMPDIR: tiny.folder };
  assertEquals((await tiny.run(["a"], env)).out, '["a"]\n');
  const own = (await namesIn(tiny.folder)).find((name) => name.startsWith("trivet-")) ?? "";
  assertMatch(own, /^trivet-\d+$/);
  await Deno.chmod(`${tiny.folder}/${own}`, 0o777);
  const { code, err } = await tiny.run(["a"], env);
  assertEquals(code, 1);
  assertStringIncludes(err, "somebody else can write to it");
});

async function namesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}
