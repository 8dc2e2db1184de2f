/**
 * A picture of the whole screen: rows of cells, which the program fills anew each time something
 * changes.
 *
 * @module
 */

import { type Cluster, clustersOf } from "./clusters.ts";

/** How something looks, by what it means. */
export type CellStyle =
  | "plain"
  | "bar"
  | "bold"
  | "dim"
  | "notice"
  | "error"
  | "mention"
  | "current"
  | "own"
  | "person";

/** One place on the screen. */
export interface Cell {
  /** What stands there; empty where the wide character before it goes on. */
  readonly text: string;
  /** Columns; 0 where the wide character before it goes on. */
  readonly width: 0 | 1 | 2;
  /** How it looks. */
  readonly style: CellStyle;
}

/** Columns and rows of a screen. */
export interface ScreenSize {
  /** Characters in a row. */
  readonly columns: number;
  /** Rows. */
  readonly rows: number;
}

/** Where {@linkcode Frame.put} writes. */
export interface PutOptions {
  /** The row, from 0. */
  readonly row: number;
  /** The column, from 0. */
  readonly column: number;
  /** Most columns that the text may take; up to the edge without it. */
  readonly width?: number;
  /** How it looks; plain without it. */
  readonly style?: CellStyle;
}

const BLANK: Cell = { text: " ", width: 1, style: "plain" };

/** See the module. */
export class Frame {
  /** Its size. */
  readonly size: ScreenSize;
  /** Where the cursor stands; hidden without it. */
  cursor: { readonly row: number; readonly column: number } | undefined;
  readonly #rows: Cell[][];

  /** Begins empty. */
  constructor(size: ScreenSize) {
    this.size = size;
    this.#rows = Array.from(
      { length: size.rows },
      () => Array.from({ length: size.columns }, () => BLANK),
    );
  }

  /** The cell at a place; blank outside. */
  cell(row: number, column: number): Cell {
    return this.#rows[row]?.[column] ?? BLANK;
  }

  /**
   * Writes text; what does not fit is cut.
   *
   * @param text Text of any origin, or characters.
   * @param options Where, and how it looks.
   * @returns The column behind it.
   */
  put(text: string | readonly Cluster[], options: PutOptions): number {
    const { row, column, style = "plain" } = options;
    const end = Math.min(this.size.columns, column + (options.width ?? this.size.columns));
    const cells = this.#rows[row];
    let at = column;
    if (cells === undefined) return at;
    for (const cluster of typeof text === "string" ? clustersOf(text) : text) {
      if (at + cluster.width > end) break;
      cells[at] = { ...cluster, style };
      if (cluster.width === 2) cells[at + 1] = { text: "", width: 0, style };
      at += cluster.width;
    }
    return at;
  }

  /** Fills a part of a row with spaces. */
  fill(options: PutOptions): void {
    const { column, width = this.size.columns } = options;
    const columns = Math.max(0, Math.min(width, this.size.columns - column));
    this.put(" ".repeat(columns), options);
  }

  /** What stands in each row, without spaces at the end. */
  lines(): string[] {
    return this.#rows.map((cells) => cells.map(({ text }) => text).join("").trimEnd());
  }
}
