import { assertEquals, assertThrows } from "@std/assert";
import {
  checkMessageText,
  checkReaction,
  checkTopic,
  MENTIONS_MAX,
  mentionsIn,
  MESSAGE_MAX_BYTES,
  parseChatAddress,
  REACTION_MAX_BYTES,
  TOPIC_MAX_BYTES,
} from "../../../lib/chat/names.ts";
import { TrivetError } from "../../../lib/errors.ts";

function codeOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof TrivetError ? error.code : "another";
  }
}

const ADDRESSES: [text: string, expected: string][] = [
  ["lobby", "room lobby"],
  ["a".repeat(64), `room ${"a".repeat(64)}`],
  ["a".repeat(65), "ROOM_NAME_INVALID"],
  ["Lobby", "ROOM_NAME_INVALID"],
  [".x", "ROOM_NAME_INVALID"],
  ["", "ROOM_NAME_INVALID"],
  ["@ann", "direct ann"],
  [`@${"a".repeat(32)}`, `direct ${"a".repeat(32)}`],
  [`@${"a".repeat(33)}`, "USER_NAME_INVALID"],
  ["@", "USER_NAME_INVALID"],
  ["@@ann", "USER_NAME_INVALID"],
];

for (const [text, expected] of ADDRESSES) {
  Deno.test(`parseChatAddress() makes of ${JSON.stringify(text)} ${expected}`, () => {
    const code = codeOf(() => parseChatAddress(text));
    if (code !== undefined) return assertEquals(code, expected);
    const address = parseChatAddress(text);
    assertEquals(
      `${address.kind} ${address.kind === "room" ? address.name : address.user}`,
      expected,
    );
  });
}

const TEXTS: [what: string, text: string, expected: string | undefined][] = [
  ["lines and tabs", "a\n\tb", undefined],
  ["Chinese and emoji", "你好 👩‍👧", undefined],
  ["the longest", "x".repeat(MESSAGE_MAX_BYTES), undefined],
  ["one byte more", "x".repeat(MESSAGE_MAX_BYTES + 1), "MESSAGE_TOO_LONG"],
  ["more bytes than characters", "é".repeat(MESSAGE_MAX_BYTES / 2 + 1), "MESSAGE_TOO_LONG"],
  ["nothing", "", "MESSAGE_INVALID"],
  ["spaces", " \n", "MESSAGE_INVALID"],
  ["an escape", "\u001b[2J", "MESSAGE_INVALID"],
  ["a carriage return", "a\rb", "MESSAGE_INVALID"],
  ["a C1 control", "\u009b2J", "MESSAGE_INVALID"],
  ["half of a pair", "\ud83d", "MESSAGE_INVALID"],
];

for (const [what, text, expected] of TEXTS) {
  const verb = expected === undefined ? "takes" : "refuses";
  Deno.test(`checkMessageText() ${verb} ${what}`, () => {
    assertEquals(codeOf(() => checkMessageText(text)), expected);
  });
}

Deno.test("checkTopic() and checkReaction() keep to their limits", () => {
  checkTopic("");
  checkTopic("x".repeat(TOPIC_MAX_BYTES));
  assertThrows(() => checkTopic("x".repeat(TOPIC_MAX_BYTES + 1)), TrivetError);
  checkReaction("👩‍👧");
  checkReaction("x".repeat(REACTION_MAX_BYTES));
  assertEquals(codeOf(() => checkReaction("x".repeat(REACTION_MAX_BYTES + 1))), "MESSAGE_TOO_LONG");
  assertEquals(codeOf(() => checkReaction("two words")), "MESSAGE_INVALID");
  assertEquals(codeOf(() => checkReaction("")), "MESSAGE_INVALID");
});

Deno.test("mentionsIn() finds people, each once, and no addresses of mail", () => {
  assertEquals(mentionsIn("@ann, @bob-2. (@ann) mail@host.org @@x 你好@cat"), [
    "ann",
    "bob-2",
    "cat",
  ]);
  const many = Array.from({ length: MENTIONS_MAX + 1 }, (_, i) => `@u${i}`).join(" ");
  assertEquals(mentionsIn(many).length, MENTIONS_MAX);
});
