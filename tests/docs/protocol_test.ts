/** docs/protocol.md says what the code does: its tables, its numbers, its dump. */

import { assert, assertEquals } from "@std/assert";
import * as v from "valibot";
import { AuthRequest, AuthResponse } from "../../lib/auth/exchange.ts";
import {
  DATA_OFFSET_MAX,
  FRAME_DATA_MAX_BYTES,
  FRAME_PAYLOAD_GUEST_MAX_BYTES,
  FRAME_PAYLOAD_MAX_BYTES,
  FrameType,
} from "../../lib/frame/frame.ts";
import { SEND_QUEUE_MAX_BYTES } from "../../lib/link/link.ts";
import { TOKEN_PAGE_MAX } from "../../lib/netdisk/access_messages.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_ITEMS_MAX,
  LIST_PAGE_MAX,
  NETDISK_REQUESTS,
  NETDISK_RESPONSES,
  type NetdiskMethod,
  RANGES_MAX,
  SMALL_FILE_MAX_BYTES,
  STREAM_CHUNKS_MAX,
  TRASH_PAGE_MAX,
} from "../../lib/netdisk/messages.ts";
import {
  Hello,
  PROTOCOL_VERSION,
  REQUESTS_IN_FLIGHT_MAX,
  Welcome,
} from "../../lib/rpc/messages.ts";
import { CHUNK_BYTES_MIN, chunkBytesFor, CHUNKS_MAX } from "../../lib/transfer/chunks.ts";
import { JOURNAL_RECORD_BYTES } from "../../lib/transfer/journal.ts";
import { DATA_SEND_BYTES } from "../../lib/transfer/sender.ts";
import {
  encodeSidecarHeader,
  SIDECAR_HEADER_MAX_BYTES,
  SIDECAR_RECORD_BYTES,
} from "../../lib/transfer/sidecar.ts";
import {
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  GUESTS_MAX,
} from "../../server/admission.ts";
import { SESSION_TOKEN_MS } from "../../server/authenticate.ts";
import { LOGIN_TIMEOUT_MS } from "../../server/connection.ts";
import { ACCOUNT_UPLOADS_MAX } from "../../server/netdisk/active_uploads.ts";
import { CONNECTION_UPLOADS_MAX } from "../../server/netdisk/uploads.ts";
import { API_TOKENS_MAX } from "../../server/store/catalog_access.ts";
import { codeOf, readPage, sectionOf, type Table, tablesOf } from "./page.ts";

const PAGE = await readPage("docs/protocol.md");

/** A schema's fields as the page writes them: sorted, optional ones with "?". */
function fieldsOf(entries: Readonly<Record<string, { readonly type: string }>>): string[] {
  return Object.entries(entries)
    .map(([name, { type }]) => type === "optional" || type === "exact_optional" ? `${name}?` : name)
    .sort();
}

/** The fields that a table of the page names. */
function namesIn(table: Table | undefined): string[] {
  return (table ?? []).map(([cell]) => codeOf(cell)).sort();
}

const STORED = NETDISK_RESPONSES["put.file"].entries;

