/** What README.md says to paste works when it is pasted. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TestServer } from "../server/testing.ts";
import { readPage, sectionOf } from "./page.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PASSWORD = "correct horse battery";

/** The shell blocks of a section. */
function shellBlocks(section: string): string[] {
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
}

/** A folder of its own with `trivet` in the PATH, from source, and a home that knows the server. */
class Shell implements AsyncDisposable {
  readonly folder: string;
  readonly #env: Record<string, string>;

  private constructor(folder: string, env: Record<string, string>) {
    this.folder = folder;
    this.#env = env;
  }

  static async open(server: TestServer): Promise<Shell> {
    const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
    const run = `exec "${Deno.execPath()}" run --quiet --no-prompt -P=trivet`;
    const script = `#!/bin/sh\n${run} --config="${ROOT}deno.json" "${ROOT}client/main.ts" "$@"\n`;
    await Deno.mkdir(join(folder, "bin"));
    await Deno.writeTextFile(join(folder, "bin", "trivet"), script, { mode: 0o755 });
    const path = `${join(folder, "bin")}:${Deno.env.get("PATH")}`;
    return new Shell(folder, {
      ...Deno.env.toObject(),
      PATH: path,
      XDG_CONFIG_HOME: join(folder, "config"),
      PASSWORD,
      TRIVET_SERVER: `127.0.0.1:${server.port}`,
      TRIVET_FINGERPRINT: server.running.fingerprint ?? "",
    });
  }

  /** Runs a script and expects it to succeed, line by line; its stdout. */
  async run(script: string): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-e", "-c", script],
      cwd: this.folder,
      env: this.#env,
      clearEnv: true,
      stdin: "null",
    }).output();
    assertEquals(code, 0, `${script}\n${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }

  async register(): Promise<void> {
    for (const command of ["register", "login"]) {
      await this.run(`printf '%s\\n' "$PASSWORD" | trivet ${command} ada --password-stdin`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "README.md: a first session works as it stands",
  ignore,
  fn: async () => {
    const blocks = shellBlocks(sectionOf(await readPage("README.md"), "## A first session"));
    assertEquals(blocks.length, 4);
    const [serve, login, session = "", executables = ""] = blocks;
    assertEquals(serve, "./denow task serve\n");
    // These ask at a terminal.
    assertEquals(login, "./denow task trivet register ada\n./denow task trivet login ada\n");
    await using server = await TestServer.start({ plain: false });
    await using shell = await Shell.open(server);
    await shell.register();
    const output = await shell.run(session.replaceAll("./denow task trivet", "trivet"));
    assert(output.includes(" big.bin\n"), output);
    assert(output.endsWith("the same\n"), output);
    const steps = executables.split("\n").slice(1).join("\n").replaceAll("./dist/trivet", "trivet");
    assert((await shell.run(steps)).includes(" again.bin\n"));
  },
});

Deno.test({
  name: "README.md: the lines about folders work as they stand",
  ignore,
  fn: async () => {
    const [lines = ""] = shellBlocks(sectionOf(await readPage("README.md"), "## Folders"));
    await using server = await TestServer.start({ plain: false });
    await using shell = await Shell.open(server);
    await shell.register();
    await Deno.mkdir(join(shell.folder, "photos"));
    for (const name of ["photos/a.jpg", "photos/b.tmp", "notes.txt"]) {
      await Deno.writeTextFile(join(shell.folder, name), name);
    }
    const output = await shell.run(lines);
    assert(output.includes("/photos/a.jpg -> copies/photos/a.jpg\n"), output);
    assert(!output.includes("b.tmp"), output);
    for (
      const path of [["photos", "b.tmp"], ["backup", "photos", "a.jpg"], ["backup", "notes.txt"]]
    ) {
      assert((await Deno.stat(server.home("ada", ...path))).isFile);
    }
    assertEquals(await Deno.readTextFile(join(shell.folder, "a.jpg")), "photos/a.jpg");
  },
});

Deno.test({
  name: "README.md: the lines about the time work as they stand",
  ignore,
  fn: async () => {
    const [lines = ""] = shellBlocks(sectionOf(await readPage("README.md"), "## The time"));
    await using server = await TestServer.start({
      plain: false,
      services: ["netdisk", "chat", "time"],
      time: { timePort: 0, sntpPort: 0 },
    });
    await using shell = await Shell.open(server);
    const ports = server.running.time.map(({ service, port }) =>
      `export TRIVET_${service === "time" ? "TIME" : "SNTP"}_PORT=${port}\n`
    );
    const script = ports.join("") + lines.replaceAll("./denow task trivet", "trivet");
    const output = await shell.run(script);
    assert(/^星期. \d\d:\d\d:\d\d\n/.test(output), output);
    assert(output.includes("\nstratum      10, from LOCL\n"), output);
  },
});

Deno.test({
  name: "README.md and docs/shell.md: the lines for a shell work as they stand",
  ignore,
  fn: async () => {
    await using server = await TestServer.start({ plain: false });
    await using shell = await Shell.open(server);
    await shell.register();
    await Deno.writeTextFile(join(shell.folder, "notes.tar"), "not much of an archive");
    const [block = ""] = shellBlocks(sectionOf(await readPage("README.md"), "## A shell"));
    const [same] = shellBlocks(sectionOf(await readPage("docs/shell.md"), "## Scripts"));
    assertEquals(block, same);
    await shell.run(block);
    assertEquals(
      await Deno.readTextFile(server.home("ada", "backup", "notes.tar")),
      "not much of an archive",
    );
  },
});

Deno.test({
  name: "README.md: the lines for scripts work as they stand",
  ignore,
  fn: async () => {
    const [block = ""] = shellBlocks(sectionOf(await readPage("README.md"), "## For scripts"));
    const lines = block.split("\n");
    // The environment has the real ones.
    assert(lines.splice(0, 2).every((line) => line.startsWith("export TRIVET_")));
    await using server = await TestServer.start({ plain: false });
    await using shell = await Shell.open(server);
    await shell.register();
    await Deno.mkdir(join(shell.folder, "notes"));
    await Deno.writeTextFile(join(shell.folder, "notes", "today.txt"), "hello\n");
    await Deno.writeTextFile(join(shell.folder, "backup.tar"), "not much of an archive");
    const output = await shell.run(lines.join("\n"));
    assert(output.includes("notes/today.txt"), output);
    assertEquals(
      await Deno.readTextFile(server.home("ada", "backup.tar")),
      "not much of an archive",
    );
  },
});

Deno.test({
  name: "README.md: the lines about files on the server work as they stand",
  ignore,
  fn: async () => {
    const page = await readPage("README.md");
    const [lines = ""] = shellBlocks(sectionOf(page, "## Files on the server"));
    await using server = await TestServer.start({ plain: false });
    await using shell = await Shell.open(server);
    await shell.register();
    const files = ["photos/a.jpg", "notes.txt", "old-photos/b.jpg", "drafts/c.tmp", "d.iso"];
    await shell.run("trivet mkdir photos archive old-photos drafts");
    await shell.run(files.map((path) => `printf x | trivet put - ${path}\n`).join(""));
    const output = await shell.run(lines);
    assert(output.includes(" 1 B  ") && output.includes(" a.jpg\n"), output);
    assert(output.includes("└── photos/\n") && output.includes("\n/d.iso\n"), output);
    assertEquals(
      await shell.run("trivet ls -R"),
      "/:\narchive\nd.iso\ndrafts\nphotos\nphotos-2026\n\n/archive:\na.jpg\nnotes.txt\n\n" +
        "/drafts:\n\n/photos:\n\n/photos-2026:\na.jpg\n",
    );
  },
});
