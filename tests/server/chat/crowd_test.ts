/** One reader among many that reads nothing. */

import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { ChatServer } from "./testing.ts";

Deno.test("199 readers get everything in order while the 200th stalls and is cut", async () => {
  await using chat = await ChatServer.start({
    chat: { outboxMaxBytes: 256 * 1024, messagesPerSecond: 100_000 },
  });
  const ann = await chat.enter("ann");
  await ann.ask("room.create", { room: "lobby" });
  for (const name of ["bob", "dan"]) {
    await (await chat.enter(name)).ask("room.join", { room: "lobby" });
  }
  const readers = [];
  for (let i = 0; i < 199; i++) {
    const reader = await chat.enter("bob");
    await reader.ask("subscribe", {});
    readers.push(reader);
  }
  const stalled = Promise.withResolvers<void>();
  let isStalled = false;
  const rpc = await chat.server.login(await chat.tokenOf("dan"), (conn) => ({
    read: async (target) => {
      if (isStalled) await stalled.promise;
      return await conn.read(target);
    },
    write: (source) => conn.write(source),
    close: () => conn.close(),
  }), "chat");
  await rpc.call("subscribe", {});
  isStalled = true;
  const text = "x".repeat(16_000);
  const sent: number[] = [];
  let isOnline: boolean | undefined = true;
  while (isOnline && sent.length < 2000) {
    for (let i = 0; i < 20; i++) sent.push((await ann.say("lobby", text)).id);
    const { members } = await ann.ask("members", { room: "lobby" });
    isOnline = members.find(({ user }) => user === "dan")?.online;
  }
  assertEquals(isOnline, false);
  for (const reader of readers) {
    const ids = () => reader.events.flatMap((e) => e.event === "message" ? [e.message.id] : []);
    while (ids().length < sent.length) await reader.untilEvents(reader.events.length + 1);
    assertEquals(ids(), sent);
  }
  stalled.resolve();
  const failure = await assertRejects(() => rpc.call("members", { room: "lobby" }), TrivetError);
  assertEquals(["SLOW_READER", "CONNECTION_LOST"].includes(failure.code), true);
  await rpc.close();
});
