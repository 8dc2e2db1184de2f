import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { permissionFlags, type PermissionSet } from "../../tools/compile/permission_flags.ts";

const COMPILE = fileURLToPath(new URL("../../tools/compile.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

const SETS: [name: string, set: PermissionSet, flags: string[]][] = [
  ["nothing", {}, []],
  ["everything", { read: true, net: true }, ["--allow-read", "--allow-net"]],
  ["a list", { env: ["A", "B_*"] }, ["--allow-env=A,B_*"]],
  ["a refusal", { run: false, ffi: false }, []],
  ["an empty list", { sys: [] }, []],
];

for (const [name, set, flags] of SETS) {
  Deno.test(`permissionFlags() spells out ${name}`, { permissions: "none" }, () => {
    const config = { permissions: { set }, unstable: ["net"] };
    assertEquals(permissionFlags(config, "set"), ["--no-prompt", "--unstable-net", ...flags]);
  });
}

Deno.test("permissionFlags() refuses a set that is not there", { permissions: "none" }, () => {
  assertThrows(() => permissionFlags({ permissions: {} }, "set"), Error, '"set"');
});

Deno.test("The programs may not load native code, and only trivetd may run others", async () => {
  const config = JSON.parse(await Deno.readTextFile(CONFIG));
  for (const name of ["trivet", "trivetd"]) {
    const kinds = permissionFlags(config, name).map((flag) => flag.split("=")[0]);
    for (const kind of ["ffi", "import", "all"]) {
      assertEquals(kinds.includes(`--allow-${kind}`), false, `${name} --allow-${kind}`);
    }
    // For remote commands; `trivetd serve` gives it up before it listens where these are not served.
    assertEquals(kinds.includes("--allow-run"), name === "trivetd");
  }
});

async function compile(args: readonly string[], env: Record<string, string> = {}) {
  const folder = await Deno.makeTempDir();
  try {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", `--config=${CONFIG}`, "-P=compile", "--no-prompt", COMPILE, ...args],
      cwd: folder,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    const { code, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("compile refuses Deno itself as the base runtime", async () => {
  const { code, err } = await compile([], { DENORT_BIN: Deno.execPath() });
  assertEquals(code, 1);
  assertStringIncludes(err, "it is Deno itself");
});

Deno.test("compile refuses a base runtime that is not there", async () => {
  const { code, err } = await compile([], { DENORT_BIN: "/nowhere/denort" });
  assertEquals(code, 1);
  assertStringIncludes(err, "there is no such file");
});

Deno.test("compile builds no portable files for another platform", async () => {
  const other = Deno.build.os === "darwin" ? "x86_64-unknown-linux-gnu" : "aarch64-apple-darwin";
  const { code, err } = await compile(["--kind", "portable", "--target", other]);
  assertEquals(code, 1);
  assertStringIncludes(err, `Cannot build portable files for ${other}`);
});

const WRONG: [args: string[], message: string][] = [
  [["--kind", "small"], 'Cannot build the kind "small"'],
  [["--bogus"], 'Cannot understand "--bogus"'],
  [["extra"], 'Cannot understand "extra"'],
  [["--output="], "Cannot use an empty"],
];

for (const [args, message] of WRONG) {
  Deno.test(`compile ends with 2 for ${args.join(" ")}`, async () => {
    const { code, out, err } = await compile(args);
    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, message);
  });
}

Deno.test("compile --help prints how to use it", async () => {
  const { code, out } = await compile(["--help"]);
  assertEquals(code, 0);
  assertStringIncludes(out, "--target TRIPLE");
});
