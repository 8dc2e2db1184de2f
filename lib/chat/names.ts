/**
 * The rules for what people write in a chat: names of rooms, addresses, messages and reactions.
 *
 * @module
 */

import { checkUserName } from "../auth/credentials.ts";
import { TrivetError } from "../errors.ts";

/** Longest message, in bytes of UTF-8. */
export const MESSAGE_MAX_BYTES = 16 * 1024;

/** Longest topic of a room, in bytes of UTF-8. */
export const TOPIC_MAX_BYTES = 512;

/** Longest reaction, in bytes of UTF-8: the longest emoji sequences have 35. */
export const REACTION_MAX_BYTES = 64;

/** Most people that one message mentions; more names in it are only text. */
export const MENTIONS_MAX = 50;

/** Most characters of a room's name. */
export const ROOM_NAME_CHARS_MAX = 64;

const ROOM_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Controls other than tab and line feed would drive somebody's terminal. */
// deno-lint-ignore no-control-regex -- naming the control characters is the point
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

const MENTION = /(?<![\w@.-])@([a-z0-9][a-z0-9._-]{0,31})/g;

const encoder = new TextEncoder();

/** Where a message goes: a room, or one person. */
export type ChatAddress =
  | { readonly kind: "room"; readonly name: string }
  | { readonly kind: "direct"; readonly user: string };

/**
 * Checks a room's name.
 *
 * @throws {TrivetError} `ROOM_NAME_INVALID`.
 */
export function checkRoomName(name: string): void {
  if (ROOM_NAME.test(name)) return;
  const shown = JSON.stringify(name.slice(0, ROOM_NAME_CHARS_MAX));
  throw new TrivetError(
    "ROOM_NAME_INVALID",
    `Cannot use ${shown} as the name of a room: the rule is [a-z0-9][a-z0-9._-]{0,63}`,
  );
}

/**
 * Reads an address: the name of a room, or `@` and the name of a person.
 *
 * @throws {TrivetError} `ROOM_NAME_INVALID` or `USER_NAME_INVALID`.
 */
export function parseChatAddress(text: string): ChatAddress {
  if (text.startsWith("@")) {
    const user = text.slice(1);
    checkUserName(user);
    return { kind: "direct", user };
  }
  checkRoomName(text);
  return { kind: "room", name: text };
}

/**
 * Checks the text of a message.
 *
 * @throws {TrivetError} `MESSAGE_INVALID` or `MESSAGE_TOO_LONG`.
 */
export function checkMessageText(text: string): void {
  if (text.trim() === "") throw new TrivetError("MESSAGE_INVALID", "Cannot send an empty message");
  checkText(text, { what: "message", maxBytes: MESSAGE_MAX_BYTES });
}

/**
 * Checks the topic of a room; it may be empty.
 *
 * @throws {TrivetError} `MESSAGE_INVALID` or `MESSAGE_TOO_LONG`.
 */
export function checkTopic(topic: string): void {
  checkText(topic, { what: "topic", maxBytes: TOPIC_MAX_BYTES });
}

/**
 * Checks a reaction: an emoji, or a short word without spaces.
 *
 * @throws {TrivetError} `MESSAGE_INVALID` or `MESSAGE_TOO_LONG`.
 */
export function checkReaction(emoji: string): void {
  if (emoji === "" || /\s/.test(emoji)) {
    throw new TrivetError("MESSAGE_INVALID", "A reaction is an emoji or a word without spaces");
  }
  checkText(emoji, { what: "reaction", maxBytes: REACTION_MAX_BYTES });
}

/** The people whom a message names with `@`, each once, in their order. */
export function mentionsIn(text: string): string[] {
  const names = new Set<string>();
  for (const [, name = ""] of text.matchAll(MENTION)) {
    // A full stop behind a name ends the sentence.
    names.add(name.replace(/[.-]+$/, ""));
    if (names.size >= MENTIONS_MAX) break;
  }
  return [...names];
}

function checkText(
  text: string,
  { what, maxBytes }: { readonly what: string; readonly maxBytes: number },
): void {
  if (!text.isWellFormed() || CONTROL.test(text)) {
    throw new TrivetError("MESSAGE_INVALID", `The ${what} holds characters that are no text`);
  }
  // A UTF-16 unit takes one byte at least: very long text is not encoded to be measured.
  const bytes = text.length > maxBytes ? text.length : encoder.encode(text).length;
  if (bytes <= maxBytes) return;
  throw new TrivetError(
    "MESSAGE_TOO_LONG",
    `The ${what} has ${bytes} bytes or more, the limit is ${maxBytes}`,
    { details: { limit_bytes: maxBytes } },
  );
}
