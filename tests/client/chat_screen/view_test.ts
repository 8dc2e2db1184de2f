import { assertEquals, assertStringIncludes } from "@std/assert";
import { viewChat } from "../../../client/chat_screen/view.ts";
import { widthOf } from "../../../client/screen/clusters.ts";
import { member, message, MORNING_MS, room, TestState } from "./testing.ts";

const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 40, rows: 12 },
  { columns: 120, rows: 40 },
] as const;

/** A state that shows everything there is to show. */
function fullState(): TestState {
  const state = new TestState();
  state.setRooms([
    room("lobby", { topic: "What is for lunch", role: "owner", lastId: 9 }),
    room("dev", { unread: 3, private: true }),
    room("announcements-of-the-house", { unread: 1000 }),
    room("@bob", { unread: 1 }),
    room("garden", { state: "invited" }),
  ]);
  state.open("lobby", [
    message(1, "Good morning", { timeMs: MORNING_MS - 86_400_000 }),
    message(2, "明天的会议改到三点，请大家提前十分钟到，并且带上上个月的报告和下个月的计划。"),
    message(3, "Party 🎉 family 👨‍👩‍👧‍👦 heart ❤️ flag 🇨🇳 end"),
    message(4, "two\nlines\twith a tab", { from: "ann" }),
    message(5, "@ann look at this", { mentions: ["ann"], replyTo: 4 }),
    message(6, "", { redactedMs: 1, redactedBy: "ann" }),
    message(7, "better now", { editedMs: 1, reactions: [{ emoji: "👍", users: ["ann", "cat"] }] }),
    message(8, "red \x1b[31m alert \u202e", { from: "a-name-that-is-rather-long" }),
    message(9, "a-word-that-is-longer-than-the-line-of-a-window-that-is-narrow-indeed"),
  ]);
  state.setMembers("lobby", [
    member("ann", { role: "owner" }),
    member("bob", { role: "moderator" }),
    member("cat", { online: false }),
  ]);
  state.receive({ event: "typing", room: "lobby", user: "bob" });
  state.line("on its way");
  state.keys('"half a 句子"', "left");
  return state;
}

for (const size of SIZES) {
  const name = `viewChat() shows everything at ${size.columns}×${size.rows}`;
  Deno.test(name, async (t) => {
    const state = fullState();
    state.size = size;
    const lines = viewChat(state, size).lines();
    assertEquals(lines.length, size.rows);
    for (const line of lines) assertEquals(widthOf(line) <= size.columns, true, line);
    await t.assertSnapshot(lines.join("\n"));
  });
}

Deno.test("viewChat() shows a first start", async (t) => {
  const state = new TestState();
  state.setRooms([]);
  await t.assertSnapshot(viewChat(state, { columns: 80, rows: 10 }).lines().join("\n"));
});

Deno.test("viewChat() shows a lost connection, and for how long", async (t) => {
  const state = fullState();
  state.setConnection({ kind: "lost", sinceMs: MORNING_MS, reason: "gone" });
  state.clock.nowMs += 75_000;
  state.setConnection({ kind: "lost", sinceMs: state.clock.nowMs, reason: "gone" });
  await t.assertSnapshot(viewChat(state, { columns: 80, rows: 8 }).lines().join("\n"));
});

Deno.test("viewChat() shows what Tab found", { permissions: "none" }, () => {
  const state = fullState();
  state.keys("ctrl+u", "ctrl+k", '"/r"', "tab");
  const status = viewChat(state, { columns: 80, rows: 10 }).lines().at(-2) ?? "";
  assertStringIncludes(status, "/react /redact /reply /role /rooms");
});

Deno.test(
  "viewChat() puts the cursor where the next character comes",
  { permissions: "none" },
  () => {
    const state = new TestState();
    const cursor = () => viewChat(state, { columns: 20, rows: 5 }).cursor;
    assertEquals(cursor(), { row: 4, column: 2 });
    state.keys('"a会🎉"');
    assertEquals(cursor(), { row: 4, column: 7 });
    state.keys("left", "left");
    assertEquals(cursor(), { row: 4, column: 3 });
    state.keys("end", `"${"x".repeat(40)}"`);
    assertEquals(cursor(), { row: 4, column: 19 });
  },
);

Deno.test("viewChat() needs 20 columns and 5 rows", { permissions: "none" }, () => {
  const first = (columns: number, rows: number) =>
    viewChat(new TestState(), { columns, rows }).lines()[0]?.trim();
  assertEquals(first(20, 5), "Trivet chat");
  assertEquals(first(19, 5), "Window too small");
  assertEquals(first(20, 4), "Window too small");
  assertEquals(viewChat(new TestState(), { columns: 1, rows: 1 }).lines(), ["W"]);
});

Deno.test("viewChat() has a list of rooms from 60 columns on, of members from 100", {
  permissions: "none",
}, () => {
  const bars = (columns: number) =>
    viewChat(fullState(), { columns, rows: 10 }).lines()[3]?.split("│").length ?? 0;
  assertEquals([59, 60, 99, 100].map(bars), [1, 2, 2, 3]);
});

Deno.test("viewChat() lets messages that name the user stand out", { permissions: "none" }, () => {
  const state = fullState();
  const frame = viewChat(state, { columns: 80, rows: 24 });
  const styleOf = (text: string) => {
    const row = frame.lines().findIndex((line) => line.includes(text));
    return frame.cell(row, frame.lines()[row]?.indexOf(text) ?? -1).style;
  };
  assertEquals(styleOf("@ann look"), "mention");
  assertEquals(styleOf("better now"), "plain");
  assertEquals(styleOf("on its way"), "dim");
  assertEquals(styleOf("(redacted"), "dim");
});

Deno.test("viewChat() counts up to 999 unread messages", { permissions: "none" }, () => {
  const shown = (unread: number) => {
    const state = new TestState();
    state.setRooms([room("a"), room("b", { unread })]);
    return viewChat(state, { columns: 60, rows: 6 }).lines()[2]?.replace(/│.*/, "");
  };
  assertEquals(shown(999), "b              999");
  assertEquals(shown(1000), "b             999+");
});
