/**
 * Turns of the event loop, for work that goes on without ever waiting: it reads and computes, or
 * finds its socket ready each time. A leaf that everything else may import.
 *
 * @module
 */

/** Bytes that work may read and digest before it lets others run. */
export const TURN_BYTES = 8 * 1024 * 1024;

/**
 * Bytes that one connection may move before it lets the others run. A read that is ready at once
 * resolves without a turn of the event loop, so that a client who sends without a pause would be the
 * only one served, for as long as its file is.
 */
export const LINK_TURN_BYTES = 512 * 1024;

/**
 * The same while other connections of this process are in use: each turn costs a connection that moves
 * much about as long as 16 KiB, but a short answer has to wait for several of them.
 */
export const CROWD_TURN_BYTES = 128 * 1024;

/** Turns for which others count as there after their last frame: 8 MiB, a few hundredths of a second. */
const CROWD_TURNS = 64;

/** The same in time, for work that would hold them up: those who come seldom are to find it gone. */
const CROWD_MS = 1000;

/** What a frame counts besides its bytes: small ones cost time too. */
const FRAME_COST_BYTES = 16 * 1024;

const NOTHING = new Uint8Array(0);

/** Lets timers, signals and sockets run once; unlike a resolved promise, which lets nothing run. */
export async function nextTurn(): Promise<void> {
  // Imported here: it takes 9 ms to load, and small transfers never come here.
  const { setImmediate } = await import("node:timers");
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * Lets all sockets be looked at. While anything is ready at once, an immediate too, the runtime asks the
 * system for news of its sockets only now and then, after as many as sixty steps; it does so whenever
 * it has to wait for one of its threads, which is what this makes it do.
 */
export async function nextPoll(): Promise<void> {
  await crypto.subtle.digest("SHA-1", NOTHING);
}

/** Frames of all connections of this process. */
let allFrames = 0;

/** The turn that connections now let others have. */
let othersTurn: Promise<void> | undefined;

/**
 * Waits for connections that let others have their turn, and may have read more frames. They go on before
 * this does; it does not wait when there are none.
 */
export async function framesBehind(): Promise<void> {
  if (othersTurn !== undefined) await othersTurn;
}

/** Counts what one connection moves, and lets others run in between. */
export class FairTurns {
  #bytes = 0;
  /** Its own frames since its last turn, and those of all until then. */
  #frames = 0;
  #allFramesThen = allFrames;
  #crowdTurns = 0;
  #crowdEndMs = -Infinity;
  readonly #now: () => number;

  /** @param now The clock, in milliseconds; by default one that never jumps. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether other connections of this process are in use, or were a moment ago. */
  get isCrowded(): boolean {
    return this.#now() < this.#crowdEndMs;
  }

  /**
   * Counts a frame.
   *
   * @param bytes Its payload.
   * @returns A promise to wait for when it is the others' turn.
   */
  pass(bytes: number): Promise<void> | undefined {
    this.#bytes += bytes + FRAME_COST_BYTES;
    this.#frames += 1;
    allFrames += 1;
    if (this.#bytes < CROWD_TURN_BYTES) return undefined;
    const others = allFrames - this.#allFramesThen - this.#frames;
    if (others > 0) {
      this.#crowdTurns = CROWD_TURNS;
      this.#crowdEndMs = this.#now() + CROWD_MS;
    }
    if (this.#crowdTurns === 0 && this.#bytes < LINK_TURN_BYTES) return undefined;
    this.#bytes = 0;
    this.#frames = 0;
    this.#allFramesThen = allFrames;
    this.#crowdTurns = Math.max(0, this.#crowdTurns - 1);
    return othersTurn ??= nextPoll().then(() => {
      othersTurn = undefined;
    });
  }
}
