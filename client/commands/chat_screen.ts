/**
 * The work behind `trivet chat`: the chat on the whole terminal.
 *
 * @module
 */

import { parseChatAddress } from "../../lib/chat/names.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { ChatTransportOptions } from "../chat_dialer.ts";
import { runChatScreen } from "../chat_screen/run.ts";
import { systemTerminal } from "../screen/terminal.ts";
import { openChat } from "./chat_access.ts";
import type { ClientContext } from "./context.ts";

/**
 * Opens the chat until somebody leaves it.
 *
 * @param context The command's.
 * @param options What is shown first, and which way the messages go.
 * @throws {TrivetError} `USAGE` where there is no terminal; what ends the chat from outside.
 */
export async function openChatScreen(
  context: ClientContext,
  { room, way }: { readonly room: string | undefined; readonly way: ChatTransportOptions },
): Promise<void> {
  const { env, globals, output, signal, stdin } = context;
  const isTerminal = stdin.isTerminal() && Deno.stdout.isTerminal() && !globals["no-input"];
  if (!isTerminal || output.isJson) {
    throw new TrivetError(
      "USAGE",
      'Cannot open the chat without a terminal: scripts use "chat send" and "chat tail"',
    );
  }
  if (env("TERM") === "dumb") {
    throw new TrivetError(
      "USAGE",
      'Cannot open the chat on a terminal that TERM calls "dumb": use "chat send" and "chat tail"',
    );
  }
  if (room !== undefined) parseChatAddress(room);
  await using chat = await openChat(context, way);
  await runChatScreen(chat, {
    terminal: systemTerminal(stdin),
    isColoured: output.isColoured,
    signal,
    ...(room === undefined ? {} : { room }),
  });
}
