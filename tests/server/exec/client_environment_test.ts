import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import {
  CLIENT_VARIABLES_MAX,
  mistakeOfEntry,
  takesVariable,
} from "../../../server/exec/client_environment.ts";
import { parseCommands } from "../../../server/exec/commands_file.ts";

/** Some that decide what a program loads, whichever program it is. */
const DANGEROUS = [
  ...["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "GLIBC_TUNABLES"],
  ...["GCONV_PATH", "LOCPATH", "PATH", "IFS", "ENV", "BASH_ENV", "BASH_FUNC_x", "SHELLOPTS"],
  ...["PYTHONPATH", "PYTHONSTARTUP", "PERL5OPT", "RUBYOPT", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS"],
  ...["GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "EDITOR", "PAGER", "LESSOPEN", "HOME", "TMPDIR"],
  ...["path", "Ld_Preload"],
];

Deno.test("mistakeOfEntry() takes names and beginnings, but none that decide what runs", () => {
  for (const entry of ["LANG", "LC_*", "DEPLOY_*", "TZ", "TERM", "_X", "a1"]) {
    assertEquals(mistakeOfEntry(entry), undefined, entry);
  }
  for (const entry of ["", "*", "A*B", "1A", "A-B", "A=B", "A B", "A\n", "Ä", "A".repeat(129)]) {
    assertStringIncludes(mistakeOfEntry(entry) ?? "none", "is no name of a variable", entry);
  }
  for (const entry of DANGEROUS) {
    assertEquals(mistakeOfEntry(entry), "is a variable that decides what code runs", entry);
  }
  for (const entry of ["L*", "LD*", "P*", "pat*", "HOM*", "GIT*", "_JAVA*"]) {
    assertEquals(mistakeOfEntry(entry), "covers variables that decide what code runs", entry);
  }
});

Deno.test("takesVariable() takes what an entry names, and never what decides what runs", () => {
  const entries = ["LANG", "DEPLOY_*"];
  const names = ["LANG", "DEPLOY_", "DEPLOY_X", "LANGUAGE", "LAN", "lang", "XDEPLOY_X", "DEPLOY"];
  assertEquals(names.filter((name) => takesVariable(entries, name)), names.slice(0, 3));
  assertEquals(takesVariable([], "LANG"), false);
  // Whatever a list says.
  for (const name of DANGEROUS) assertEquals(takesVariable([name, "*"], name), false, name);
});

Deno.test("parseCommands() reads client-environment up to its limit", () => {
  const parse = (entries: readonly string[]) =>
    parseCommands(
      `[commands.x]\nexecutable = "/bin/x"\nusers = ["ann"]\nclient-environment = ${
        JSON.stringify(entries)
      }`,
      "c.toml",
    ).get("x")?.clientEnvironment;
  const many = Array.from({ length: CLIENT_VARIABLES_MAX }, (_, index) => `A${index}`);
  assertEquals(parse(many), many);
  const refusals: [entries: string[], words: string][] = [
    [[...many, "B"], `client-environment has more than ${CLIENT_VARIABLES_MAX} entries`],
    [["LANG", "LD_PRELOAD"], "commands.x.client-environment[1] is a variable that decides"],
    [["*"], "commands.x.client-environment[0] is no name of a variable"],
  ];
  for (const [entries, words] of refusals) {
    assertStringIncludes(assertThrows(() => parse(entries), TrivetError).message, words);
  }
});
