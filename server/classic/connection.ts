/**
 * One connection of the classic netdisk protocol from accept to close: login, then commands one after
 * another.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { type ClassicCommand, parseClassicCommand } from "../../lib/classic/command.ts";
import { encodeClassicError } from "../../lib/classic/encode.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { AcceptedConn } from "../../lib/link/link.ts";
import { toWireError } from "../../lib/rpc/messages.ts";
import type { Places } from "../../lib/rpc/places.ts";
import type { AdmittedGuest } from "../admission.ts";
import type { Audit } from "../audit.ts";
import type { ConnectionContext } from "../connection.ts";
import type { Session } from "../netdisk/context.ts";
import { answerMember, type ClassicAnswer } from "./answer.ts";
import { loginClassic, registerClassic } from "./login.ts";
import { type ClassicTimeouts, ClassicWire } from "./wire.ts";

/** What every connection shares. */
export interface ClassicContext extends ClassicTimeouts {
  /** Of the netdisk that is served. */
  readonly netdisk: Pick<
    ConnectionContext,
    "authority" | "admission" | "audit" | "logins" | "stores" | "loginTimeoutMs" | "shutdown"
  >;
  /** Turns of those whose password is worked on. */
  readonly turns: Places;
}

const log = getLogger(["trivet", "server", "classic"]);

/**
 * Serves a connection until it is closed. Never rejects.
 *
 * @param conn What the listener accepted.
 * @param context What all connections share.
 */
export async function serveClassicConnection(
  conn: AcceptedConn,
  context: ClassicContext,
): Promise<void> {
  using wire = new ClassicWire(conn, context);
  const { shutdown } = context.netdisk;
  const onShutdown = () => wire.leave();
  shutdown.addEventListener("abort", onShutdown);
  if (shutdown.aborted) wire.leave();
  try {
    await serve(wire, sourceOf(conn.remoteAddr), context);
  } catch (error) {
    if (!wire.closed.aborted) await wire.refuse(asKnown(error));
  } finally {
    shutdown.removeEventListener("abort", onShutdown);
  }
}

async function serve(wire: ClassicWire, source: string, context: ClassicContext): Promise<void> {
  const { admission, loginTimeoutMs, stores, audit, logins } = context.netdisk;
  const guest: AdmittedGuest = { source, evict: (reason) => wire.close(reason) };
  admission.enter(guest);
  // One deadline from accept to login: a slow drip of bytes does not move it.
  const deadline = setTimeout(() => {
    wire.close(new TrivetError("TIMEOUT", "The login took too long"));
  }, loginTimeoutMs);
  let login: ClassicLogin | undefined;
  try {
    login = await serveGuest(wire, source, context);
    if (login === undefined || !admission.promote(guest)) return;
  } finally {
    clearTimeout(deadline);
    admission.leave(guest);
  }
  const { user } = login;
  const session: Session = {
    ...login,
    scope: "full",
    pathPrefix: [],
    tokenHash: null,
    tokenKind: null,
    tokenExpiresAtMs: null,
    provenEpoch: login.authEpoch,
  };
  using _watched = logins.add({ login: session, end: (reason) => wire.close(reason) });
  try {
    const member = { ...stores, session, logins };
    await converse(
      wire,
      (command) =>
        audited(audit, { user, source, command }, () => answerMember(member, command, wire)),
    );
  } finally {
    admission.leaveMember(guest);
  }
}

/** Writes an upload down when it has ended; the other commands of who is logged in change nothing. */
async function audited(
  audit: Audit | undefined,
  { user, source, command }: {
    readonly user: string;
    readonly source: string;
    readonly command: ClassicCommand;
  },
  answer: () => Promise<ClassicAnswer>,
): Promise<ClassicAnswer> {
  if (audit === undefined || command.name !== "upload") return await answer();
  const startedMs = performance.now();
  const note = (error: unknown) =>
    audit.note({
      method: "classic.upload",
      user,
      source,
      error,
      durationMs: performance.now() - startedMs,
      facts: { paths: [command.path] },
    });
  const noted = async <T>(work: () => Promise<T>) => {
    try {
      return await work();
    } catch (error) {
      note(error);
      throw error;
    }
  };
  const answered = await noted(answer);
  return {
    ...answered,
    transfer: async () => {
      await noted(async () => await answered.transfer?.());
      note(null);
    },
  };
}

/** Somebody who has logged in. */
interface ClassicLogin {
  readonly user: string;
  /** See `Catalog.authEpoch`. */
  readonly authEpoch: number;
}

/** Serves somebody until it is known who it is; answers that if it came about. */
async function serveGuest(
  wire: ClassicWire,
  source: string,
  { netdisk: { authority }, turns }: ClassicContext,
): Promise<ClassicLogin | undefined> {
  let known: ClassicLogin | undefined;
  await converse(wire, async (command) => {
    if (command.name !== "register" && command.name !== "login") {
      throw new TrivetError("AUTH_REQUIRED", `Cannot ${command.name}: log in first`);
    }
    const { user, password } = command;
    const credentials = { user, password, source, turns, signal: wire.closed };
    if (command.name === "register") {
      await registerClassic(authority, credentials);
      return { data: `Registered ${user}` };
    }
    known = { user, authEpoch: await loginClassic(authority, credentials) };
    return { data: `Logged in as ${user}`, isLast: true };
  });
  return known;
}

/** Answers one command after another, until the client goes or an answer is the last. */
async function converse(
  wire: ClassicWire,
  answer: (command: ClassicCommand) => Promise<ClassicAnswer>,
): Promise<void> {
  for (let text = await wire.nextText(); text !== null; text = await wire.nextText()) {
    let found: ClassicAnswer;
    try {
      const command = parseClassicCommand(text);
      if (command.name === "q") return;
      found = await answer(command);
    } catch (error) {
      await wire.send(encodeClassicError(asKnown(error)));
      continue;
    }
    using _ = found.file;
    await wire.reply(found.data);
    await found.transfer?.();
    if (found.isLast === true) return;
  }
}

/** An error that may be told; the log gets those that are the server's own fault. */
function asKnown(thrown: unknown): TrivetError {
  const error = toWireError(thrown);
  if (error.code === "INTERNAL") {
    log.error("A classic command failed: {error}", {
      error: thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown),
    });
  }
  return error;
}

function sourceOf(address: Deno.Addr): string {
  return "hostname" in address ? address.hostname : "unix";
}
