/**
 * What must hold of a chat whatever happened: each message that was acknowledged is in every member's
 * history exactly once and in order, and every member was told of it the same way.
 *
 * @module
 */

import type { ChatClient } from "../../client/chat.ts";
import type { ChatMessage } from "../../client/chat_types.ts";
import type { ChatUser } from "./chat_user.ts";

/** See the module. */
export interface ChatOutcome {
  readonly users: readonly Pick<Readonly<ChatUser>, "name" | "acked" | "followed">[];
  /** Theirs. */
  readonly clients: readonly Pick<ChatClient, "messages">[];
  /** Each room with its members. */
  readonly rooms: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Reads everybody's history and compares.
 *
 * @throws {Error} With the first thing that does not hold.
 */
export async function checkChat({ users, clients, rooms }: ChatOutcome): Promise<void> {
  for (const [room, members] of rooms) {
    const acked = users.flatMap((user) => user.acked.filter((each) => each.room === room));
    const wanted = acked.sort((a, b) => a.id - b.id).map((each) =>
      `${each.id} ${each.from} ${each.number}`
    );
    requireOrder(room, acked);
    for (const [i, user] of users.entries()) {
      const client = clients[i];
      if (client === undefined || !members.has(user.name)) continue;
      const history: ChatMessage[] = [];
      for await (const message of client.messages(room)) history.push(message);
      compare(`the history of ${room} for ${user.name}`, history.map(shown), wanted);
      const followed = user.followed.filter((message) => message.room === room);
      compare(`what ${user.name} followed of ${room}`, followed.map(shown), wanted);
    }
  }
}

/** Each sender's messages have ids in the order in which they were sent. */
function requireOrder(
  room: string,
  acked: readonly { readonly from: string; readonly number: number }[],
): void {
  const next = new Map<string, number>();
  for (const { from, number } of acked) {
    const wanted = next.get(from) ?? 0;
    if (number !== wanted) {
      throw new Error(`In ${room}, ${from}'s message ${number} stands where ${wanted} should`);
    }
    next.set(from, number + 1);
  }
}

function shown({ id, from, text }: ChatMessage): string {
  return `${id} ${from} ${text.split(" ")[0]}`;
}

function compare(what: string, actual: readonly string[], wanted: readonly string[]): void {
  const length = Math.max(actual.length, wanted.length);
  for (let i = 0; i < length; i++) {
    if (actual[i] === wanted[i]) continue;
    throw new Error(
      `In ${what}, message ${i} is "${actual[i]}" and should be "${wanted[i]}"; ` +
        `${actual.length} of ${wanted.length} are there`,
    );
  }
}
