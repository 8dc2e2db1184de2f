/**
 * Text as a screen shows it: cut into what a person calls characters, each with its width in columns.
 * Terminals differ in the widths of emoji; what is drawn here is put into its place again behind
 * each that they may disagree on (`draw.ts`).
 *
 * @module
 */

import { safeText, textWidth } from "../../lib/term/text.ts";

/** What takes one place on a screen. */
export interface Cluster {
  /** One or more code points. */
  readonly text: string;
  /** Columns that it takes. */
  readonly width: 1 | 2;
}

/** More marks than any script puts on a letter; the longest emoji has 15 UTF-16 units. */
const CLUSTER_UNITS_MAX = 32;

const ASCII = /^[\x20-\x7e]*$/;
const EMOJI_STYLE = "\ufe0f";
const MARK = /^\p{M}/u;
const JOINERS_AT_END = /\u200d+$/;
const INVISIBLE = /./gsu;

/** Made when it is first needed: that takes 30 ms. */
let segmenter: Intl.Segmenter | undefined;

/** Where the characters of a text begin and end, in UTF-16 units; 0 and its length among them. */
export function boundariesOf(text: string): number[] {
  if (ASCII.test(text)) return Array.from({ length: text.length + 1 }, (_, index) => index);
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return [...Array.from(segmenter.segment(text), ({ index }) => index), text.length];
}

/**
 * Cuts text into characters. What could drive the terminal, or takes no place at all, is written out.
 *
 * @param text Text of any origin; line feeds too are written out.
 * @returns The characters in their order.
 */
export function clustersOf(text: string): Cluster[] {
  const safe = safeText(text);
  if (ASCII.test(safe)) return Array.from(safe, (each) => ({ text: each, width: 1 }));
  const ends = boundariesOf(safe);
  return ends.slice(1).flatMap((end, index) => clusterOf(safe.slice(ends[index], end)));
}

/** Columns that a text takes. */
export function widthOf(text: string): number {
  return clustersOf(text).reduce((sum, { width }) => sum + width, 0);
}

/** One character, or an invisible one written out. */
function clusterOf(whole: string): Cluster[] {
  const kept = whole.length <= CLUSTER_UNITS_MAX ? whole : shortened(whole);
  // A joiner at the end would join what is drawn next, wherever that stands.
  const text = kept.replace(JOINERS_AT_END, "") || kept;
  if (text.includes(EMOJI_STYLE) && text !== EMOJI_STYLE) return [{ text, width: 2 }];
  // Parts that are joined share one place, which is never wider than two columns.
  const columns = textWidth(text);
  if (columns > 0) return [{ text, width: columns > 1 ? 2 : 1 }];
  if (MARK.test(text)) return [{ text: `\u25cc${text}`, width: 1 }];
  const written = text.replace(
    INVISIBLE,
    (each) => `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return Array.from(written, (each) => ({ text: each, width: 1 }));
}

/** The first code points of a character that has too many. */
function shortened(text: string): string {
  let kept = "";
  for (const each of text) {
    if (kept.length + each.length > CLUSTER_UNITS_MAX) break;
    kept += each;
  }
  return kept;
}
