/**
 * `trivetd user add` and `trivetd user passwd`: the two commands that take a password.
 *
 * @module
 */

import { checkUserName } from "../../lib/auth/credentials.ts";
import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { SERVE_OPTIONS } from "../config.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";
import { PASSWORD_OPTIONS, readNewVerifier } from "./password.ts";
import { accountJson, findAccount, formatQuota } from "./user_account.ts";

/** See the module. */
export const userAddCommand = defineCommand({
  name: "add",
  summary: "Make an account",
  description:
    "Works where registration is closed, too. The server keeps a verifier, from which the password " +
    "cannot be read. The home is made at the first login.",
  examples: [
    { command: "trivetd user add ann --quota 50G", does: "Ask for the password" },
    {
      command: "trivetd user add ann --password-stdin < password.txt",
      does: "The same in a script",
    },
  ],
  options: {
    ...DATA_OPTION,
    quota: { ...SERVE_OPTIONS["default-quota"], help: "Quota of the account" },
    "quota-files": {
      kind: "integer",
      valueName: "N",
      env: "TRIVETD_QUOTA_FILES",
      min: 0,
      help: "Most files that it may have (default: no limit)",
    },
    ...PASSWORD_OPTIONS,
  },
  arguments: { name: { help: "Name of the account" } },
  run: async (context: CommandContext, { values, arguments: { name } }) => {
    checkUserName(name);
    await using data = await openData(context, values);
    // Before anybody types a password for nothing; creating it decides.
    if (await data.catalog.findUser(name) !== null) {
      throw new TrivetError(
        "USER_EXISTS",
        `Cannot create user ${quoteName(name)}: the name is taken`,
      );
    }
    const verifier = await readNewVerifier(context, values);
    const user = await data.catalog.createUser({
      name,
      verifier,
      quotaBytes: values.quota,
      quotaFiles: values["quota-files"] ?? null,
    });
    context.output.note(`Added "${name}" with a quota of ${formatQuota(user)}`);
    context.output.json(accountJson(user));
  },
});

/** See the module. */
export const userPasswdCommand = defineCommand({
  name: "passwd",
  summary: "Give an account a new password, and end its sessions",
  description: "Access tokens stay valid. Open connections of the account's sessions are closed.",
  options: { ...DATA_OPTION, ...PASSWORD_OPTIONS },
  arguments: { name: { help: "Name of the account" } },
  run: async (context: CommandContext, { values, arguments: { name } }) => {
    await using data = await openData(context, values);
    await findAccount(data.catalog, name);
    const verifier = await readNewVerifier(context, values);
    await data.catalog.setVerifier(name, verifier);
    context.output.note(`"${name}" has a new password; the sessions of before have ended`);
    context.output.json({ user: name });
  },
});
