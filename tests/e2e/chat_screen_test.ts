/** The chat on the whole terminal: two people in tmux, another size, lost connections, leaving. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { onSteadyPort } from "../testing/steady_port.ts";
import { HAS_TMUX, TmuxScreen } from "./at_tmux.ts";
import { type Person, type ServerProcess, World } from "./testing.ts";

const SIZE = { columns: 80, rows: 24 };

const skipped = HAS_TMUX ? "" : " (skipped: tmux is not installed)";

/** People who are logged in. */
async function people(world: World, server: ServerProcess, ...names: string[]): Promise<Person[]> {
  return await Promise.all(names.map(async (name) => {
    const person = await world.person(name, server);
    await person.register(name);
    return person;
  }));
}

/** A screen whose times, ports and passing notices are the same in every run. */
function steady(screen: string): string {
  return screen
    .replace(/\d{4}-\d\d-\d\d/g, "YYYY-MM-DD")
    .replace(/\b\d\d:\d\d\b/g, "HH:MM")
    .replace(/127\.0\.0\.1:\d+/g, "SERVER")
    // Terminals disagree on its width; the columns behind it do not depend on that.
    .replace(/❤️ +/g, "❤️ ")
    .replace(/ \| \w+ is writing/g, "")
    .replace(/trying again for \w+/g, "trying again for TIME");
}

Deno.test({
  name: "two people talk on their terminals, after another size and a lost connection too" +
    skipped,
  ignore: !HAS_TMUX,
  fn: async (t) => {
    await using world = await World.create();
    const server = await world.serve(onSteadyPort());
    const [ann, bob] = await people(world, server, "ann", "bob");
    assert(ann !== undefined && bob !== undefined);
    await ann.ok(["chat", "create", "lobby", "--topic", "Tea and 点心"]);
    await bob.ok(["chat", "join", "lobby"]);
    await using left = await TmuxScreen.open(ann, SIZE);
    await using right = await TmuxScreen.open(bob, { columns: 120, rows: 40 });
    await left.run(ann, ["chat"]);
    await left.shows("connected");
    await right.run(bob, ["chat", "lobby"]);
    await right.shows(/ bob\n/);

    await left.line("明天的会议改到三点，请大家提前十分钟到，并且带上上个月的报告和下个月的计划。");
    await right.shows("计划");
    await right.line("Party 🎉 heart ❤️ flag 🇨🇳 thumb 👍 end");
    await right.line("@ann over to you");
    await left.shows("over to you");
    await left.line("/react 👍");
    await left.line("/reply gladly");
    await right.shows("gladly");
    await right.line("/msg ann for you alone");
    await right.shows(/\d bob +for you alone/);
    await t.assertSnapshot(steady(await left.shows(/@bob +@1/)));

    await right.press("M-Up");
    await t.assertSnapshot(steady(await right.shows("[👍 1]")));
    await right.resize({ columns: 40, rows: 12 });
    await t.assertSnapshot(steady(await right.shows(/^ lobby - Tea and 点心\n[^│]*$/)));

    await server.stop("SIGKILL");
    await left.shows("connection lost");
    await right.shows("connection lost");
    await left.line("written while it was away");
    await right.line("这个也是");
    await t.assertSnapshot(steady(await left.shows("..:.. ann")));
    const again = await world.serve(["--port", String(server.port)]);
    const seen = await left.shows(/ connected.*/);
    assertStringIncludes(seen, "gladly");
    await left.shows(/\d\d:\d\d bob +这个也是/);
    const both = await left.shows(/\d\d:\d\d ann +written while it was away/);
    for (const text of ["written while it was away", "这个也是", "gladly"]) {
      assertEquals(both.split(text).length, 2, both);
    }
    await right.shows("written while it was away");
    const { messages } = await ann.json(["chat", "history", "lobby"]);
    assertEquals(messages.length, 6);
    // What was shown is read, and what was not is not.
    const { rooms } = await ann.json(["chat", "rooms"]);
    const unread = rooms.map((
      { room, unread }: { room: string; unread: number },
    ) => [room, unread]);
    assertEquals(unread, [["@bob", 1], ["lobby", 0]]);
    assertEquals((await again.stop()).code, 0);
  },
});

