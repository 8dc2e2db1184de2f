/**
 * The line that somebody writes: characters as people count them, words, and earlier lines.
 *
 * @module
 */

import { boundariesOf } from "../screen/clusters.ts";

/** Earlier lines that are kept. */
export const EDITOR_HISTORY_MAX = 500;

/** Longest line, in UTF-16 units; the server takes shorter ones only. */
const LINE_MAX = 64 * 1024;

/** See the module. */
export class LineEditor {
  #text = "";
  #cursor = 0;
  /** Earlier lines, the last one last. */
  readonly #history: string[] = [];
  /** Which of them is shown; their number stands for the line that was begun. */
  #shown = 0;
  #begun = "";

  /** The line. */
  get text(): string {
    return this.#text;
  }

  /** Where the next character comes, in UTF-16 units. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Writes another line in place of this one. */
  set(text: string, cursor: number = text.length): void {
    this.#text = text.slice(0, LINE_MAX).toWellFormed();
    this.#cursor = Math.min(cursor, this.#text.length);
  }

  /** Inserts text at the cursor. */
  insert(text: string): void {
    const { before, behind } = this.#parts();
    if (before.length + text.length + behind.length > LINE_MAX) return;
    this.set(before + text + behind, before.length + text.length);
  }

  /** The line, which is kept among the earlier ones; an empty one begins. */
  take(): string {
    const text = this.#text;
    if (text.trim() !== "" && this.#history.at(-1) !== text) this.#history.push(text);
    if (this.#history.length > EDITOR_HISTORY_MAX) this.#history.shift();
    this.#shown = this.#history.length;
    this.set("");
    return text;
  }

  /**
   * Does what a key stands for.
   *
   * @param name As `Key` has it.
   * @returns Whether the key means anything here.
   */
  press(name: string): boolean {
    const { before, behind } = this.#parts();
    const actions: Readonly<Record<string, () => void>> = {
      "left": () => this.#cursor = this.#boundary(-1),
      "ctrl+b": () => this.#cursor = this.#boundary(-1),
      "right": () => this.#cursor = this.#boundary(1),
      "ctrl+f": () => this.#cursor = this.#boundary(1),
      "home": () => this.#cursor = 0,
      "ctrl+a": () => this.#cursor = 0,
      "end": () => this.#cursor = this.#text.length,
      "ctrl+e": () => this.#cursor = this.#text.length,
      "ctrl+left": () => this.#cursor = wordStart(before),
      "alt+b": () => this.#cursor = wordStart(before),
      "ctrl+right": () => this.#cursor += wordEnd(behind),
      "alt+f": () => this.#cursor += wordEnd(behind),
      "backspace": () => this.set(before.slice(0, this.#boundary(-1)) + behind, this.#boundary(-1)),
      "delete": () => this.set(before + this.#text.slice(this.#boundary(1)), before.length),
      "ctrl+d": () => this.set(before + this.#text.slice(this.#boundary(1)), before.length),
      "ctrl+w": () => this.set(before.slice(0, wordStart(before)) + behind, wordStart(before)),
      "alt+backspace": () =>
        this.set(before.slice(0, wordStart(before)) + behind, wordStart(before)),
      "ctrl+u": () => this.set(behind, 0),
      "ctrl+k": () => this.set(before),
      "ctrl+j": () => this.insert("\n"),
      "alt+enter": () => this.insert("\n"),
      "up": () => this.#walk(-1),
      "down": () => this.#walk(1),
    };
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    action?.();
    return action !== undefined;
  }

  #parts(): { readonly before: string; readonly behind: string } {
    return { before: this.#text.slice(0, this.#cursor), behind: this.#text.slice(this.#cursor) };
  }

  /** The next place beside the cursor where it may stand. */
  #boundary(direction: -1 | 1): number {
    const places = boundariesOf(this.#text);
    return direction < 0
      ? places.findLast((place) => place < this.#cursor) ?? 0
      : places.find((place) => place > this.#cursor) ?? this.#text.length;
  }

  #walk(step: -1 | 1): void {
    const next = this.#shown + step;
    if (next < 0 || next > this.#history.length) return;
    if (this.#shown === this.#history.length) this.#begun = this.#text;
    this.#shown = next;
    this.set(this.#history[next] ?? this.#begun);
  }
}

/** Where the word before the cursor begins. */
function wordStart(before: string): number {
  return before.trimEnd().search(/\S*$/);
}

/** How far the word behind the cursor reaches. */
function wordEnd(behind: string): number {
  return /^\s*\S*/.exec(behind)?.[0].length ?? 0;
}
