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

/**
 * Most bytes of events that wait for one connection, unless something else is asked for: twice what can
 * come in one transaction. The frames of a room are shared by all its connections.
 */
export const OUTBOX_MAX_BYTES = 8 * 1024 * 1024;

/** Events that wait are joined to one write up to this size. */
const WRITE_MAX_BYTES = 64 * 1024;

/** An event that waits. */
interface Waiting {
  readonly frame: Uint8Array;
  readonly seq: number;
}

/** See the module. */
export class Outbox {
  readonly #link: Pick<Link, "send" | "closeAfter">;
  readonly #maxBytes: number;
  #waiting: Waiting[] = [];
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
   * Sends an event after all before it.
   *
   * @param frame The EVENT frame; it must stay as it is.
   * @param seq Number of the change that it tells, or 0.
   */
  push(frame: Uint8Array, seq: number): void {
    if (this.#isCut) return;
    if (this.#waitingBytes + frame.length > this.#maxBytes) return this.#cut();
    this.#waiting.push({ frame, seq });
    this.#waitingBytes += frame.length;
    if (this.#isWriting) return;
    this.#isWriting = true;
    // In the next microtask: what is published together goes in one write.
    queueMicrotask(() => this.#drain());
  }

  /** Drops what waits; nothing more is taken. */
  stop(): void {
    this.#isCut = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const { bytes, seq } = this.#takeWrite();
        await this.#link.send(bytes);
        this.#waitingBytes = Math.max(0, this.#waitingBytes - bytes.length);
        this.startFrom(seq);
      }
    } catch {
      // The link is closed; whoever reads from it says why.
      this.stop();
    }
    this.#isWriting = false;
  }

  /** The first event that waits and as many behind it as make one write. */
  #takeWrite(): { bytes: Uint8Array; seq: number } {
    let [count, size, seq] = [0, 0, 0];
    for (const waiting of this.#waiting) {
      if (count > 0 && size + waiting.frame.length > WRITE_MAX_BYTES) break;
      size += waiting.frame.length;
      seq = Math.max(seq, waiting.seq);
      count += 1;
    }
    const taken = this.#waiting.splice(0, count);
    const [first] = taken;
    if (count === 1 && first !== undefined) return { bytes: first.frame, seq };
    return { bytes: joined(taken, size), seq };
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
let latest: { readonly parts: readonly Waiting[]; readonly bytes: Uint8Array } | undefined;

function joined(parts: readonly Waiting[], size: number): Uint8Array {
  const isSame = latest?.parts.length === parts.length && latest.bytes.length === size &&
    latest.parts.every(({ frame }, i) => frame === parts[i]?.frame);
  if (latest !== undefined && isSame) return latest.bytes;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const { frame } of parts) {
    bytes.set(frame, at);
    at += frame.length;
  }
  latest = { parts, bytes };
  return bytes;
}
