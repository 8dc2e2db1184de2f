/**
 * What waits for one connection that reads more slowly than others write. It has a cap: beyond it the
 * connection is cut, with an error that says from where to go on, so that one stalled reader costs the
 * others nothing.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FrameType } from "../../lib/frame/frame.ts";
import type { Link } from "../../lib/link/link.ts";
import { countOfWrite, type EventNotice, joinEvents } from "./event_batch.ts";

/**
 * Most bytes of events that wait for one connection, unless something else is asked for: twice what can
 * come in one transaction. The frames of a room are shared by all its connections.
 */
export const OUTBOX_MAX_BYTES = 8 * 1024 * 1024;

/** See the module. */
export class Outbox {
  readonly #link: Pick<Link, "send" | "closeAfter">;
  readonly #maxBytes: number;
  #waiting: EventNotice[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #isCut = false;
  /** The newest change that the connection has taken. */
  #sentSeq = 0;

  /**
   * Begins empty.
   *
   * @param link The connection.
   * @param maxBytes Most bytes that wait.
   */
  constructor(link: Pick<Link, "send" | "closeAfter">, maxBytes: number = OUTBOX_MAX_BYTES) {
    this.#link = link;
    this.#maxBytes = maxBytes;
  }

  /** Says up to which change the connection knows everything. */
  startFrom(seq: number): void {
    this.#sentSeq = Math.max(this.#sentSeq, seq);
  }

  /**
   * Sends events after all before them.
   *
   * @param notice EVENT frames, which must stay as they are, and the newest change that they tell.
   */
  push(notice: EventNotice): void {
    if (this.#isCut) return;
    const { length } = notice.frame;
    if (this.#waitingBytes + length > this.#maxBytes) return this.#cut();
    this.#waitingBytes += length;
    if (this.#isWriting) this.#waiting.push(notice);
    else this.#write(notice);
  }

  /** Drops what waits; nothing more is taken. */
  stop(): void {
    this.#isCut = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** Without `async`: what goes to many goes here once for each of them. */
  #write({ frame, seq }: EventNotice): void {
    this.#isWriting = true;
    this.#link.send(frame).then(() => {
      this.#waitingBytes = Math.max(0, this.#waitingBytes - frame.length);
      this.startFrom(seq);
      if (this.#waiting.length === 0) this.#isWriting = false;
      else this.#write(this.#takeWrite());
    }, () => {
      // The link is closed; whoever reads from it says why.
      this.stop();
    });
  }

  /** The first events that wait and as many behind them as make one write. */
  #takeWrite(): EventNotice {
    return joinedOnce(this.#waiting.splice(0, countOfWrite(this.#waiting, 0)));
  }

  #cut(): void {
    this.stop();
    const error = new TrivetError(
      "SLOW_READER",
      `More than ${this.#maxBytes} bytes of events waited for this connection`,
      { details: { resume_after: this.#sentSeq, limit_bytes: this.#maxBytes } },
    );
    this.#link.closeAfter(encodeControl(FrameType.ERROR, 0, error.toMessage()), error);
  }
}

/** What was joined last: all who are in a room get the same, one after another, and share the buffer. */
let latest: { readonly parts: readonly EventNotice[]; readonly joined: EventNotice } | undefined;

function joinedOnce(parts: readonly EventNotice[]): EventNotice {
  const isSame = latest?.parts.length === parts.length &&
    latest.parts.every(({ frame }, i) => frame === parts[i]?.frame);
  if (latest === undefined || !isSame) latest = { parts, joined: joinEvents(parts) };
  return latest.joined;
}
