/**
 * What every `ChatCatalog` must do. An implementation's test file calls `testChatCatalog` with a way
 * to open one that is empty, in which ann, bob, cat and dan have accounts.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type {
  ChatCatalog,
  ChatCatalogLimits,
  MessageRecord,
} from "../../../server/store/catalog_chat.ts";
import { assertCode, type FakeClock } from "./catalog_contract.ts";

/** Opens an empty catalog and runs `work` with it. */
export type WithChat = (
  work: (chat: ChatCatalog, clock: FakeClock) => Promise<void>,
  limits?: Partial<ChatCatalogLimits>,
) => Promise<void>;

type Test = (
  behaviour: string,
  work: (chat: ChatCatalog, clock: FakeClock) => Promise<void>,
  limits?: Partial<ChatCatalogLimits>,
) => void;

let clientIds = 0;

/** Makes a room of ann's in which all the others are. */
export async function openRoom(chat: ChatCatalog, name: string, ...others: string[]) {
  await chat.createRoom({ name, owner: "ann", isPrivate: false, topic: "" });
  for (const user of others) await chat.join(user, name);
}

/** Sends a message. */
export async function say(
  chat: ChatCatalog,
  sender: string,
  to: string,
  text: string,
): Promise<MessageRecord> {
  const clientId = `client-${clientIds++}`;
  const message = { sender, to, text, clientId, mentions: [], replyTo: null };
  return (await chat.addMessage(message)).message;
}

const texts = (messages: readonly MessageRecord[]) => messages.map(({ text }) => text);

/** Registers the suite. */
export function testChatCatalog(name: string, withChat: WithChat): void {
  const test: Test = (behaviour, work, limits) =>
    Deno.test(`${name} ${behaviour}`, () => withChat(work, limits));
  testRooms(test);
  testPrivacy(test);
  testLimits(test);
  testMessages(test);
  testReading(test);
  testSearch(test);
  testExpiry(test);
}

function testRooms(test: Test): void {
  test("createRoom() makes an owner, and a public name once", async (chat) => {
    await openRoom(chat, "lobby", "bob");
    const members = await chat.members("ann", "lobby", { limit: 10 });
    assertEquals(members.map(({ user, role }) => [user, role]), [["ann", "owner"], [
      "bob",
      "member",
    ]]);
    const again = { name: "lobby", owner: "bob", isPrivate: false, topic: "" };
    await assertCode("ROOM_EXISTS", () => chat.createRoom(again));
  });
  test("join() is no error for a member, and refuses who is banned until invited", async (chat) => {
    await openRoom(chat, "lobby", "bob");
    assertEquals((await chat.join("bob", "lobby")).joined, false);
    await chat.expel("ann", "lobby", { user: "bob", ban: true });
    await assertCode("BANNED", () => chat.join("bob", "lobby"));
    await chat.invite("ann", "lobby", "bob");
    assertEquals((await chat.join("bob", "lobby")).joined, true);
  });
  test(
    "leave() hands the room to the moderator, else to the oldest member",
    async (chat, clock) => {
      await openRoom(chat, "lobby", "bob");
      clock.nowMs += 1;
      await chat.join("cat", "lobby");
      await chat.setRole("ann", "lobby", { user: "cat", role: "moderator" });
      await chat.leave("ann", "lobby");
      const roles = (await chat.members("bob", "lobby", { limit: 10 })).map(({ role }) => role);
      assertEquals(roles, ["member", "owner"]);
      await assertCode("NOT_A_MEMBER", () => chat.leave("ann", "lobby"));
    },
  );
  test("expel(), setTopic() and setRole() need a higher role", async (chat) => {
    await openRoom(chat, "lobby", "bob", "cat", "dan");
    const expel = (by: string, user: string) => chat.expel(by, "lobby", { user, ban: false });
    await assertCode("PERMISSION_DENIED", () => expel("bob", "cat"));
    await assertCode("PERMISSION_DENIED", () => chat.setTopic("bob", "lobby", "x"));
    await chat.setRole("ann", "lobby", { user: "bob", role: "moderator" });
    await chat.setRole("ann", "lobby", { user: "dan", role: "moderator" });
    await assertCode("PERMISSION_DENIED", () => expel("bob", "ann"));
    await assertCode("PERMISSION_DENIED", () => expel("bob", "dan"));
    await assertCode(
      "PERMISSION_DENIED",
      () => chat.setRole("bob", "lobby", { user: "bob", role: "owner" }),
    );
    await expel("bob", "cat");
    await assertCode("NOT_A_MEMBER", () => chat.find("cat", "lobby"));
    assertEquals((await chat.setTopic("bob", "lobby", "tea")).topic, "tea");
    assertEquals((await chat.view("ann", "lobby")).topic, "tea");
  });
}

