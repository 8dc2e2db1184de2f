/**
 * `trivet chat peer`: dialogues without a server.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** See the module. */
export const peerCommand = defineCommand({
  name: "peer",
  summary: "Talk with named contacts over UDP, without a server",
  description:
    'A line is "NAME: text", or text for who was named last; "bye" ends a dialogue, and /help shows the ' +
    "rest. Each contact has a key file that both sides hold: it proves who is there and encrypts what is " +
    "said, and who has no key gets no answer. The end of stdin ends the program once all has arrived.",
  examples: [
    {
      command: "trivet chat peer --new-key bob.key",
      does: "Make a key, to be copied to the other",
    },
    { command: "trivet chat peer", does: "Talk with those in contacts.toml" },
    { command: "echo 'bob: lunch?' | trivet chat peer", does: "Say one thing" },
  ],
  options: {
    listen: {
      kind: "string",
      valueName: "[HOST:]PORT",
      env: "TRIVET_LISTEN",
      default: "7465",
      help: "UDP port, and address of this machine; port 0 is any free one",
    },
    contacts: {
      kind: "path",
      valueName: "FILE",
      env: "TRIVET_CONTACTS",
      help: "Contacts in TOML or JSON (default: contacts.toml beside the client's configuration)",
    },
    "new-key": {
      kind: "path",
      valueName: "FILE",
      env: "TRIVET_NEW_KEY",
      help: "Make a key file for a contact, and do nothing else",
    },
    follow: {
      kind: "boolean",
      short: "f",
      env: "TRIVET_FOLLOW",
      help: "Go on after the end of stdin until Ctrl-C",
    },
    classic: {
      kind: "boolean",
      env: "TRIVET_CLASSIC",
      help: "Speak plain datagrams, which anybody on the network can read and forge",
    },
  },
  arguments: {},
  run: async (context: ClientContext, { values }) => {
    const { newKey, talkToPeers } = await import("./chat_peer_talk.ts");
    const { "new-key": keyPath, ...options } = values;
    if (keyPath !== undefined) return await newKey(context, keyPath);
    await talkToPeers(context, options);
  },
});
