/** The set-up that docs/exec.md shows works as it is written, in folders of the test's own. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path/posix";
import { FROM_SOURCE, type Person, World } from "../e2e/testing.ts";
import { readPage, sectionOf } from "./page.ts";

/** The blocks of one language in a section. */
function blocksOf(section: string, language: string): string[] {
  const blocks = section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, name, block = ""]) => name === language ? [block] : []);
}

/** The page's folders and programs, moved into a folder of the test. */
class SetUp {
  readonly world: World;
  readonly #bin: string;

  constructor(world: World) {
    this.world = world;
    this.#bin = join(world.folder, "bin");
  }

  /** Puts the programs where a shell finds them. */
  async install(): Promise<void> {
    await Deno.mkdir(this.#bin);
    for (const [name, words] of Object.entries(FROM_SOURCE)) {
      const command = words.map((word: string) => `"${word}"`).join(" ");
      const script = `#!/bin/sh\nexec ${command} "$@"\n`;
      await Deno.writeTextFile(join(this.#bin, name), script, { mode: 0o755 });
    }
  }

  /** A text of the page with the test's own folders. */
  moved(text: string): string {
    return text.replaceAll(/\/srv\/app|\/etc\/trivet/g, (folder) => this.world.folder + folder);
  }

  /** Runs a block of the page as somebody, in their home: its exit code, and both outputs in one. */
  async sh(script: string, who: Person): Promise<{ code: number; text: string }> {
    const { env } = who.command([]);
    const { code, stdout } = await new Deno.Command("/bin/sh", {
      args: ["-c", `exec 2>&1\nset -e\n${this.moved(script)}`],
      env: { ...env, PATH: `${this.#bin}:/usr/bin:/bin` },
      clearEnv: true,
      cwd: who.home,
      stdin: "null",
    }).output();
    return { code, text: new TextDecoder().decode(stdout) };
  }
}

/** The commands of a session at a prompt, each with what it printed. */
function stepsOf(session: string): [command: string, printed: string][] {
  return session.split(/^\$ /m).slice(1).map((step) => {
    const end = step.indexOf("\n") + 1;
    return [step.slice(0, end), step.slice(end)];
  });
}

Deno.test({
  name: "docs/exec.md: the set-up works as it is written",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const page = await readPage("docs/exec.md");
    const section = sectionOf(page, "## A set-up");
    const [install = "", check = "", serve = ""] = blocksOf(section, "sh");
    const [list = ""] = blocksOf(section, "toml");
    const [session = ""] = blocksOf(section, "console");
    const keys = sectionOf(page, "### Keys");
    await using world = await World.create();
    const setUp = new SetUp(world);
    await setUp.install();
    const admin = world.administrator();
    const run = async (script: string) => {
      const { code, text } = await setUp.sh(script, admin);
      assertEquals(code, 0, text);
      return text;
    };
    await run(install);
    const file = setUp.moved("/etc/trivet/commands.toml");
    const written = setUp.moved(list + blocksOf(keys, "toml").join(""));
    await Deno.writeTextFile(file, await withSystemctl(written, world.folder));
    const explained = await run(check);
    for (const name of ["deploy", "log", "status", "nightly"]) {
      assertStringIncludes(explained, `\n${name}: `.slice(name === "deploy" ? 1 : 0));
    }

    const [program, verb, ...options] = setUp.moved(serve).trim().split(" ");
    assertEquals([program, verb], ["trivetd", "serve"]);
    const server = await world.serve(options);
    const ann = await world.person("ann", server);
    await ann.register("ann");
    const steps = stepsOf(session);
    assertEquals(steps.length, 3);
    for (const [command, printed] of steps) {
      assertEquals((await setUp.sh(command, ann)).text, printed, command);
    }
    const current = setUp.moved("/srv/app/current");
    assertEquals(await Deno.readTextFile(current), "v1.2.3\n");

    const lines = Array.from({ length: 150 }, (_, index) => `line ${index}\n`);
    await Deno.writeTextFile(setUp.moved("/srv/app/app.log"), lines.join(""));
    assertEquals((await setUp.sh("trivet exec log", ann)).text, lines.slice(50).join(""));
    const status = await setUp.sh("trivet exec status nginx.service", ann);
    assert(status.code < 255, status.text);
    assertEquals((await setUp.sh("trivet exec status sshd.service", ann)).code, 255);

    const [byKey = ""] = blocksOf(keys, "sh");
    const [makeKey = "", useKey = ""] = byKey.trim().split("\n");
    await run(makeKey);
    const machine = await world.person("machine", server);
    await Deno.rename(join(admin.home, "backup.key"), machine.path("backup.key"));
    const used = await setUp.sh(useKey.replace("disk.lan", server.address), machine);
    assertEquals(used, { code: 0, text: "" });
    assert((await Deno.stat(setUp.moved("/srv/app/nightly"))).isFile);
  },
});

/** The list as it is; where there is no systemd at all, with something in its place. */
async function withSystemctl(list: string, folder: string): Promise<string> {
  const systemctl = "/usr/bin/systemctl";
  if (await Deno.stat(systemctl).then(() => true, () => false)) return list;
  const other = join(folder, "systemctl");
  await Deno.writeTextFile(other, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
  return list.replace(systemctl, other);
}
