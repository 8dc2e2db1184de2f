/** The other documents name what there is: dependencies, limits, variables, links. */

import { assert, assertEquals } from "@std/assert";
import { PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN } from "../../lib/auth/credentials.ts";
import { SCRAM_ITERATIONS_DEFAULT, SCRAM_ITERATIONS_MAX } from "../../lib/auth/scram_keys.ts";
import {
  ACCOUNT_POLICY,
  PAIR_POLICY,
  SOURCE_POLICY,
  THROTTLE_ENTRIES_MAX,
} from "../../lib/auth/throttle.ts";
import { EXIT } from "../../lib/errors.ts";
import { CLOSE_AFTER_MS, PING_AFTER_MS } from "../../lib/link/keepalive.ts";
import { SEND_QUEUE_MAX_BYTES } from "../../lib/link/link.ts";
import { TCP_BACKLOG } from "../../lib/link/listen.ts";
import { REQUESTS_IN_FLIGHT_MAX } from "../../lib/rpc/messages.ts";
import {
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  GUESTS_MAX,
  REFUSALS_MAX,
} from "../../server/admission.ts";
import { SESSION_TOKEN_MS } from "../../server/authenticate.ts";
import { TRIVETD } from "../../server/command_table.ts";
import { LOGIN_TIMEOUT_MS } from "../../server/connection.ts";
import { ACCOUNT_UPLOADS_MAX } from "../../server/netdisk/active_uploads.ts";
import { CONNECTION_UPLOADS_MAX } from "../../server/netdisk/uploads.ts";
import { DOORS_MAX } from "../../server/direct_doors.ts";
import { LIMIT_SERVE_OPTIONS } from "../../server/limit_config.ts";
import { DRAIN_TIMEOUT_MS } from "../../server/serve.ts";
import { codeOf, readPage, sectionOf, type Table, tablesOf } from "./page.ts";

const PAGES = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "docs/protocol.md",
  "docs/security.md",
  "docs/operations.md",
  "docs/dependencies.md",
  "docs/performance.md",
  "docs/time.md",
  "docs/chat.md",
  "docs/classic.md",
  "docs/names.md",
  "docs/shell.md",
  "docs/exec.md",
];

function numbersIn(table: Table | undefined, column: number): number[] {
  return (table ?? []).map((row) => Number(/^\d+/.exec(row[column] ?? "")?.[0]));
}

Deno.test("docs/dependencies.md lists the packages of deno.json with their versions", async () => {
  const { imports } = JSON.parse(await readPage("deno.json")) as {
    imports: Record<string, string>;
  };
  const wanted = Object.entries(imports).map(([name, target]) => {
    return `${name} ${target.slice(target.lastIndexOf("@") + 1)}`;
  });
  const page = await readPage("docs/dependencies.md");
  const tables = ["## In the programs", "## For development"].flatMap((heading) =>
    tablesOf(sectionOf(page, heading)).flat()
  );
  const listed = tables.map(([name, version]) => `${codeOf(name)} ${version}`);
  assertEquals(listed.sort(), wanted.sort());
});

Deno.test("docs/dependencies.md names what the packages bring with them", async () => {
  const { npm } = JSON.parse(await readPage("deno.lock")) as { npm: Record<string, unknown> };
  const page = (await readPage("docs/dependencies.md")).replaceAll(/\s+/g, " ");
  for (const id of Object.keys(npm)) {
    const [name, version] = [id.slice(0, id.lastIndexOf("@")), id.slice(id.lastIndexOf("@") + 1)];
    const isListed = page.includes(`\`${name}\` ${version}`) ||
      new RegExp(`\`${name}\` *\\| ${version} `).test(page);
    assert(isListed, id);
  }
});

