/** `denow`, in a copy of its own beside stand-ins for Deno and npm. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";

const DENOW = fileURLToPath(new URL("../../denow", import.meta.url));
const NO_SHELL = Deno.build.os === "windows";

/** Stands in for Deno: names its version, fails to reach JSR, else says how it was called. */
const DENO = `#!/bin/sh
case $1 in
  --version) echo "deno 2.9.6 (stand-in)" ;;
  eval) exit "\${REACH-1}" ;;
  *) printf '%s|' "$PWD" "\${JSR_URL-none}" "$@" ;;
esac
`;

/** Stands in for npm: lays the Deno above where npm would. */
const NPM = `#!/bin/sh
echo "npm $*" >>"$NPM_LOG"
folder=$3/node_modules/@deno/some-platform
mkdir -p "$folder"
cp "$STAND_IN" "$folder/deno"
chmod 755 "$folder/deno"
`;

const TOOLS = ["sh", "mkdir", "mktemp", "rm", "mv", "cp", "chmod", "find", "readlink", "ls", "sed"];

/** A copy of denow in a folder with a space in its name, and a PATH with what it may call. */
class House implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(hasNpm = true): Promise<House> {
    const temp = await Deno.realPath(await Deno.makeTempDir({ prefix: "trivet denow " }));
    const bin = `${temp}/bin`;
    await Deno.mkdir(bin);
    await Deno.mkdir(`${temp}/house`);
    await Deno.copyFile(DENOW, `${temp}/house/denow`);
    await Deno.writeTextFile(`${temp}/stand-in`, DENO, { mode: 0o755 });
    if (hasNpm) await Deno.writeTextFile(`${bin}/npm`, NPM, { mode: 0o755 });
    for (const tool of TOOLS) await Deno.symlink(await whereIs(tool), `${bin}/${tool}`);
    return new House(temp);
  }

  async run(
    args: readonly string[],
    env: Record<string, string> = {},
    path = `${this.folder}/house/denow`,
  ): Promise<{ code: number; out: string[]; err: string }> {
    const { code, stdout, stderr } = await new Deno.Command(path, {
      args: [...args],
      cwd: this.folder,
      clearEnv: true,
      env: {
        PATH: `${this.folder}/bin`,
        NPM_LOG: `${this.folder}/npm.log`,
        STAND_IN: `${this.folder}/stand-in`,
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    const out = decoder.decode(stdout).split("|").slice(0, -1);
    return { code, out, err: decoder.decode(stderr) };
  }

  async fetches(): Promise<number> {
    const log = await Deno.readTextFile(`${this.folder}/npm.log`).catch(() => "");
    return log.split("\n").length - 1;
  }

  get offlineUrl(): string {
    return `file://${this.folder.replaceAll(" ", "%20")}/house/tools/jsr-offline/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function whereIs(tool: string): Promise<string> {
  for (const folder of ["/usr/bin", "/bin"]) {
    const info = await Deno.stat(`${folder}/${tool}`).catch(() => undefined);
    if (info?.isFile) return `${folder}/${tool}`;
  }
  throw new Error(`Cannot find ${tool}`);
}

function denowTest(behaviour: string, fn: () => Promise<void>): void {
  Deno.test({ name: `denow ${behaviour}`, ignore: NO_SHELL, fn });
}

denowTest("fetches Deno once, says so once, and keeps arguments and folder", async () => {
  await using house = await House.make();
  const first = await house.run(["task", "a b", "", "--version"], { TRIVET_JSR: "online" });
  assertEquals(first.out, [house.folder, "none", "task", "a b", "", "--version"]);
  assertEquals(first.err, "denow: Fetching Deno 2.9.6 with npm, once\n");
  const second = await house.run(["task"], { TRIVET_JSR: "online" });
  assertEquals([second.code, second.err], [0, ""]);
  assertEquals(await house.fetches(), 1);
});

denowTest("works through symbolic links", async () => {
  await using house = await House.make();
  await Deno.symlink("house/denow", `${house.folder}/one`);
  await Deno.symlink(`${house.folder}/one`, `${house.folder}/two`);
  const { out } = await house.run(["x"], { TRIVET_JSR: "offline" }, `${house.folder}/two`);
  assertEquals(out, [house.folder, house.offlineUrl, "x"]);
});

denowTest("can be started for the first time by several at once", async () => {
  await using house = await House.make();
  const runs = Array.from({ length: 6 }, (_, at) => house.run([`${at}`], { TRIVET_JSR: "online" }));
  const said = (await Promise.all(runs)).map(({ code, out }) => `${code} ${out.at(-1)}`);
  assertEquals(said, ["0 0", "0 1", "0 2", "0 3", "0 4", "0 5"]);
  const names = await Array.fromAsync(Deno.readDir(`${house.folder}/house/.deno`));
  assertEquals(names.map(({ name }) => name), ["2.9.6"]);
});

denowTest("asks once whether JSR can be reached", async () => {
  await using house = await House.make();
  const first = await house.run(["x"]);
  assertEquals(first.out[1], house.offlineUrl);
  assertStringIncludes(first.err, "Cannot reach jsr.io");
  const second = await house.run(["x"], { REACH: "0" });
  assertEquals([second.out[1], second.err], [house.offlineUrl, ""]);
  await Deno.remove(`${house.folder}/house/.deno/jsr`);
  assertEquals((await house.run(["x"], { REACH: "0" })).out[1], "none");
});

denowTest("leaves a JSR_URL of the caller alone", async () => {
  await using house = await House.make();
  assertEquals((await house.run(["x"], { JSR_URL: "http://a/" })).out[1], "http://a/");
});

denowTest("refuses a TRIVET_JSR that it does not know", async () => {
  await using house = await House.make();
  const { code, err } = await house.run(["x"], { TRIVET_JSR: "maybe" });
  assertEquals(code, 1);
  assertStringIncludes(err, 'TRIVET_JSR="maybe"');
});

denowTest("says what is missing where it can fetch with nothing", async () => {
  await using house = await House.make(false);
  const { code, err } = await house.run(["x"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "neither npm nor curl nor wget is in PATH");
});

denowTest("refuses a Deno that does not run here", async () => {
  await using house = await House.make();
  await Deno.writeTextFile(`${house.folder}/stand-in`, "#!/bin/sh\nexit 1\n");
  const { code, err } = await house.run(["x"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "it does not run here as Deno 2.9.6");
});
