import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Person, type Result, ServerProcess, World } from "./testing.ts";

/** Runs `trivetd` to its end: to a person at a terminal, one program is like the other. */
async function trivetd(
  world: World,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Result> {
  const programs = { ...world.programs, trivet: world.programs.trivetd };
  return await new Person(programs, world.folder, env).run(args);
}

interface Shown {
  readonly name: string;
  readonly value: unknown;
  readonly source: string;
  readonly place: string | null;
}

function find(result: Result, name: string): Omit<Shown, "name"> | undefined {
  assertEquals(result.code, 0, result.stderr);
  const { options } = JSON.parse(result.stdout) as { options: Shown[] };
  const shown = options.find((option) => option.name === name);
  return shown && { value: shown.value, source: shown.source, place: shown.place };
}

Deno.test("a config file sets up the server; flags and variables go before it", async () => {
  await using world = await World.create();
  const config = `${world.folder}/trivetd.toml`;
  await Deno.writeTextFile(
    config,
    `# A small server\nport = 1\ndefault-quota = "1M"\nlisten = ["127.0.0.1"]\nnames = "portable"\n`,
  );
  const show = ["--json", "config", "show", "--config", config];
  const shown = await trivetd(world, [...show, "--names", "native"], { TRIVETD_PORT: "2" });
  assertEquals(find(shown, "names"), { value: "native", source: "flag", place: "--names" });
  assertEquals(find(shown, "port"), { value: 2, source: "environment", place: "TRIVETD_PORT" });
  assertEquals(find(shown, "default-quota"), {
    value: "1M",
    source: "config",
    place: `${config}:3`,
  });
  assertEquals(find(shown, "direct"), { value: "on", source: "default", place: null });
  assertEquals(find(shown, "plain"), { value: false, source: "default", place: null });
  assertEquals(find(shown, "cert"), { value: null, source: "unset", place: null });

  // The helper's `--port 0` goes before the file's, whose port 1 nobody may open.
  const server = await world.serve(["--config", config]);
  const ada = await world.person("ada", server);
  await ada.register("ada");
  assertEquals((await ada.json(["df"])).quota_bytes, 1024 ** 2);
  assertEquals((await ada.run(["mkdir", "CON"])).code, 2);
});

Deno.test("what config show prints is a config file that says the same", async () => {
  await using world = await World.create();
  const options = ["--listen", "127.0.0.1", "--listen", "::1", "--default-quota", "1500K"];
  const first = await trivetd(world, ["config", "show", ...options, "--tz", "Asia/Tokyo"]);
  assertEquals(first.code, 0, first.stderr);
  assertStringIncludes(first.stdout, '"Asia/Tokyo"');
  const config = `${world.folder}/all.toml`;
  await Deno.writeTextFile(config, first.stdout);
  const env = { TRIVETD_CONFIG: config };
  const second = await trivetd(world, ["--json", "config", "show"], env);
  const third = await trivetd(world, ["--json", "config", "show", ...options, "--tz=Asia/Tokyo"]);
  const valuesOf = ({ stdout }: Result) =>
    (JSON.parse(stdout) as { options: Shown[] }).options.map(({ name, value }) => [name, value]);
  assertEquals(valuesOf(second), valuesOf(third));
  assertEquals(find(second, "listen")?.value, ["127.0.0.1", "::1"]);
  assertEquals(find(second, "tz")?.source, "config");
});

Deno.test("a wrong config file ends with a line to look at, but not --help", async () => {
  await using world = await World.create();
  const config = `${world.folder}/wrong.toml`;
  const cases: [string, string, number][] = [
    ["\nprot = 9000\n", `Unknown key "prot" (${config}:2), did you mean "port"?`, 2],
    ["port = 9000\ndirect = true\n", `Key "direct" (${config}:2) needs one of its choices`, 2],
    ["port 9000", `Cannot read config file (${config}:1:`, 2],
    [`listen = ["127.0.0.1:9000"]`, `an address alone, not "127.0.0.1:9000"`, 2],
    [`listen = ["[::1]:9000"]`, `an address alone, not "[::1]:9000"`, 2],
    [`cert = "a.pem"`, "--cert and --key go together", 2],
  ];
  for (const [text, message, code] of cases) {
    await Deno.writeTextFile(config, text);
    const result = await trivetd(world, ["--config", config, "config", "show"]);
    assertEquals(result.code, code, result.stderr);
    assertStringIncludes(result.stderr, message);
  }
  const missing = await trivetd(world, ["--config", "none.toml", "config", "show"]);
  assertEquals(missing.code, 3, missing.stderr);
  const help = await trivetd(world, ["--config", config, "serve", "--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  const failed = await ServerProcess.start(world.programs, world.folder, ["--config", config])
    .catch((error: Error) => error.message);
  assert(typeof failed === "string" && failed.includes("--cert and --key"), "it does not start");
});
