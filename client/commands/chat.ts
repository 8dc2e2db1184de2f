/**
 * `trivet chat`: rooms and direct messages, on a screen of their own and for scripts.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { editCommand, reactCommand, readCommand, redactCommand } from "./chat_changes.ts";
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
import { toChatWay, WAY_OPTIONS } from "./chat_way.ts";
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
    { command: "trivet chat send lobby --file plan.pdf", does: "Send a file" },
    { command: "trivet chat send log --lines < app.log", does: "Send a message for each line" },
  ],
  options: {
    lines: {
      kind: "boolean",
      env: "TRIVET_LINES",
      help: "Send each line of stdin as a message of its own",
    },
    file: {
      kind: "string",
      valueName: "PATH",
      env: "TRIVET_FILE",
      help: 'Send this file, too: it is stored in your netdisk in the folder "Chat Files"',
    },
    reply: {
      kind: "integer",
      valueName: "ID",
      env: "TRIVET_REPLY",
      min: 1,
      help: "Answer this message",
    },
    ...WAY_OPTIONS,
  },
  arguments: {
    to: { help: "Room, or @ and a person" },
    text: { help: "Text, or - for stdin (default: stdin)", optional: true },
  },
  run: async (context: ClientContext, { values, arguments: { to, text } }) => {
    const { sendMessages } = await import("./chat_send.ts");
    const { file, lines, reply: replyTo } = values;
    await sendMessages(context, { to, text, file, lines, replyTo, way: toChatWay(values) });
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
  options: WAY_OPTIONS,
  arguments: {
    room: { help: "Room, or @ and a person, to show first", optional: true },
  },
  subcommands: [
    sendCommand,
    editCommand,
    redactCommand,
    reactCommand,
    readCommand,
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
  run: async (context: ClientContext, { values, arguments: { room } }) => {
    const { openChatScreen } = await import("./chat_screen.ts");
    await openChatScreen(context, { room, way: toChatWay(values) });
  },
});
