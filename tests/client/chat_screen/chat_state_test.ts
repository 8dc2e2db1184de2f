import { assertEquals, assertStringIncludes } from "@std/assert";
import { viewChat } from "../../../client/chat_screen/view.ts";
import { member, message, room, TestState } from "./testing.ts";

const pure = { permissions: "none" } as const;

/** What a room says among its messages. */
function noticesOf(state: TestState, name = state.current): string[] {
  return (state.rooms.get(name) ?? state.desk).entries.flatMap((entry) =>
    entry.kind === "notice" ? [entry.notice.text] : []
  );
}

/** Texts of the messages of a room. */
function textsOf(state: TestState, name = "lobby"): string[] {
  return (state.rooms.get(name)?.messages ?? []).map(({ text }) => text);
}

/** In the lobby, with two messages that are read. */
function inLobby(): TestState {
  const state = new TestState();
  state.setRooms([room("lobby", { lastId: 2, readId: 2 }), room("dev", { lastId: 1, readId: 1 })]);
  state.open("dev", []);
  state.open("lobby", [message(1, "one"), message(2, "two")]);
  return state;
}

Deno.test("ChatState shows the first room, and reads it once", pure, () => {
  const state = new TestState();
  assertEquals(state.setRooms([room("b", { lastId: 7 }), room("a", { lastId: 3 })]), [
    { kind: "members", room: "a" },
    { kind: "load", room: "a" },
  ]);
  assertEquals(state.show("a"), [{ kind: "members", room: "a" }]);
  assertEquals(state.addPage("a", [message(3, "x", { room: "a" })], false), [
    { kind: "receipt", room: "a", read: 3 },
  ]);
  assertEquals(state.show("a"), [{ kind: "members", room: "a" }]);
});

Deno.test("ChatState holds each message once, in the order of the server", pure, () => {
  const state = new TestState();
  state.setRooms([room("lobby", { lastId: 5 })]);
  state.receive({ event: "message", message: message(6, "six") });
  state.addPage("lobby", [message(4, "four"), message(5, "five"), message(6, "six")], true);
  state.receive({ event: "message", message: message(6, "six") });
  state.receive({ event: "message", message: message(5, "changed", { seq: 7 }) });
  state.receive({ event: "message", message: message(5, "late", { seq: 6 }) });
  // Between it and what is here there may be others.
  state.receive({ event: "message", message: message(2, "old", { seq: 8 }) });
  assertEquals(textsOf(state), ["four", "changed", "six"]);
  state.addPage("lobby", [message(1, "one"), message(2, "old", { seq: 8 })], false);
  assertEquals(textsOf(state), ["one", "old", "four", "changed", "six"]);
});

Deno.test("ChatState counts what is not shown, and tells the server what is", pure, () => {
  const state = inLobby();
  const dev = (id: number, about = {}) =>
    state.receive({ event: "message", message: message(id, "x", { room: "dev", ...about }) });
  assertEquals(dev(3), []);
  dev(4, { mentions: ["ann"] });
  dev(5, { from: "ann" });
  dev(4, { seq: 6, mentions: ["ann"] });
  const log = state.rooms.get("dev");
  assertEquals([log?.unread, log?.isMentioned], [2, true]);
  assertEquals(state.receive({ event: "message", message: message(7, "seven") }), [
    { kind: "members", room: "lobby" },
    { kind: "receipt", room: "lobby", read: 7 },
  ]);
  state.setMembers("lobby", [member("ann"), member("bob")]);
  state.keys("pageup");
  assertEquals(state.receive({ event: "message", message: message(8, "eight") }), [
    { kind: "receipt", room: "lobby", read: 8 },
  ]);
  assertEquals(state.show("dev").at(-1), { kind: "receipt", room: "dev", read: 5 });
  assertEquals([log?.unread, log?.isMentioned], [0, false]);
});

Deno.test("ChatState forgets a count when another device of the user's has read", pure, () => {
  const state = inLobby();
  state.receive({ event: "message", message: message(3, "x", { room: "dev" }) });
  const read = (user: string, id: number) =>
    state.receive({ event: "receipt", room: "dev", user, delivered: id, read: id });
  read("bob", 3);
  read("ann", 2);
  assertEquals(state.rooms.get("dev")?.unread, 1);
  read("ann", 3);
  assertEquals(state.rooms.get("dev")?.unread, 0);
});

