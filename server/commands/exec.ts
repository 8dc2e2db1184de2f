/**
 * `trivetd exec check`: checks a commands file, and says in words what it allows.
 *
 * @module
 */

import { type CommandGroup, defineCommand } from "../../lib/term/command.ts";
import { exactBytes, exactDuration } from "../../lib/term/exact.ts";
import { readCommands } from "../exec/read_commands.ts";
import type { CommandRule, ParameterRule } from "../exec/rules.ts";
import type { CommandContext } from "./context.ts";

const checkCommand = defineCommand({
  name: "check",
  summary: "Check a commands file and say what it allows",
  description:
    "Also looks whether the programs are there, may be run, and cannot be changed by others.",
  examples: [{
    command: "trivetd exec check commands.toml",
    does: "Check a file before trivetd serve exec uses it",
  }],
  options: {},
  arguments: { file: { help: "The commands file" } },
  run: async (context: CommandContext, { arguments: { file } }) => {
    const rules = [...(await readCommands(file)).values()];
    for (const rule of rules) {
      for (const line of explain(rule)) context.output.line(line);
    }
    context.output.json({ commands: rules.map(toJson) });
  },
});

/** See the module. */
export const execGroup: CommandGroup<CommandContext> = {
  name: "exec",
  summary: "Check which remote commands are allowed",
  subcommands: [checkCommand],
};

function explain(rule: CommandRule): string[] {
  const environment = Object.entries(rule.environment).map(([name, value]) => `${name}=${value}`);
  const facts: [string, string][] = [
    [
      "runs",
      [rule.executable, ...rule.fixedArguments].map((word) => JSON.stringify(word)).join(" "),
    ],
    ...takenBy(rule),
    ["allowed for", allowedFor(rule)],
    [
      "as",
      rule.runAs === undefined
        ? "the server's user"
        : `uid ${rule.runAs.uid}, gid ${rule.runAs.gid}`,
    ],
    ["in", rule.directory],
    ["environment", environment.length === 0 ? "empty" : environment.join(" ")],
    ["client sets", rule.clientEnvironment.join(" ") || "no variables"],
    ["stdin", rule.stdin ? "from the client" : "empty"],
    [
      "limits",
      `${exactDuration(rule.timeLimitMs)}, ${exactBytes(rule.outputLimitBytes)} of output, ` +
      `${rule.concurrent} at once`,
    ],
  ];
  const lines = facts.map(([name, text]) => `  ${name.padEnd(11)}  ${text}`);
  const summary = rule.summary === "" ? "" : `: ${rule.summary}`;
  return [`${rule.name}${summary}`, ...lines];
}

function allowedFor({ users, keys }: CommandRule): string {
  const accounts = users.has("*") ? ["every account"] : [...users];
  return [...accounts, ...[...keys].map((key) => `machine key ${key}`)].join(", ");
}

/** One line for each further argument. */
function takenBy({ parameters }: CommandRule): [name: string, text: string][] {
  if (parameters.length === 0) return [["takes", "no further arguments"]];
  return parameters.map((parameter, index) => [
    index === 0 ? "takes" : "",
    explainParameter(parameter),
  ]);
}

function explainParameter(parameter: ParameterRule): string {
  const { name, choices, pattern, repeat } = parameter;
  const what = choices === undefined
    ? `all of it matches ${pattern?.source ?? ""}`
    : `one of ${[...choices].map((word) => JSON.stringify(word)).join(", ")}`;
  const notes = [
    ...(parameter.isOptional ? ["may be left out"] : []),
    ...(repeat > 1 ? [`up to ${repeat} times`] : []),
    ...(parameter.allowsHyphen && choices === undefined ? ["may begin with a hyphen"] : []),
  ];
  return `${name}: ${[what, ...notes].join("; ")}`;
}

function toJson(rule: CommandRule): Record<string, unknown> {
  return {
    name: rule.name,
    summary: rule.summary,
    executable: rule.executable,
    arguments: rule.fixedArguments,
    parameters: rule.parameters.map((parameter) => ({
      name: parameter.name,
      choices: parameter.choices === undefined ? null : [...parameter.choices],
      pattern: parameter.pattern?.source ?? null,
      allow_hyphen: parameter.allowsHyphen,
      optional: parameter.isOptional,
      repeat: parameter.repeat,
    })),
    users: [...rule.users],
    keys: [...rule.keys],
    directory: rule.directory,
    environment: rule.environment,
    client_environment: rule.clientEnvironment,
    stdin: rule.stdin,
    time_limit_ms: rule.timeLimitMs,
    output_limit_bytes: rule.outputLimitBytes,
    concurrent: rule.concurrent,
    run_as: rule.runAs ?? null,
  };
}
