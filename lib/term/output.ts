/**
 * The one way by which commands say something. Results go to stdout, everything else to stderr, so
 * that a pipe carries data and nothing but data.
 *
 * With `--json`, stdout is one JSON document, or empty when the command fails; stderr is JSON Lines:
 * `{"warning": ...}` where there is one, and `{"error": ...}` last, when the command fails.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { safeText } from "./text.ts";

/** A standard stream; `Deno.stdout` and `Deno.stderr` are such. */
export interface OutputSink {
  /** Writes some of the bytes and says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Writes some of the bytes at once and says how many. */
  writeSync(bytes: Uint8Array): number;
  /** Whether a person may be looking at it. */
  isTerminal(): boolean;
}

/** Options of {@linkcode Output}. */
export interface OutputOptions {
  /** Where results go. */
  readonly stdout: OutputSink;
  /** Where messages go. */
  readonly stderr: OutputSink;
  /** Looks up an environment variable: `NO_COLOR` and `TERM` are asked. */
  readonly env: (name: string) => string | undefined;
  /** Columns of the terminal, asked anew each time since it can change; undefined when unknown. */
  readonly columns?: () => number | undefined;
  /** `--json`: results are one document, messages are documents too. */
  readonly json?: boolean;
  /** `--quiet`: no notes, no progress. */
  readonly quiet?: boolean;
  /** `--no-color`. */
  readonly noColor?: boolean;
}

/** Something drawn on the last line of the terminal that steps aside while a line is written. */
export interface Overlay {
  /** Leaves the line empty. */
  hide(): void;
  /** Draws it again. */
  show(): void;
}

/** How progress may be shown: redrawn in place, as plain lines now and then, or not at all. */
export type ProgressMode = "line" | "plain" | "off";

/** Colours and weights of text on a terminal. */
export type TextStyle = "bold" | "dim" | "red" | "yellow" | "green" | "blue";

/** Parameters of "select graphic rendition", ECMA-48 8.3.117. */
const STYLE_CODES: Readonly<Record<TextStyle, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
};

const COLUMNS_DEFAULT = 80;

const encoder = new TextEncoder();

/** Thrown when the reader of stdout has gone, as `head` does: the command should end quietly. */
export class OutputClosedError extends Error {
  /** Name of the class. */
  override readonly name = "OutputClosedError";
}

/** Writes results to stdout and messages to stderr. */
export class Output {
  /** Whether results are one JSON document. */
  readonly isJson: boolean;
  /** How progress may be shown on stderr. */
  readonly progressMode: ProgressMode;
  readonly #program: string;
  readonly #options: OutputOptions;
  readonly #isColoured: boolean;
  #overlay: Overlay | undefined;
  #hasDocument = false;

  /**
   * Makes an output.
   *
   * @param program Name that stands before errors.
   * @param options The streams and what the user asked for.
   */
  constructor(program: string, options: OutputOptions) {
    this.#program = program;
    this.#options = options;
    this.isJson = options.json === true;
    const isDumb = options.env("TERM") === "dumb";
    // https://no-color.org: present and not empty.
    this.#isColoured = options.noColor !== true && !isDumb && !options.env("NO_COLOR");
    const isOff = options.quiet === true || this.isJson;
    this.progressMode = isOff ? "off" : options.stderr.isTerminal() && !isDumb ? "line" : "plain";
  }

  /** Columns of the terminal, 80 when they are not known. */
  get columns(): number {
    const columns = this.#options.columns?.() ?? 0;
    return columns > 0 ? columns : COLUMNS_DEFAULT;
  }

  /** Whether colours may be used where somebody looks at a terminal. */
  get isColoured(): boolean {
    return this.#isColoured;
  }

  /**
   * Writes a line of results to stdout; nothing with `--json`. Text is made safe on a terminal and
   * stays as it is in a pipe, where a script needs the real name.
   *
   * @throws {OutputClosedError} The reader has gone.
   */
  line(text: string, style?: TextStyle): void {
    if (this.isJson) return;
    const { stdout } = this.#options;
    const shown = stdout.isTerminal() ? this.#paint(stdout, safeText(text), style) : text;
    this.#writeResult(`${shown}\n`);
  }

