/**
 * Reads the pages of the documents: sections, tables, and the parts that are generated.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** A table's rows without its head, each a list of cells. */
export type Table = string[][];

/** The text of a page, by its path from the root. */
export async function readPage(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** Writes a page. */
export async function writePage(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(new URL(path, ROOT), text);
}

/** The text below a heading, up to the next heading of the same or a higher level. */
export function sectionOf(page: string, heading: string): string {
  const lines = page.split("\n");
  const first = lines.indexOf(heading);
  if (first === -1) throw new Error(`Cannot find the heading "${heading}"`);
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const rest = lines.slice(first + 1);
  const end = rest.findIndex((line) => (/^#+(?= )/.exec(line)?.[0].length ?? 99) <= level);
  return (end === -1 ? rest : rest.slice(0, end)).join("\n");
}

/** The tables of a text, in order; drawings in code blocks are none. */
export function tablesOf(text: string): Table[] {
  const tables: Table[] = [];
  let table: Table | undefined;
  for (const line of text.replace(/^```[\s\S]*?^```$/gm, "").split("\n")) {
    if (!line.startsWith("|")) {
      table = undefined;
      continue;
    }
    if (table === undefined) tables.push(table = []);
    table.push(line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
  }
  // The first two lines are the head and its rule.
  return tables.map((rows) => rows.slice(2));
}

/** What a code span of a cell says: `` `name?` `` is `name?`. */
export function codeOf(cell: string | undefined): string {
  return /`([^`]+)`/.exec(cell ?? "")?.[1] ?? "";
}

/** Writes a table; the formatter pads its columns. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A text with everything alike that the formatter may change: padding and rules of tables. */
export function withoutPadding(text: string): string {
  return text.trim().replace(
    /^\|.*\|$/gm,
    (row) => row.replace(/ +/g, " ").replace(/-{3,}/g, "---"),
  );
}

function markers(name: string): RegExp {
  return new RegExp(`(<!-- generated: ${name} -->\n)([\\s\\S]*?)(<!-- /generated -->)`);
}

/** A generated part of a page, as it stands there. */
export function generatedPart(page: string, name: string): string {
  const found = markers(name).exec(page)?.[2];
  if (found === undefined) throw new Error(`Cannot find the generated part "${name}"`);
  return found;
}

/** A page with one generated part replaced. */
export function withGenerated(page: string, name: string, text: string): string {
  generatedPart(page, name);
  return page.replace(markers(name), (_, begin, __, end) => `${begin}\n${text}\n\n${end}`);
}
