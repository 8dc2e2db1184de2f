import { assertEquals, assertRejects } from "@std/assert";
import { MESSAGE_MAX_BYTES } from "../../../lib/chat/names.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { TestServer } from "../testing.ts";
import { ChatServer } from "./testing.ts";

Deno.test("the chat gives a message to all members who listen, and to nobody else", async () => {
  await using chat = await ChatServer.start();
  const [ann, bob, cat] = [
    await chat.enter("ann"),
    await chat.enter("bob"),
    await chat.enter("cat"),
  ];
  await ann.ask("room.create", { room: "lobby" });
  await bob.ask("room.join", { room: "lobby" });
  await ann.ask("subscribe", {});
  await cat.ask("subscribe", {});
  await bob.ask("subscribe", {});
  const sent = await bob.say("lobby", "hello @ann, and @nobody.");
  const [online, message] = await ann.untilEvents(2);
  assertEquals(online, { event: "presence", room: "lobby", user: "bob", online: true });
  assertEquals(message, { event: "message", message: sent });
  assertEquals(sent.mentions, ["ann", "nobody"]);
  await ann.say("@cat", "only for you");
  const [direct] = await cat.untilEvents(1);
  assertEquals(direct?.event === "message" && [direct.message.room, direct.message.text], [
    "@ann",
    "only for you",
  ]);
  assertEquals(bob.events.map(({ event }) => event), ["message"]);
});

Deno.test("who joins hears from then on, who is kicked no more", async () => {
  await using chat = await ChatServer.start();
  const [ann, bob] = [await chat.enter("ann"), await chat.enter("bob")];
  await ann.ask("room.create", { room: "lobby" });
  await bob.ask("subscribe", {});
  await ann.say("lobby", "before");
  await bob.ask("room.join", { room: "lobby" });
  await ann.say("lobby", "while");
  await ann.ask("room.kick", { room: "lobby", user: "bob" });
  await ann.say("lobby", "after");
  await ann.say("@bob", "last");
  const events = await bob.untilEvents(4);
  assertEquals(
    events.map((event) => event.event === "message" ? event.message.text : event.event),
    ["room", "while", "room", "last"],
  );
  await bob.refused("NOT_A_MEMBER", "history", { room: "lobby" });
});

Deno.test("somebody is online until the last of their devices has gone", async () => {
  await using chat = await ChatServer.start();
  const [ann, one, two] = [
    await chat.enter("ann"),
    await chat.enter("bob"),
    await chat.enter("bob"),
  ];
  await ann.ask("room.create", { room: "lobby" });
  await one.ask("room.join", { room: "lobby" });
  await ann.ask("subscribe", {});
  await one.ask("subscribe", {});
  await two.ask("subscribe", {});
  const isOnline = async () =>
    (await ann.ask("members", { room: "lobby" })).members.find(({ user }) => user === "bob")
      ?.online;
  await one.rpc.close();
  assertEquals(await isOnline(), true);
  await two.rpc.close();
  const events = await ann.untilEvents(2);
  assertEquals(events.map((event) => event.event === "presence" && event.online), [true, false]);
  assertEquals(await isOnline(), false);
});

Deno.test("edits, redactions, reactions, receipts and typing are told", async () => {
  await using chat = await ChatServer.start();
  const [ann, bob] = [await chat.enter("ann"), await chat.enter("bob")];
  const { id } = await ann.say("@bob", "typo");
  await bob.ask("subscribe", {});
  await ann.ask("edit", { id, text: "fixed" });
  await bob.ask("react", { id, emoji: "👍" });
  await ann.ask("typing", { to: "@bob" });
  await bob.ask("receipt", { room: "@ann", read: id });
  await ann.ask("redact", { id });
  const events = await bob.untilEvents(5);
  assertEquals(
    events.map((event) =>
      event.event === "message"
        ? [event.message.text, event.message.reactions?.length ?? 0]
        : event.event === "receipt"
        ? [event.user, event.read]
        : event.event
    ),
    [["fixed", 0], ["fixed", 1], "typing", ["bob", id], ["", 0]],
  );
  const { messages } = await bob.ask("sync", { after: id });
  assertEquals(messages.map(({ id, redactedBy }) => [id, redactedBy]), [[id, "ann"]]);
});

Deno.test("send is answered once the message is stored, and stores it once", async () => {
  await using chat = await ChatServer.start();
  const ann = await chat.enter("ann");
  await ann.ask("room.create", { room: "lobby" });
  const request = { to: "lobby", text: "once", clientId: "client-id-1" };
  const first = await ann.ask("send", request);
  const again = await ann.ask("send", request);
  assertEquals([first.duplicate, again.duplicate], [false, true]);
  assertEquals(again.message, first.message);
  assertEquals(await ann.read("lobby"), ["once"]);
});

