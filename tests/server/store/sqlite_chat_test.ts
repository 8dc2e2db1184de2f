import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { SqliteCatalog } from "../../../server/store/sqlite_catalog.ts";
import { SqliteChat } from "../../../server/store/sqlite_chat.ts";
import { addUser, type FakeClock } from "./catalog_contract.ts";
import { openRoom, say, testChatCatalog, type WithChat } from "./chat_contract.ts";

async function withFile(
  work: (path: string, catalog: SqliteCatalog) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-chat-" });
  const path = join(folder, "trivet.db");
  const catalog = SqliteCatalog.open(path);
  try {
    for (const name of ["ann", "bob", "cat", "dan"]) await addUser(catalog, name);
    await work(path, catalog);
  } finally {
    await catalog.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const withChat: WithChat = (work, limits = {}) =>
  withFile(async (path) => {
    const clock: FakeClock = { nowMs: 0 };
    const chat = SqliteChat.open(path, { now: () => clock.nowMs, limits });
    try {
      await work(chat, clock);
    } finally {
      await chat.close();
    }
  });

testChatCatalog("SqliteChat", withChat);

Deno.test("SqliteChat gives a later account of the same name nothing of the first", () =>
  withFile(async (path, catalog) => {
    const chat = SqliteChat.open(path);
    try {
      await openRoom(chat, "lobby", "bob");
      const { id } = await say(chat, "bob", "lobby", "by the first bob");
      await say(chat, "ann", "@bob", "between us");
      await catalog.removeUser("bob");
      await addUser(catalog, "bob");
      assertEquals(await chat.joinedBy("bob"), []);
      assertEquals(await chat.search("ann", { text: "between", limit: 9 }), []);
      await chat.join("bob", "lobby");
      assertEquals((await chat.history("bob", "lobby", { limit: 9 })).map(({ id }) => id), [id]);
      const edit = chat.editMessage("bob", id, { text: "by the second", mentions: [] });
      assertEquals((await edit.catch((error) => error)).code, "PERMISSION_DENIED");
    } finally {
      await chat.close();
    }
  }));

Deno.test("SqliteChat.open() keeps what was written before", () =>
  withFile(async (path) => {
    const first = SqliteChat.open(path);
    await openRoom(first, "lobby");
    const { id } = await say(first, "ann", "lobby", "words");
    await first.close();
    const second = SqliteChat.open(path);
    assertEquals((await second.history("ann", "lobby", { limit: 9 })).map(({ id }) => id), [id]);
    await second.close();
  }));
