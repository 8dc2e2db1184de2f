import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { renderTable } from "../../../lib/term/table.ts";
import { textWidth } from "../../../lib/term/text.ts";

Deno.test("renderTable() aligns wide characters and numbers", { permissions: "none" }, () => {
  const lines = renderTable(
    [{ title: "Size", align: "right" }, { title: "Name" }, { title: "Owner" }],
    [["5 B", "写真.jpg", "ann"], ["1.5 GiB", "a", "bob"]],
  );
  assertEquals(lines, [
    "   Size  Name      Owner",
    "    5 B  写真.jpg  ann",
    "1.5 GiB  a         bob",
  ]);
});

Deno.test("renderTable() has no heading without titles and fills missing cells", {
  permissions: "none",
}, () => {
  assertEquals(renderTable([{}, {}], [["a", "b"], ["c"]]), ["a  b", "c"]);
  assertEquals(renderTable([{ title: "Name" }], []), ["Name"]);
  assertEquals(renderTable([{}], []), []);
});

Deno.test(
  "renderTable() makes cells safe and keeps the spaces of a name",
  { permissions: "none" },
  () => {
    assertEquals(renderTable([{}, {}], [["x", "a\x1b[2J "]]), ["x  a\\x1b[2J "]);
  },
);

Deno.test("renderTable() starts every column in the same place", { permissions: "none" }, () => {
  const cell = fc.string({ unit: "grapheme", maxLength: 12 });
  fc.assert(fc.property(fc.array(cell, { minLength: 1, maxLength: 8 }), (cells) => {
    const lines = renderTable([{}, {}], cells.map((cell) => [cell, "|"]));
    const places = new Set(lines.map((line) => textWidth(line)));
    assertEquals(places.size, 1, JSON.stringify(lines));
  }));
});
