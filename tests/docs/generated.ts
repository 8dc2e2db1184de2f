/**
 * The parts of the documents that come from the code.
 *
 * @module
 */

import * as v from "valibot";
import { TRIVET } from "../../client/command_table.ts";
import { ERROR_REGISTRY } from "../../lib/errors.ts";
import {
  type CommandSpec,
  isGroup,
  type OptionSpec,
  type OptionTable,
  subcommandsOf,
} from "../../lib/term/command.ts";
import { CHUNK_BYTES_MIN } from "../../lib/transfer/chunks.ts";
import { crc32, createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { SERVE_OPTIONS } from "../../server/config.ts";
import { digestOfDigests } from "../server/testing.ts";
import { CONTENT, dumpExchange } from "./exchange.ts";
import { nameTable, pairTable } from "./names.ts";
import { formatTable, readPage } from "./page.ts";

/** One generated part of a page. */
export interface GeneratedPart {
  /** Path of the page from the root. */
  readonly page: string;
  /** Name in the markers around it. */
  readonly name: string;
  /** Writes it in Markdown. */
  render(): Promise<string>;
}

/** All of them. */
export const GENERATED: readonly GeneratedPart[] = [
  { page: "docs/protocol.md", name: "errors", render: () => Promise.resolve(errorTable()) },
  { page: "docs/protocol.md", name: "digests", render: digestTable },
  {
    page: "docs/protocol.md",
    name: "exchange",
    render: async () => `\`\`\`text\n${await dumpExchange()}\n\`\`\``,
  },
  {
    page: "docs/operations.md",
    name: "options",
    render: () => Promise.resolve(optionTable(SERVE_OPTIONS)),
  },
  { page: "docs/security.md", name: "permissions", render: permissionTable },
  { page: "docs/names.md", name: "names", render: () => Promise.resolve(nameTable()) },
  { page: "docs/names.md", name: "name-pairs", render: () => Promise.resolve(pairTable()) },
  {
    page: "README.md",
    name: "client-options",
    render: () => Promise.resolve(optionTable(TRIVET.globalOptions)),
  },
  {
    page: "README.md",
    name: "command-options",
    render: () => Promise.resolve(commandOptionTable(TRIVET.commands)),
  },
];

function errorTable(): string {
  const rows = Object.entries(ERROR_REGISTRY).map(([code, { exitCode, retry, hint }]) => {
    return [`\`${code}\``, String(exitCode), retry ? "yes" : "no", hint.replaceAll("\\", "\\\\")];
  });
  return formatTable(["code", "exit", "retry", "hint"], rows);
}

async function digestTable(): Promise<string> {
  const digester = await createDigester();
  const contents: [name: string, content: Uint8Array][] = [
    ["nothing", new Uint8Array(0)],
    ["`Trivet` and a line feed, 7 bytes", new TextEncoder().encode(CONTENT)],
    ["1048577 zero bytes, 2 chunks", new Uint8Array(CHUNK_BYTES_MIN + 1)],
  ];
  const rows: string[][] = [];
  for (const [name, content] of contents) {
    rows.push([
      name,
      `\`${crc32(content).toString(16).padStart(8, "0")}\``,
      `\`${toHex(digestOf(digester, content))}\``,
      `\`${await digestOfDigests(content, CHUNK_BYTES_MIN)}\``,
    ]);
  }
  return formatTable(["content", "CRC-32", "XXH3-128", "digest of the upload"], rows);
}

const PermissionSets = v.object({
  permissions: v.record(
    v.string(),
    v.record(v.string(), v.union([v.boolean(), v.array(v.string())])),
  ),
});

async function permissionTable(): Promise<string> {
  const { permissions } = v.parse(PermissionSets, JSON.parse(await readPage("deno.json")));
  const kinds = ["read", "write", "net", "env", "sys", "run"];
  const rows = ["trivetd", "trivet"].map((program) => {
    const set = permissions[program] ?? {};
    const other = Object.keys(set).filter((kind) => !kinds.includes(kind));
    if (other.length > 0) {
      throw new Error(`${program} has permissions that no column shows: ${other}`);
    }
    return [`\`${program}\``, ...kinds.map((kind) => allowed(set[kind] ?? false))];
  });
  const head = [
    "program",
    "read files",
    "write files",
    "network",
    "variables",
    "system",
    "programs",
  ];
  return formatTable(head, rows);
}

function allowed(value: boolean | readonly string[]): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return value.map((name) => `\`${name}\``).join(", ");
}

/** Options with their variables, for people. */
function optionTable(options: OptionTable): string {
  return formatTable(
    OPTION_HEAD,
    Object.entries(options).map(([name, spec]) => optionRow(name, spec)),
  );
}

/** The options of commands, each once with the commands that take it. */
function commandOptionTable(commands: readonly CommandSpec<never>[]): string {
  const takers = new Map<OptionSpec, { readonly name: string; readonly commands: string[] }>();
  for (const { path, options } of optionTables(commands)) {
    for (const [name, spec] of Object.entries(options)) {
      const taker = takers.get(spec) ?? { name, commands: [] };
      taker.commands.push(`\`${path.join(" ")}\``);
      takers.set(spec, taker);
    }
  }
  const rows = [...takers].map(([spec, { name, commands }]) => {
    return [commands.join(", "), ...optionRow(name, spec)];
  });
  return formatTable(["command", ...OPTION_HEAD], rows);
}

/** The options of commands and of all below them, with the words that name each. */
function optionTables(
  commands: readonly CommandSpec<never>[],
  above: readonly string[] = [],
): { readonly path: readonly string[]; readonly options: OptionTable }[] {
  return commands.flatMap((command) => {
    const path = [...above, command.name];
    const own = isGroup(command) ? [] : [{ path, options: command.options }];
    return [...own, ...optionTables(subcommandsOf(command), path)];
  });
}

const OPTION_HEAD = ["option", "variable", "default", "meaning"];

function optionRow(name: string, spec: OptionSpec): string[] {
  const value = spec.choices?.join("/") ?? spec.valueName ?? VALUE_NAMES[spec.kind];
  const short = spec.short === undefined ? "" : `-${spec.short}, `;
  return [
    `\`${short}--${name}${value === undefined ? "" : ` ${value}`}\``,
    spec.env === undefined ? "" : `\`${spec.env}\``,
    spec.default === undefined ? "" : `\`${spec.default}\``,
    `${spec.help}${spec.repeat === true ? "; may be repeated" : ""}`,
  ];
}

/** What the help calls a value whose option gives it no name. */
const VALUE_NAMES: Partial<Record<OptionSpec["kind"], string>> = {
  rate: "RATE",
  bytes: "SIZE",
  duration: "TIME",
};
