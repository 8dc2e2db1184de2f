/**
 * Text as a terminal shows it: made safe when it comes from elsewhere, measured in columns, cut,
 * padded and wrapped.
 *
 * @module
 */

import { unicodeWidth } from "@std/cli/unicode-width";

/**
 * What can move the cursor, restyle the screen, break a line or reorder what is read: C0, DEL and C1
 * controls, the line and paragraph separators, the bidirectional controls (UAX 9, section 2), interlinear
 * annotations, and halves of surrogate pairs.
 */
const UNSAFE =
  // deno-lint-ignore no-control-regex -- naming the control characters is the point
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]|\p{Surrogate}/gu;

const ELLIPSIS = "\u2026";

/** Made when it is first needed: that takes 30 ms, and few commands cut text. */
let graphemes: Intl.Segmenter | undefined;

/**
 * Makes text from elsewhere harmless: characters that could drive the terminal or hide what stands
 * there appear as `\x1b` or `\u{202e}`.
 *
 * @param text Text of any origin, such as a file name that a server sent.
 * @returns The text in one line, without control characters.
 */
export function safeText(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/**
 * Columns that safe text takes on a terminal: two for wide characters, none for combining marks.
 *
 * @param text Text without escape sequences.
 * @returns The number of columns.
 */
export function textWidth(text: string): number {
  return unicodeWidth(text);
}

/** Fills text with spaces on the right up to a width in columns. */
export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}

/** Fills text with spaces on the left up to a width in columns. */
export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - textWidth(text))) + text;
}

/**
 * Cuts the middle out of text that is too wide, so that the beginning and the end of a file name
 * stay readable.
 *
 * @param text Safe text.
 * @param width The most columns the result may take.
 * @returns The text, or its two ends around an ellipsis.
 */
export function cutMiddle(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return "";
  graphemes ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const parts = Array.from(graphemes.segment(text), ({ segment }) => segment);
  const head = take(parts, Math.ceil((width - 1) / 2));
  const tail = take(parts.reverse(), width - 1 - textWidth(head.join("")));
  return head.join("") + ELLIPSIS + tail.reverse().join("");
}

/** The longest run of `parts` from the beginning that fits `width` columns. */
function take(parts: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let left = width;
  for (const part of parts) {
    left -= textWidth(part);
    if (left < 0) break;
    taken.push(part);
  }
  return taken;
}

/**
 * Breaks text at spaces into lines; a word that is wider than a line stands alone on one.
 *
 * @param text Text with `\n` between paragraphs.
 * @param width The most columns of a line.
 * @returns The lines, without trailing spaces.
 */
export function wrapText(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => wrapParagraph(paragraph, width));
}

function wrapParagraph(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(" ").filter((word) => word !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
