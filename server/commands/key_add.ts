/**
 * `trivetd key add`: makes a machine key, shows it once, and stores what the server needs of it.
 *
 * @module
 */

import { join } from "node:path";
import {
  deriveAuthKey,
  isMachineKeyId,
  MACHINE_KEY_NAME,
  newMachineKey,
  parseMachineKey,
} from "../../lib/auth/machine_key.ts";
import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { formatTimestamp } from "../../lib/term/format.ts";
import { listWords } from "../../lib/term/values.ts";
import { KEYS_FOLDER } from "../data_folder.ts";
import { KeySeal } from "../key_seal.ts";
import { KEY_SERVICES } from "../store/catalog_keys.ts";
import type { CommandContext } from "./context.ts";
import { keyJson } from "./key_list.ts";
import { DATA_OPTION, openData } from "./open_data.ts";

const EXPIRES_MIN_MS = 1000;

/** See the module. */
export const keyAddCommand = defineCommand({
  name: "add",
  summary: "Make a machine key and print it, once",
  description:
    "Give the key to the machine in a file of mode 0600, for trivet --key-file. The server keeps " +
    "what it needs to check it, sealed; nobody can print it again.",
  examples: [
    {
      command: "(umask 077; trivetd key add backup --expires 90d > backup.key)",
      does: "A key in a file, for 90 days",
    },
  ],
  options: {
    ...DATA_OPTION,
    expires: {
      kind: "duration",
      env: "TRIVETD_KEY_EXPIRES",
      min: EXPIRES_MIN_MS,
      help: "When the key ends, such as 90d (default: never)",
    },
    services: {
      kind: "string",
      valueName: "LIST",
      env: "TRIVETD_KEY_SERVICES",
      help: `Services that it opens, with commas: ${KEY_SERVICES.join(",")} (default: all)`,
    },
  },
  arguments: { name: { help: "Name of the key, such as that of the machine" } },
  run: async (context: CommandContext, { values, arguments: { name } }) => {
    checkName(name);
    const services = values.services === undefined ? null : readServices(values.services);
    await using data = await openData(context, values);
    const seal = await KeySeal.open(join(data.path, KEYS_FOLDER));
    const text = newMachineKey();
    const key = parseMachineKey(text);
    const record = await data.catalog.addKey({
      id: key.id,
      name,
      services,
      sealed: await seal.seal(key.id, await deriveAuthKey(key)),
      expiresAtMs: values.expires === undefined ? null : Date.now() + values.expires,
    });
    const until = record.expiresAtMs === null
      ? ""
      : ` until ${formatTimestamp(record.expiresAtMs)}`;
    context.output.note(`Added machine key "${name}" (${record.id})${until}; it is shown only now`);
    context.output.line(text);
    context.output.json({ ...keyJson(record), key: text });
  },
});

function checkName(name: string): void {
  if (MACHINE_KEY_NAME.test(name) && !isMachineKeyId(name)) return;
  throw new TrivetError(
    "USAGE",
    `Cannot use ${quoteName(name)} as the name of a key: it needs 1 to 32 of a-z, 0-9, dot, ` +
      `underscore and hyphen, begins with a letter or digit, and is no id of a key`,
  );
}

function readServices(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (KEY_SERVICES.some((service) => service === name)) continue;
    const known = listWords(KEY_SERVICES);
    throw new TrivetError("USAGE", `Option --services needs ${known}, got ${quoteName(name)}`);
  }
  return [...new Set(names)];
}
