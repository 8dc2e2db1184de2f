import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
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

/** How many messages the index of the search has, and how many it lacks. */
function indexOf(path: string): { indexed: number; missing: number } {
  using db = new DatabaseSync(path, { readOnly: true });
  const count = (sql: string) => Number(db.prepare(sql).get()?.["n"]);
  const at = "(SELECT indexed FROM chat_sequence)";
  return {
    indexed: count(`SELECT count(*) AS n FROM chat_messages WHERE id <= ${at}`),
    missing: count(`SELECT count(*) AS n FROM chat_messages WHERE id > ${at}`),
  };
}

Deno.test("SqliteChat takes messages into the search's index 256 at a time", () =>
  withFile(async (path) => {
    const chat = SqliteChat.open(path);
    await openRoom(chat, "lobby");
    const sayMany = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => say(chat, "ann", "lobby", `tea ${i}`)));
    await sayMany(255);
    await chat.close();
    assertEquals(indexOf(path), { indexed: 0, missing: 255 });
    const again = SqliteChat.open(path);
    await Promise.all(
      [255, 1].map((count) =>
        Promise.all(Array.from({ length: count }, (_, i) => say(again, "ann", "lobby", `tea ${i}`)))
      ),
    );
    while (indexOf(path).missing > 255) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(indexOf(path), { indexed: 256, missing: 255 });
    assertEquals((await again.search("ann", { text: "tea", limit: 1000 })).length, 511);
    assertEquals(indexOf(path), { indexed: 511, missing: 0 });
    await again.close();
  }));

for (const isIndexed of [false, true]) {
  const name = isIndexed ? "in" : "not yet in";
  Deno.test(`SqliteChat finds changed messages by their new text, when the old one is ${name} the index`, () =>
    withFile(async (path) => {
      const chat = SqliteChat.open(path);
      await openRoom(chat, "lobby");
      const [edited, redacted] = [
        await say(chat, "ann", "lobby", "black tea"),
        await say(chat, "ann", "lobby", "green tea"),
      ];
      const find = async (text: string) =>
        (await chat.search("ann", { text, limit: 9 })).map(({ id }) => id);
      if (isIndexed) assertEquals(await find("tea"), [redacted.id, edited.id]);
      await chat.editMessage("ann", edited.id, { text: "black coffee", mentions: [] });
      await chat.redactMessage("ann", redacted.id);
      assertEquals([await find("tea"), await find("coffee")], [[], [edited.id]]);
      await chat.expire({ sentBeforeMs: Date.now() + 1, limit: 9 });
      assertEquals(await find("coffee"), []);
      await chat.close();
      using db = new DatabaseSync(path);
      // It compares the index with the messages, and throws where they differ.
      db.exec("INSERT INTO chat_search (chat_search, rank) VALUES ('integrity-check', 1)");
    }));
}

Deno.test("SqliteChat with durability os gives no number twice after a crash, and leaves none out else", () =>
  withFile(async (path, catalog) => {
    // Nobody else may have the file open when it is replaced.
    await catalog.close();
    const numberOf = async (durability: "commit" | "os", end: "close" | "crash") => {
      const chat = SqliteChat.open(path, { durability });
      if (await chat.head() === 0) await openRoom(chat, "lobby");
      const { id } = await say(chat, "ann", "lobby", "words");
      const copy = `${path}-copy`;
      // A crash leaves the files as they are.
      for (const tail of ["", "-wal"]) await Deno.copyFile(path + tail, copy + tail);
      await chat.close();
      if (end === "crash") {
        for (const tail of ["", "-wal"]) await Deno.rename(copy + tail, path + tail);
        await Deno.remove(`${path}-shm`).catch(() => {});
      }
      return id;
    };
    const first = await numberOf("os", "close");
    assertEquals(await numberOf("os", "close"), first + 1);
    assertEquals(await numberOf("os", "crash"), first + 2);
    assertEquals(await numberOf("commit", "crash"), first + 1_000_003);
    assertEquals(await numberOf("commit", "close"), first + 1_000_004);
    assertEquals(await numberOf("os", "crash"), first + 1_000_005);
    assertEquals(await numberOf("os", "close"), first + 2_000_006);
  }));
