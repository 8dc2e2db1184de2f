/**
 * `trivetd config`: shows what the command line, the environment and the config file come to.
 *
 * @module
 */

import {
  defineCommand,
  type OptionSpec,
  type OptionTable,
  type OptionValue,
} from "../../lib/term/command.ts";
import { exactBytes, exactDuration } from "../../lib/term/exact.ts";
import { SERVE_OPTIONS, toServeOptions } from "../config.ts";
import { DEFAULT_SERVICES } from "../serve.ts";
import type { CommandContext } from "./context.ts";

/** Where the comments begin, as far as values leave room. */
const COMMENT_COLUMN = 36;

/** One option with its value. */
interface ShownOption {
  readonly name: string;
  readonly value: OptionValue | null;
  readonly source: "flag" | "environment" | "config" | "default" | "unset";
  readonly place: string | null;
}

/** See the module. */
export const configShowCommand = defineCommand({
  name: "show",
  summary: "Show the options of serve and where each comes from",
  description: "Takes the options of serve. What it prints is a config file that says the same.",
  examples: [
    {
      command: "trivetd --config trivetd.toml config show",
      does: "Check a config file and show what it comes to",
    },
    {
      command: "trivetd config show --listen 0.0.0.0 --registration closed > trivetd.toml",
      does: "Make a config file of options",
    },
  ],
  options: SERVE_OPTIONS,
  arguments: {},
  run: async (context: CommandContext, { values, sources, places }) => {
    toServeOptions(values, { env: context.env, services: DEFAULT_SERVICES });
    const shown = showOptions(SERVE_OPTIONS, { values, sources, places });
    const { stringify } = await import("smol-toml");
    for (const option of shown) context.output.line(formatOption(option, stringify));
    context.output.json({
      options: shown.map(({ name, value, source, place }) => ({ name, value, source, place })),
    });
  },
});

/** See the module. */
export const configGroup = {
  name: "config",
  summary: "Show what options come to",
  subcommands: [configShowCommand],
};

interface ReadOptions {
  readonly values: Readonly<Record<string, OptionValue | undefined>>;
  readonly sources: Readonly<Record<string, ShownOption["source"]>>;
  readonly places: Readonly<Record<string, string | undefined>>;
}

function showOptions(table: OptionTable, read: ReadOptions): ShownOption[] {
  return Object.entries(table).map(([name, spec]) => {
    const source = read.sources[name] ?? "unset";
    // A switch that nothing sets is off, which is as good as a default.
    const isOff = source === "unset" && spec.kind === "boolean";
    const isUnset = source === "unset" && !isOff;
    const value = read.values[name];
    return {
      name,
      value: isUnset || value === undefined ? null : exactValue(spec, value),
      source: isOff ? "default" : source,
      place: read.places[name] ?? null,
    };
  });
}

/** A value as a config file takes it, without a loss. */
function exactValue(spec: OptionSpec, value: OptionValue): OptionValue {
  if (typeof value !== "number") return value;
  if (spec.kind === "bytes" || spec.kind === "rate") return exactBytes(value);
  return spec.kind === "duration" ? exactDuration(value) : value;
}

function formatOption(option: ShownOption, stringify: (table: object) => string): string {
  const { name, value, source, place } = option;
  if (value === null) return `${`# ${name}`.padEnd(COMMENT_COLUMN)} # ${defaultOf(name)}`;
  const setting = stringify({ [name]: value }).trimEnd();
  return `${setting.padEnd(COMMENT_COLUMN)} # ${place ?? source}`;
}

/** What holds when nothing sets an option, as its help says it. */
function defaultOf(name: string): string {
  const table: OptionTable = SERVE_OPTIONS;
  const [, text] = /\(default: (.+)\)$/.exec(table[name]?.help ?? "") ?? [];
  return text === undefined ? "not set" : `not set: ${text}`;
}
