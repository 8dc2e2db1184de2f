import { assertRejects } from "@std/assert";
import type { ChatMessage } from "../../client/chat_types.ts";
import { checkChat } from "./chat_check.ts";
import type { Acked } from "./chat_user.ts";

const ROOM = "tea";

function message(id: number, number: number): ChatMessage {
  const text = `${number} x`;
  return { id, seq: id, room: ROOM, from: "ann", timeMs: 0, text, clientId: `client-${number}` };
}

function ack(id: number, number: number): Acked {
  return { id, room: ROOM, from: "ann", number, tookMs: 1 };
}

/** Checks one user who sent three messages. */
async function check(
  { acked = [ack(5, 0), ack(6, 1), ack(9, 2)], history = SENT, followed = SENT }: {
    readonly acked?: readonly Acked[];
    readonly history?: readonly ChatMessage[];
    readonly followed?: readonly ChatMessage[];
  },
): Promise<void> {
  const reader = {
    async *messages() {
      yield* history;
      await Promise.resolve();
    },
  };
  const users = [{ name: "ann", acked, followed }];
  await checkChat({ users, clients: [reader], rooms: new Map([[ROOM, new Set(["ann"])]]) });
}

const SENT = [message(5, 0), message(6, 1), message(9, 2)];

Deno.test("checkChat() accepts what was sent once and in order", async () => {
  await check({});
});

const WRONG: [name: string, change: Parameters<typeof check>[0]][] = [
  ["a message that is missing", { history: SENT.slice(0, 2) }],
  ["a message that is there twice", { history: [...SENT, message(10, 2)] }],
  ["messages in another order", { history: [message(5, 1), message(6, 0), message(9, 2)] }],
  ["a message that nobody was told of", { followed: SENT.slice(1) }],
  ["a message that was told twice", { followed: [...SENT, message(9, 2)] }],
  ["answers whose ids are not in the order of sending", {
    acked: [ack(6, 0), ack(5, 1), ack(9, 2)],
    history: [message(5, 1), message(6, 0), message(9, 2)],
    followed: [message(5, 1), message(6, 0), message(9, 2)],
  }],
];
for (const [name, change] of WRONG) {
  Deno.test(`checkChat() finds ${name}`, async () => {
    await assertRejects(() => check(change), Error, ROOM);
  });
}
