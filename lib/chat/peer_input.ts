/**
 * What a line means that somebody writes in `trivet chat peer`.
 *
 * @module
 */

/** One line, understood. */
export type PeerInput =
  | { readonly kind: "text"; readonly to: string; readonly text: string }
  | { readonly kind: "to"; readonly to: string }
  | { readonly kind: "bye"; readonly to: string }
  | { readonly kind: "who" | "help" | "quit" | "nothing" }
  | { readonly kind: "wrong"; readonly problem: string };

/** What lines can be, for people. */
export const PEER_HELP: readonly string[] = [
  "NAME: TEXT        write to somebody, and go on with them",
  "/to NAME [TEXT]   go on with somebody",
  "TEXT              write to who was named last; // for a text that begins with a slash",
  "bye, NAME: bye    end a dialogue",
  "/who              list the contacts",
  "/quit             end all dialogues and leave",
];

/** Whoever is at the end of a dialogue writes this. */
const BYE = "bye";
const ADDRESSED = /^([^\s:]+):(?:\s+|$)(.*)$/s;
const COMMAND = /^\/(\S+)\s*(.*)$/s;

/**
 * Reads a line.
 *
 * @param line Without its line feed.
 * @param names All contacts.
 * @param current Who was named last.
 */
export function readPeerInput(
  line: string,
  { names, current }: { readonly names: readonly string[]; readonly current: string | undefined },
): PeerInput {
  const text = line.replace(/\r$/, "");
  if (text.trim() === "") return { kind: "nothing" };
  if (text.startsWith("//")) return say(current, text.slice(1));
  const command = COMMAND.exec(text);
  if (command !== null) return readCommand(command[1] ?? "", command[2] ?? "", names);
  const [, name = "", rest = ""] = ADDRESSED.exec(text) ?? [];
  if (names.includes(name)) return rest === "" ? { kind: "to", to: name } : say(name, rest);
  if (name !== "" && current === undefined) return unknown(name);
  return say(current, text);
}

function readCommand(command: string, rest: string, names: readonly string[]): PeerInput {
  switch (command) {
    case "to": {
      const [, name = "", text = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
      if (!names.includes(name)) return unknown(name);
      return text === "" ? { kind: "to", to: name } : say(name, text);
    }
    case "who":
    case "help":
    case "quit":
      return { kind: command };
    default:
      return { kind: "wrong", problem: `There is no command "/${command}"; see /help` };
  }
}

function say(to: string | undefined, text: string): PeerInput {
  if (to === undefined) {
    return { kind: "wrong", problem: 'Say to whom: "NAME: text" or "/to NAME"' };
  }
  return text.trim() === BYE ? { kind: "bye", to } : { kind: "text", to, text };
}

function unknown(name: string): PeerInput {
  return { kind: "wrong", problem: `There is no contact "${name}"; see /who` };
}
