/**
 * Reads keys from what a terminal sends: text, control characters, the sequences of arrow and
 * function keys (ECMA-48 and xterm's), and pasted text between brackets.
 *
 * @module
 */

/** What was typed. */
export type Key =
  | {
    /** Characters, one or more. */
    readonly kind: "text";
    readonly text: string;
  }
  | {
    /** Pasted text, with its line feeds. */
    readonly kind: "paste";
    readonly text: string;
  }
  | {
    /** Such as `enter`, `up`, `ctrl+c`, `alt+up`, `shift+tab`. */
    readonly kind: "key";
    readonly name: string;
  };

/** Longest pasted text that is kept, in UTF-16 units: four times the longest message. */
export const PASTE_MAX = 64 * 1024;

/** Longest sequence; what goes on beyond it is none. */
const SEQUENCE_MAX = 32;

const ESCAPE = "\x1b";
const PASTE_BEGIN = "200";
const PASTE_END = "\x1b[201~";

const LETTERS: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
  M: "enter",
  Z: "shift+tab",
};

const NUMBERS: Readonly<Record<string, string>> = {
  "1": "home",
  "2": "insert",
  "3": "delete",
  "4": "end",
  "5": "pageup",
  "6": "pagedown",
  "7": "home",
  "8": "end",
};

const CONTROLS: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
};

// deno-lint-ignore no-control-regex -- keys send control characters
const SEQUENCE = /^\x1b(?:\[([0-9;:<=>?]*)[ -/]*([@-~])|O([A-Za-z]))/;
// deno-lint-ignore no-control-regex -- the same
const BEGUN = /^\x1b(?:\[[0-9;:<=>?]*[ -/]*|O)?$/;
// deno-lint-ignore no-control-regex -- the same
const TEXT = /^[^\x00-\x1f\x7f]+/;

/** See the module. */
export class KeyDecoder {
  readonly #decoder = new TextDecoder();
  #waiting = "";
  /** What was pasted so far, while it goes on. */
  #pasted: string | undefined;

  /** Whether what came last may be a key of its own, or the beginning of a longer one. */
  get isUndecided(): boolean {
    return this.#waiting !== "" && this.#pasted === undefined;
  }

  /**
   * Takes what the terminal sent.
   *
   * @param bytes Bytes, cut anywhere.
   * @returns The keys that are whole.
   */
  push(bytes: Uint8Array): Key[] {
    this.#waiting += this.#decoder.decode(bytes, { stream: true });
    const keys: Key[] = [];
    while (this.#waiting !== "") {
      const before = this.#waiting.length;
      const key = this.#pasted === undefined ? this.#next() : this.#paste();
      if (key !== undefined) keys.push(key);
      else if (this.#waiting.length === before) break;
    }
    return keys;
  }

  /** Nothing followed for a while: what waits is what it looks like. */
  flush(): Key[] {
    if (!this.isUndecided) return [];
    const waiting = this.#waiting;
    this.#waiting = "";
    if (waiting === ESCAPE) return [{ kind: "key", name: "escape" }];
    return waiting.length === 2 ? [{ kind: "key", name: `alt+${waiting.slice(1)}` }] : [];
  }

  /** Takes a key away; undefined when it is not whole, or is none. */
  #next(): Key | undefined {
    const first = this.#waiting.charAt(0);
    if (first === ESCAPE) return this.#escape();
    const [text] = TEXT.exec(this.#waiting) ?? [];
    if (text !== undefined) {
      this.#waiting = this.#waiting.slice(text.length);
      return { kind: "text", text };
    }
    this.#waiting = this.#waiting.slice(1);
    const name = controlName(first);
    return name === undefined ? undefined : { kind: "key", name };
  }

  #escape(): Key | undefined {
    const sequence = SEQUENCE.exec(this.#waiting);
    if (sequence !== null) {
      const [whole, parameters = "", final = "", letter = ""] = sequence;
      this.#waiting = this.#waiting.slice(whole.length);
      if (final === "~" && parameters === PASTE_BEGIN) {
        this.#pasted = "";
        return undefined;
      }
      const name = sequenceName(parameters, final || letter);
      return name === undefined ? undefined : { kind: "key", name };
    }
    if (BEGUN.test(this.#waiting)) {
      if (this.#waiting.length > SEQUENCE_MAX) this.#waiting = "";
      return undefined;
    }
    // ESC in front of a character is what Alt sends.
    const [character = ""] = this.#waiting.slice(1);
    this.#waiting = this.#waiting.slice(1 + character.length);
    if (character === ESCAPE) this.#waiting = ESCAPE + this.#waiting;
    const name = character === ESCAPE ? "escape" : `alt+${controlName(character) ?? character}`;
    return { kind: "key", name };
  }

  #paste(): Key | undefined {
    const end = this.#waiting.indexOf(PASTE_END);
    // The end may be cut in two.
    const taken = end < 0 ? Math.max(0, this.#waiting.length - PASTE_END.length + 1) : end;
    const pasted = (this.#pasted ?? "") + this.#waiting.slice(0, taken);
    this.#pasted = pasted.slice(0, PASTE_MAX);
    this.#waiting = this.#waiting.slice(end < 0 ? taken : taken + PASTE_END.length);
    if (end < 0) return undefined;
    const text = this.#pasted.replace(/\r\n?/g, "\n").toWellFormed();
    this.#pasted = undefined;
    return { kind: "paste", text };
  }
}

function controlName(character: string): string | undefined {
  const known = CONTROLS[character];
  if (known !== undefined) return known;
  const code = character.charCodeAt(0);
  return code >= 1 && code <= 26 ? `ctrl+${String.fromCharCode(code + 96)}` : undefined;
}

/** Name of a key by its sequence: a number before `~`, or a letter; modifiers behind a semicolon. */
function sequenceName(parameters: string, final: string): string | undefined {
  const [number = "", modifiers = "1"] = parameters.split(";");
  const base = final === "~" ? NUMBERS[number] : LETTERS[final];
  if (base === undefined) return undefined;
  const bits = Number(modifiers) - 1;
  const held = [[4, "ctrl+"], [2, "alt+"], [1, "shift+"]] as const;
  return held.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name).join("") + base;
}