function testPrivacy(test: Test): void {
  test("a private room does not exist for who is not in it", async (chat) => {
    await chat.createRoom({ name: "den", owner: "ann", isPrivate: true, topic: "secret" });
    await say(chat, "ann", "den", "hidden words");
    for (
      const attempt of [
        () => chat.join("bob", "den"),
        () => chat.leave("bob", "den"),
        () => chat.find("bob", "den"),
        () => chat.members("bob", "den", { limit: 9 }),
        () => chat.history("bob", "den", { limit: 9 }),
        () => chat.invite("bob", "den", "bob"),
        () => chat.setTopic("bob", "den", "x"),
        () => say(chat, "bob", "den", "x"),
        () => chat.search("bob", { text: "hidden", in: "den", limit: 9 }),
      ]
    ) {
      const there = await assertCode("ROOM_NOT_FOUND", attempt);
      assertEquals(there.message, 'There is no room "den"');
    }
    assertEquals(await chat.list("bob", { limit: 9 }), []);
    assertEquals(await chat.search("bob", { text: "hidden", limit: 9 }), []);
    assertEquals(await chat.changes("bob", { after: 0, limit: 9 }), []);
    // A name that was refused would tell that the room is there.
    await chat.createRoom({ name: "den", owner: "bob", isPrivate: false, topic: "" });
    assertEquals((await chat.list("bob", { limit: 9 })).map(({ isPrivate }) => isPrivate), [false]);
    assertEquals((await chat.view("ann", "den")).isPrivate, true);
  });
  test("an invitation to a private room opens it, and only moderators give one", async (chat) => {
    await chat.createRoom({ name: "den", owner: "ann", isPrivate: true, topic: "" });
    await chat.invite("ann", "den", "bob");
    await assertCode("NOT_A_MEMBER", () => chat.history("bob", "den", { limit: 9 }));
    assertEquals((await chat.list("bob", { limit: 9 })).map(({ state }) => state), ["invited"]);
    await chat.join("bob", "den");
    await assertCode("PERMISSION_DENIED", () => chat.invite("bob", "den", "cat"));
    await chat.expel("ann", "den", { user: "bob", ban: true });
    await assertCode("ROOM_NOT_FOUND", () => chat.join("bob", "den"));
  });
  test("nobody is in two rooms of one name", async (chat) => {
    await openRoom(chat, "den", "bob");
    await chat.createRoom({ name: "den", owner: "cat", isPrivate: true, topic: "" });
    await chat.invite("cat", "den", "bob");
    await assertCode("ROOM_EXISTS", () => chat.join("bob", "den"));
    await chat.leave("bob", "den");
    assertEquals((await chat.join("bob", "den")).conversation.isPrivate, true);
  });
  test("a private room goes with its last member", async (chat) => {
    await chat.createRoom({ name: "den", owner: "ann", isPrivate: true, topic: "" });
    const { id } = await say(chat, "ann", "den", "words");
    await chat.leave("ann", "den");
    await assertCode("MESSAGE_NOT_FOUND", () => chat.redactMessage("ann", id));
  });
  test("history and members of a public room are for members", async (chat) => {
    await openRoom(chat, "lobby");
    await assertCode("NOT_A_MEMBER", () => chat.history("bob", "lobby", { limit: 9 }));
    await assertCode("NOT_A_MEMBER", () => chat.members("bob", "lobby", { limit: 9 }));
    await assertCode("NOT_A_MEMBER", () => say(chat, "bob", "lobby", "x"));
    assertEquals((await chat.list("bob", { limit: 9 })).map(({ state }) => state), ["none"]);
  });
}

