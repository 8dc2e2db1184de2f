import { assertEquals } from "@std/assert";
import { type CommandSpec, defineCommand, defineProgram } from "../../../lib/term/command.ts";
import { completeLine, type ListedName, type PathLists } from "../../../lib/term/complete.ts";

const run = () => Promise.resolve();

const COMMANDS: CommandSpec<null>[] = [
  defineCommand({
    name: "get",
    summary: "Get",
    options: {
      mode: { kind: "choice", short: "m", choices: ["fast", "full", "slow"], help: "Mode" },
      log: { kind: "path", help: "Log" },
      long: { kind: "boolean", short: "l", help: "Long" },
      hush: { kind: "boolean", hidden: true, help: "Hush" },
    },
    arguments: {
      remote: { help: "Remote", completes: "remote" },
      local: { help: "Local", optional: true, completes: "local" },
    },
    run,
  }),
  defineCommand({
    name: "go",
    summary: "Go",
    options: {},
    arguments: { dir: { help: "Folders", variadic: true, completes: "remote-folder" } },
    run,
  }),
  defineCommand({
    name: "show",
    summary: "Show",
    options: {},
    arguments: { what: { help: "What", choices: ["all", "any"] } },
    run,
  }),
  {
    name: "trash",
    summary: "Trash",
    subcommands: [
      defineCommand({ name: "list", summary: "List", options: {}, arguments: {}, run }),
      defineCommand({
        name: "restore",
        summary: "Restore",
        options: { rename: { kind: "boolean", help: "Rename" } },
        arguments: { id: { help: "Id" } },
        run,
      }),
    ],
  },
  defineCommand({ name: "secret", summary: "S", hidden: true, options: {}, arguments: {}, run }),
];

const PROGRAM = defineProgram<null, { readonly json: { kind: "boolean"; help: string } }>({
  name: "probe",
  version: "1.0.0",
  summary: "Probe",
  globalOptions: { json: { kind: "boolean", help: "JSON" } },
  commands: COMMANDS,
});

const file = (name: string): ListedName => ({ name, isFolder: false });
const folder = (name: string): ListedName => ({ name, isFolder: true });

const REMOTE: Readonly<Record<string, readonly ListedName[]>> = {
  "": [folder("photos"), file("phone.txt"), file("it's"), file(".hidden"), file("a\x1b[2J")],
  "photos/": [file("two words"), folder("日本 語")],
  "/": [folder("rest")],
};

const LISTS: PathLists = {
  remote: (name) => Promise.resolve(REMOTE[name] ?? []),
  local: (name) => Promise.resolve(name === "" ? [file("here"), folder("home")] : [file("deep")]),
};

const LINES: readonly (readonly [line: string, texts: readonly string[]])[] = [
  ["", ["get", "go", "help", "show", "trash"]],
  ["g", ["get", "go"]],
  ["ge", ["get "]],
  ["sec", []],
  ["trash ", ["list", "restore"]],
  ["trash re", ["restore "]],
  ["--json tra", ["trash "]],
  ["help ", ["get", "go", "show", "trash"]],
  ["help trash l", ["list "]],
  ["get ph", ["phone.txt", "photos/"]],
  ["get pho", ["phone.txt", "photos/"]],
  ["get phot", ["photos/"]],
  ["get photos/", ["photos/two\\ words", "photos/日本\\ 語/"]],
  ["get photos/tw", ["photos/two\\ words "]],
  ["get 'photos/two w", ["'photos/two words' "]],
  ['get "photos/日', ['"photos/日本 語/']],
  ["get it", ["it\\'s "]],
  ["get 'it", ["'it'\\''s' "]],
  ["get .", [".hidden "]],
  ["get a", []],
  ["get /r", ["/rest/"]],
  ["get photos ", ["here", "home/"]],
  ["get photos sub/d", ["sub/deep "]],
  ["get photos here ", []],
  ["get --mode full --lo", ["--log", "--long"]],
  ["get --h", ["--help "]],
  ["get --mode ", ["fast", "full", "slow"]],
  ["get --mode=f", ["--mode=fast", "--mode=full"]],
  ["get -m s", ["slow "]],
  ["get -l phot", ["photos/"]],
  ["get --log h", ["here", "home/"]],
  ["get --log=her", ["--log=here "]],
  ["get -- --", []],
  ["get -m slow photos he", ["here "]],
  ["go photos p", ["photos/"]],
  ["go ", ["photos/"]],
  ["show a", ["all", "any"]],
  ["trash restore --r", ["--rename "]],
  ["trash restore ", []],
  ["nonsense ", []],
  ["get # p", []],
  ["get \\", []],
];

for (const [line, texts] of LINES) {
  Deno.test(`completeLine() completes ${JSON.stringify(line)}`, {
    permissions: "none",
  }, async () => {
    const [found, end] = await completeLine(line, PROGRAM, LISTS);
    assertEquals(found, texts);
    // The editor puts what is behind the end of the line, so nothing typed may change.
    assertEquals(line.endsWith(end), true);
    for (const text of found) assertEquals(text.startsWith(end), true, text);
  });
}
