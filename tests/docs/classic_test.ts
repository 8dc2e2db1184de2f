/** docs/classic.md says what the code does. */

import { assertEquals } from "@std/assert";
import { parseClassicCommand } from "../../lib/classic/command.ts";
import { CLASSIC_FILE_MAX_BYTES, CLASSIC_TEXT_MAX_BYTES } from "../../lib/classic/decode.ts";
import { CLASSIC_NAMES_MAX } from "../../server/classic/answer.ts";
import { CLASSIC_LOGINS_AT_ONCE } from "../../server/classic/login.ts";
import { CLASSIC_CONNECTIONS_MAX } from "../../server/classic/service.ts";
import {
  CLASSIC_IDLE_TIMEOUT_MS,
  CLASSIC_LINGER_MS,
  CLASSIC_STALL_TIMEOUT_MS,
} from "../../server/classic/wire.ts";
import { LOGIN_TIMEOUT_MS } from "../../server/connection.ts";
import { codeOf, readPage, sectionOf, tablesOf } from "./page.ts";

Deno.test("docs/classic.md gives each limit as it is", async () => {
  const [table] = tablesOf(sectionOf(await readPage("docs/classic.md"), "## Limits"));
  assertEquals(table?.map(([, value]) => Number(value)), [
    CLASSIC_TEXT_MAX_BYTES,
    CLASSIC_FILE_MAX_BYTES,
    CLASSIC_NAMES_MAX,
    CLASSIC_CONNECTIONS_MAX,
    LOGIN_TIMEOUT_MS / 1000,
    CLASSIC_IDLE_TIMEOUT_MS / 1000,
    CLASSIC_STALL_TIMEOUT_MS / 1000,
    CLASSIC_LINGER_MS / 1000,
    CLASSIC_LOGINS_AT_ONCE,
  ]);
});

Deno.test("docs/classic.md lists commands that are there", async () => {
  const [table] = tablesOf(sectionOf(await readPage("docs/classic.md"), "## Messages"));
  const texts = table?.map(([command]) => codeOf(command)) ?? [];
  const names = texts.map((text) => parseClassicCommand(text.replace(/[[\]]/g, "")).name);
  assertEquals(names, ["register", "login", "ls", "upload", "download", "q"]);
});
