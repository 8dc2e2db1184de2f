/**
 * Aligned columns for people, measured in terminal columns, so that wide characters do not shift what
 * stands to their right.
 *
 * @module
 */

import { padEnd, padStart, safeText, textWidth } from "./text.ts";

/** A column of a table. */
export interface TableColumn {
  /** Heading; a table whose headings are all absent has no heading line. */
  readonly title?: string;
  /** Side on which cells stand; numbers belong on the right. Default: left. */
  readonly align?: "left" | "right";
}

const GAP = "  ";

/**
 * Lays cells out in aligned columns.
 *
 * @param columns The columns, in order.
 * @param rows Cells of any origin; they are made safe here. Missing cells are empty.
 * @returns The lines, without trailing spaces.
 */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
): string[] {
  const titles = columns.map(({ title }) => title ?? "");
  const headed = titles.some((title) => title !== "");
  const cells = [...(headed ? [titles] : []), ...rows].map((row) =>
    columns.map((_, index) => safeText(row[index] ?? ""))
  );
  const widths = columns.map((_, index) =>
    cells.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? "")), 0)
  );
  return cells.map((row) => renderRow(row, columns, widths));
}

function renderRow(
  row: readonly string[],
  columns: readonly TableColumn[],
  widths: readonly number[],
): string {
  const padded = row.map((cell, index) => {
    const pad = columns[index]?.align === "right" ? padStart : padEnd;
    return pad(cell, widths[index] ?? 0);
  });
  // Only the padding goes: spaces at the end of a cell belong to a name.
  const last = row.at(-1) ?? "";
  if (columns.at(-1)?.align !== "right" && last !== "") padded[padded.length - 1] = last;
  const line = padded.join(GAP);
  return last === "" ? line.trimEnd() : line;
}
