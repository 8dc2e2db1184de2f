/**
 * Finds the word that somebody probably meant.
 *
 * @module
 */

/** Words longer than this are not compared: the cost grows with the square. */
const WORD_CHARACTERS_MAX = 64;

/**
 * The nearest of some known words, if it is near enough to be a slip of the fingers.
 *
 * @param word What was typed.
 * @param known The words there are.
 * @returns The nearest word, the first of equals; undefined when none is near.
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  if (word === "" || word.length > WORD_CHARACTERS_MAX) return undefined;
  let best: string | undefined;
  // One slip in a short word, more in a long one; a beginning of at least two characters also counts.
  let bestDistance = Math.min(3, Math.floor(word.length / 4) + 1) + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance && distance < Math.max(word.length, candidate.length)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? known.find((candidate) => word.length >= 2 && candidate.startsWith(word));
}

/**
 * Number of insertions, deletions, replacements and swaps of neighbours between two words (optimal
 * string alignment distance).
 */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? 0;
}
