/** Every name of docs/names.md goes through the real programs as its tables say. */

import { assert, assertEquals } from "@std/assert";
import type { NameRules } from "../../lib/netdisk/path.ts";
import { compareNames, NAME_RULES } from "../../lib/netdisk/path.ts";
import { COMPOSED, NAME_CASES, NAME_PAIRS, ONE_FILE, STORED, TWO_FILES } from "../docs/names.ts";
import { codeOf, readPage, sectionOf, type Table, tablesOf } from "../docs/page.ts";
import { type Person, World } from "./testing.ts";

/** Windows cannot make some of these files at all. */
const ignore = Deno.build.os === "windows";

for (const names of NAME_RULES) {
  Deno.test({
    name: `each name of docs/names.md comes back as it went or is refused, with --names ${names}`,
    ignore,
    fn: async () => {
      await using world = await World.create();
      const ada = await register(world, names);
      const cells = (await table("## Single names", NAME_CASES.length)).map((row) =>
        row.at(NAME_RULES.indexOf(names) - NAME_RULES.length) ?? ""
      );
      const given: string[] = [];
      const stored: string[] = [];
      for (const [index, { what, name }] of NAME_CASES.entries()) {
        const cell = cells[index];
        if (cell === STORED || cell === COMPOSED) {
          given.push(name);
          stored.push(await putUnder(ada, name));
          assertEquals(stored.at(-1) === name, cell === STORED, what);
        } else await assertRefused(ada, name, codeOf(cell));
      }
      await ada.ok(["get", "--", ...given, "got/"]);
      for (const [index, name] of stored.entries()) {
        assertEquals(await Deno.readTextFile(ada.path("got", name)), given[index]);
      }
      await moveRemoveRestore(ada, stored);
    },
  });

  Deno.test({
    name: `names that look alike are what docs/names.md says, with --names ${names}`,
    ignore,
    fn: async () => {
      await using world = await World.create();
      const ada = await register(world, names);
      const rows = await table("## Names that look alike", NAME_PAIRS.length);
      for (const [index, { what, first, second }] of NAME_PAIRS.entries()) {
        const cell = rows[index]?.at(NAME_RULES.indexOf(names) - NAME_RULES.length) ?? "";
        const folder = `pair ${index}`;
        await ada.ok(["mkdir", folder]);
        await put(ada, `${folder}/${first}`, "first");
        if (cell !== ONE_FILE && cell !== TWO_FILES) {
          assertEquals(await refusal(ada, `${folder}/${second}`), codeOf(cell), what);
          continue;
        }
        await put(ada, `${folder}/${second}`, "second");
        assertEquals((await namesIn(ada, folder)).length, cell === ONE_FILE ? 1 : 2, what);
        const kept = cell === ONE_FILE ? "second" : "first";
        assertEquals(await ada.ok(["cat", `${folder}/${first}`]), kept, what);
        assertEquals(await ada.ok(["cat", `${folder}/${second}`]), "second", what);
      }
    },
  });
}

async function register(world: World, names: NameRules): Promise<Person> {
  const ada = await world.person("ada", await world.serve(["--names", names]));
  await ada.register("ada");
  for (const folder of ["got", "local"]) await Deno.mkdir(ada.path(folder));
  return ada;
}

/** The table below a heading, which has a row for each name or pair. */
async function table(heading: string, rows: number): Promise<Table> {
  const [found = []] = tablesOf(sectionOf(await readPage("docs/names.md"), heading));
  assertEquals(found.length, rows);
  return found;
}

/** Uploads a file of this name; the name that it has now. */
async function putUnder(ada: Person, name: string): Promise<string> {
  const inNfc = name.normalize("NFC");
  // The disk of this machine may not take the name as it is.
  const local = inNfc === name ? `local/${name}` : "local/decomposed";
  await Deno.writeTextFile(ada.path(local), name);
  const { path } = await ada.json(["put", "--", local, name]);
  assertEquals(path, `/${inNfc}`);
  return inNfc;
}

async function put(ada: Person, path: string, content: string): Promise<void> {
  await ada.ok(["put", "--", "-", path], { stdin: content });
}

/** Neither a file nor a folder can have the name, and nothing can be moved to it. */
async function assertRefused(ada: Person, name: string, code: string): Promise<void> {
  assert(code !== "");
  assertEquals(await refusal(ada, name), code, JSON.stringify(name));
  for (const args of [["mkdir", "--", name], ["mv", "--", "a.txt", name]]) {
    assertEquals(await codeOfError(ada, args), code, args.join(" "));
  }
}

async function refusal(ada: Person, path: string): Promise<string> {
  return await codeOfError(ada, ["put", "--", "-", path]);
}

/** The code in the error document that a command prints last on stderr. */
async function codeOfError(ada: Person, args: readonly string[]): Promise<string> {
  const { code, stderr } = await ada.run(["--json", ...args], { stdin: "" });
  assert(code !== 0, args.join(" "));
  return JSON.parse(stderr.trim().split("\n").at(-1) ?? "").error.code;
}

async function namesIn(ada: Person, path: string): Promise<string[]> {
  const [{ entries }] = (await ada.json(["ls", "-a", path])).listings;
  return entries.map(({ name }: { name: string }) => name);
}

/** Everything into a folder, into the trash and back, with its name and content. */
async function moveRemoveRestore(ada: Person, names: readonly string[]): Promise<void> {
  const sorted = names.toSorted(compareNames);
  assertEquals(await namesIn(ada, "/"), sorted);
  assertEquals(await ada.ok(["ls", "-a"]), sorted.map((name) => `${name}\n`).join(""));
  await ada.ok(["mkdir", "moved"]);
  await ada.ok(["mv", "--", ...names, "moved/"]);
  assertEquals(await namesIn(ada, "moved"), sorted);
  const paths = names.map((name) => `moved/${name}`);
  const { removed } = await ada.json(["rm", "--", ...paths]);
  assertEquals(await namesIn(ada, "moved"), []);
  const ids = removed.map(({ trash_id }: { trash_id: string }) => trash_id);
  await ada.ok(["trash", "restore", ...ids]);
  assertEquals(await namesIn(ada, "moved"), sorted);
  assertEquals((await ada.ok(["cat", "--", ...paths])).normalize("NFC"), names.join(""));
}
