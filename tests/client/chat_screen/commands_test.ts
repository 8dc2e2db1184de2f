import { assertEquals, assertThrows } from "@std/assert";
import { readLine } from "../../../client/chat_screen/commands.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { message } from "./testing.ts";

const pure = { permissions: "none" } as const;

const PLACE = {
  room: "lobby",
  user: "ann",
  messages: [
    message(1, "mine", { from: "ann" }),
    message(2, "theirs"),
    message(3, "", { redactedMs: 1 }),
    message(4, "", { from: "ann", redactedMs: 1 }),
  ],
};

const LINES = [
  ["hello /quit", { kind: "say", text: "hello /quit" }],
  ["//quit", { kind: "say", text: "/quit" }],
  ["/join dev", { kind: "open", room: "dev" }],
  ["/msg @bob", { kind: "open", room: "@bob" }],
  ["/msg bob two  words", { kind: "open", room: "@bob", text: "two  words" }],
  ["/create dev", { kind: "create", room: "dev", isPrivate: false, topic: "" }],
  ["/create --private dev On it", { kind: "create", room: "dev", isPrivate: true, topic: "On it" }],
  ["/leave", { kind: "leave", room: "lobby" }],
  ["/leave dev", { kind: "leave", room: "dev" }],
  ["/rooms", { kind: "rooms" }],
  ["/who", { kind: "who", room: "lobby" }],
  ["/topic What is for lunch", { kind: "topic", room: "lobby", topic: "What is for lunch" }],
  ["/topic", { kind: "topic", room: "lobby", topic: "" }],
  ["/invite @cat", { kind: "invite", room: "lobby", user: "cat" }],
  ["/kick cat", { kind: "kick", room: "lobby", user: "cat", ban: false }],
  ["/ban cat", { kind: "kick", room: "lobby", user: "cat", ban: true }],
  ["/role cat owner", { kind: "role", room: "lobby", user: "cat", role: "owner" }],
  ["/reply yes", { kind: "say", text: "yes", replyTo: 2 }],
  ["/reply #9 yes", { kind: "say", text: "yes", replyTo: 9 }],
  ["/reply #nine yes", { kind: "say", text: "#nine yes", replyTo: 2 }],
  ["/react 👍", { kind: "react", id: 2, emoji: "👍", remove: false }],
  ["/react #1 -👍", { kind: "react", id: 1, emoji: "👍", remove: true }],
  ["/edit better", { kind: "edit", id: 1, text: "better" }],
  ["/edit #7 two\nlines", { kind: "edit", id: 7, text: "two\nlines" }],
  ["/edit #1", { kind: "write", text: "/edit #1 mine" }],
  ["/redact", { kind: "redact", id: 1 }],
  ["/redact #2", { kind: "redact", id: 2 }],
  ["/search 会议 tea", { kind: "search", room: "lobby", text: "会议 tea" }],
  ["/ids", { kind: "ids" }],
  ["/help", { kind: "help" }],
  ["/quit", { kind: "quit" }],
] as const;

Deno.test.each(LINES)("readLine() reads %j", pure, (line, result) => {
  assertEquals(readLine(line, PLACE), result);
});

Deno.test("readLine() refuses what lacks something", pure, () => {
  for (const line of ["/join", "/msg", "/create", "/create --private", "/role cat", "/reply"]) {
    assertThrows(() => readLine(line, PLACE), TrivetError);
  }
  for (const line of ["/react", "/react #2", "/search", "/", "/invite"]) {
    assertThrows(() => readLine(line, PLACE), TrivetError);
  }
});

Deno.test("readLine() refuses what is about a room or a message where there is none", pure, () => {
  const nowhere = { ...PLACE, room: "", messages: [] };
  for (const line of ["/who", "/topic x", "/kick cat", "/leave", "/reply x", "/edit", "/redact"]) {
    assertThrows(() => readLine(line, nowhere), TrivetError);
  }
});
