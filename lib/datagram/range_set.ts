/**
 * A set of integers as ranges in order: which packets arrived, which bytes of a stream are there.
 *
 * @module
 */

import type { Range } from "./packet.ts";

/** See the module. */
export class RangeSet {
  /** Starts and ends by turns, in order; no two ranges touch. */
  readonly #edges: number[] = [];

  /** How many ranges there are. */
  get size(): number {
    return this.#edges.length / 2;
  }

  /** The lowest range. */
  get first(): Range | undefined {
    return this.#at(0);
  }

  /** The highest range. */
  get last(): Range | undefined {
    return this.#at(this.#edges.length - 2);
  }

  /** Whether a number is in the set. */
  has(value: number): boolean {
    // An odd number of edges at or below it: the last of them is a start.
    return this.#countUpTo(value) % 2 === 1;
  }

  /** Whether all of a range is in the set. */
  covers(start: number, end: number): boolean {
    const count = this.#countUpTo(start);
    return end <= start || (count % 2 === 1 && end <= (this.#edges[count] ?? 0));
  }

  /** Whether any of a range is in the set. */
  overlaps(start: number, end: number): boolean {
    const count = this.#countUpTo(start);
    return end > start && (count % 2 === 1 || end > (this.#edges[count] ?? Infinity));
  }

  /** Adds a range. */
  add(start: number, end: number): void {
    if (end <= start) return;
    const edges = this.#edges;
    const top = edges.length;
    // Most often it goes on where the last one ended.
    if (top > 0 && start === edges[top - 1]) {
      edges[top - 1] = end;
      return;
    }
    const from = this.#countBelow(start);
    const to = this.#countUpTo(end);
    const added: number[] = [];
    if (from % 2 === 0) added.push(start);
    if (to % 2 === 0) added.push(end);
    edges.splice(from, to - from, ...added);
  }

  /** Takes a range out. */
  remove(start: number, end: number): void {
    if (end <= start) return;
    const from = this.#countBelow(start);
    const to = this.#countUpTo(end);
    const added: number[] = [];
    if (from % 2 === 1) added.push(start);
    if (to % 2 === 1) added.push(end);
    this.#edges.splice(from, to - from, ...added);
  }

  /** The ranges, the lowest first. */
  *[Symbol.iterator](): Generator<Range> {
    for (let i = 0; i < this.#edges.length; i += 2) {
      const range = this.#at(i);
      if (range !== undefined) yield range;
    }
  }

  /** At most `count` ranges, the highest first. */
  newest(count: number): Range[] {
    const ranges: Range[] = [];
    for (let i = this.#edges.length - 2; i >= 0 && ranges.length < count; i -= 2) {
      const range = this.#at(i);
      if (range !== undefined) ranges.push(range);
    }
    return ranges;
  }

  #at(index: number): Range | undefined {
    const start = this.#edges[index];
    const end = this.#edges[index + 1];
    return start === undefined || end === undefined ? undefined : { start, end };
  }

  /** How many edges are at or below a number. */
  #countUpTo(value: number): number {
    let low = 0;
    let high = this.#edges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#edges[middle] ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many edges are below a number. */
  #countBelow(value: number): number {
    let low = 0;
    let high = this.#edges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#edges[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
