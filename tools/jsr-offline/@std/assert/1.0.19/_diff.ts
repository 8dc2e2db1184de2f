/**
 * The lines in which two texts differ, for messages that a person reads.
 *
 * @module
 */

/** Above this many lines the common middle is not looked for: the table would be too large. */
const TABLE_LINES_MAX = 1500;

/**
 * Writes two texts as one: common lines once, lines of the first with `-`, of the second with `+`.
 *
 * @param actual What there is.
 * @param expected What there should be.
 * @returns The lines, each ended.
 */
export function diff(actual: string, expected: string): string {
  const left = actual.split("\n");
  const right = expected.split("\n");
  const same = left.length > TABLE_LINES_MAX || right.length > TABLE_LINES_MAX
    ? []
    : commonLines(left, right);
  const lines: string[] = [];
  let leftAt = 0;
  let rightAt = 0;
  for (const [leftSame, rightSame] of [...same, [left.length, right.length] as const]) {
    while (leftAt < leftSame) lines.push(`-   ${left[leftAt++] ?? ""}`);
    while (rightAt < rightSame) lines.push(`+   ${right[rightAt++] ?? ""}`);
    if (leftAt < left.length) lines.push(`    ${left[leftAt] ?? ""}`);
    leftAt += 1;
    rightAt += 1;
  }
  return `\n\n    [Diff] Actual / Expected\n\n\n${lines.join("\n")}\n`;
}

/** The places of a longest common subsequence. */
function commonLines(
  left: readonly string[],
  right: readonly string[],
): (readonly [number, number])[] {
  const width = right.length + 1;
  const lengths = new Uint16Array((left.length + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = left.length - 1; row >= 0; row--) {
    for (let column = right.length - 1; column >= 0; column--) {
      lengths[row * width + column] = left[row] === right[column]
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const places: (readonly [number, number])[] = [];
  for (let row = 0, column = 0; row < left.length && column < right.length;) {
    if (left[row] === right[column]) places.push([row++, column++]);
    else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  }
  return places;
}
