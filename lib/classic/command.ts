/**
 * What a client of the classic netdisk protocol can say, as it types it.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { quoteName } from "../netdisk/path.ts";

/** A command. Paths are as they were typed. */
export type ClassicCommand =
  | { readonly name: "register" | "login"; readonly user: string; readonly password: string }
  | { readonly name: "ls"; readonly path: string }
  | { readonly name: "upload"; readonly path: string }
  | { readonly name: "download"; readonly path: string; readonly seek: number }
  | { readonly name: "q" };

/** The commands and their arguments, for those who typed something else. */
const USAGE: Readonly<Record<ClassicCommand["name"], string>> = {
  register: "register NAME PASSWORD",
  login: "login NAME PASSWORD",
  ls: "ls [DIR]",
  upload: "upload REMOTE",
  download: "download REMOTE [SEEK]",
  q: "q",
};

/** A last word of digits alone is where to begin, unless it is the only word. */
const PATH_AND_SEEK = /^(.+) ([0-9]{1,15})$/s;

/**
 * Reads a command. One space stands between its words. A path or a password goes on to the end and may
 * have spaces of its own; `download a 2` begins at byte 2 of "a", `download a 2 0` reads all of "a 2".
 *
 * @param text What the client sent.
 * @returns The command.
 * @throws {TrivetError} `INVALID_REQUEST`; the message never shows more than the first word.
 */
export function parseClassicCommand(text: string): ClassicCommand {
  const [name, rest] = cutAtSpace(text);
  switch (name) {
    case "register":
    case "login": {
      const [user, password] = cutAtSpace(rest ?? "");
      if (user === "" || password === undefined) throw usage(name);
      return { name, user, password };
    }
    case "ls":
      return { name, path: rest ?? "" };
    case "upload":
      if (rest === undefined || rest === "") throw usage(name);
      return { name, path: rest };
    case "download": {
      if (rest === undefined || rest === "") throw usage(name);
      const [, path = rest, digits = "0"] = PATH_AND_SEEK.exec(rest) ?? [];
      return { name, path, seek: Number(digits) };
    }
    case "q":
      return { name };
    default:
      throw new TrivetError(
        "INVALID_REQUEST",
        `Unknown command ${quoteName(name)}: there are ${Object.values(USAGE).join(", ")}`,
      );
  }
}

function cutAtSpace(text: string): [word: string, rest: string | undefined] {
  const at = text.indexOf(" ");
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function usage(name: ClassicCommand["name"]): TrivetError {
  return new TrivetError("INVALID_REQUEST", `Cannot ${name}: the command is "${USAGE[name]}"`);
}
