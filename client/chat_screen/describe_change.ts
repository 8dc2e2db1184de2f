/**
 * Says what happened to a room.
 *
 * @module
 */

import type { ChatEvent } from "../chat_types.ts";

/** What happened to a room, or to somebody's place in it, as a sentence. */
export function describeChange(event: ChatEvent & { readonly event: "room" }): string {
  const { change, user, by, topic = "", role = "member" } = event;
  switch (change) {
    case "created":
      return `${by} made the room`;
    case "joined":
      return `${user} has joined`;
    case "left":
      return `${user} has left`;
    case "invited":
      return `${by} invited ${user}`;
    case "kicked":
      return `${by} took ${user} out`;
    case "banned":
      return `${by} banned ${user}`;
    case "topic":
      return topic === "" ? `${by} took the topic away` : `${by} set the topic: ${topic}`;
    case "role":
      return `${by} made ${user} ${role}`;
  }
}
