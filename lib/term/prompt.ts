/**
 * Asks people: for a secret without showing it, for a line, for yes or no. Questions stand on stderr,
 * and nobody is asked without a terminal or with `--no-input`.
 *
 * `promptSecret` of `@std/cli` is not used: it writes its question to stdout, where `trivet cat` may
 * be writing a file, its backspace cuts characters of several bytes in two, and no signal ends it.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { SECRET_MAX_BYTES, SecretEditor } from "./secret_editor.ts";
import { safeText } from "./text.ts";
import { parseSwitch, usage } from "./values.ts";

/** Where answers come from; `Deno.stdin` is such. */
export interface PromptInput {
  /** Reads some bytes and says how many; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Whether a person may be there. */
  isTerminal(): boolean;
  /** Switches between every key as it comes, unseen (true), and lines with an echo (false). */
  setRaw(isRaw: boolean): void;
}

/** Where questions go: stderr. */
export interface PromptSink {
  /** Whether a person may be there. */
  isTerminal(): boolean;
  /** Writes some of the bytes at once and says how many. */
  writeSync(bytes: Uint8Array): number;
}

/** Options of {@linkcode Prompter}. */
export interface PrompterOptions {
  /** Where answers come from. */
  readonly input: PromptInput;
  /** Where questions go. */
  readonly sink: PromptSink;
  /** `--no-input`. */
  readonly noInput?: boolean;
  /** Ends a question with its reason. */
  readonly signal?: AbortSignal;
}

const LINE_MAX_BYTES = 4096;
const READ_BYTES = 1024;

const encoder = new TextEncoder();

/** Asks the person at the terminal. */
export class Prompter {
  readonly #options: PrompterOptions;
  #pending: Uint8Array = new Uint8Array(0);

  /**
   * Asks nothing until it is told to.
   *
   * @param options The terminal and whether to ask at all.
   */
  constructor(options: PrompterOptions) {
    this.#options = options;
  }

  /** Whether there is anybody to ask: stdin and stderr are a terminal and `--no-input` is not set. */
  get canAsk(): boolean {
    const { input, sink, noInput } = this.#options;
    return noInput !== true && input.isTerminal() && sink.isTerminal();
  }

  /**
   * Asks for a secret; nothing of it is shown.
   *
   * @param message The question, without punctuation behind it.
   * @param instead What to do where nobody can be asked, such as `pass --password-stdin`.
   * @returns The secret, perhaps empty.
   * @throws {TrivetError} USAGE when nobody can be asked or input ends; INTERRUPTED at Ctrl-C.
   */
  async askSecret(message: string, instead: string): Promise<string> {
    this.#mustAsk(message, instead);
    const { input } = this.#options;
    const editor = new SecretEditor();
    // The echo ends before the question appears: who types fast answers it at once.
    input.setRaw(true);
    try {
      this.#write(`${safeText(message)}: `);
      while (editor.state === "open") {
        const bytes = await this.#read();
        if (bytes === null) editor.end();
        else this.#pending = bytes.subarray(editor.push(bytes));
      }
    } finally {
      input.setRaw(false);
      this.#write("\n");
    }
    switch (editor.state) {
      case "done":
        return editor.text;
      case "interrupted":
        throw new TrivetError("INTERRUPTED", "Interrupted");
      case "full":
        this.#pending = new Uint8Array(0);
        throw usage(`${message} is longer than ${SECRET_MAX_BYTES} bytes`);
      default:
        throw noAnswer(message, instead);
    }
  }

  /**
   * Asks for a line.
   *
   * @param message The question, without punctuation behind it.
   * @param instead What to do where nobody can be asked, such as `pass USER`.
   * @returns The line without spaces around it.
   * @throws {TrivetError} USAGE when nobody can be asked or input ends.
   */
  async askLine(message: string, instead: string): Promise<string> {
    this.#mustAsk(message, instead);
    this.#write(`${safeText(message)}: `);
    const line = await this.#readLine();
    if (line === null) throw noAnswer(message, instead);
    return line.trim();
  }

