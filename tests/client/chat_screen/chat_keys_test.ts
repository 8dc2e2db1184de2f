import { assertEquals } from "@std/assert";
import { member, message, room, TestState } from "./testing.ts";

const pure = { permissions: "none" } as const;

function inLobby(): TestState {
  const state = new TestState();
  state.setRooms([
    room("lobby"),
    room("dev", { unread: 1 }),
    room("@bob", { unread: 2 }),
    room("garden", { state: "invited" }),
  ]);
  state.open("lobby", [message(1, "one", { from: "ann" }), message(2, "two")]);
  state.setMembers("lobby", [member("ann"), member("bob"), member("bert")]);
  return state;
}

/** What the keys led to, but for what showing a room brings along. */
function kindsOf(state: TestState, ...keys: string[]): string[] {
  return state.keys(...keys).map(({ kind }) => kind);
}

Deno.test("pressKey() leaves with Ctrl-C and Ctrl-D only where the line is empty", pure, () => {
  const state = inLobby();
  state.keys('"ab"', "left");
  assertEquals(kindsOf(state, "ctrl+d"), []);
  assertEquals(state.editor.text, "a");
  assertEquals(kindsOf(state, "ctrl+c"), []);
  assertEquals(state.editor.text, "");
  assertEquals([...kindsOf(state, "ctrl+c"), ...kindsOf(state, "ctrl+d")], ["quit", "quit"]);
});

Deno.test(
  "pressKey() tells others every three seconds that the user writes a message",
  pure,
  () => {
    const state = inLobby();
    assertEquals(kindsOf(state, '"a"', '"b"'), ["typing"]);
    state.clock.nowMs += 2999;
    assertEquals(kindsOf(state, '"c"'), []);
    state.clock.nowMs += 1;
    assertEquals(kindsOf(state, '"d"'), ["typing"]);
    state.clock.nowMs += 3000;
    assertEquals(kindsOf(state, "ctrl+u", '"/"', '"quit"'), []);
  },
);

Deno.test("pressKey() goes from room to room, around the end", pure, () => {
  const state = inLobby();
  const seen = ["alt+down", "ctrl+n", "alt+down", "alt+down", "alt+up", "ctrl+p"].map((key) => {
    state.keys(key);
    return state.current;
  });
  assertEquals(seen, ["@bob", "garden", "dev", "lobby", "dev", "garden"]);
});

Deno.test("pressKey() finds what is for the user before what is only unread", pure, () => {
  const state = inLobby();
  const next = () => {
    state.keys("alt+a");
    if (state.shown.state === "loading") state.addPage(state.current, [], false);
    return state.current;
  };
  assertEquals([next(), next(), next()], ["@bob", "dev", "dev"]);
});

Deno.test("pressKey() completes commands, rooms and people", pure, () => {
  const state = inLobby();
  const completed = (text: string) => {
    state.editor.set("");
    state.keys(`"${text}"`, "tab");
    return [state.editor.text, ...state.choices];
  };
  assertEquals(completed("/sea"), ["/search "]);
  assertEquals(completed("/ki"), ["/kick "]);
  assertEquals(completed("/join g"), ["/join garden "]);
  assertEquals(completed("/invite be"), ["/invite bert "]);
  assertEquals(completed("/role bob mo"), ["/role bob moderator "]);
  assertEquals(completed("ask @b"), ["ask @b", "@bert", "@bob"]);
  assertEquals(completed("ask @bo"), ["ask @bob "]);
  assertEquals(completed("nothing"), ["nothing"]);
  state.keys('"x"');
  assertEquals(state.choices, []);
});

Deno.test("pressKey() keeps a line that cannot be sent, and says why", pure, () => {
  const state = inLobby();
  const last = () => {
    const entry = state.shown.entries.at(-1);
    return entry?.kind === "notice" ? entry.notice.text : undefined;
  };
  for (
    const [line, reason] of [
      ["/jion x", 'Unknown command "/jion", did you mean "/join"?'],
      ["/zzzzzzzz", 'Unknown command "/zzzzzzzz"; /help lists them'],
      ["/kick", "Name a person"],
      ["/join a b", "Name a room, and nothing else"],
      ["/role bob king", "A role is owner, moderator, member"],
      ["\x1b[31m", "The message holds characters that are no text"],
    ] as const
  ) {
    state.editor.set("");
    assertEquals(state.line(line).filter(({ kind }) => kind !== "typing"), []);
    assertEquals([state.editor.text, last()], [line, reason]);
  }
});

Deno.test("pressKey() brings a message into the line to edit it", pure, () => {
  const state = inLobby();
  state.line("/edit");
  assertEquals(state.editor.text, "/edit #1 one");
  state.keys('" more"');
  assertEquals(state.keys("enter"), [{ kind: "edit", id: 1, text: "one more" }]);
});
