import { assertEquals } from "@std/assert";
import { ROOM_MESSAGES_MAX, RoomLog } from "../../../client/chat_screen/room_log.ts";
import { message, room } from "./testing.ts";

const pure = { permissions: "none" } as const;

/** A room whose newest messages are here. */
function loaded(count: number): RoomLog {
  const log = new RoomLog(room("lobby"));
  log.addPage(Array.from({ length: count }, (_, index) => message(index + 1, "x")), false);
  return log;
}

Deno.test("RoomLog keeps a bounded number of messages while the newest are shown", pure, () => {
  const log = loaded(ROOM_MESSAGES_MAX - 1);
  log.put(message(ROOM_MESSAGES_MAX, "x"));
  assertEquals([log.messages.length, log.hasOlder], [ROOM_MESSAGES_MAX, false]);
  log.put(message(ROOM_MESSAGES_MAX + 1, "newest"));
  assertEquals([log.messages.length, log.hasOlder], [ROOM_MESSAGES_MAX / 2, true]);
  assertEquals(log.messages.at(-1)?.text, "newest");
});

Deno.test("RoomLog takes nothing away from who reads older messages", pure, () => {
  const log = loaded(ROOM_MESSAGES_MAX);
  const [entry] = log.entries;
  if (entry !== undefined) log.scroll = { entry, line: 0 };
  log.put(message(ROOM_MESSAGES_MAX + 1, "x"));
  assertEquals(log.messages.length, ROOM_MESSAGES_MAX + 1);
});

Deno.test("RoomLog keeps the newest 200 notices, and all messages", pure, () => {
  const log = loaded(1);
  for (let count = 1; count <= 200; count++) log.note(`${count}`);
  assertEquals(log.entries.length, 201);
  log.note("201");
  const notices = log.entries.flatMap((entry) =>
    entry.kind === "notice" ? [entry.notice.text] : []
  );
  assertEquals([notices.length, notices[0], notices.at(-1)], [200, "2", "201"]);
  assertEquals(log.messages.length, 1);
});

Deno.test("RoomLog puts notices behind the message that was the newest then", pure, () => {
  const log = loaded(2);
  log.note("said");
  log.put(message(4, "later"));
  log.put(message(3, "between"));
  const texts = log.entries.map((entry) =>
    entry.kind === "notice" ? entry.notice.text : entry.message.text
  );
  assertEquals(texts, ["x", "x", "said", "between", "later"]);
});
