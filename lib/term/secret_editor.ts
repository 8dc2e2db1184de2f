/**
 * Edits a line that is not shown, byte by byte as a terminal in raw mode sends it.
 *
 * @module
 */

/** Bytes that end or change a line. */
const KEY = {
  CTRL_C: 0x03,
  CTRL_D: 0x04,
  BACKSPACE: 0x08,
  LINE_FEED: 0x0a,
  RETURN: 0x0d,
  CTRL_U: 0x15,
  CTRL_W: 0x17,
  ESCAPE: 0x1b,
  CTRL_BACKSLASH: 0x1c,
  DELETE: 0x7f,
} as const;

/** Longest line, as for every secret that is read. */
export const SECRET_MAX_BYTES = 4096;

/** What a byte led to: go on, a line is there, input has ended, somebody pressed Ctrl-C, too long. */
export type EditState = "open" | "done" | "ended" | "interrupted" | "full";

/** Made when it is first needed: that takes 30 ms. */
let graphemes: Intl.Segmenter | undefined;

/** A line that is being typed. Backspace removes what a person calls a character. */
export class SecretEditor {
  #bytes: number[] = [];
  #escape: "none" | "begun" | "sequence" = "none";
  #state: EditState = "open";

  /** What has become of the line. */
  get state(): EditState {
    return this.#state;
  }

  /** The line so far; bytes that are no UTF-8 appear as U+FFFD. */
  get text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.#bytes));
  }

  /**
   * Takes what was typed.
   *
   * @param typed Bytes from the terminal, cut anywhere.
   * @returns How many of them belong to this line.
   */
  push(typed: Uint8Array): number {
    let taken = 0;
    for (const byte of typed) {
      if (this.#state !== "open") break;
      taken++;
      if (!this.#skipEscape(byte)) this.#edit(byte);
    }
    return taken;
  }

  /** Takes the end of input: what was typed so far is the line, if anything was. */
  end(): void {
    if (this.#state === "open") this.#state = this.#bytes.length > 0 ? "done" : "ended";
  }

  #edit(byte: number): void {
    switch (byte) {
      case KEY.RETURN:
      case KEY.LINE_FEED:
        this.#state = "done";
        return;
      case KEY.CTRL_C:
      case KEY.CTRL_BACKSLASH:
        this.#state = "interrupted";
        return;
      case KEY.CTRL_D:
        this.end();
        return;
      case KEY.BACKSPACE:
      case KEY.DELETE:
        graphemes ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
        this.#keep(Array.from(graphemes.segment(this.text)).at(-1)?.index ?? 0);
        return;
      case KEY.CTRL_U:
        this.#keep(0);
        return;
      case KEY.CTRL_W:
        this.#keep(this.text.trimEnd().search(/\S*$/));
        return;
    }
    if (byte < 0x20) return;
    this.#bytes.push(byte);
    if (this.#bytes.length > SECRET_MAX_BYTES) this.#state = "full";
  }

  /** Keeps the first UTF-16 units of the line. */
  #keep(units: number): void {
    this.#bytes = Array.from(new TextEncoder().encode(this.text.slice(0, units)));
  }

  /** Skips what arrow and function keys send: ESC [ parameters final, ESC O final, ESC character. */
  #skipEscape(byte: number): boolean {
    if (this.#escape === "begun") {
      this.#escape = byte === 0x5b || byte === 0x4f ? "sequence" : "none";
      // Keys that end or interrupt the line do so also behind a lone ESC.
      return byte >= 0x20 && byte !== KEY.DELETE;
    }
    if (this.#escape === "sequence") {
      if (byte >= 0x40 || byte < 0x20) this.#escape = "none";
      return byte >= 0x20;
    }
    if (byte === KEY.ESCAPE) this.#escape = "begun";
    return byte === KEY.ESCAPE;
  }
}
