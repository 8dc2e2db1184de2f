/**
 * The commands of somebody who is logged in over the classic netdisk protocol.
 *
 * @module
 */

import type { ClassicCommand } from "../../lib/classic/command.ts";
import type { ClassicData } from "../../lib/classic/encode.ts";
import { TrivetError } from "../../lib/errors.ts";
import { LIST_PAGE_MAX } from "../../lib/netdisk/messages.ts";
import { formatPath, parsePath, quoteName } from "../../lib/netdisk/path.ts";
import { homePath, type NetdiskContext } from "../netdisk/context.ts";
import { openClassicDownload } from "./download.ts";
import { checkClassicUpload, receiveClassicUpload } from "./upload.ts";
import type { ClassicWire } from "./wire.ts";

/** Most names in the answer to `ls`; the protocol has no pages. */
export const CLASSIC_NAMES_MAX = 10_000;

/** A good answer to a command. */
export interface ClassicAnswer {
  /** What the reply carries. */
  readonly data: ClassicData;
  /** Moves the file that follows the reply. */
  readonly transfer?: () => Promise<void>;
  /** What is to be let go of afterwards. */
  readonly file?: Disposable;
  /** Whether no further command is taken. */
  readonly isLast?: boolean;
}

/**
 * Finds the answer to a command; nothing is sent yet.
 *
 * @param context Whose command it is.
 * @param command What it says.
 * @param wire Where a file comes from or goes to.
 * @throws {TrivetError} Why it is refused.
 */
export async function answerMember(
  context: NetdiskContext,
  command: ClassicCommand,
  wire: ClassicWire,
): Promise<ClassicAnswer> {
  await requireAccount(context);
  switch (command.name) {
    case "ls":
      return { data: await namesIn(context, command.path) };
    case "upload": {
      const at = await checkClassicUpload(context, command.path);
      const transfer = () => receiveClassicUpload(context, at, wire);
      return { data: "Send the length and the file", transfer };
    }
    case "download": {
      const file = await openClassicDownload(context, command.path, command);
      const transfer = () => file.send(wire);
      return { data: `${file.restBytes} bytes follow`, transfer, file };
    }
    default: {
      const { user } = context.session;
      throw new TrivetError("INVALID_REQUEST", `Cannot ${command.name}: you are "${user}" already`);
    }
  }
}

/** An account that was taken away or disabled meanwhile has no further say. */
async function requireAccount({ catalog, session }: NetdiskContext): Promise<void> {
  const account = await catalog.findUser(session.user);
  if (account !== null && !account.disabled) return;
  throw new TrivetError("AUTH_REQUIRED", "The account may not log in any more");
}

/** The names in a folder, those of folders with a slash; of a file its own. */
async function namesIn(context: NetdiskContext, path: string): Promise<string[]> {
  const { depot, names } = context;
  const at = homePath(context, parsePath(path, { names }));
  const entry = await depot.stat(at);
  if (entry.type !== "folder") return [entry.name];
  const found: string[] = [];
  let after: string | undefined;
  for (;;) {
    const options = { limit: LIST_PAGE_MAX, ...(after === undefined ? {} : { after }) };
    const { entries, more } = await depot.list(at, options);
    for (const { name, type } of entries) found.push(type === "folder" ? `${name}/` : name);
    if (found.length > CLASSIC_NAMES_MAX) {
      const shown = quoteName(formatPath(at.path));
      const reason = `it has more than ${CLASSIC_NAMES_MAX} entries`;
      throw new TrivetError("FAILED", `Cannot list ${shown}: ${reason}`);
    }
    if (!more) return found;
    after = entries.at(-1)?.name;
  }
}
