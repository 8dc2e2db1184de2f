/**
 * The terminal while a program has all of it: its other screen, every key as it comes, pasted text
 * between brackets. Whatever happens, it is left as it was found.
 *
 * @module
 */

import { abortable } from "../abortable.ts";
import { drawFrame } from "./draw.ts";
import type { Frame, ScreenSize } from "./frame.ts";
import { type Key, KeyDecoder } from "./keys.ts";

/** The keyboard, the screen and the window; `systemTerminal()` is such. */
export interface TerminalPort {
  /** Reads some bytes and says how many; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Switches between every key as it comes (true) and lines (false). */
  setRaw(isRaw: boolean): void;
  /** Writes some of the bytes at once and says how many. */
  writeSync(bytes: Uint8Array): number;
  /** Columns and rows of the window. */
  size(): ScreenSize;
  /** Calls `listener` at every change of the size, and when the program ends otherwise. */
  watch(listeners: { readonly onResize: () => void; readonly onEnd: () => void }): () => void;
}

/** The other screen, pasted text between brackets, no line breaks at the right edge. */
const ENTER = "\x1b[?1049h\x1b[?2004h\x1b[?7l";
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?2004l\x1b[?25h\x1b[?1049l";

/** How long what may be the beginning of a longer key waits for the rest. */
const ESCAPE_WAIT_MS = 60;

const READ_BYTES = 4096;

/** How often the size is looked at where nothing tells of its change. */
const SIZE_EVERY_MS = 500;

/** What the runtime tells before it ends the program. */
const ENDS = ["unload", "unhandledrejection", "error"] as const;

const encoder = new TextEncoder();

/** See the module. */
export class Terminal implements Disposable {
  readonly #port: TerminalPort;
  readonly #isColoured: boolean;
  readonly #unwatch: () => void;
  #shown: Frame | undefined;
  #isLeft = false;

  /**
   * Takes the terminal over.
   *
   * @param port The terminal.
   * @param options Whether colours may be used, and who is told that the window has another size.
   */
  constructor(
    port: TerminalPort,
    options: { readonly isColoured: boolean; readonly onResize: () => void },
  ) {
    this.#port = port;
    this.#isColoured = options.isColoured;
    this.#unwatch = port.watch({ onResize: options.onResize, onEnd: () => this.#leave() });
    try {
      port.setRaw(true);
      this.#write(ENTER);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Columns and rows of the window now. */
  get size(): ScreenSize {
    return this.#port.size();
  }

  /** Shows a frame. */
  show(frame: Frame): void {
    if (this.#isLeft) return;
    this.#write(drawFrame(frame, { previous: this.#shown, isColoured: this.#isColoured }));
    this.#shown = frame;
  }

  /** Draws everything with the next frame, whatever else wrote to the terminal. */
  forget(): void {
    this.#shown = undefined;
  }

  /** Keys until the terminal is gone; throws the signal's reason. */
  async *keys(signal: AbortSignal): AsyncGenerator<Key> {
    const decoder = new KeyDecoder();
    const buffer = new Uint8Array(READ_BYTES);
    let reading: Promise<number | null> | undefined;
    for (;;) {
      reading ??= this.#port.read(buffer);
      if (decoder.isUndecided && !await isSoon(reading, signal)) {
        yield* decoder.flush();
        continue;
      }
      const length = await abortable(reading, signal);
      reading = undefined;
      if (length === null) return;
      yield* decoder.push(buffer.slice(0, length));
    }
  }

  /** Leaves the terminal as it was. */
  [Symbol.dispose](): void {
    this.#unwatch();
    this.#leave();
  }

  #leave(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    try {
      this.#write(LEAVE);
    } finally {
      this.#port.setRaw(false);
    }
  }

  #write(text: string): void {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += this.#port.writeSync(bytes.subarray(at));
  }
}

/** Whether something is read before a key must be decided on. */
async function isSoon(reading: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ESCAPE_WAIT_MS);
  try {
    return await abortable(Promise.race([reading.then(() => true), promise]), signal);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The terminal of this process.
 *
 * @param input Who reads the keyboard.
 */
export function systemTerminal(input: Pick<TerminalPort, "read">): TerminalPort {
  return {
    read: (buffer) => input.read(buffer),
    setRaw: (isRaw) => Deno.stdin.setRaw(isRaw),
    writeSync: (bytes) => Deno.stdout.writeSync(bytes),
    size: () => Deno.consoleSize(),
    watch: ({ onResize, onEnd }) => {
      const stopWatching = watchSize(onResize);
      // A second SIGTERM, or a defect, ends the process without another word.
      for (const event of ENDS) globalThis.addEventListener(event, onEnd);
      return () => {
        stopWatching();
        for (const event of ENDS) globalThis.removeEventListener(event, onEnd);
      };
    },
  };
}

/** Tells of each change of the window's size; returns what ends that. */
function watchSize(onResize: () => void): () => void {
  if (Deno.build.os === "windows") {
    // It has no signal for that; whoever is told looks at the size.
    const timer = setInterval(onResize, SIZE_EVERY_MS);
    return () => clearInterval(timer);
  }
  Deno.addSignalListener("SIGWINCH", onResize);
  return () => Deno.removeSignalListener("SIGWINCH", onResize);
}
