/**
 * Variables that a client may set for a command: the rule names those that it takes, and some are never
 * taken, since they decide what code a program loads or which programs it finds.
 *
 * @module
 */

import { VARIABLE_NAME } from "../../lib/exec/messages.ts";

/** Most entries of a rule's list. */
export const CLIENT_VARIABLES_MAX = 64;

/**
 * Names, and beginnings of names with `*`: of the dynamic linker and the C library, of shells, and of
 * what interpreters, Git and pagers read to load or start something. What else is harmful to a program
 * only the administrator who lists a variable can know.
 */
const NEVER: readonly string[] = [
  ...["LD_*", "DYLD_*", "GLIBC_*", "GCONV_PATH", "LOCPATH", "NLSPATH", "MALLOC_*", "HOSTALIASES"],
  ...["LOCALDOMAIN", "RES_OPTIONS", "RESOLV_*", "TZDIR", "TERMINFO*", "TERMCAP", "TMPDIR"],
  ...["PATH", "IFS", "ENV", "HOME", "SHELL", "SHELLOPTS", "BASH*", "ZDOTDIR", "FPATH", "CDPATH"],
  ...["GLOBIGNORE", "PROMPT_COMMAND", "PS4", "PYTHON*", "PERL*", "RUBY*", "GEM_*", "BUNDLE_*"],
  ...["NODE_*", "NPM_*", "DENO_*", "BUN_*", "LUA_*", "PHP*", "JAVA_*", "JDK_*", "_JAVA_*"],
  ...["CLASSPATH", "GIT_*", "SSH_*", "SUDO_*", "EDITOR", "VISUAL", "PAGER", "MANPAGER", "BROWSER"],
  ...["LESS*", "OPENSSL_*", "SSL_*", "TRIVET*"],
];

/** Whether the name fits an entry: all of it, or its beginning where the entry ends with `*`. */
function fits(name: string, entry: string): boolean {
  return entry.endsWith("*") ? name.startsWith(entry.slice(0, -1)) : name === entry;
}

/** Whether no rule may let a client set this variable. Case does not save a name. */
function isNeverTaken(name: string): boolean {
  const upper = name.toUpperCase();
  return NEVER.some((entry) => fits(upper, entry));
}

/**
 * Reads an entry of a rule's list: `LANG`, or `DEPLOY_*` for all that begin so.
 *
 * @param entry The entry.
 * @returns Why it cannot stand there, or nothing.
 */
export function mistakeOfEntry(entry: string): string | undefined {
  const stem = entry.endsWith("*") ? entry.slice(0, -1) : entry;
  if (!VARIABLE_NAME.test(stem)) return "is no name of a variable, nor the beginning of one and *";
  if (isNeverTaken(stem)) return "is a variable that decides what code runs";
  const isWide = entry !== stem &&
    NEVER.some((never) => never.replace("*", "").startsWith(stem.toUpperCase()));
  return isWide ? "covers variables that decide what code runs" : undefined;
}

/** Whether a rule with these entries takes a variable of this name. */
export function takesVariable(entries: readonly string[], name: string): boolean {
  return VARIABLE_NAME.test(name) && !isNeverTaken(name) &&
    entries.some((entry) => fits(name, entry));
}
