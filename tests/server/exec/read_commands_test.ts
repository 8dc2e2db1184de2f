import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../../lib/errors.ts";
import { COMMANDS_FILE_MAX_BYTES } from "../../../server/exec/commands_file.ts";
import { readCommands } from "../../../server/exec/read_commands.ts";

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function fileFor(executable: string, more = ""): string {
  return `[commands.x]\nexecutable = "${executable}"\nusers = ["ann"]\n${more}`;
}

Deno.test("readCommands() looks at the file and at the programs that it names", () =>
  withFolder(async (folder) => {
    const file = join(folder, "commands.toml");
    const program = join(folder, "program");
    await Deno.writeTextFile(program, "#!/bin/sh\n", { mode: 0o700 });
    const refusal = async () => (await assertRejects(() => readCommands(file), TrivetError));
    assertEquals((await refusal()).code, "LOCAL_NOT_FOUND");

    await Deno.writeTextFile(file, fileFor(program), { mode: 0o600 });
    assertEquals([...(await readCommands(file)).keys()], ["x"]);
    for (
      const [mode, words] of [
        [0o600, "is not executable"],
        [0o720, "others may write to"],
        [0o702, "others may write to"],
      ] as const
    ) {
      await Deno.chmod(program, mode);
      assertStringIncludes((await refusal()).message, words);
    }
    await Deno.chmod(program, 0o700);
    await readCommands(file);
    await Deno.chmod(file, 0o620);
    assertStringIncludes((await refusal()).message, "others may write to it");
    await Deno.chmod(file, 0o600);

    for (
      const [text, words] of [
        [fileFor(join(folder, "none")), "cannot be found"],
        [fileFor(folder), "is no file"],
        [fileFor(program, `directory = "${program}"`), "is no folder"],
      ] as const
    ) {
      await Deno.writeTextFile(file, text);
      assertStringIncludes((await refusal()).message, words);
    }
    const text = fileFor(program);
    await Deno.writeTextFile(file, text.padEnd(COMMANDS_FILE_MAX_BYTES, "\n"));
    await readCommands(file);
    await Deno.writeTextFile(file, text.padEnd(COMMANDS_FILE_MAX_BYTES + 1, "\n"));
    assertStringIncludes((await refusal()).message, "the limit is");
  }));
