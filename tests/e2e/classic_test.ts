/** The tutorials' protocol with a client in another language, and the modern client beside it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { sized } from "../testing/long.ts";
import { PASSWORD, sha256Of, World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;
const SIZE = sized(48, 300) * MIB;
const SCRIPT = new URL("classic_client.py", import.meta.url);

const hasPython = await new Deno.Command("python3", {
  args: ["-c", "import json, socket, struct"],
  stdin: "null",
  stdout: "null",
  stderr: "null",
}).output().then(({ success }) => success, () => false);

/** Who reads the log should know what was not tried. */
const SKIPPED = hasPython ? "" : " (skipped: python3 is not installed)";

Deno.test({
  name:
    "a client of the tutorials registers, lists, uploads a large file and downloads it, whole and " +
    `from the middle on${SKIPPED}`,
  ignore: !hasPython,
  fn: async () => {
    await using world = await World.create();
    const server = await world.serve(["--classic", "0"]);
    const folder = `${world.folder}/python`;
    await Deno.mkdir(folder);
    writeNoise(`${folder}/big.bin`, SIZE);
    const [host = "", port = ""] = (server.classic[0] ?? "").split(":");
    const { code, stdout, stderr } = await new Deno.Command("python3", {
      args: [fileURLToPath(SCRIPT), host, port, folder],
      stdin: "null",
    }).output();
    const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals([code, errors], [0, ""]);
    assertEquals(JSON.parse(out ?? ""), {
      before_login: false,
      twice: false,
      wrong: false,
      empty: [],
      listed: ["big.bin"],
      outside: false,
      missing: 'Cannot open "/nothing": it does not exist',
    });
    const sent = await Deno.readFile(`${folder}/big.bin`);
    const wanted = await sha256Of(`${folder}/big.bin`);
    assertEquals(await sha256Of(`${folder}/whole.bin`), wanted);
    const rest = await Deno.readFile(`${folder}/rest.bin`);
    const begin = SIZE / 2 + 1;
    assertEquals(rest.length, SIZE - begin);
    assertEquals(await digestOf(rest), await digestOf(sent.subarray(begin)));

    // The same account, home and quota over the netdisk's own protocol.
    const ada = await world.person("ada", server);
    await ada.ok(["login", "ada", "--password-stdin"], { stdin: `${PASSWORD}\n` });
    assertEquals((await ada.json(["whoami"])).used_bytes, SIZE);
    await ada.ok(["get", "big.bin"]);
    assertEquals(await sha256Of(ada.path("big.bin")), wanted);
  },
});

Deno.test("the classic protocol is off unless asked for, and each start warns of it", async () => {
  await using world = await World.create();
  const without = await world.serve();
  assertEquals(without.classic, []);
  assert(!(await without.stop()).stderr.includes("in the clear"));
  const server = await world.serve(["--classic", "0"]);
  assertMatch(server.classic.join(), /^127\.0\.0\.1:\d+$/);
  const { stderr, code } = await server.stop();
  assertEquals(code, 0);
  assertStringIncludes(
    stderr,
    `Passwords and files travel in the clear to and from ${server.classic[0]}`,
  );
});

for (
  const [options, message] of [
    [["--classic-listen", "0.0.0.0"], "--classic-listen needs --classic"],
    [["time", "--classic", "0"], "--classic needs the netdisk"],
  ] as const
) {
  Deno.test(`trivetd serve ${options.join(" ")} is refused`, async () => {
    await using world = await World.create();
    const [program = "", ...words] = world.programs.trivetd;
    const { code, stderr } = await new Deno.Command(program, {
      args: [...words, "serve", "--data", world.data, ...options],
      stdin: "null",
    }).output();
    assertEquals(code, 2);
    assertStringIncludes(new TextDecoder().decode(stderr), message);
  });
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