Deno.test("docs/operations.md gives each limit as it is", async () => {
  const [table] = tablesOf(sectionOf(await readPage("docs/operations.md"), "## Limits"));
  const limitOptions = Object.keys(LIMIT_SERVE_OPTIONS).map((name) => `--${name}`);
  assertEquals(numbersIn(table, 1), [
    CONNECTIONS_MAX,
    GUESTS_MAX,
    CONNECTIONS_PER_ADDRESS_MAX,
    REQUESTS_IN_FLIGHT_MAX,
    ACCOUNT_UPLOADS_MAX,
    PAIR_POLICY.free,
    LOGIN_TIMEOUT_MS / 1000,
    PING_AFTER_MS / 1000,
    CLOSE_AFTER_MS / 1000,
    CONNECTION_UPLOADS_MAX,
    SEND_QUEUE_MAX_BYTES / 1024 ** 2,
    SESSION_TOKEN_MS / (24 * 60 * 60 * 1000),
    DRAIN_TIMEOUT_MS / 1000,
    DOORS_MAX,
    TCP_BACKLOG,
  ]);
  const options = (table ?? []).map((row) => row[2] ?? "").filter((name) => name !== "");
  assertEquals(options.map((name) => codeOf(name)), limitOptions);
  const text = (await readPage("docs/operations.md")).replaceAll(/\s+/g, " ");
  assert(text.includes(`of more than ${REFUSALS_MAX} at once`));
});

Deno.test("docs/operations.md names the global options of trivetd and their variables", async () => {
  const page = await readPage("docs/operations.md");
  for (const [name, { env }] of Object.entries(TRIVETD.globalOptions)) {
    assert(page.includes(`\`--${name}\``), name);
    assert(page.includes(`\`${env}\``), env);
  }
});

Deno.test("docs/security.md gives the numbers of passwords and penalties as they are", async () => {
  const page = await readPage("docs/security.md");
  const [table] = tablesOf(sectionOf(page, "### Guessing"));
  const policies = [PAIR_POLICY, SOURCE_POLICY, ACCOUNT_POLICY];
  assertEquals(numbersIn(table, 1), policies.map(({ free }) => free));
  for (const [row, { waitMs, waitMaxMs, halfLifeMs }] of policies.entries()) {
    const words = table?.[row]?.[2] ?? "";
    assertEquals([...words.matchAll(/(\d+) s\b/g)].map(([, seconds]) => Number(seconds)), [
      waitMs / 1000,
      waitMaxMs / 1000,
    ]);
    assertEquals(halfLifeMs, 60 * 60 * 1000);
  }
  const words = page.replaceAll(/\s+/g, " ");
  for (
    const fact of [
      `${THROTTLE_ENTRIES_MAX} entries`,
      `${SCRAM_ITERATIONS_DEFAULT} rounds and more than ${SCRAM_ITERATIONS_MAX}`,
      `${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters`,
      `${LOGIN_TIMEOUT_MS / 1000} seconds from accept`,
      `Of ${GUESTS_MAX} guests`,
    ]
  ) assert(words.includes(fact), fact);
});

Deno.test("README.md lists every exit code", async () => {
  const page = await readPage("README.md");
  const table = tablesOf(page).find(([row]) => row?.[0] === "0");
  assertEquals(numbersIn(table, 0), Object.values(EXIT));
});

Deno.test("The documents' links lead somewhere", async () => {
  for (const path of PAGES) {
    for (const [, target = ""] of (await readPage(path)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = "", anchor] = target.split("#");
      const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
      const page = file === "" ? path : new URL(folder + file, "file:///").pathname.slice(1);
      const text = await readPage(page).catch(() => {
        throw new Error(`${path} links to ${target}, which is not there`);
      });
      if (anchor === undefined) continue;
      const headings = text.split("\n").filter((line) => line.startsWith("#"));
      const anchors = headings.map((line) => {
        return line.replace(/^#+ /, "").toLowerCase().replace(/[^\p{L}\d -]/gu, "").replaceAll(
          " ",
          "-",
        );
      });
      assert(anchors.includes(anchor), `${path} links to ${target}, but there is no such heading`);
    }
  }
});
