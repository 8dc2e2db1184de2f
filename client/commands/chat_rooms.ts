/**
 * `trivet chat rooms`, `create`, `join`, `leave`, `invite`, `kick`, `topic`, `role` and `who`.
 *
 * @module
 */

import { ROOM_ROLES } from "../../lib/chat/limits.ts";
import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

const ROOM = { help: "Room" } as const;
const PERSON = { help: "Person, with or without @" } as const;

/** See the module. */
export const roomsCommand = defineCommand({
  name: "rooms",
  summary: "List your rooms, invitations, direct messages, and public rooms",
  options: {},
  arguments: {},
  run: async (context: ClientContext) => {
    const { openChat } = await import("./chat_access.ts");
    const { renderTable } = await import("../../lib/term/table.ts");
    await using chat = await openChat(context);
    const rooms = await Array.fromAsync(chat.rooms(context.signal));
    const rows = rooms.map((room) => [
      room.room,
      room.role ?? (room.state === "invited" ? "invited" : "-"),
      room.private ? "private" : "public",
      String(room.members),
      room.unread === 0 ? "" : `${room.unread} unread`,
      room.topic,
    ]);
    const columns = [{}, {}, {}, { align: "right" }, {}, {}] as const;
    for (const line of renderTable(columns, rows)) context.output.line(line);
    context.output.json({
      rooms: rooms.map(({ lastId, readId, role, ...room }) => ({
        ...room,
        role: role ?? null,
        last_id: lastId,
        read_id: readId,
      })),
    });
  },
});

/** See the module. */
export const createCommand = defineCommand({
  name: "create",
  summary: "Make a room",
  options: {
    private: {
      kind: "boolean",
      env: "TRIVET_PRIVATE",
      help: "Only for who is invited; nobody else learns that it exists",
    },
    topic: { kind: "string", valueName: "TEXT", env: "TRIVET_TOPIC", help: "What it is for" },
  },
  arguments: { room: { help: "Name: a-z, 0-9, dot, underscore and hyphen" } },
  run: async (context: ClientContext, { values, arguments: { room } }) => {
    const { openChat } = await import("./chat_access.ts");
    await using chat = await openChat(context);
    const { topic } = values;
    const made = await chat.create(room, {
      private: values.private,
      signal: context.signal,
      ...(topic === undefined ? {} : { topic }),
    });
    context.output.note(`Made room ${made.room}`);
    context.output.json({ room: made.room, private: made.private });
  },
});

/** See the module. */
export const joinCommand = defineCommand({
  name: "join",
  summary: "Join a room",
  options: {},
  arguments: { room: ROOM },
  run: async (context: ClientContext, { arguments: { room } }) => {
    const { openChat } = await import("./chat_access.ts");
    await using chat = await openChat(context);
    const joined = await chat.join(room, context.signal);
    context.output.note(joined ? `Joined ${room}` : `You are in ${room} already`);
    context.output.json({ room, joined });
  },
});

/** See the module. */
export const leaveCommand = defineCommand({
  name: "leave",
  summary: "Leave a room, or turn an invitation down",
  options: {},
  arguments: { room: ROOM },
  run: async (context: ClientContext, { arguments: { room } }) => {
    const { openChat } = await import("./chat_access.ts");
    await using chat = await openChat(context);
    await chat.leave(room, context.signal);
    context.output.note(`Left ${room}`);
    context.output.json({ room });
  },
});

/** See the module. */
export const inviteCommand = defineCommand({
  name: "invite",
  summary: "Invite a person to a room",
  options: {},
  arguments: { room: ROOM, person: PERSON },
  run: async (context: ClientContext, { arguments: { room, person } }) => {
    const { openChat } = await import("./chat_access.ts");
    await using chat = await openChat(context);
    const user = person.replace(/^@/, "");
    const invited = await chat.invite(room, user, context.signal);
    context.output.note(invited ? `Invited ${user} to ${room}` : `${user} is in ${room} already`);
    context.output.json({ room, user, invited });
  },
});

/** See the module. */
export const kickCommand = defineCommand({
  name: "kick",
  summary: "Take a person out of a room",
  options: {
    ban: { kind: "boolean", env: "TRIVET_BAN", help: "Until somebody invites them again" },
  },
  arguments: { room: ROOM, person: PERSON },
  run: async (context: ClientContext, { values, arguments: { room, person } }) => {
    const { openChat } = await import("./chat_access.ts");
    await using chat = await openChat(context);
    const user = person.replace(/^@/, "");
    await chat.kick(room, user, { ban: values.ban, signal: context.signal });
    context.output.note(`Took ${user} out of ${room}`);
    context.output.json({ room, user, banned: values.ban });
  },
});

/** See the module. */
export const topicCommand = defineCommand({
  name: "topic",
  summary: "Set what a room is for",
  options: {},
  arguments: { room: ROOM, text: { help: "The topic; empty for none", variadic: true } },
  run: async (context: ClientContext, { arguments: { room, text } }) => {
    const { openChat } = await import("./chat_access.ts");
    await using chat = await openChat(context);
    const topic = text.join(" ");
    await chat.setTopic(room, topic, context.signal);
    context.output.note(`Set the topic of ${room}`);
    context.output.json({ room, topic });
  },
});

/** See the module. */
export const roleCommand = defineCommand({
  name: "role",
  summary: "Make a person owner, moderator or member of a room",
  options: {},
  arguments: {
    room: ROOM,
    person: PERSON,
    role: { help: "The role", choices: ROOM_ROLES },
  },
  run: async (context: ClientContext, { arguments: { room, person, role } }) => {
    const { openChat } = await import("./chat_access.ts");
    await using chat = await openChat(context);
    const user = person.replace(/^@/, "");
    const given = ROOM_ROLES.find((each) => each === role) ?? "member";
    await chat.setRole(room, user, { role: given, signal: context.signal });
    context.output.note(`Made ${user} ${given} of ${room}`);
    context.output.json({ room, user, role: given });
  },
});

/** See the module. */
export const whoCommand = defineCommand({
  name: "who",
  summary: "List the members of a room, and who is online",
  options: {},
  arguments: { room: { help: "Room, or @ and a person" } },
  run: async (context: ClientContext, { arguments: { room } }) => {
    const { openChat } = await import("./chat_access.ts");
    const { renderTable } = await import("../../lib/term/table.ts");
    await using chat = await openChat(context);
    const members = await Array.fromAsync(chat.members(room, context.signal));
    const rows = members.map(({ user, role, online }) => [user, role, online ? "online" : ""]);
    for (const line of renderTable([{}, {}, {}], rows)) context.output.line(line);
    context.output.json({ room, members });
  },
});
