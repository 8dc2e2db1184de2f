/**
 * Turns the difference between two frames into what the terminal must be told: only cells that
 * changed, with the cursor put where they are.
 *
 * @module
 */

import type { Cell, CellStyle, Frame } from "./frame.ts";

/** Options of {@linkcode drawFrame}. */
export interface DrawOptions {
  /** What the terminal shows; everything is drawn without it. */
  readonly previous?: Frame | undefined;
  /** Whether colours may be used; weights and inversion may in any case. */
  readonly isColoured: boolean;
}

/** Parameters of "select graphic rendition", ECMA-48 8.3.117, with colours and without. */
const RENDITIONS: Readonly<Record<CellStyle, readonly [coloured: string, plain: string]>> = {
  plain: ["0", "0"],
  bar: ["0;7", "0;7"],
  bold: ["0;1", "0;1"],
  dim: ["0;2", "0;2"],
  notice: ["0;36", "0;2"],
  error: ["0;31", "0;1"],
  mention: ["0;1;33", "0;1"],
  current: ["0;1;7", "0;1;7"],
  own: ["0;1;32", "0;1"],
  person: ["0;1;34", "0;1"],
};

/** What every terminal gives the same width: ASCII, kana, Han, Hangul and full-width forms. */
const SURE = /^[\x20-\x7e\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]$/;

/**
 * What brings the terminal from one frame to another.
 *
 * @param frame What it shall show.
 * @param options What it shows.
 * @returns Text with escape sequences.
 */
export function drawFrame(frame: Frame, { previous, isColoured }: DrawOptions): string {
  const { rows, columns } = frame.size;
  const isSameSize = previous?.size.rows === rows && previous.size.columns === columns;
  const shown = isSameSize ? previous : undefined;
  let drawn = "\x1b[?25l";
  if (shown === undefined) drawn += "\x1b[0m\x1b[2J";
  let style: CellStyle | undefined;
  for (let row = 0; row < rows; row++) {
    // Where the terminal's cursor is in this row, as far as that is sure.
    let at = -1;
    for (let column = 0; column < columns; column++) {
      const cell = frame.cell(row, column);
      if (cell.width === 0 || isShown(cell, shown?.cell(row, column))) continue;
      if (at !== column) drawn += moveTo(row, column);
      if (style !== cell.style) drawn += `\x1b[${RENDITIONS[cell.style][isColoured ? 0 : 1]}m`;
      style = cell.style;
      const isSure = SURE.test(cell.text);
      // A terminal that thinks it is narrower leaves no remains of what was there.
      if (!isSure && cell.width === 2) drawn += `  ${moveTo(row, column)}`;
      drawn += cell.text;
      at = isSure ? column + cell.width : -1;
    }
  }
  const { cursor } = frame;
  drawn += "\x1b[0m";
  return cursor === undefined ? drawn : `${drawn}${moveTo(cursor.row, cursor.column)}\x1b[?25h`;
}

/** Whether the terminal shows a cell; a blank screen shows spaces. */
function isShown(cell: Cell, shown: Cell | undefined): boolean {
  if (shown === undefined) return cell.text === " " && cell.style === "plain";
  return cell.text === shown.text && cell.style === shown.style;
}

/** "Cursor position", ECMA-48 8.3.21. */
function moveTo(row: number, column: number): string {
  return `\x1b[${row + 1};${column + 1}H`;
}
