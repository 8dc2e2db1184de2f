/**
 * `trivet chat`: rooms and direct messages, on a screen of their own and for scripts.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { peerCommand } from "./chat_peer.ts";
import { historyCommand, searchCommand, tailCommand } from "./chat_reading.ts";
import {
  createCommand,
  inviteCommand,
  joinCommand,
  kickCommand,
  leaveCommand,
  roleCommand,
  roomsCommand,
  topicCommand,
  whoCommand,
} from "./chat_rooms.ts";
import type { ClientContext } from "./context.ts";

const sendCommand = defineCommand({
  name: "send",
  summary: "Send a message, or with --lines each line of stdin as one",
  description:
    "The exit code is 0 once the server's disk holds the message. A connection that is lost on the way " +
    "is opened anew; the message is stored once all the same.",
  examples: [
    { command: "trivet chat send lobby 'Lunch is ready'", does: "Tell a room" },
    { command: "df -h | trivet chat send @ann -", does: "Send output to a person" },
    { command: "trivet chat send log --lines < app.log", does: "Send a message for each line" },
  ],
  options: {
    lines: {
      kind: "boolean",
      env: "TRIVET_LINES",
      help: "Send each line of stdin as a message of its own",
    },
    reply: {
      kind: "integer",
      valueName: "ID",
      env: "TRIVET_REPLY",
      min: 1,
      help: "Answer this message",
    },
  },
  arguments: {
    to: { help: "Room, or @ and a person" },
    text: { help: "Text, or - for stdin (default: stdin)", optional: true },
  },
  run: async (context: ClientContext, { values, arguments: { to, text } }) => {
    const { sendMessages } = await import("./chat_send.ts");
    await sendMessages(context, { to, text, lines: values.lines, replyTo: values.reply });
  },
});

/** See the module. */
export const chatCommand = defineCommand({
  name: "chat",
  summary: "Write to rooms and people, and read what they write",
  description:
    "Without a command it takes the whole terminal: rooms, messages and members, with /help for what " +
    "can be written there. Scripts use the commands below.",
  examples: [
    { command: "trivet chat", does: "Open the chat on the terminal" },
    { command: "trivet chat create lobby", does: "Make a room" },
    { command: "trivet chat send lobby hello", does: "Write to it" },
    { command: "trivet chat tail lobby --follow", does: "Read it as it goes on" },
  ],
  options: {},
  arguments: {
    room: { help: "Room, or @ and a person, to show first", optional: true },
  },
  subcommands: [
    sendCommand,
    tailCommand,
    historyCommand,
    searchCommand,
    roomsCommand,
    createCommand,
    joinCommand,
    leaveCommand,
    inviteCommand,
    kickCommand,
    topicCommand,
    roleCommand,
    whoCommand,
    peerCommand,
  ],
  run: async (context: ClientContext, { arguments: { room } }) => {
    const { openChatScreen } = await import("./chat_screen.ts");
    await openChatScreen(context, room);
  },
});
