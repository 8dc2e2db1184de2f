/**
 * What the chat's screen wants done: its state machine asks, `run.ts` does it and tells it what came
 * of it.
 *
 * @module
 */

import type { RoomRole } from "../chat_types.ts";

/** A message on its way, which the server stores once however often it is sent. */
export interface Outgoing {
  /** Its name until it has an id. */
  readonly clientId: string;
  /** A room's name, or `@` and a person's. */
  readonly room: string;
  /** What is written. */
  readonly text: string;
  /** Id of the message that it answers. */
  readonly replyTo?: number;
}

/** See the module. */
export type Action =
  | { readonly kind: "send"; readonly message: Outgoing }
  | { readonly kind: "edit"; readonly id: number; readonly text: string }
  | { readonly kind: "redact"; readonly id: number }
  | {
    readonly kind: "react";
    readonly id: number;
    readonly emoji: string;
    readonly remove: boolean;
  }
  | { readonly kind: "join"; readonly room: string }
  | { readonly kind: "leave"; readonly room: string }
  | {
    readonly kind: "create";
    readonly room: string;
    readonly isPrivate: boolean;
    readonly topic: string;
  }
  | { readonly kind: "invite"; readonly room: string; readonly user: string }
  | {
    readonly kind: "kick";
    readonly room: string;
    readonly user: string;
    readonly ban: boolean;
  }
  | { readonly kind: "topic"; readonly room: string; readonly topic: string }
  | {
    readonly kind: "role";
    readonly room: string;
    readonly user: string;
    readonly role: RoomRole;
  }
  /** Lists what there is, in the room that is shown. */
  | { readonly kind: "rooms" }
  | { readonly kind: "who"; readonly room: string }
  | { readonly kind: "search"; readonly text: string; readonly room: string }
  /** Reads messages: the newest, or the page before an id. */
  | { readonly kind: "load"; readonly room: string; readonly before?: number }
  | { readonly kind: "members"; readonly room: string }
  | { readonly kind: "refresh" }
  | { readonly kind: "receipt"; readonly room: string; readonly read: number }
  | { readonly kind: "typing"; readonly room: string }
  | { readonly kind: "redraw" }
  | { readonly kind: "quit" };
