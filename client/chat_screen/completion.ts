/**
 * Completes the word before the cursor: commands, rooms, people and roles.
 *
 * @module
 */

import { SCREEN_COMMANDS, type WordKind } from "./commands.ts";

/** What words can become. */
export interface CompletionLists {
  /** Rooms that are known of. */
  readonly rooms: readonly string[];
  /** People who are known of. */
  readonly people: readonly string[];
}

/** What became of the text before the cursor. */
export interface Completed {
  /** The text. */
  readonly text: string;
  /** What it could become, when that is more than one thing. */
  readonly choices: readonly string[];
}

/**
 * Completes text as far as that is sure.
 *
 * @param text What stands before the cursor.
 * @param lists What there is.
 */
export function completeText(text: string, lists: CompletionLists): Completed {
  const word = /\S*$/.exec(text)?.[0] ?? "";
  const before = text.slice(0, text.length - word.length);
  const fitting = candidates(before, word, lists).filter((each) => each.startsWith(word))
    .toSorted();
  const [first] = fitting;
  if (first === undefined) return { text, choices: [] };
  if (fitting.length === 1) return { text: `${before}${first} `, choices: [] };
  return { text: before + commonStart(fitting), choices: fitting };
}

/** All that a word could be in its place. */
function candidates(before: string, word: string, lists: CompletionLists): readonly string[] {
  if (before === "" && word.startsWith("/")) return SCREEN_COMMANDS.map(({ name }) => `/${name}`);
  const mentions = lists.people.map((name) => `@${name}`);
  const [, name, rest = ""] = /^\/(\S+)\s+(.*)$/s.exec(before) ?? [];
  const command = SCREEN_COMMANDS.find((each) => each.name === name);
  const index = rest.split(/\s+/).length - 1;
  const kind: WordKind | undefined = command?.words[index];
  switch (kind) {
    case "room":
      return lists.rooms;
    case "person":
      return word.startsWith("@") ? mentions : lists.people;
    case "role":
      return ["owner", "moderator", "member"];
    default:
      return word.startsWith("@") ? mentions : [];
  }
}

function commonStart(texts: readonly string[]): string {
  const [first = "", ...others] = texts;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}
