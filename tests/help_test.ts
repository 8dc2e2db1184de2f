import { assertEquals, assertStringIncludes } from "@std/assert";
import { TRIVET } from "../client/command_table.ts";
import { checkProgram } from "../lib/term/check_program.ts";
import {
  type CommandSpec,
  type OptionTable,
  type ProgramSpec,
  subcommandsOf,
} from "../lib/term/command.ts";
import { renderHelp } from "../lib/term/help.ts";
import { TRIVETD } from "../server/command_table.ts";

/** The words of every command and group of a program, the program itself first. */
function pathsOf<C>(commands: readonly CommandSpec<C>[], above: string[] = []): string[][] {
  return commands.flatMap((command) => {
    const path = [...above, command.name];
    return [path, ...pathsOf(subcommandsOf(command), path)];
  });
}

async function checkHelp<C, G extends OptionTable>(
  t: Deno.TestContext,
  program: ProgramSpec<C, G>,
): Promise<void> {
  assertEquals(checkProgram(program), []);
  for (const path of [[], ...pathsOf(program.commands)]) {
    const help = renderHelp(program, path, { width: 80 });
    for (const line of help.split("\n")) assertEquals(line.length <= 80, true, line);
    await t.assertSnapshot(help, { name: [program.name, ...path, "--help"].join(" ") });
  }
}

Deno.test("the help of trivet says what it said before", async (t) => {
  await checkHelp(t, TRIVET);
  assertStringIncludes(renderHelp(TRIVET, [], { width: 80 }), "TRIVET_SERVER");
});

Deno.test("the help of trivetd says what it said before", async (t) => {
  await checkHelp(t, TRIVETD);
});