  /**
   * Asks for yes or no.
   *
   * @param message The question, without punctuation behind it.
   * @param fallback The answer of Enter alone, and where nobody can be asked.
   * @returns The answer.
   */
  async askYesNo(message: string, fallback: boolean): Promise<boolean> {
    if (!this.canAsk) return fallback;
    while (true) {
      this.#write(`${safeText(message)} [${fallback ? "Y/n" : "y/N"}]? `);
      const line = await this.#readLine();
      const word = line?.trim().toLowerCase() ?? "";
      if (word === "") return fallback;
      const answer = word === "y" ? true : word === "n" ? false : parseSwitch(word);
      if (answer !== undefined) return answer;
    }
  }

  #mustAsk(message: string, instead: string): void {
    this.#options.signal?.throwIfAborted();
    if (!this.canAsk) throw usage(`Cannot ask for "${message}" here: ${instead}`);
  }

  /** A line that the terminal itself lets people edit; null at the end of input. */
  async #readLine(): Promise<string | null> {
    const line: number[] = [];
    while (true) {
      const bytes = await this.#read().catch((error) => {
        // The question's line is still open.
        this.#write("\n");
        throw error;
      });
      if (bytes === null) return line.length > 0 ? decode(line) : null;
      const end = bytes.indexOf(0x0a);
      line.push(...bytes.subarray(0, end < 0 ? bytes.length : end));
      if (line.length > LINE_MAX_BYTES) {
        throw usage(`Answer is longer than ${LINE_MAX_BYTES} bytes`);
      }
      if (end < 0) continue;
      this.#pending = bytes.subarray(end + 1);
      return decode(line);
    }
  }

  /** What was typed ahead, or what comes next; ends with the signal. */
  async #read(): Promise<Uint8Array | null> {
    if (this.#pending.length > 0) {
      const pending = this.#pending;
      this.#pending = new Uint8Array(0);
      return pending;
    }
    const { input, signal } = this.#options;
    const buffer = new Uint8Array(READ_BYTES);
    const length = await untilAborted(input.read(buffer), signal);
    return length === null ? null : buffer.subarray(0, length);
  }

  #write(text: string): void {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += this.#options.sink.writeSync(bytes.subarray(at));
  }
}

/**
 * Reads a secret from stdin, for `--password-stdin`: the first line, without its LF or CRLF. What
 * follows the line stays unread, so it can be the data of the same command.
 *
 * @param input Stdin.
 * @returns The secret, never empty.
 * @throws {TrivetError} USAGE when it is empty, longer than 4096 bytes, or no UTF-8.
 */
export async function readPasswordStdin(input: Pick<PromptInput, "read">): Promise<string> {
  const bytes: number[] = [];
  // One byte at a time, since what is read cannot be given back.
  const buffer = new Uint8Array(1);
  while (true) {
    const length = await input.read(buffer);
    const byte = buffer[0] ?? 0;
    if (length === null || length > 0 && byte === 0x0a) break;
    if (length > 0) bytes.push(byte);
    // A CR before the LF does not count, hence one byte more.
    if (bytes.length > SECRET_MAX_BYTES + 1) throw tooLong();
  }
  if (bytes.at(-1) === 0x0d) bytes.pop();
  if (bytes.length > SECRET_MAX_BYTES) throw tooLong();
  if (bytes.length === 0) throw usage("Cannot read a password from stdin: its first line is empty");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes),
    );
  } catch (cause) {
    throw new TrivetError("USAGE", "Cannot read a password from stdin: it is not UTF-8", { cause });
  }
}

function tooLong(): TrivetError {
  return usage(
    `Cannot read a password from stdin: its first line is longer than ${SECRET_MAX_BYTES} bytes`,
  );
}

function noAnswer(message: string, instead: string): TrivetError {
  return usage(`Got no answer to "${message}": ${instead}`);
}

function decode(bytes: readonly number[]): string {
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** Waits for work, or throws the signal's reason as soon as it aborts. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
