/**
 * The work behind `trivet chat send`.
 *
 * @module
 */

import { MESSAGE_MAX_BYTES } from "../../lib/chat/names.ts";
import { TrivetError } from "../../lib/errors.ts";
import { formatPath } from "../../lib/netdisk/path.ts";
import { abortable } from "../abortable.ts";
import { baseName } from "../local_path.ts";
import { openClient } from "./access.ts";
import { openChat, toJson } from "./chat_access.ts";
import type { ChatTransportOptions } from "../chat_dialer.ts";
import type { ChatMessage } from "../chat_types.ts";
import type { ClientContext } from "./context.ts";
import { readLines } from "./read_lines.ts";

/** Where files go that are sent; they count as all files of their owner. */
const CHAT_FOLDER = "/Chat Files";

const READ_BYTES = 16 * 1024;

/** Sends one message, or one for each line of stdin. */
export async function sendMessages(
  context: ClientContext,
  message: {
    readonly to: string;
    readonly text: string | undefined;
    readonly file: string | undefined;
    readonly lines: boolean;
    readonly replyTo: number | undefined;
    readonly way: ChatTransportOptions;
  },
): Promise<void> {
  const { output, signal, stdin } = context;
  const { to, text, file, lines, replyTo, way } = message;
  if (lines && text !== undefined && text !== "-") {
    throw new TrivetError("USAGE", "--lines reads stdin: leave the text out");
  }
  if (lines && file !== undefined) {
    throw new TrivetError("USAGE", "--lines and --file do not go together");
  }
  const options = { signal, ...(replyTo === undefined ? {} : { replyTo }) };
  if (!lines) {
    const isTyped = text !== undefined && text !== "-";
    // A file needs no words: its name is the text.
    const named = file !== undefined && text === undefined ? baseName(file) : undefined;
    const whole = isTyped ? text : named ?? await readText(context);
    await using chat = await openChat(context, way);
    const carried = file === undefined ? {} : { file: await storeFile(context, file) };
    const sent = await chat.send(to, whole, { ...options, ...carried });
    output.note(`Sent message ${sent.id} to ${sent.room}`);
    output.json({ message: toJson(sent) });
    return;
  }
  await using chat = await openChat(context, way);
  const sent: ChatMessage[] = [];
  let count = 0;
  for await (const line of readLines(stdin, signal)) {
    if (line.trim() === "") continue;
    const stored = await chat.send(to, line, options);
    if (output.isJson) sent.push(stored);
    count += 1;
  }
  output.note(`Sent ${count} messages to ${to}`);
  output.json({ messages: sent.map(toJson) });
}

/** Stores a file in the netdisk; its path there. */
async function storeFile(context: ClientContext, local: string): Promise<string> {
  const { showTransfer } = await import("./transfer.ts");
  await using client = await openClient(context);
  const shown = { name: baseName(local), outcome: "sent", isResumable: true } as const;
  const { stored } = await showTransfer(context, shown, async (options) => {
    const { signal } = context;
    await client.mkdir(CHAT_FOLDER, { parents: true, signal });
    const sent = await client.put(local, `${CHAT_FOLDER}/`, { ...options, overwrite: "rename" });
    return { ...sent, skipped: false, sizeBytes: sent.stored.size };
  });
  return formatPath(stored.path);
}

/** All of stdin, without the line feed at its end. */
export async function readText({ signal, stdin }: ClientContext): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(READ_BYTES);
  let text = "";
  let bytes = 0;
  for (;;) {
    const count = await abortable(stdin.read(buffer), signal);
    if (count === null) break;
    bytes += count;
    if (bytes > 2 * MESSAGE_MAX_BYTES) {
      throw new TrivetError(
        "MESSAGE_TOO_LONG",
        `The message has more than ${MESSAGE_MAX_BYTES} bytes, which is the limit`,
      );
    }
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return (text + decoder.decode()).replace(/\r?\n$/, "");
}
