import { assertEquals } from "@std/assert";
import type { OptionTable } from "../../../lib/term/command.ts";
import { scanTokens } from "../../../lib/term/scan.ts";

const OPTIONS = {
  "no-input": { kind: "boolean", help: "" },
  "no-color": { kind: "boolean", short: "C", help: "" },
  "no-limit": { kind: "integer", help: "" },
  quiet: { kind: "boolean", short: "q", help: "" },
} as const satisfies OptionTable;

const CASES: [tokens: string[], flags: Record<string, string[]>, words: string[]][] = [
  [["--no-input", "ls"], { "no-input": ["true"] }, ["ls"]],
  [["ls", "--no-input"], { "no-input": ["true"] }, ["ls"]],
  [["--no-color", "ls", "--no-input"], { "no-input": ["true"], "no-color": ["true"] }, ["ls"]],
  [["-qC", "ls"], { quiet: ["true"], "no-color": ["true"] }, ["ls"]],
  [["--no-input=false", "ls"], { "no-input": ["false"] }, ["ls"]],
  [["--no-limit", "7", "ls"], { "no-limit": ["7"] }, ["ls"]],
  [["--no-limit", "-7", "ls"], { "no-limit": ["-7"] }, ["ls"]],
  [["--no-limit=7", "true"], { "no-limit": ["7"] }, ["true"]],
];

for (const [tokens, flags, words] of CASES) {
  Deno.test(`scanTokens() reads ${tokens.join(" ")}`, { permissions: "none" }, () => {
    const scanned = scanTokens(tokens, OPTIONS);
    assertEquals(Object.fromEntries(scanned.flags), flags);
    assertEquals([scanned.unknown, scanned.words], [[], words]);
  });
}

Deno.test("scanTokens() knows no negation of an option", { permissions: "none" }, () => {
  for (
    const token of ["--no-quiet", "--no-quiet=true", "--input", "--no-no-input", "--color=true"]
  ) {
    const { flags, unknown } = scanTokens([token], OPTIONS);
    assertEquals([[...flags], unknown], [[], [token.replace(/=.*/, "")]]);
  }
});