Deno.test("a message may have 16 KiB, and text only", async () => {
  await using chat = await ChatServer.start();
  const ann = await chat.enter("ann");
  await ann.ask("room.create", { room: "lobby" });
  const send = (text: string) => ({ to: "lobby", text, clientId: crypto.randomUUID() });
  await ann.ask("send", send("文".repeat(5461) + "x"));
  const error = await ann.refused("MESSAGE_TOO_LONG", "send", send("文".repeat(5461) + "xx"));
  assertEquals(error.details, { limit_bytes: MESSAGE_MAX_BYTES });
  await ann.refused("MESSAGE_INVALID", "send", send(" \n"));
  await ann.refused("MESSAGE_INVALID", "send", send("a\u001b[2J"));
  await ann.refused("MESSAGE_INVALID", "send", send("a\ud800"));
  await ann.refused("ROOM_NAME_INVALID", "room.create", { room: "x".repeat(65) });
  await ann.ask("room.create", { room: "x".repeat(64) });
});

Deno.test("a page of long messages fits one answer, and says that there are more", async () => {
  await using chat = await ChatServer.start({ chat: { messagesPerSecond: 1000 } });
  const ann = await chat.enter("ann");
  await ann.ask("room.create", { room: "lobby" });
  const text = "文".repeat(5461);
  for (let i = 0; i < 60; i++) await ann.say("lobby", `${i % 10}${text}`);
  const newest = await ann.ask("history", { room: "lobby", limit: 60 });
  assertEquals([newest.more, newest.messages.at(-1)?.text[0]], [true, "9"]);
  const before = newest.messages[0]?.id ?? 0;
  const older = await ann.ask("history", { room: "lobby", limit: 60, before });
  assertEquals([older.more, older.messages.length + newest.messages.length], [false, 60]);
});

Deno.test("who sends too fast is told how long to wait", async () => {
  await using chat = await ChatServer.start({ chat: { messagesPerSecond: 1 } });
  const [ann, bob] = [await chat.enter("ann"), await chat.enter("bob")];
  await bob.say("@ann", "mine are counted for themselves");
  for (let i = 0; i < 4; i++) await ann.say("@bob", `${i}`);
  const send = { to: "@bob", text: "too fast", clientId: "client-id-2" };
  const { details } = await ann.refused("RATE_LIMITED", "send", send);
  assertEquals(typeof details["wait_ms"], "number");
});

Deno.test("a login that may only read reads, and one for a folder gets nothing", async () => {
  await using chat = await ChatServer.start();
  const ann = await chat.enter("ann");
  await ann.ask("room.create", { room: "lobby" });
  await ann.say("lobby", "words");
  const reader = await chat.enter("ann", { scope: "read" });
  assertEquals(await reader.read("lobby"), ["words"]);
  await reader.ask("subscribe", {});
  for (const method of ["typing", "send"] as const) {
    const request = { to: "lobby", text: "x", clientId: "client-id-3" };
    await reader.refused("PERMISSION_DENIED", method, request);
  }
  await reader.refused("PERMISSION_DENIED", "room.create", { room: "mine" });
  const confined = await chat.enter("ann", { pathPrefix: ["docs"] });
  await confined.refused("PERMISSION_DENIED", "rooms", {});
});

Deno.test("a connection that does not read is cut, and the others go on", async () => {
  await using chat = await ChatServer.start({
    chat: { outboxMaxBytes: 512 * 1024, messagesPerSecond: 100_000 },
  });
  const [ann, bob, dan] = [
    await chat.enter("ann"),
    await chat.enter("bob"),
    await chat.enter("dan"),
  ];
  await ann.ask("room.create", { room: "lobby" });
  for (const each of [bob, dan]) await each.ask("room.join", { room: "lobby" });
  const stalled = Promise.withResolvers<void>();
  let isStalled = false;
  const token = await chat.tokenOf("dan");
  const rpc = await chat.server.login(token, (conn) => ({
    read: async (target) => {
      if (isStalled) await stalled.promise;
      return await conn.read(target);
    },
    write: (source) => conn.write(source),
    close: () => conn.close(),
  }), "chat");
  await rpc.call("subscribe", {});
  isStalled = true;
  await bob.ask("subscribe", {});
  const presence = bob.events.length;
  const text = "x".repeat(16_000);
  let sent = 0;
  let isCut = false;
  while (!isCut && sent < 2000) {
    await Promise.all(Array.from({ length: 5 }, () => ann.say("lobby", text)));
    sent += 5;
    const { members } = await ann.ask("members", { room: "lobby" });
    isCut = members.find(({ user }) => user === "dan")?.online === false;
  }
  assertEquals(isCut, true);
  const isMessage = ({ event }: { event: string }) => event === "message";
  await bob.untilEvents(presence + sent);
  assertEquals(bob.events.filter(isMessage).length, sent);
  stalled.resolve();
  const failure = await assertRejects(() => rpc.call("members", { room: "lobby" }), TrivetError);
  assertEquals(["SLOW_READER", "CONNECTION_LOST"].includes(failure.code), true);
  await rpc.close();
});

Deno.test("a server without a chat, or without a netdisk, says so", async () => {
  await using plain = await TestServer.start();
  const token = await plain.addUser("ann");
  const wrap = <T>(conn: T) => conn;
  const none = await assertRejects(() => plain.login(token, wrap, "chat"), TrivetError);
  assertEquals(none.code, "UNKNOWN_SERVICE");
  await using chat = await TestServer.start({ services: ["chat"] });
  const other = await chat.addUser("ann");
  await (await chat.login(other, wrap, "chat")).close();
  const refused = await assertRejects(() => chat.login(other, wrap, "netdisk"), TrivetError);
  assertEquals(refused.code, "UNKNOWN_SERVICE");
});
