/**
 * Reads lines from the person at the terminal, who can edit them, walk through earlier ones and have
 * words completed. `node:readline` does the editing; this feeds it, so that nothing is read from the
 * terminal between two lines, where a command may ask questions of its own.
 *
 * @module
 */

import type { Interface } from "node:readline";
import type { PromptInput, PromptSink } from "./prompt.ts";

// Not by an import statement: a bundle would load the module with every command, for 10 to 30 ms.
const { createInterface } = await import("node:readline");
const { PassThrough, Writable } = await import("node:stream");

/** What completes a line: all texts that the end of the line could become, and that end as it is. */
export type Completer = (line: string) => Promise<readonly [texts: string[], end: string]>;

/** Options of {@linkcode LineReader}. */
export interface LineReaderOptions {
  /** The keyboard. */
  readonly input: PromptInput;
  /** The screen. */
  readonly sink: PromptSink;
  /** Columns of the screen; undefined when unknown. */
  readonly columns: () => number | undefined;
  /** Earlier lines, the last one first. */
  readonly history?: readonly string[];
  /** Completes a line when Tab is pressed. */
  readonly complete?: Completer;
}

/** Lines that the arrow keys reach. */
export const HISTORY_LINES_MAX = 1000;

const READ_BYTES = 1024;
const TAB = 0x09;
const COLUMNS_DEFAULT = 80;

/** A screen as `node:readline` wants it. */
class Screen extends Writable {
  readonly #columns: () => number | undefined;

  constructor(sink: PromptSink, columns: () => number | undefined) {
    super({
      write(chunk: Uint8Array, _encoding, done) {
        for (let at = 0; at < chunk.length;) at += sink.writeSync(chunk.subarray(at));
        done();
      },
    });
    this.#columns = columns;
  }

  /** Asked anew each time, since a window changes its size. */
  get columns(): number {
    return this.#columns() || COLUMNS_DEFAULT;
  }
}

/** See the module. */
export class LineReader implements Disposable {
  readonly #input: PromptInput;
  readonly #keys = new PassThrough();
  readonly #readline: Interface;
  /** Lines that were pasted together with the first. */
  readonly #lines: string[] = [];
  #isClosed = false;
  #completing: Promise<void> | undefined;

  /**
   * Shows nothing and reads nothing until a line is asked for.
   *
   * @param options The terminal, earlier lines and completion.
   */
  constructor({ input, sink, columns, history = [], complete }: LineReaderOptions) {
    this.#input = input;
    this.#readline = createInterface({
      input: this.#keys,
      output: new Screen(sink, columns),
      terminal: true,
      history: [...history],
      historySize: HISTORY_LINES_MAX,
      removeHistoryDuplicates: true,
      ...(complete === undefined ? {} : {
        completer: (line: string, done: CompleterCallback) => {
          this.#completing = complete(line).then(
            ([texts, end]) => done(null, [texts, end]),
            () => done(null, [[], line]),
          );
        },
      }),
    });
    this.#readline.on("line", (line) => this.#lines.push(line));
    this.#readline.on("close", () => this.#isClosed = true);
    this.#readline.on("SIGINT", () => this.#clear());
    // Without a listener it would stop this process itself, with the terminal in raw mode.
    this.#readline.on("SIGTSTP", () => {});
  }

  /**
   * Asks for a line. Ctrl-C empties it.
   *
   * @param prompt What stands in front of it.
   * @returns The line; undefined at Ctrl-D in an empty one, and where the terminal is gone.
   */
  async read(prompt: string): Promise<string | undefined> {
    if (this.#lines.length > 0) return this.#lines.shift();
    if (this.#isClosed) return undefined;
    this.#input.setRaw(true);
    try {
      this.#readline.setPrompt(prompt);
      this.#readline.prompt(true);
      while (this.#lines.length === 0 && !this.#isClosed) await this.#feed();
    } finally {
      this.#input.setRaw(false);
    }
    return this.#lines.shift();
  }

  /** Ends it; the terminal is as it was before. */
  [Symbol.dispose](): void {
    this.#readline.close();
    this.#keys.destroy();
  }

  /** Passes on what is typed next; a stream of its own would do so later. */
  async #feed(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    const length = await this.#input.read(buffer);
    if (length === null) return this.#readline.close();
    for (let at = 0; at < length;) {
      const tab = buffer.subarray(0, length).indexOf(TAB, at);
      const end = tab < 0 ? length : tab + 1;
      this.#keys.emit("data", buffer.subarray(at, end));
      at = end;
      // What was typed behind Tab belongs behind what it completes.
      await this.#completed();
    }
  }

  /** Waits until the line shows what Tab found. */
  async #completed(): Promise<void> {
    if (this.#completing === undefined) return;
    await this.#completing;
    this.#completing = undefined;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  #clear(): void {
    this.#readline.write(null, { ctrl: true, name: "e" });
    this.#readline.write(null, { ctrl: true, name: "u" });
  }
}

type CompleterCallback = (error: null, result: [string[], string]) => void;
