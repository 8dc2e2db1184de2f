/**
 * A chat's state that a test fills: rooms, messages and keys by name.
 *
 * @module
 */

import type { Action } from "../../../client/chat_screen/actions.ts";
import { pressKey } from "../../../client/chat_screen/chat_keys.ts";
import { ChatState } from "../../../client/chat_screen/chat_state.ts";
import type { ChatMember, ChatMessage, ChatRoom } from "../../../client/chat_types.ts";

/** A morning, in this machine's zone, so that screens are the same everywhere. */
export const MORNING_MS = new Date(2026, 10, 21, 9, 30).getTime();

/** A state of ann's, on a clock that stands. */
export class TestState extends ChatState {
  /** Everything that was wanted. */
  readonly wanted: Action[] = [];
  readonly clock: { nowMs: number };

  constructor() {
    const clock = { nowMs: MORNING_MS };
    let count = 0;
    super({
      user: "ann",
      server: "nas:9000",
      now: () => clock.nowMs,
      makeId: () => `client-id-${++count}`,
    });
    this.clock = clock;
  }

  /** Presses keys by their names; what stands in quotation marks is typed. */
  keys(...names: string[]): Action[] {
    return names.flatMap((name) =>
      pressKey(
        this,
        name.startsWith('"') ? { kind: "text", text: name.slice(1, -1) } : { kind: "key", name },
      )
    );
  }

  /** Types a line. */
  line(text: string): Action[] {
    return this.keys(`"${text}"`, "enter");
  }

  /** Shows a room with these messages, and no older ones. */
  open(room: string, messages: readonly ChatMessage[], more = false): void {
    this.show(room);
    this.addPage(room, messages, more);
  }
}

/** A room that ann is in. */
export function room(name: string, about: Partial<ChatRoom> = {}): ChatRoom {
  const none = { topic: "", members: 1, lastId: 0, readId: 0, unread: 0 };
  return { room: name, private: false, state: "joined", role: "member", ...none, ...about };
}

/** A message of bob's in the lobby, a minute after the one before. */
export function message(id: number, text: string, about: Partial<ChatMessage> = {}): ChatMessage {
  return {
    id,
    seq: id,
    room: "lobby",
    from: "bob",
    timeMs: MORNING_MS + id * 60_000,
    text,
    clientId: `other-${id}`,
    ...about,
  };
}

/** A member of a room. */
export function member(user: string, about: Partial<ChatMember> = {}): ChatMember {
  return { user, role: "member", online: true, delivered: 0, read: 0, ...about };
}
