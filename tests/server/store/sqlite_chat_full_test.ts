/** The limits of the chat at the size that they have by default. */

import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../../lib/errors.ts";
import { CHAT_CATALOG_LIMITS, SqliteChat } from "../../../server/store/sqlite_chat.ts";
import { SqliteCatalog } from "../../../server/store/sqlite_catalog.ts";

/** Runs `work` with a chat of so many accounts, `user0` and so on. */
async function withAccounts(
  count: number,
  work: (chat: SqliteChat, names: string[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
  try {
    await using stack = new AsyncDisposableStack();
    const path = join(folder, "trivet.db");
    const catalog = stack.adopt(SqliteCatalog.open(path), (opened) => opened.close());
    const chat = stack.adopt(SqliteChat.open(path), (opened) => opened.close());
    const secret = new Uint8Array(32);
    const verifier = { salt: secret, iterations: 600_000, storedKey: secret, serverKey: secret };
    const names = Array.from({ length: count }, (_, i) => `user${i}`);
    await Promise.all(names.map((name) => catalog.createUser({ name, verifier, quotaBytes: 0 })));
    await work(chat, names);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function assertCode(code: string, work: () => Promise<unknown>): Promise<void> {
  assertEquals((await assertRejects(work, TrivetError)).code, code);
}

Deno.test("SqliteChat join() takes 5000 members into a room, and not one more", async () => {
  const { membersMax } = CHAT_CATALOG_LIMITS;
  assertEquals(membersMax, 5000);
  await withAccounts(membersMax + 1, async (chat, [owner = "", ...others]) => {
    await chat.createRoom({ name: "full", owner, isPrivate: false, topic: "" });
    const last = others.pop() ?? "";
    await Promise.all(others.map((name) => chat.join(name, "full")));
    assertEquals((await chat.view(owner, "full")).members, membersMax);
    await assertCode("ROOM_FULL", () => chat.join(last, "full"));
    await chat.leave(others[0] ?? "", "full");
    assertEquals((await chat.join(last, "full")).joined, true);
    const found: string[] = [];
    for (;;) {
      const page = await chat.members(owner, "full", { after: found.at(-1), limit: 200 });
      found.push(...page.map(({ user }) => user));
      if (page.length < 200) break;
    }
    assertEquals(new Set(found).size, membersMax);
  });
});

Deno.test("SqliteChat createRoom() and join() take one account into 200 rooms, and not one more", async () => {
  const { roomsPerUserMax } = CHAT_CATALOG_LIMITS;
  assertEquals(roomsPerUserMax, 200);
  await withAccounts(2, async (chat, [ann = "", bob = ""]) => {
    const make = (owner: string, name: string) =>
      chat.createRoom({ name, owner, isPrivate: false, topic: "" });
    for (let i = 0; i < roomsPerUserMax; i++) await make(ann, `room${i}`);
    await assertCode("TOO_MANY_ROOMS", () => make(ann, "more"));
    await make(bob, "theirs");
    await assertCode("TOO_MANY_ROOMS", () => chat.join(ann, "theirs"));
    await chat.leave(ann, "room0");
    assertEquals((await chat.join(ann, "theirs")).joined, true);
  });
});

Deno.test("SqliteChat react() takes 100 reactions to a message, and not one more", async () => {
  const { reactionsMax } = CHAT_CATALOG_LIMITS;
  assertEquals(reactionsMax, 100);
  await withAccounts(1, async (chat, [ann = ""]) => {
    await chat.createRoom({ name: "lobby", owner: ann, isPrivate: false, topic: "" });
    const rest = { text: "x", clientId: "client-id-1", mentions: [], replyTo: null };
    const { message } = await chat.addMessage({ sender: ann, to: "lobby", ...rest });
    const react = (n: number) => chat.react(ann, message.id, { emoji: `e${n}`, remove: false });
    for (let i = 0; i < reactionsMax; i++) await react(i);
    await assertCode("TOO_MANY_REACTIONS", () => react(reactionsMax));
  });
});