Deno.test("docs/protocol.md names every method of the netdisk, and every field of each", async (t) => {
  const netdisk = sectionOf(PAGE, "## Netdisk");
  const methods = Object.keys(NETDISK_REQUESTS) as NetdiskMethod[];
  assertEquals([...netdisk.matchAll(/^### `(.+)`$/gm)].map(([, name]) => name), methods);
  for (const method of methods) {
    await t.step(method, () => {
      const section = sectionOf(PAGE, `### \`${method}\``);
      const tables = tablesOf(section);
      const request = fieldsOf(NETDISK_REQUESTS[method].entries);
      const response = fieldsOf(NETDISK_RESPONSES[method].entries);
      const isStored = NETDISK_RESPONSES[method].entries === STORED;
      if (request.length === 0) assert(section.includes("Request: no fields."));
      else assertEquals(namesIn(tables.shift()), request);
      if (isStored) assert(section.includes("Response: a stored file."));
      else if (response.length === 0) assert(section.includes("Response: no fields."));
      else assertEquals(namesIn(tables.shift()), response);
      assertEquals(tables, []);
    });
  }
  const [entry, stored] = tablesOf(netdisk);
  assertEquals(namesIn(entry), fieldsOf(NETDISK_RESPONSES.stat.entries.entry.entries));
  assertEquals(namesIn(stored), fieldsOf(STORED));
});

Deno.test("docs/protocol.md names every field of HELLO and WELCOME", () => {
  const [hello, welcome] = tablesOf(sectionOf(PAGE, "## Handshake"));
  assertEquals(namesIn(hello), fieldsOf(Hello.entries));
  assertEquals(namesIn(welcome), fieldsOf(Welcome.entries));
  assert(PAGE.includes(`Version of the protocol: ${PROTOCOL_VERSION}.`));
});

Deno.test("docs/protocol.md names every step of AUTH and its fields", () => {
  const tables = tablesOf(sectionOf(PAGE, "## Login"));
  const [key, keyChallenge, keyProof, keyAccepted, keyLogin, ...rest] = tables;
  const [register, registered, token, first, challenge, final, authenticated] = rest;
  const requests = AuthRequest.options.map(({ entries }) => fieldsOf(entries));
  assertEquals([register, first, final, token, key, keyProof, keyLogin].map(namesIn), requests);
  const responses = AuthResponse.options.map(({ entries }) => fieldsOf(entries));
  assertEquals(
    [registered, challenge, keyChallenge, keyAccepted, authenticated].map(namesIn),
    responses,
  );
  assertEquals(tables.length, 12);
  const steps = [...AuthRequest.options, ...AuthResponse.options].map(({ entries }) =>
    entries.step.literal
  );
  const named = tables.map((table) => codeOf(table.find(([name]) => codeOf(name) === "step")?.[2]));
  assertEquals(named.toSorted(), steps.toSorted());
});

Deno.test("docs/protocol.md names every frame type with its number", () => {
  const table = tablesOf(sectionOf(PAGE, "## Frames"))[0] ?? [];
  const types = Object.fromEntries(table.map(([number, name]) => [name, Number(number)]));
  assertEquals(types, { ...FrameType });
});

Deno.test("docs/protocol.md gives each limit as it is", () => {
  const table = tablesOf(sectionOf(PAGE, "### Limits"))[0] ?? [];
  const stated = table.map(([, limit]) => Number(/^\d+/.exec(limit ?? "")?.[0]));
  assertEquals(stated, [
    FRAME_PAYLOAD_GUEST_MAX_BYTES,
    FRAME_PAYLOAD_MAX_BYTES,
    FRAME_DATA_MAX_BYTES,
    LOGIN_TIMEOUT_MS / 1000,
    8,
    REQUESTS_IN_FLIGHT_MAX,
    CONNECTION_UPLOADS_MAX,
    ACCOUNT_UPLOADS_MAX,
    STREAM_CHUNKS_MAX,
    RANGES_MAX,
    LIST_PAGE_MAX,
    TRASH_PAGE_MAX,
    TOKEN_PAGE_MAX,
    API_TOKENS_MAX,
    SMALL_FILE_MAX_BYTES,
    BATCH_ITEMS_MAX,
    BATCH_BYTES_MAX,
    CHUNKS_MAX,
    SEND_QUEUE_MAX_BYTES,
    GUESTS_MAX,
    CONNECTIONS_PER_ADDRESS_MAX,
    CONNECTIONS_MAX,
  ]);
});

Deno.test("docs/protocol.md gives the numbers of transfers as they are", () => {
  const gib = 1024 ** 3;
  assertEquals([chunkBytesFor(4 * gib), chunkBytesFor(4 * gib + 1)], [
    CHUNK_BYTES_MIN,
    2 * CHUNK_BYTES_MIN,
  ]);
  assertEquals(SESSION_TOKEN_MS, 30 * 24 * 60 * 60 * 1000);
  for (
    const words of [
      `records of ${JOURNAL_RECORD_BYTES} bytes`,
      `records of ${SIDECAR_RECORD_BYTES} bytes`,
      `at most ${SIDECAR_HEADER_MAX_BYTES} bytes`,
      `at most ${STREAM_CHUNKS_MAX} of them`,
      `${DATA_SEND_BYTES / 1024} KiB at a time`,
      `2^${Math.log2(DATA_OFFSET_MAX + 1)} − 1`,
    ]
  ) assert(PAGE.replaceAll(/\s+/g, " ").includes(words), words);
});

Deno.test("docs/protocol.md names every field of the first line of a partial file's journal", () => {
  const header = { etag: "e", size: 1, chunkBytes: CHUNK_BYTES_MIN, server: "s", path: "/p" };
  const line = JSON.parse(new TextDecoder().decode(encodeSidecarHeader(header)));
  const [table] = tablesOf(sectionOf(PAGE, "### The client's partial files"));
  assertEquals(
    namesIn(table),
    Object.keys(v.parse(v.record(v.string(), v.unknown()), line)).sort(),
  );
});
