/**
 * The commands of `trivet`. Each names its options here and imports its work when it runs, so that
 * `--help` and `--version` load nothing else.
 *
 * @module
 */

import { defineProgram } from "../lib/term/command.ts";
import { VERSION } from "../lib/version.ts";
import { catCommand } from "./commands/cat.ts";
import { chatCommand } from "./commands/chat.ts";
import { cpCommand } from "./commands/cp.ts";
import { dfCommand } from "./commands/df.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { execCommand } from "./commands/exec.ts";
import { findCommand } from "./commands/find.ts";
import { getCommand } from "./commands/get.ts";
import { guarded } from "./commands/guard.ts";
import { loginCommand } from "./commands/login.ts";
import { logoutCommand } from "./commands/logout.ts";
import { lsCommand } from "./commands/ls.ts";
import { mkdirCommand } from "./commands/mkdir.ts";
import { mvCommand } from "./commands/mv.ts";
import { passwdCommand } from "./commands/passwd.ts";
import { putCommand } from "./commands/put.ts";
import { registerCommand } from "./commands/register.ts";
import { rmCommand } from "./commands/rm.ts";
import { rmdirCommand } from "./commands/rmdir.ts";
import { shareCommand } from "./commands/share.ts";
import { shellCommand } from "./commands/shell.ts";
import { statCommand } from "./commands/stat.ts";
import { syncCommand } from "./commands/sync.ts";
import { timeCommand } from "./commands/time.ts";
import { tokenCommand } from "./commands/token.ts";
import { trashCommand } from "./commands/trash.ts";
import { treeCommand } from "./commands/tree.ts";
import { verifyCommand } from "./commands/verify.ts";
import { whoamiCommand } from "./commands/whoami.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";

/** See the module. */
export const TRIVET = defineProgram({
  name: "trivet",
  version: VERSION,
  summary: "Trivet's client: a netdisk, a chat and a clock on your own network",
  description:
    "Options may stand before or after the command, and each has a variable in the environment. " +
    "TRIVET_TOKEN logs in with a token; it has no option, since other users can see arguments.",
  examples: [
    { command: "trivet register ann", does: "Make an account" },
    { command: "trivet login", does: "Log in" },
    { command: "trivet put big.iso", does: "Upload a file; again after Ctrl-C, to go on" },
    { command: "trivet get big.iso copy.iso", does: "Download it" },
  ],
  globalOptions: GLOBAL_OPTIONS,
  commands: [
    registerCommand,
    loginCommand,
    logoutCommand,
    whoamiCommand,
    passwdCommand,
    tokenCommand,
    lsCommand,
    treeCommand,
    findCommand,
    statCommand,
    mkdirCommand,
    rmdirCommand,
    rmCommand,
    mvCommand,
    cpCommand,
    trashCommand,
    dfCommand,
    doctorCommand,
    putCommand,
    getCommand,
    syncCommand,
    catCommand,
    verifyCommand,
    chatCommand,
    timeCommand,
    shellCommand,
    execCommand,
    shareCommand,
  ].map(guarded),
  withoutCommand: "shell",
});