function testLimits(test: Test): void {
  test("rooms of one user have a limit", async (chat) => {
    await openRoom(chat, "one");
    await openRoom(chat, "two");
    await assertCode("TOO_MANY_ROOMS", () => openRoom(chat, "three"));
    await chat.leave("ann", "one");
    await openRoom(chat, "three");
  }, { roomsPerUserMax: 2 });
  test("members of one room have a limit", async (chat) => {
    await openRoom(chat, "lobby", "bob");
    await assertCode("ROOM_FULL", () => chat.join("cat", "lobby"));
    await chat.leave("bob", "lobby");
    await chat.join("cat", "lobby");
  }, { membersMax: 2 });
  test("reactions to one message have a limit", async (chat) => {
    await openRoom(chat, "lobby", "bob");
    const { id } = await say(chat, "ann", "lobby", "x");
    await chat.react("ann", id, { emoji: "👍", remove: false });
    const last = await chat.react("bob", id, { emoji: "👍", remove: false });
    assertEquals(last.reactions.length, 2);
    await assertCode(
      "TOO_MANY_REACTIONS",
      () => chat.react("bob", id, { emoji: "🎉", remove: false }),
    );
    assertEquals((await chat.react("bob", id, { emoji: "👍", remove: true })).reactions.length, 1);
  }, { reactionsMax: 2 });
}

function testMessages(test: Test): void {
  test("addMessage() stores one message for each client's id of a sender", async (chat) => {
    await openRoom(chat, "lobby", "bob");
    const message = {
      sender: "ann",
      to: "lobby",
      text: "once",
      clientId: "same-one",
      mentions: [],
      replyTo: null,
    };
    const both = await Promise.all([chat.addMessage(message), chat.addMessage(message)]);
    assertEquals(both.map(({ duplicate }) => duplicate), [false, true]);
    assertEquals(both[0].message.id, both[1].message.id);
    await assertCode("INVALID_REQUEST", () => chat.addMessage({ ...message, text: "other" }));
    assertEquals((await chat.addMessage({ ...message, sender: "bob" })).duplicate, false);
    await chat.editMessage("ann", both[0].message.id, { text: "changed", mentions: [] });
    assertEquals((await chat.addMessage(message)).message.text, "changed");
    assertEquals((await chat.history("ann", "lobby", { limit: 9 })).length, 2);
  });
  test("ids ascend in the order in which promises resolve", async (chat) => {
    await openRoom(chat, "lobby", "bob");
    const first = await say(chat, "ann", "lobby", "first");
    const order: number[] = [];
    await Promise.all(Array.from({ length: 50 }, (_, i) => {
      if (i % 3 === 0) {
        const change = { text: `edit ${i}`, mentions: [] };
        return chat.editMessage("ann", first.id, change).then(({ seq }) => order.push(seq));
      }
      const sender = i % 2 === 0 ? "ann" : "bob";
      const message = { sender, to: "lobby", text: `${i}`, mentions: [], replyTo: null };
      return chat.addMessage({ ...message, clientId: `ordered-${i}` })
        .then((stored) => order.push(stored.message.seq));
    }));
    assertEquals(order, order.toSorted((a, b) => a - b));
    assertEquals(new Set(order).size, 50);
    assertEquals(await chat.head(), order.at(-1));
  });
  test("direct messages are one conversation for both, and for nobody else", async (chat) => {
    await say(chat, "ann", "@bob", "hello");
    await say(chat, "bob", "@ann", "hi");
    assertEquals(texts(await chat.history("bob", "@ann", { limit: 9 })), ["hello", "hi"]);
    assertEquals(texts(await chat.history("ann", "@bob", { limit: 9 })), ["hello", "hi"]);
    assertEquals(await chat.changes("cat", { after: 0, limit: 9 }), []);
    await assertCode("CHAT_USER_NOT_FOUND", () => say(chat, "ann", "@nobody", "x"));
    await assertCode("CHAT_USER_NOT_FOUND", () => say(chat, "ann", "@ann", "x"));
  });
  test("editMessage() is for the sender, redactMessage() for moderators too", async (chat) => {
    await openRoom(chat, "lobby", "bob", "cat");
    const { id } = await say(chat, "bob", "lobby", "typo");
    const edit = (user: string) => chat.editMessage(user, id, { text: "fixed", mentions: [] });
    await assertCode("PERMISSION_DENIED", () => edit("ann"));
    const edited = await edit("bob");
    assert(edited.seq > id && edited.editedAtMs !== null);
    await chat.react("cat", id, { emoji: "👍", remove: false });
    await assertCode("PERMISSION_DENIED", () => chat.redactMessage("cat", id));
    const redacted = await chat.redactMessage("ann", id);
    assertEquals([redacted.text, redacted.redactedBy, redacted.reactions], ["", "ann", []]);
    assertEquals(await chat.search("ann", { text: "fixed", limit: 9 }), []);
    await assertCode("PERMISSION_DENIED", () => edit("bob"));
  });
  test("a reply names a message of the same room", async (chat) => {
    await openRoom(chat, "lobby", "bob");
    await openRoom(chat, "other");
    const there = await say(chat, "ann", "other", "x");
    const here = await say(chat, "ann", "lobby", "question");
    const reply = {
      sender: "bob",
      to: "lobby",
      text: "answer",
      clientId: "a-reply-1",
      mentions: ["ann"],
    };
    await assertCode(
      "MESSAGE_NOT_FOUND",
      () => chat.addMessage({ ...reply, replyTo: there.id }),
    );
    const { message } = await chat.addMessage({ ...reply, replyTo: here.id });
    assertEquals([message.replyTo, message.mentions], [here.id, ["ann"]]);
  });
}

