/**
 * The config file: TOML with one key for each option, named as the option. Every key is checked when
 * the file is read, also those that the command at hand does not use.
 *
 * @module
 */

import { parse, TomlError } from "smol-toml";
import { TrivetError } from "../errors.ts";
import { systemReason } from "../system_error.ts";
import type { OptionSpec, OptionTable } from "./command.ts";
import { configLabel, type ConfiguredTexts, type ValueSources } from "./read_values.ts";
import { suggest } from "./suggest.ts";
import { NEEDS, parseValue, usage } from "./values.ts";

/** A key at the beginning of a line, as itself or as the name of a table. */
const KEY = /^\s*\[*\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*[=.\]]/;

/** Looks up an option in a config file. */
export type ConfigLookup = NonNullable<ValueSources["config"]>;

/**
 * Reads a config file.
 *
 * @param path The file.
 * @param keys The options that may stand in it.
 * @returns What it says of each option.
 * @throws {TrivetError} `USAGE` for what is no TOML, an unknown key or a wrong value, with the line;
 * `LOCAL_NOT_FOUND`, `LOCAL_DENIED` or `FAILED` when the file cannot be read.
 */
export async function readConfigFile(path: string, keys: OptionTable): Promise<ConfigLookup> {
  return parseConfig(await readFile(path), { path, keys });
}

/** What {@linkcode parseConfig} needs besides the text. */
export interface ParseConfigOptions {
  /** What errors call the file. */
  readonly path: string;
  /** The options that may stand in it. */
  readonly keys: OptionTable;
}

/**
 * Reads the text of a config file.
 *
 * @param text The text.
 * @param options The file's name, and the options that may stand in it.
 * @returns What it says of each option.
 * @throws {TrivetError} `USAGE`, with the line.
 */
export function parseConfig(text: string, { path, keys }: ParseConfigOptions): ConfigLookup {
  const found = new Map<string, ConfiguredTexts>();
  for (const [name, value] of Object.entries(parseToml(text, { kind: "config file", path }))) {
    const line = lineOf(text, name);
    const place = line === undefined ? path : `${path}:${line}`;
    const spec = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (spec === undefined) throw unknownKey(name, place, keys);
    const label = configLabel(name, place);
    const texts = toTexts(spec, value, label);
    for (const each of texts) parseValue(spec, each, label);
    found.set(name, { texts, place });
  }
  return (name, spec) => keys[name] === spec ? found.get(name) : undefined;
}

async function readFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw cannotRead(`config file "${path}"`, cause);
  }
}

/**
 * Says why a file that an administrator wrote cannot be read.
 *
 * @param what Kind and path, such as `config file "a.toml"`.
 * @param cause What the system threw.
 */
export function cannotRead(what: string, cause: unknown): TrivetError {
  const { code, reason } = systemReason(cause) ??
    { code: "FAILED", reason: cause instanceof Error ? cause.message : String(cause) } as const;
  return new TrivetError(code, `Cannot read ${what}: ${reason}`, { cause });
}

/**
 * Reads TOML.
 *
 * @param text The text.
 * @param file What errors call the file: its kind, such as `config file`, and its path.
 * @throws {TrivetError} `USAGE`, with line and column.
 */
export function parseToml(
  text: string,
  { kind, path }: { readonly kind: string; readonly path: string },
): Record<string, unknown> {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // Behind the first line stands a drawing of the place.
    const [first = ""] = cause.message.split("\n");
    const reason = first.replace(/^Invalid TOML document: /, "");
    throw usage(`Cannot read ${kind} (${path}:${cause.line}:${cause.column}): ${reason}`);
  }
}

/** The line that sets a key, counted from 1; the parser does not tell. */
function lineOf(text: string, name: string): number | undefined {
  const index = text.split("\n").findIndex((line) => {
    const [, basic, literal, bare] = KEY.exec(line) ?? [];
    return (basic ?? literal ?? bare) === name;
  });
  return index < 0 ? undefined : index + 1;
}

function unknownKey(name: string, place: string, keys: OptionTable): TrivetError {
  const near = suggest(name, Object.keys(keys));
  return usage(
    `Unknown key "${name}" (${place})${near === undefined ? "" : `, did you mean "${near}"?`}`,
    near === undefined ? { key: name } : { key: name, suggestion: near },
  );
}

/** The texts that an option's check takes: a value of TOML has a type, and it must be the right one. */
function toTexts(spec: OptionSpec, value: unknown, label: string): string[] {
  if (Array.isArray(value) && spec.repeat === true) {
    return value.map((each) => toText(spec, each, label));
  }
  return [toText(spec, value, label)];
}

function toText(spec: OptionSpec, value: unknown, label: string): string {
  switch (spec.kind) {
    case "boolean":
      if (typeof value === "boolean") return String(value);
      throw usage(`${label} needs ${NEEDS.boolean} without quotation marks, got ${nameOf(value)}`);
    case "string":
    case "path":
    case "choice":
      if (typeof value === "string") return value;
      throw usage(`${label} needs ${NEEDS[spec.kind]} in quotation marks, got ${nameOf(value)}`);
    default:
      if (typeof value === "string" || typeof value === "number") return String(value);
      throw usage(`${label} needs ${NEEDS[spec.kind]}, got ${nameOf(value)}`);
  }
}

function nameOf(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return "a list";
  return value instanceof Date ? "a date" : "a table";
}
