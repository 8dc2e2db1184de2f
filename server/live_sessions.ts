/**
 * The connections that are logged in, for ending those whose login is taken back: a token that was
 * revoked, a password that was changed.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import type { Session } from "./netdisk/context.ts";

/** Ends a connection and tells it why. */
export type EndSession = (reason: TrivetError) => void;

/** See the module. */
export class LiveSessions {
  readonly #open = new Map<Session, EndSession>();

  /**
   * Notes a connection.
   *
   * @param session Who it belongs to; one object for each connection.
   * @param end Ends it.
   * @returns Forgets it when disposed of.
   */
  add(session: Session, end: EndSession): Disposable {
    this.#open.set(session, end);
    return { [Symbol.dispose]: () => void this.#open.delete(session) };
  }

  /**
   * Ends connections with `TOKEN_INVALID`.
   *
   * @param mustEnd Says which.
   * @returns How many.
   */
  end(mustEnd: (session: Session) => boolean): number {
    const ended = [...this.#open].filter(([session]) => mustEnd(session));
    for (const [, end] of ended) {
      end(new TrivetError("TOKEN_INVALID", "The session has ended or was revoked"));
    }
    return ended.length;
  }
}
