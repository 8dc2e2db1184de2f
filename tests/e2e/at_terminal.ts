/**
 * A person at a pseudo-terminal, played by `expect`.
 *
 * @module
 */

import type { Person } from "./testing.ts";

/** Whether `expect`, which these tests type with, is installed. */
export const HAS_EXPECT = await new Deno.Command("expect", {
  args: ["-v"],
  stdout: "null",
  stderr: "null",
})
  .output().then(({ success }) => success, () => false);

/** What a person does at a terminal: wait for a text, then type. */
export type Step = readonly [waitFor: string | RegExp, type: string];

/** Runs a command in a pseudo-terminal and answers what it asks; the screen and the exit code. */
export async function atTerminal(
  person: Person,
  args: string[],
  steps: readonly Step[],
): Promise<{ screen: string; code: number }> {
  const { argv, env } = person.command(args, { TERM: "xterm" });
  const quote = (text: string) => `"${text.replace(/[\\"$[\]{}]/g, "\\$&")}"`;
  const script = [
    "set timeout 120",
    `cd ${quote(person.home)}`,
    `spawn -noecho ${argv.map(quote).join(" ")}`,
    // Without a wait, expect would type before the terminal is set to show nothing.
    ...steps.flatMap(([waitFor, type]) => [
      `expect {`,
      `  ${
        typeof waitFor === "string" ? `-ex ${quote(waitFor)}` : `-re {${waitFor.source}}`
      } { after 200; send ${quote(type)} }`,
      `  timeout { puts "TIMEOUT"; exit 99 }`,
      `  eof { puts "EOF"; exit 98 }`,
      `}`,
    ]),
    "expect eof",
    "lassign [wait] pid id failed code",
    "exit $code",
  ].join("\n");
  const file = person.path("script.exp");
  await Deno.writeTextFile(file, script);
  const { code, stdout } = await new Deno.Command("expect", { args: [file], env, clearEnv: true })
    .output();
  return { screen: new TextDecoder().decode(stdout), code };
}
