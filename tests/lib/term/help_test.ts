import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { renderHelp } from "../../../lib/term/help.ts";
import { textWidth } from "../../../lib/term/text.ts";
import { CLOCK, DEMO } from "./programs.ts";

const GLOBAL_OPTIONS = `Global options:
      --json         Print one JSON document (DEMO_JSON)
  -q, --quiet        Say nothing that is not needed
  -s, --server TEXT  Server to talk to (DEMO_SERVER)
  -p, --port NUMBER  Port of the server (from 0 to 65535; default 9000;
                     DEMO_PORT)
  -h, --help         Show this help
  -V, --version      Show the version
`;

Deno.test("renderHelp() describes the program", { permissions: "none" }, () => {
  assertEquals(
    renderHelp(DEMO, []),
    `Usage: demo [global options] COMMAND [options] [arguments]

Shows how a table becomes a program.

Commands:
  put    Upload a file
  serve  Serve
  user   Administer users
  help   Show the commands, or more about one

"demo help COMMAND" or "demo COMMAND --help" says more.

${GLOBAL_OPTIONS}`,
  );
});

Deno.test("renderHelp() describes a command", { permissions: "none" }, () => {
  assertEquals(
    renderHelp(DEMO, ["put"]),
    `Usage: demo put [options] LOCAL [REMOTE]

Upload a file.

What is there already is verified and not sent again.

Arguments:
  LOCAL   File to upload, - for stdin
  REMOTE  Where to

Options:
  -r, --recursive         Upload folders
  -l, --limit-rate RATE   Send no faster than this (at least 1.0 KiB/s;
                          DEMO_LIMIT_RATE)
      --overwrite POLICY  What to do with a file that exists: replace, skip or
                          fail (default replace)
      --offset NUMBER     Where to begin (from -10 to 10)
      --exclude TEXT      Leave out such names (may be repeated; DEMO_EXCLUDE)

${GLOBAL_OPTIONS}
Examples:
  # Upload big.iso
  demo put big.iso
`,
  );
});

Deno.test("renderHelp() describes a group and a subcommand", { permissions: "none" }, () => {
  const group = renderHelp(DEMO, ["user"]);
  assert(group.startsWith("Usage: demo user COMMAND [options]\n"), group);
  assert(group.includes("Commands:\n  add  Add a user\n"), group);
  const command = renderHelp(DEMO, ["user", "add"]);
  assert(command.startsWith("Usage: demo user add [options] NAMES...\n"), command);
  const serve = renderHelp(DEMO, ["serve"]);
  assert(serve.startsWith("Usage: demo serve [SERVICES...]\n"), serve);
  assert(serve.includes("  SERVICES  Services to start: netdisk or chat\n"), serve);
});

Deno.test("renderHelp() describes a command with commands below it", {
  permissions: "none",
}, () => {
  const help = renderHelp(CLOCK, ["time"]);
  assertEquals(
    help.slice(0, help.indexOf("Global options:")),
    `Usage: clock time [options] [FORMAT]
       clock time COMMAND [options]

Show the time.

The format is as for date.

Commands:
  show   Show an instant
  zones  Administer zones

Arguments:
  FORMAT  Format

Options:
  -z, --zone TEXT  Zone
  -u, --utc        In UTC
      --tag TEXT   Tags (may be repeated)

`,
  );
  const below = renderHelp(CLOCK, ["time", "zones", "list"]);
  assert(below.startsWith("Usage: clock time zones list [options] [INSTANTS...]\n"), below);
});

Deno.test(
  "renderHelp() hides what is hidden and refuses what is unknown",
  { permissions: "none" },
  () => {
    assert(!renderHelp(DEMO, ["put"]).includes("--trace"));
    assertThrows(() => renderHelp(DEMO, ["putt"]), TrivetError, 'did you mean "put"?');
  },
);

Deno.test("renderHelp() fits the terminal", { permissions: "none" }, () => {
  for (const width of [40, 60, 80, 120]) {
    for (const line of renderHelp(DEMO, ["put"], { width }).split("\n")) {
      assertLessOrEqual(textWidth(line), width, line);
      assertEquals(line, line.trimEnd());
    }
  }
  assertEquals(renderHelp(DEMO, ["put"], { width: 0 }), renderHelp(DEMO, ["put"]));
  // Below and above the limits the nearest one holds.
  assertEquals(renderHelp(DEMO, ["put"], { width: 1 }), renderHelp(DEMO, ["put"], { width: 40 }));
  assertEquals(
    renderHelp(DEMO, ["put"], { width: 999 }),
    renderHelp(DEMO, ["put"], { width: 120 }),
  );
});