Deno.test("ChatState shows what is on its way until it is stored or refused", pure, () => {
  const state = inLobby();
  const first = { clientId: "client-id-1", room: "lobby", text: "hello" };
  assertEquals(state.line("hello").filter(({ kind }) => kind === "send"), [
    { kind: "send", message: first },
  ]);
  state.line("/reply again");
  assertEquals(state.outgoing, [
    first,
    { clientId: "client-id-2", room: "lobby", text: "again", replyTo: 2 },
  ]);
  const stored = message(3, "hello", { from: "ann", clientId: "client-id-1" });
  // The event may come before the answer.
  state.receive({ event: "message", message: stored });
  assertEquals(state.outgoing.length, 1);
  state.sent("client-id-1", stored);
  state.refused("client-id-2", "you are banned");
  assertEquals([state.outgoing, textsOf(state)], [[], ["one", "two", "hello"]]);
  assertEquals(noticesOf(state), ["Not sent, you are banned: again"]);
});

Deno.test("ChatState reads older pages when somebody scrolls up, one at a time", pure, () => {
  const state = new TestState();
  state.size = { columns: 80, rows: 13 };
  state.setRooms([room("lobby", { lastId: 60 })]);
  const page = (first: number) =>
    Array.from({ length: 20 }, (_, index) => message(first + index, `m${first + index}`));
  state.addPage("lobby", page(41), true);
  assertEquals(state.keys("pageup"), [{ kind: "load", room: "lobby", before: 41 }]);
  assertEquals(state.keys("pageup"), []);
  const before = viewChat(state, state.size).lines();
  assertStringIncludes(before[2] ?? "", "m41");
  state.addPage("lobby", page(21), false);
  assertEquals(viewChat(state, state.size).lines().slice(2, 11), before.slice(2, 11));
  for (let count = 0; count < 9; count++) assertEquals(state.keys("pageup"), []);
  assertStringIncludes(viewChat(state, state.size).lines()[2] ?? "", "m21");
  for (let count = 0; count < 9; count++) state.keys("pagedown");
  assertEquals(state.shown.scroll, undefined);
});

Deno.test("ChatState reads more when a page does not fill the window", pure, () => {
  const state = new TestState();
  state.setRooms([room("lobby", { lastId: 60 })]);
  assertEquals(state.addPage("lobby", [message(60, "x")], true).at(-1), {
    kind: "load",
    room: "lobby",
    before: 60,
  });
});

Deno.test("ChatState stays where somebody reads, and says so to nobody", pure, () => {
  const state = new TestState();
  state.size = { columns: 80, rows: 8 };
  state.setRooms([room("lobby")]);
  state.open(
    "lobby",
    Array.from({ length: 30 }, (_, index) => message(index + 1, `m${index + 1}`)),
  );
  state.setMembers("lobby", [member("ann")]);
  state.keys("pageup");
  const shown = () => viewChat(state, state.size).lines().slice(1, 6).map((line) => line.slice(19));
  const before = shown();
  assertEquals(state.receive({ event: "message", message: message(31, "new") }), []);
  assertEquals(shown(), before);
  assertEquals(state.rooms.get("lobby")?.unread, 1);
  assertEquals(state.keys("escape"), [{ kind: "receipt", room: "lobby", read: 31 }]);
});

Deno.test(
  "ChatState says since when the connection is lost, and asks anew when it is back",
  pure,
  () => {
    const state = inLobby();
    state.setConnection({ kind: "lost", sinceMs: 5, reason: "x" });
    state.setConnection({ kind: "lost", sinceMs: 9, reason: "y" });
    assertEquals(state.connection, { kind: "lost", sinceMs: 5, reason: "x" });
    assertEquals(state.setConnection({ kind: "connected" }), [{ kind: "refresh" }]);
    assertEquals(state.setConnection({ kind: "connected" }), []);
  },
);

Deno.test("ChatState leaves a room that it is taken out of", pure, () => {
  const state = inLobby();
  const kicked = { event: "room", room: "lobby", change: "kicked", by: "bob" } as const;
  state.receive({ ...kicked, user: "cat" });
  assertEquals(noticesOf(state), ["bob took cat out"]);
  assertEquals(state.receive({ ...kicked, user: "ann" }), [{ kind: "refresh" }]);
  assertEquals([state.current, state.rooms.has("lobby")], ["", false]);
  assertEquals(noticesOf(state).at(-1), "bob took you out of lobby");
  state.setRooms([room("dev")]);
  assertEquals(state.current, "dev");
});

Deno.test("ChatState begins to write to somebody without a message", pure, () => {
  const state = inLobby();
  assertEquals(state.line("/msg bob hello").map(({ kind }) => kind), ["send"]);
  assertEquals([state.current, state.shown.state], ["@bob", "loaded"]);
  state.setRooms([room("lobby"), room("dev")]);
  assertEquals(state.current, "@bob");
});

Deno.test("ChatState tells who writes, for a while", pure, () => {
  const state = inLobby();
  state.receive({ event: "typing", room: "lobby", user: "bob" });
  state.receive({ event: "typing", room: "lobby", user: "ann" });
  const { nowMs } = state.clock;
  assertEquals(state.shown.typingAt(nowMs + 5999), ["bob"]);
  assertEquals(state.shown.typingAt(nowMs + 6000), []);
});
