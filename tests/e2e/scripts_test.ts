import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { onSteadyPort } from "../testing/steady_port.ts";
import { PASSWORD, type Person, tokenOf, World } from "./testing.ts";

/** The error document that a command printed last on stderr. */
async function errorOf(
  person: Person,
  args: string[],
  options: { env?: Record<string, string>; stdin?: string } = {},
): Promise<{ code: string; exit: number; message: string; hint: string }> {
  const { code: exit, stdout, stderr } = await person.run(["--json", ...args], options);
  assertEquals(stdout, "", `trivet ${args.join(" ")} printed results`);
  const { error } = JSON.parse(stderr.trim().split("\n").at(-1) ?? "");
  return { ...error, exit };
}

Deno.test("each kind of failure has its own code, for scripts to tell apart", async () => {
  await using world = await World.create();
  const server = await world.serve(["--default-quota", "1M"]);
  const ada = await world.person("ada", server);
  const stranger = await world.person("stranger", server);
  await ada.register("ada");
  await Deno.writeTextFile(ada.path("f"), "content");
  await Deno.writeFile(ada.path("large"), new Uint8Array(1024 * 1024 + 1));
  await ada.ok(["put", "f"]);
  await ada.ok(["mkdir", "d"]);
  const cases: [Person, string[], string, number][] = [
    [ada, ["lss"], "USAGE", 2],
    [ada, ["ls", "--lnog"], "USAGE", 2],
    [ada, ["put"], "USAGE", 2],
    [ada, ["get", "missing"], "NOT_FOUND", 3],
    [ada, ["put", "missing"], "LOCAL_NOT_FOUND", 3],
    [ada, ["trash", "restore", "f.txt"], "TRASH_NOT_FOUND", 3],
    [ada, ["trash", "restore", "0missing"], "TRASH_NOT_FOUND", 3],
    [ada, ["trash", "empty", "--yes", "/f"], "TRASH_NOT_FOUND", 3],
    [ada, ["stat", "d/missing"], "NOT_FOUND", 3],
    [stranger, ["ls"], "AUTH_REQUIRED", 4],
    [ada, ["put", "large"], "QUOTA_EXCEEDED", 7],
    [ada, ["mkdir", "d"], "EXISTS", 8],
    [ada, ["put", "f", "--overwrite", "fail"], "EXISTS", 8],
    [ada, ["mkdir", "f/x"], "NOT_FOLDER", 8],
    [ada, ["stat", "../x"], "PATH_DOT", 2],
    [ada, ["stat", "a\\b"], "PATH_SEPARATOR", 2],
    [ada, ["stat", "a\nb"], "PATH_CONTROL", 2],
    [ada, ["stat", "x".repeat(256)], "NAME_TOO_LONG", 2],
    [ada, ["stat", "d/".repeat(64) + "d"], "PATH_TOO_DEEP", 2],
  ];
  for (const [person, args, code, exit] of cases) {
    const error = await errorOf(person, args);
    assertEquals([error.code, error.exit], [code, exit], `${args.join(" ")}: ${error.message}`);
    assert(error.hint.length > 0);
  }
  // The hint names the option that this command has.
  assertStringIncludes((await errorOf(ada, ["cp", "f", "f"])).hint, "--replace");
  assertStringIncludes((await errorOf(ada, ["rm", "d"])).hint, "-r");
  const wrong = await errorOf(ada, ["login", "ada", "--password-stdin"], {
    stdin: "not the one\n",
  });
  assertEquals([wrong.code, wrong.exit], ["AUTH_FAILED", 4]);
  const taken = await errorOf(ada, ["register", "ada", "--password-stdin"], {
    stdin: `${PASSWORD}\n`,
  });
  assertEquals([taken.code, taken.exit], ["USER_EXISTS", 8]);
  const other = "SHA256:" + "A".repeat(43);
  const pin = await errorOf(ada, ["ls"], { env: { TRIVET_FINGERPRINT: other } });
  assertEquals([pin.code, pin.exit], ["PIN_MISMATCH", 6]);
  const token = await tokenOf(ada);
  const env = { TRIVET_SERVER: "127.0.0.1:1", TRIVET_TOKEN: token };
  const gone = await errorOf(ada, ["ls"], { env });
  assertEquals([gone.code, gone.exit], ["UNREACHABLE", 5]);
});

Deno.test("everything can be said by environment variables, and nothing asks", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await Deno.writeTextFile(ada.path("secret"), `${PASSWORD}\n`, { mode: 0o600 });
  const env = { TRIVET_PASSWORD_FILE: ada.path("secret") };
  await ada.ok(["register", "ada"], { env });
  await ada.ok(["login", "ada"], { env });
  const credentials = ada.path("config", "trivet", "credentials.json");
  assertEquals(((await Deno.stat(credentials)).mode ?? 0) & 0o777, 0o600);
  const token = await tokenOf(ada);
  const robot = await world.person("robot", server);
  const { stdout } = await robot.run(["put", "-", "note"], {
    stdin: "from a pipe",
    env: { TRIVET_TOKEN: token },
  });
  assertEquals(stdout, "");
  assertEquals(await ada.ok(["get", "note", "-"]), "from a pipe");
  assertEquals((await ada.json(["ls"])).listings[0].entries[0].name, "note");

  const asked = await robot.run(["login", "ada"]);
  assertEquals(asked.code, 2);
  assertStringIncludes(asked.stderr, "--password-stdin");
});

Deno.test("without a fingerprint and without a terminal a new server is not trusted", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada");
  const env = { TRIVET_SERVER: server.address };
  const options = { env, stdin: `${PASSWORD}\n` };
  const error = await errorOf(ada, ["register", "ada", "--password-stdin"], options);
  assertEquals([error.code, error.exit], ["PIN_UNKNOWN", 6]);
  assertStringIncludes(error.message, server.fingerprint ?? "");
});

Deno.test("a server that shows another certificate than before is refused, with what to do", async () => {
  await using world = await World.create();
  const first = await world.serve(onSteadyPort());
  const ada = await world.person("ada", first);
  await ada.register("ada");
  const { port } = first;
  await first.stop();
  await Deno.remove(`${world.data}/keys`, { recursive: true });
  const second = await world.serve(["--port", String(port)]);
  const { code, stderr } = await ada.run(["ls"], { env: { TRIVET_FINGERPRINT: "" } });
  assertEquals(code, 6);
  assertStringIncludes(stderr, second.fingerprint ?? "none");
  assertStringIncludes(stderr, first.fingerprint ?? "none");
  assertStringIncludes(stderr, "known_servers");
});