Deno.test({
  name: "a screen scrolls back into history, and holds what people paste and send" + skipped,
  ignore: !HAS_TMUX,
  fn: async (t) => {
    await using world = await World.create();
    const server = await world.serve(["--chat-rate", "1000"]);
    const [ann, bob] = await people(world, server, "ann", "bob");
    assert(ann !== undefined && bob !== undefined);
    await ann.ok(["chat", "create", "lobby"]);
    await bob.ok(["chat", "join", "lobby"]);
    const lines = Array.from({ length: 230 }, (_, index) => `line ${index + 1} of many`);
    await bob.ok(["chat", "send", "lobby", "--lines"], { stdin: lines.join("\n") });
    await using screen = await TmuxScreen.open(ann, SIZE);
    await screen.run(ann, ["chat", "lobby"]);
    await screen.shows("line 230 of many");
    for (let page = 0; page < 11; page++) {
      const before = await screen.text();
      await screen.press("PPage");
      await screen.shows(new RegExp(`^(?!${RegExp.escape(before)}$)`, "s"));
    }
    await t.assertSnapshot(steady(await screen.shows("line 1 of many")));
    await bob.ok(["chat", "send", "lobby", "meanwhile"]);
    assertStringIncludes(await screen.text(), "line 1 of many");
    await screen.press("Escape");
    await screen.shows("meanwhile");

    await screen.paste("first\nsecond\tcolumn");
    await screen.shows("> first↵second column");
    await screen.press("Enter");
    await screen.shows(/ann +first\n.*│ +second {4}column/);
    await screen.type("/se");
    await screen.press("Tab");
    await screen.line("17");
    await screen.shows(/bob: line 217 of many/);
    await screen.line("/nosuch");
    await screen.shows('Unknown command "/nosuch"');
  },
});

Deno.test({
  name: "a screen is left as it was found, however that comes about" + skipped,
  ignore: !HAS_TMUX,
  fn: async () => {
    await using world = await World.create();
    const server = await world.serve(onSteadyPort());
    const [ann] = await people(world, server, "ann");
    assert(ann !== undefined);
    await ann.ok(["chat", "create", "lobby"]);
    await using screen = await TmuxScreen.open(ann, SIZE);
    const RESTORED = /ended with (\d+)\necho icanon\n/;
    const leave = async (how: () => Promise<void>): Promise<string> => {
      await screen.run(ann, ["chat"]);
      await screen.shows("connected");
      await how();
      const text = await screen.shows(RESTORED);
      assert(!text.includes("connected"), text);
      return RESTORED.exec(text)?.[1] ?? text;
    };
    const end = (signal: Deno.Signal) => async () =>
      Deno.kill(Number(await Deno.readTextFile(ann.path("pid"))), signal);
    assertEquals(await leave(() => screen.press("C-c")), "0");
    assertEquals(await leave(() => screen.press("C-d")), "0");
    assertEquals(await leave(() => screen.line("/quit")), "0");
    assertEquals(await leave(end("SIGTERM")), "130");
    assertEquals(await leave(end("SIGINT")), "130");
    // The session is gone: no other connection can be had.
    const gone = await leave(async () => {
      await world.administrator().ok(["user", "disable", "ann"]);
      await server.stop("SIGKILL");
      await world.serve(["--port", String(server.port)]);
    });
    assertEquals(gone, "4");
  },
});

Deno.test({
  name: "a screen opens from the shell, which goes on behind it" + skipped,
  ignore: !HAS_TMUX,
  fn: async () => {
    await using world = await World.create();
    const [ann] = await people(world, await world.serve(), "ann");
    assert(ann !== undefined);
    await ann.ok(["chat", "create", "lobby"]);
    await using screen = await TmuxScreen.open(ann, SIZE);
    await screen.run(ann, ["shell"]);
    await screen.shows(/ann@.*>/);
    await screen.line("chat lobby");
    await screen.shows("connected");
    await screen.line("from the shell");
    await screen.shows(/\d ann +from the shell/);
    await screen.press("C-d");
    // What is typed from here on is the shell's.
    await screen.shows(/ann@.*> chat lobby\nann@.*>$/);
    await screen.line("chat history lobby");
    await screen.shows(/ann: from the shell/);
    await screen.line("exit");
    await screen.shows("ended with 0\necho icanon");
  },
});

Deno.test({
  name: "a screen has no colours with NO_COLOR, and none opens on a dumb terminal" + skipped,
  ignore: !HAS_TMUX,
  fn: async () => {
    await using world = await World.create();
    const [ann] = await people(world, await world.serve(), "ann");
    assert(ann !== undefined);
    await ann.ok(["chat", "create", "lobby"]);
    await ann.ok(["chat", "send", "lobby", "hello"]);
    await using screen = await TmuxScreen.open(ann, SIZE);
    // deno-lint-ignore no-control-regex -- colours are control sequences
    const COLOUR = /\x1b\[(?:\d+;)*3[0-7][;m]/;
    await screen.run(ann, ["chat"]);
    await screen.shows("hello");
    assertMatch(await screen.coloured(), COLOUR);
    await screen.press("C-d");
    await screen.shows("ended with 0");
    await screen.run(ann, ["chat"], "NO_COLOR=1");
    await screen.shows("hello");
    assert(!COLOUR.test(await screen.coloured()));
    await screen.press("C-d");
    await screen.shows("ended with 0");
    await screen.run(ann, ["chat"], "TERM=dumb");
    assertMatch(await screen.shows("ended with 2"), /on a terminal that TERM calls "dumb"/);
  },
});

Deno.test("no screen opens without a terminal", async () => {
  await using world = await World.create();
  const ann = await world.person("ann");
  const { code, stderr } = await ann.run(["chat"]);
  assertEquals(code, 2);
  assertMatch(stderr, /Cannot open the chat without a terminal: .*"chat send" and "chat tail"/);
});