function testReading(test: Test): void {
  test("history() pages before, after, between and around an id", async (chat) => {
    await openRoom(chat, "lobby");
    const ids: number[] = [];
    for (let i = 0; i < 9; i++) ids.push((await say(chat, "ann", "lobby", `m${i}`)).id);
    const read = async (query: Omit<Parameters<ChatCatalog["history"]>[2], "limit">, limit = 3) =>
      texts(await chat.history("ann", "lobby", { ...query, limit }));
    assertEquals(await read({}), ["m6", "m7", "m8"]);
    assertEquals(await read({ before: ids[6] }), ["m3", "m4", "m5"]);
    assertEquals(await read({ after: 0 }), ["m0", "m1", "m2"]);
    assertEquals(await read({ after: ids[6] }), ["m7", "m8"]);
    assertEquals(await read({ after: ids[1], before: ids[4] }, 9), ["m2", "m3"]);
    assertEquals(await read({ around: ids[4] }, 4), ["m2", "m3", "m4", "m5"]);
  });
  test("changes() gives what is new or changed, by change", async (chat) => {
    await openRoom(chat, "lobby", "bob");
    const first = await say(chat, "ann", "lobby", "first");
    const second = await say(chat, "ann", "@bob", "second");
    const edited = await chat.editMessage("ann", first.id, { text: "again", mentions: [] });
    const read = async (after: number) => texts(await chat.changes("bob", { after, limit: 9 }));
    assertEquals(await read(0), ["second", "again"]);
    assertEquals(await read(second.id), ["again"]);
    assertEquals(await read(edited.seq), []);
  });
  test("noteReceipt() only goes forward, and not beyond the newest message", async (chat) => {
    await openRoom(chat, "lobby", "bob");
    const { id } = await say(chat, "ann", "lobby", "x");
    const unread = async () => (await chat.view("bob", "lobby")).unread;
    assertEquals(await unread(), 1);
    const noted = await chat.noteReceipt("bob", "lobby", { delivered: id + 5 });
    assertEquals([noted?.delivered, noted?.read], [id, 0]);
    assertEquals((await chat.noteReceipt("bob", "lobby", { read: id }))?.read, id);
    assertEquals(await chat.noteReceipt("bob", "lobby", { read: id, delivered: 1 }), null);
    assertEquals(await unread(), 0);
  });
  test("list() pages by address", async (chat) => {
    await openRoom(chat, "a");
    await openRoom(chat, "c", "bob");
    await say(chat, "bob", "@cat", "x");
    const addresses = async (after?: string) =>
      (await chat.list("bob", { after, limit: 2 })).map(({ name, users }) => name ?? users);
    assertEquals(await addresses(), [["bob", "cat"], "a"]);
    assertEquals(await addresses("a"), ["c"]);
  });
}

