import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { clustersOf } from "../../../client/screen/clusters.ts";
import { drawFrame } from "../../../client/screen/draw.ts";
import { Frame } from "../../../client/screen/frame.ts";

const SIZE = { columns: 12, rows: 3 };

/** A terminal that knows what is used here, and may give emoji another width. */
class Emulator {
  readonly #cells: string[][];
  readonly #emojiColumns: 1 | 2;
  #row = 0;
  #column = 0;

  constructor(emojiColumns: 1 | 2) {
    this.#emojiColumns = emojiColumns;
    this.#cells = Array.from({ length: SIZE.rows }, () => this.#blank());
  }

  feed(text: string): void {
    for (let rest = text; rest !== "";) {
      // deno-lint-ignore no-control-regex -- that is what is read
      const [sequence] = /^\x1b\[[?0-9;]*[A-Za-z]/.exec(rest) ?? [];
      // deno-lint-ignore no-control-regex -- the same
      const [written] = /^[^\x1b]+/.exec(rest) ?? [];
      if (sequence !== undefined) this.#obey(sequence);
      else for (const cluster of clustersOf(written ?? "")) this.#write(cluster);
      rest = rest.slice((sequence ?? written ?? rest).length);
    }
  }

  lines(): string[] {
    return this.#cells.map((cells) => cells.join("").trimEnd());
  }

  #blank(): string[] {
    return Array.from({ length: SIZE.columns }, () => " ");
  }

  #obey(sequence: string): void {
    // deno-lint-ignore no-control-regex -- the same
    const [, row, column] = /^\x1b\[(\d+);(\d+)H$/.exec(sequence) ?? [];
    if (row !== undefined) [this.#row, this.#column] = [Number(row) - 1, Number(column) - 1];
    if (sequence === "\x1b[2J") this.#cells.forEach((cells) => cells.fill(" "));
  }

  #write({ text, width }: { text: string; width: 1 | 2 }): void {
    const columns = /\p{Emoji_Presentation}|\ufe0f/u.test(text) ? this.#emojiColumns : width;
    const cells = this.#cells[this.#row] ?? [];
    if (this.#column + columns > SIZE.columns) return;
    // Half of a wide character that is written over is gone.
    if (cells[this.#column] === "") cells[this.#column - 1] = " ";
    cells[this.#column] = text;
    if (columns === 2) cells[this.#column + 1] = "";
    this.#column += columns;
    if (cells[this.#column] === "") cells[this.#column] = " ";
  }
}

const pieces = fc.array(fc.constantFrom("a", "b ", "会议", "é", "🎉", "❤️", "👨‍👩‍👧", "│", " "), {
  maxLength: 10,
});
const frames = fc.array(pieces, { minLength: SIZE.rows, maxLength: SIZE.rows }).map((rows) => {
  const frame = new Frame(SIZE);
  rows.forEach((row, index) => frame.put(row.join(""), { row: index, column: 0 }));
  return frame;
});

Deno.test("drawFrame() brings a terminal from any frame to any other", () => {
  fc.assert(fc.property(fc.array(frames, { minLength: 1, maxLength: 4 }), (steps) => {
    const terminal = new Emulator(2);
    let previous: Frame | undefined;
    for (const frame of steps) {
      terminal.feed(drawFrame(frame, { previous, isColoured: true }));
      assertEquals(terminal.lines(), frame.lines());
      previous = frame;
    }
  }));
});

Deno.test(
  "drawFrame() keeps columns where a terminal gives emoji one",
  { permissions: "none" },
  () => {
    const frame = new Frame(SIZE);
    frame.put("🎉❤️a会|", { row: 0, column: 0 });
    frame.put("  🎉 |", { row: 1, column: 0 });
    const terminal = new Emulator(1);
    terminal.feed(drawFrame(frame, { isColoured: false }));
    assertEquals(terminal.lines().slice(0, 2), ["🎉 ❤️ a会|", "  🎉  |"]);
  },
);

Deno.test("drawFrame() writes only what changed", { permissions: "none" }, () => {
  const [before, after] = [new Frame(SIZE), new Frame(SIZE)];
  before.put("hello world", { row: 1, column: 0 });
  after.put("hello World", { row: 1, column: 0 });
  const drawn = drawFrame(after, { previous: before, isColoured: true });
  assertEquals(drawn, "\x1b[?25l\x1b[2;7H\x1b[0mW\x1b[0m");
  assertEquals(drawFrame(after, { previous: after, isColoured: true }), "\x1b[?25l\x1b[0m");
});

Deno.test("drawFrame() draws all in a window of another size", { permissions: "none" }, () => {
  const before = new Frame({ columns: 5, rows: 3 });
  assertStringIncludes(
    drawFrame(new Frame(SIZE), { previous: before, isColoured: true }),
    "\x1b[2J",
  );
});

Deno.test("drawFrame() uses no colours where they are not wanted", { permissions: "none" }, () => {
  const frame = new Frame(SIZE);
  frame.put("no", { row: 0, column: 0, style: "error" });
  assertStringIncludes(drawFrame(frame, { isColoured: true }), "\x1b[0;31mno");
  assertStringIncludes(drawFrame(frame, { isColoured: false }), "\x1b[0;1mno");
});

Deno.test(
  "Frame.put() cuts at its width, and never through a character",
  { permissions: "none" },
  () => {
    const frame = new Frame(SIZE);
    assertEquals(frame.put("会议abc", { row: 0, column: 1, width: 3 }), 3);
    assertEquals(frame.put("abcdefghijklm会", { row: 1, column: 0 }), 12);
    assertEquals(frame.put("abcdefghijk会", { row: 2, column: 0 }), 11);
    assertEquals(frame.put("x", { row: 3, column: 0 }), 0);
    assertEquals(frame.lines(), [" 会", "abcdefghijkl", "abcdefghijk"]);
  },
);
