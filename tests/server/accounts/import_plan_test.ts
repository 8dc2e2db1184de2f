import { assertEquals, assertMatch } from "@std/assert";
import {
  ACCOUNT_COLUMNS,
  type AccountColumn,
  type RawRow,
  toRow,
} from "../../../server/accounts/account_row.ts";
import { planImport } from "../../../server/accounts/import_plan.ts";
import { account } from "./testing.ts";

function raw(name: string, change: Partial<Record<AccountColumn, string>> = {}): RawRow {
  const row = toRow(account(name));
  return new Map(ACCOUNT_COLUMNS.map((column) => [column, change[column] ?? String(row[column])]));
}

const EXISTING = [account("ada"), account("bob")];

Deno.test(
  "planImport() adds, leaves, and changes only when told to",
  { permissions: "none" },
  () => {
    const rows = [raw("ada"), raw("bob", { quota_bytes: "5" }), raw("eve")];
    const actions = (canUpdate: boolean) =>
      planImport(rows, { existing: EXISTING, canUpdate, nowMs: 0 }).map(({ action }) => action);
    assertEquals(actions(false), ["same", "refuse", "add"]);
    assertEquals(actions(true), ["same", "change", "add"]);
  },
);

Deno.test("planImport() says which row it refuses, and why", { permissions: "none" }, () => {
  const key = new Uint8Array(31).toBase64();
  const wrong: [RawRow, RegExp][] = [
    [raw("Ada"), /user name/],
    [raw("../x"), /user name/],
    [raw("a", { quota_bytes: "-1" }), /quota_bytes: "-1"/],
    // What a spreadsheet program makes of a long number.
    [raw("b", { quota_bytes: "1.07E+10" }), /quota_bytes: "1\.07E\+10"/],
    [raw("c", { disabled: "perhaps" }), /disabled: "perhaps"/],
    [raw("d", { created: "once" }), /created: "once"/],
    [raw("e", { iterations: "599999" }), /iterations are 599999/],
    [raw("f", { stored_key: key }), /31 and 32 bytes/],
    [raw("g", { salt: "" }), /verifier/],
  ];
  const plan = planImport(wrong.map(([row]) => row), { existing: [], canUpdate: true, nowMs: 0 });
  for (const [i, [, reason]] of wrong.entries()) {
    assertEquals([plan[i]?.row, plan[i]?.action], [i + 1, "refuse"]);
    assertMatch(plan[i]?.reason ?? "", reason);
  }
  const twice = planImport([raw("x"), raw("x")], { existing: [], canUpdate: true, nowMs: 0 });
  assertEquals(twice.map(({ action }) => action), ["add", "refuse"]);
});

Deno.test("planImport() fills in what a row may leave out", { permissions: "none" }, () => {
  const row = raw("eve", { disabled: "", created: "" });
  const [planned] = planImport([row], { existing: [], canUpdate: false, nowMs: 5000 });
  assertEquals(planned?.account, account("eve", { createdAtMs: 5000 }));
});
