/** A private room does not exist for who is not in it, whatever they ask. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CHAT_REQUESTS, type ChatMethod } from "../../../lib/chat/messages.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { ChatServer, type Chatter } from "./testing.ts";

/** What a stranger asks about a room and one of its messages. */
function askAbout(room: string, id: number): Partial<Record<ChatMethod, Record<string, unknown>>> {
  return {
    "room.join": { room },
    "room.leave": { room },
    "room.invite": { room, user: "cat" },
    "room.kick": { room, user: "ann" },
    "room.topic": { room, topic: "mine" },
    "room.role": { room, user: "ann", role: "member" },
    members: { room },
    send: { to: room, text: "x", clientId: "client-id-9" },
    edit: { id, text: "x" },
    redact: { id },
    react: { id, emoji: "x" },
    history: { room },
    search: { text: "treasure", room },
    typing: { to: room },
    receipt: { room, read: id },
  };
}

/** Methods that name neither a room that is there nor a message. */
const ABOUT_ALL: readonly ChatMethod[] = ["rooms", "room.create", "subscribe", "sync"];

async function refusal(chatter: Chatter, method: string, request: unknown): Promise<unknown> {
  const error = await assertRejects(
    () => chatter.rpc.call(method, request),
    TrivetError,
    "",
    method,
  );
  return { code: error.code, message: error.message, details: error.details };
}

Deno.test("no method tells a stranger of a private room, nor who was in it once", async () => {
  await using chat = await ChatServer.start();
  const [ann, bob, cat] = [
    await chat.enter("ann"),
    await chat.enter("bob"),
    await chat.enter("cat"),
  ];
  await ann.ask("room.create", { room: "denx", private: true, topic: "secret" });
  await ann.ask("room.invite", { room: "denx", user: "bob" });
  await bob.ask("room.join", { room: "denx" });
  await ann.ask("room.kick", { room: "denx", user: "bob" });
  for (const stranger of [bob, cat]) await stranger.ask("subscribe", {});
  const before = bob.events.length;
  const { id } = await ann.say("denx", "the treasure");
  await ann.ask("room.topic", { room: "denx", topic: "more secret" });
  const nothing = askAbout("none", 999_999);
  const asked = Object.entries(askAbout("denx", id));
  assertEquals(
    new Set([...asked.map(([method]) => method), ...ABOUT_ALL]),
    new Set(Object.keys(CHAT_REQUESTS)),
  );
  for (const stranger of [bob, cat]) {
    for (const [method, request] of asked) {
      const about = await refusal(stranger, method, request);
      const other = await refusal(stranger, method, nothing[method as ChatMethod]);
      const asOther = JSON.stringify(about).replaceAll("denx", "none")
        .replaceAll(new RegExp(`message ${id}\\b`, "g"), "message 999999");
      assertEquals(JSON.parse(asOther), other, method);
    }
    const reply = { to: "@ann", text: "x", clientId: crypto.randomUUID(), replyTo: id };
    assertEquals(
      JSON.stringify(await refusal(stranger, "send", reply)).replaceAll(`${id}`, "999999"),
      JSON.stringify(await refusal(stranger, "send", { ...reply, replyTo: 999_999 })),
    );
    assertEquals((await stranger.ask("rooms", {})).rooms, []);
    assertEquals((await stranger.ask("search", { text: "treasure" })).messages, []);
    assertEquals((await stranger.ask("sync", { after: 0 })).messages, []);
  }
  assertEquals((await bob.ask("room.create", { room: "denx" })).room.members, 1);
  await bob.say("denx", "mine");
  await bob.untilEvents(before + 2);
  const told = bob.events.slice(before);
  assert(told.every((event) => !JSON.stringify(event).includes("secret")));
  assertEquals(cat.events, []);
});

Deno.test("who has not joined a public room learns its name and topic, and no more", async () => {
  await using chat = await ChatServer.start();
  const [ann, cat] = [await chat.enter("ann"), await chat.enter("cat")];
  await ann.ask("room.create", { room: "open", topic: "tea" });
  await cat.ask("subscribe", {});
  const { id } = await ann.say("open", "the treasure");
  const { rooms } = await cat.ask("rooms", {});
  assertEquals(rooms.map(({ room, topic, lastId }) => [room, topic, lastId]), [["open", "tea", 0]]);
  for (const method of ["members", "history"] as const) {
    await cat.refused("NOT_A_MEMBER", method, { room: "open" });
  }
  await cat.refused("MESSAGE_NOT_FOUND", "react", { id, emoji: "x" });
  assertEquals((await cat.ask("sync", { after: 0 })).messages, []);
  assertEquals(cat.events, []);
});