  /**
   * Writes text of the program's own, such as help, to stdout as it is, also with `--json`.
   *
   * @throws {OutputClosedError} The reader has gone.
   */
  text(block: string): void {
    this.#writeResult(block);
  }

  /**
   * Writes the JSON document of results to stdout; nothing without `--json`.
   *
   * @throws {OutputClosedError} The reader has gone.
   * @throws {TypeError} There is a document already: scripts count on one.
   */
  json(value: unknown): void {
    if (!this.isJson) return;
    if (this.#hasDocument) throw new TypeError("Cannot write a second JSON document to stdout");
    this.#hasDocument = true;
    this.#writeResult(`${safeJson(value)}\n`);
  }

  /**
   * Writes one of many documents to stdout, each in a line, for results that have no end; nothing without
   * `--json`.
   *
   * @throws {OutputClosedError} The reader has gone.
   */
  jsonLine(value: unknown): void {
    if (this.isJson) this.#writeResult(`${safeJson(value)}\n`);
  }

  /**
   * Writes a file's bytes to stdout.
   *
   * @throws {OutputClosedError} The reader has gone.
   */
  async bytes(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#options.stdout.write(bytes.subarray(at));
      }
    } catch (error) {
      throw asClosed(error);
    }
  }

  /** Tells something on stderr that a script need not know; nothing with `--quiet` or `--json`. */
  note(message: string): void {
    if (this.#options.quiet !== true && !this.isJson) this.#writeMessage(safeText(message));
  }

  /** Warns on stderr. */
  warn(message: string): void {
    if (this.isJson) return this.#writeMessage(safeJson({ warning: { message } }));
    const prefix = this.#paint(this.#options.stderr, `${this.#program}: warning:`, "yellow");
    this.#writeMessage(`${prefix} ${safeText(message)}`);
  }

  /** Reports an error on stderr, with what to do about it. */
  error(error: TrivetError): void {
    if (this.isJson) return this.#writeMessage(safeJson({ error: error.toMessage() }));
    const prefix = this.#paint(this.#options.stderr, `${this.#program}:`, "red");
    this.#writeMessage(`${prefix} ${safeText(error.message)}\n  ${safeText(error.hint)}`);
  }

  /**
   * Ends a command that threw: reports the error, unless the reader of stdout has simply gone.
   *
   * @param error What was thrown.
   * @returns The exit code.
   */
  fail(error: unknown): number {
    if (error instanceof OutputClosedError) return 0;
    const known = error instanceof TrivetError ? error : describeDefect(error);
    this.error(known);
    return known.exitCode;
  }

  /** Puts something on the terminal's last line, in the place of what was there. */
  attach(overlay: Overlay | undefined): void {
    this.#overlay?.hide();
    this.#overlay = overlay;
  }

  /** Writes to stderr as it is: for what draws on the terminal. */
  draw(text: string): void {
    try {
      writeAll(this.#options.stderr, encoder.encode(text));
    } catch {
      // Nobody reads the messages any more; the work goes on.
    }
  }

  #writeResult(text: string): void {
    this.#overlay?.hide();
    try {
      writeAll(this.#options.stdout, encoder.encode(text));
    } catch (error) {
      throw asClosed(error);
    }
    this.#overlay?.show();
  }

  #writeMessage(text: string): void {
    this.#overlay?.hide();
    this.draw(`${text}\n`);
    this.#overlay?.show();
  }

  #paint(sink: OutputSink, text: string, style: TextStyle | undefined): string {
    if (style === undefined || !this.#isColoured || !sink.isTerminal()) return text;
    return `\x1b[${STYLE_CODES[style]}m${text}\x1b[0m`;
  }
}

function writeAll(sink: OutputSink, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += sink.writeSync(bytes.subarray(at));
}

function asClosed(error: unknown): unknown {
  if (!(error instanceof Deno.errors.BrokenPipe)) return error;
  return new OutputClosedError("Cannot write results: nobody reads them", { cause: error });
}

/** JSON whose strings hold nothing that could drive a terminal: C1 and bidirectional controls too. */
function safeJson(value: unknown): string {
  return JSON.stringify(value ?? null).replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function describeDefect(error: unknown): TrivetError {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new TrivetError("INTERNAL", message, { cause: error });
}
