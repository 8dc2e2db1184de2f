import { assertEquals } from "@std/assert";
import { EDITOR_HISTORY_MAX, LineEditor } from "../../../client/chat_screen/line_editor.ts";

const pure = { permissions: "none" } as const;

/** A line, with `|` where the cursor is, after some keys. */
function after(line: string, ...keys: string[]): string {
  const editor = new LineEditor();
  editor.set(line.replace("|", ""), line.indexOf("|"));
  for (const key of keys) editor.press(key);
  return `${editor.text.slice(0, editor.cursor)}|${editor.text.slice(editor.cursor)}`;
}

const EDITS = [
  { line: "ab|", keys: ["left"], to: "a|b" },
  { line: "|ab", keys: ["left"], to: "|ab" },
  { line: "a|b", keys: ["right", "right"], to: "ab|" },
  { line: "a👨‍👩‍👧|b", keys: ["left"], to: "a|👨‍👩‍👧b" },
  { line: "a👨‍👩‍👧|b", keys: ["backspace"], to: "a|b" },
  { line: "会议|", keys: ["backspace"], to: "会|" },
  { line: "|会议", keys: ["delete"], to: "|议" },
  { line: "a|", keys: ["delete"], to: "a|" },
  { line: "|a", keys: ["backspace"], to: "|a" },
  { line: "a|b", keys: ["home"], to: "|ab" },
  { line: "a|b", keys: ["ctrl+e"], to: "ab|" },
  { line: "one two |three", keys: ["ctrl+w"], to: "one |three" },
  { line: "one| two", keys: ["alt+f"], to: "one two|" },
  { line: "one two|", keys: ["ctrl+left", "alt+b"], to: "|one two" },
  { line: "one |two", keys: ["ctrl+u"], to: "|two" },
  { line: "one| two", keys: ["ctrl+k"], to: "one|" },
  { line: "a|b", keys: ["alt+enter"], to: "a\n|b" },
];

Deno.test.each(EDITS)("LineEditor makes $to of $line", pure, ({ line, keys, to }) => {
  assertEquals(after(line, ...keys), to);
});

Deno.test("LineEditor finds earlier lines, and the one that was begun", pure, () => {
  const editor = new LineEditor();
  for (const line of ["first", "second", "second", " "]) {
    editor.insert(line);
    editor.take();
  }
  editor.insert("begun");
  const seen = ["up", "up", "up", "down", "down", "down"].map((key) => {
    editor.press(key);
    return editor.text;
  });
  assertEquals(seen, ["second", "first", "first", "second", "begun", "begun"]);
});

Deno.test("LineEditor keeps a bounded number of lines", pure, () => {
  const oldest = (count: number) => {
    const editor = new LineEditor();
    for (let line = 0; line < count; line++) {
      editor.insert(`line ${line}`);
      editor.take();
    }
    for (let line = 0; line < count; line++) editor.press("up");
    return editor.text;
  };
  assertEquals(oldest(EDITOR_HISTORY_MAX), "line 0");
  assertEquals(oldest(EDITOR_HISTORY_MAX + 1), "line 1");
});

Deno.test("LineEditor takes no more than a line may have", pure, () => {
  const editor = new LineEditor();
  editor.insert("x".repeat(64 * 1024));
  editor.insert("y");
  assertEquals(editor.text.length, 64 * 1024);
  assertEquals(editor.text.includes("y"), false);
});

Deno.test("LineEditor.press() knows nothing of other keys", pure, () => {
  const editor = new LineEditor();
  assertEquals(["pageup", "toString", "f1"].map((key) => editor.press(key)), [false, false, false]);
});
