import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { SECRET_MAX_BYTES, SecretEditor } from "../../../lib/term/secret_editor.ts";

function type(text: string | Uint8Array): SecretEditor {
  const editor = new SecretEditor();
  editor.push(typeof text === "string" ? new TextEncoder().encode(text) : text);
  return editor;
}

Deno.test("SecretEditor edits as people expect", { permissions: "none" }, () => {
  const cases: [string, string][] = [
    ["secret\r", "secret"],
    ["secret\n", "secret"],
    ["\r", ""],
    ["secrex\x7ft\r", "secret"],
    ["pä\x7f\x7fq\r", "q"],
    ["ab👩‍👩‍👧\x08c\r", "abc"],
    ["e\u0301\x7fx\r", "x"],
    ["\x7f\x7fa\r", "a"],
    ["wrong\x15right\r", "right"],
    ["two words\x17all\r", "two all"],
    ["two words  \x17\x17x\r", "x"],
    ["a\x1b[Db\x1b[1;5Cc\x1bOPd\x1bxe\r", "abcde"],
    ["a\tb\x01\r", "ab"],
    ["a\x1b\r", "a"],
    ["a\x04", "a"],
  ];
  for (const [typed, text] of cases) {
    const editor = type(typed);
    assertEquals([editor.state, editor.text], ["done", text], JSON.stringify(typed));
  }
});

Deno.test(
  "SecretEditor ends at Ctrl-D, Ctrl-C and the end of input",
  { permissions: "none" },
  () => {
    assertEquals(type("\x04").state, "ended");
    assertEquals(type("abc\x03").state, "interrupted");
    assertEquals(type("abc\x1b\x03").state, "interrupted");
    assertEquals(type("abc\x1c").state, "interrupted");
    const [some, none] = [type("abc"), type("")];
    some.end();
    none.end();
    assertEquals([some.state, none.state], ["done", "ended"]);
  },
);

Deno.test("SecretEditor is bounded", { permissions: "none" }, () => {
  assertEquals(type("x".repeat(SECRET_MAX_BYTES) + "\r").state, "done");
  assertEquals(type("x".repeat(SECRET_MAX_BYTES + 1) + "\r").state, "full");
});

Deno.test(
  "SecretEditor.push() leaves what belongs to the next line",
  { permissions: "none" },
  () => {
    assertEquals(new SecretEditor().push(new TextEncoder().encode("ab\rcd")), 3);
  },
);

Deno.test(
  "SecretEditor gives the same line for every split of the input",
  { permissions: "none" },
  () => {
    const typed = new TextEncoder().encode("gehe\u00e4im\x7f👩‍👩‍👧\x1b[A!\r");
    const whole = type(typed).text;
    for (let cut = 0; cut <= typed.length; cut++) {
      const editor = type(typed.subarray(0, cut));
      editor.push(typed.subarray(cut));
      assertEquals([editor.state, editor.text], ["done", whole]);
    }
  },
);

Deno.test("SecretEditor takes any printable text as it is", { permissions: "none" }, () => {
  const text = fc.string({ unit: "grapheme", maxLength: 50 });
  fc.assert(fc.property(text, (text) => assertEquals(type(`${text}\r`).text, text)));
});
