/**
 * A connection that is logged in and waits for somebody to use it. Until then it answers the server's
 * pings; from then on it passes frames on, in both directions, as they are.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { encodeControl, encodeFrame } from "../../lib/frame/encode.ts";
import { type Frame, FrameType } from "../../lib/frame/frame.ts";
import type { Link } from "../../lib/link/link.ts";
import { Heartbeat } from "../../lib/rpc/heartbeat.ts";

/** See the module. */
export class ReadyConnection implements AsyncDisposable {
  readonly #link: Link;
  readonly #heartbeat: Heartbeat;
  readonly #ended: Promise<void>;
  #user: Link | undefined;
  #hasEnded = false;
  #isUsed = false;

  /**
   * Takes a connection over.
   *
   * @param link It, logged in, and nothing said on it since.
   */
  constructor(link: Link) {
    this.#link = link;
    this.#heartbeat = new Heartbeat(link, { onSilent: () => link.close() });
    this.#heartbeat.start();
    this.#ended = this.#receive();
  }

  /** Whether the server has ended it, or has gone. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether somebody has said something on it: who only looks whether anybody listens does not. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /**
   * Lends the connection, once, until one of the two ends.
   *
   * @param user The link to whoever uses it.
   */
  async lend(user: Link): Promise<void> {
    this.#heartbeat.stop();
    this.#user = user;
    await Promise.race([this.#passOn(user), this.#ended]);
    user.close();
    await this[Symbol.asyncDispose]();
  }

  /** Says BYE and closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.closeAfter(encodeControl(FrameType.BYE, 0, {}));
    await this.#ended;
  }

  /** Passes on what the user says, until the end of either link. */
  async #passOn(user: Link): Promise<void> {
    try {
      for (let frame = await user.receive(); frame; frame = await user.receive()) {
        this.#isUsed = true;
        await this.#link.send(copyOf(frame));
      }
    } catch (error) {
      if (!(error instanceof TrivetError)) throw error;
    }
  }

  async #receive(): Promise<void> {
    try {
      for (let frame = await this.#link.receive(); frame; frame = await this.#link.receive()) {
        await (this.#user?.send(copyOf(frame)) ?? this.#take(frame));
      }
    } catch (error) {
      // Lost: whoever uses the connection sees its end, and the next one gets another.
      if (!(error instanceof TrivetError)) throw error;
    } finally {
      this.#hasEnded = true;
      this.#heartbeat.stop();
      this.#link.close();
    }
  }

  /** Takes what comes while nobody uses the connection. Why the server ends it, the next login tells. */
  async #take({ type, payload }: Frame): Promise<void> {
    if (type === FrameType.PING) {
      await this.#link.send(encodeFrame(FrameType.PONG, 0, payload.slice()));
    }
    if (type === FrameType.ERROR || type === FrameType.BYE) this.#link.close();
  }
}

function copyOf({ type, id, payload }: Frame): Uint8Array {
  return encodeFrame(type, id, payload);
}