function testSearch(test: Test): void {
  const CASES: [query: string, found: string[]][] = [
    ["会议", ["明天的会议改到三点"]],
    ["会", ["明天的会议改到三点"]],
    ["改到三点", ["明天的会议改到三点"]],
    ["🎉", ["Done 🎉"]],
    ["done 🎉", ["Done 🎉"]],
    ["ONE", ["Done 🎉"]],
    ["100%", ['100% "sure" _really_']],
    ["%", ['100% "sure" _really_']],
    ['"sure" _r', ['100% "sure" _really_']],
    ["会议 nothing", []],
    ["  ", []],
  ];
  test("search() finds Chinese words, emoji and signs as they are", async (chat) => {
    await openRoom(chat, "lobby");
    for (const text of ["明天的会议改到三点", "Done 🎉", '100% "sure" _really_']) {
      await say(chat, "ann", "lobby", text);
    }
    for (const [text, found] of CASES) {
      assertEquals(texts(await chat.search("ann", { text, limit: 9 })), found, text);
    }
  });
  test("search() pages from the newest, in one room or all", async (chat) => {
    await openRoom(chat, "lobby");
    await say(chat, "ann", "lobby", "tea one");
    const second = await say(chat, "ann", "lobby", "tea two");
    await say(chat, "ann", "@bob", "tea three");
    const read = async (query: { in?: string; before?: number }) =>
      texts(await chat.search("ann", { text: "tea", limit: 2, ...query }));
    assertEquals(await read({}), ["tea three", "tea two"]);
    assertEquals(await read({ before: second.id }), ["tea one"]);
    assertEquals(await read({ in: "lobby" }), ["tea two", "tea one"]);
  });
}

function testExpiry(test: Test): void {
  test(
    "expire() deletes by age and by count, for good and never the newest",
    async (chat, clock) => {
      await openRoom(chat, "lobby");
      for (let i = 0; i < 6; i++) {
        clock.nowMs = i;
        await say(chat, "ann", "lobby", `m${i}`);
        await say(chat, "ann", "@bob", `d${i}`);
      }
      const left = async (room: string) => texts(await chat.history("ann", room, { limit: 9 }));
      assertEquals(await chat.expire({ sentBeforeMs: 2, limit: 100 }), 4);
      assertEquals(await left("lobby"), ["m2", "m3", "m4", "m5"]);
      assertEquals(await chat.expire({ keepCount: 3, limit: 100 }), 2);
      assertEquals(await left("@bob"), ["d3", "d4", "d5"]);
      assertEquals(await chat.expire({ keepCount: 1, limit: 3 }), 3);
      assertEquals(await chat.expire({ keepCount: 1, limit: 100 }), 1);
      assertEquals(await left("lobby"), ["m5"]);
      assertEquals(texts(await chat.search("ann", { text: "d", limit: 9 })), ["d5"]);
      const before = await chat.head();
      await chat.expire({ keepCount: 0, limit: 100 });
      assert((await say(chat, "ann", "lobby", "new")).id > before);
    },
  );
}
