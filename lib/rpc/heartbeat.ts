/**
 * The timer of a link's keepalive: pings an idle peer, and tells when it has been silent for too long.
 *
 * @module
 */

import { after } from "../after.ts";
import { encodeFrame } from "../frame/encode.ts";
import { FrameType } from "../frame/frame.ts";
import { Keepalive, type KeepaliveOptions, PING_AFTER_MS } from "../link/keepalive.ts";
import type { Link } from "../link/link.ts";

/** When a connection is first looked at, at the latest. */
const FIRST_LOOK_MS = 1000;

/** Options of {@linkcode Heartbeat}. */
export interface HeartbeatOptions {
  /** When an idle link is pinged and given up. */
  readonly keepalive?: KeepaliveOptions | undefined;
  /** Told once, when the peer has been silent for too long. */
  readonly onSilent: () => void;
}

/** Watches one link from `start()` to `stop()`. */
export class Heartbeat {
  readonly #link: Link;
  readonly #keepalive: Keepalive;
  readonly #onSilent: () => void;
  readonly #firstLookMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #first: Disposable | undefined;
  #isHeld = false;

  constructor(link: Link, options: HeartbeatOptions) {
    this.#link = link;
    this.#keepalive = new Keepalive(options.keepalive);
    this.#onSilent = options.onSilent;
    const { pingAfterMs = PING_AFTER_MS } = options.keepalive ?? {};
    this.#firstLookMs = Math.min(FIRST_LOOK_MS, pingAfterMs);
  }

  /** Begins to watch: a connection that a short command has closed by then needs no timer. */
  start(): void {
    this.#first = after(this.#firstLookMs, () => this.#look());
  }

  /** Ends watching. */
  stop(): void {
    this.#first?.[Symbol.dispose]();
    // Asking the runtime to clear nothing would load its timers all the same.
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  #look(): void {
    const { action, waitMs } = this.#isHeld
      ? this.#keepalive.stepHeld(this.#link.nowMs)
      : this.#keepalive.step(this.#link.nowMs, this.#link.lastReceivedMs);
    if (action === "close") {
      this.#onSilent();
      return;
    }
    if (action === "ping") this.#link.send(encodeFrame(FrameType.PING, 0)).catch(() => {});
    this.#timer = setTimeout(() => this.#look(), waitMs);
    // A connection that nobody uses must not keep a program alive.
    Deno.unrefTimer(this.#timer);
  }

  /** Waits for `work` while nothing is read from the link, which is no silence of the peer. */
  async hold(work: Promise<void>): Promise<void> {
    this.#isHeld = true;
    try {
      await work;
    } finally {
      this.#isHeld = false;
    }
  }
}
