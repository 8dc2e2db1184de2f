/** docs/time.md gives the limits of the time services as they are. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { MIRROR_KEEP_MS, MIRROR_OFFSET_MAX_MS } from "../../lib/clock/ntp_mirror.ts";
import { LOCAL_REFRESH_MS, LOCAL_STRATUM } from "../../lib/clock/ntp_reference.ts";
import { SNTP_PORT, TIME_PORT } from "../../lib/clock/ports.ts";
import {
  ANSWERS_BURST,
  ANSWERS_PER_SECOND,
  LEAK_SHARE,
  REFUSE_SHARE,
  SOURCES_MAX,
} from "../../lib/clock/rate_limit.ts";
import { ANCHOR_MAX_MS } from "../../lib/clock/stamp_clock.ts";
import { REPLY_MIN_MAX_BYTES, SERVICE_WIDTH_MAX } from "../../lib/clock/text_formats.ts";
import { TEXT_REQUEST_MAX_BYTES } from "../../lib/clock/text_responder.ts";
import { STREAM_TIMEOUT_MS, STREAMS_MAX } from "../../server/clock/stream_service.ts";
import { readPage, sectionOf, tablesOf } from "./page.ts";

Deno.test("docs/time.md gives the ports and limits of the services as they are", async () => {
  const page = await readPage("docs/time.md");
  const services = sectionOf(page, "## The services");
  const [ports] = tablesOf(services);
  assertStringIncludes(ports?.[0]?.[1] ?? "", String(TIME_PORT));
  assertStringIncludes(ports?.[1]?.[1] ?? "", String(SNTP_PORT));
  const [limits] = tablesOf(sectionOf(page, "### Limits for each source"));
  assertEquals(limits?.map((row) => row[2]), [
    String(ANSWERS_PER_SECOND),
    String(ANSWERS_BURST),
    `1/${1 / LEAK_SHARE}`,
    `1/${1 / REFUSE_SHARE}`,
    String(SOURCES_MAX),
  ]);
});

Deno.test("docs/time.md says the numbers of the services' code in its sentences", async () => {
  const page = (await readPage("docs/time.md")).replaceAll(/\s+/g, " ");
  for (
    const sentence of [
      `a request has at most ${TEXT_REQUEST_MAX_BYTES} bytes, a field at most ${SERVICE_WIDTH_MAX}, ` +
      `an answer at most ${REPLY_MIN_MAX_BYTES} bytes`,
      `stamps follow within ${ANCHOR_MAX_MS} ms`,
      `it says stratum ${LOCAL_STRATUM} and`,
      `every ${LOCAL_REFRESH_MS / 1000} s`,
      `more than ${MIRROR_OFFSET_MAX_MS} ms from ours`,
      `does not answer for ${MIRROR_KEEP_MS / 1000} s`,
      `${STREAMS_MAX} connections at once, ${STREAM_TIMEOUT_MS / 1000} s each`,
    ]
  ) assertStringIncludes(page, sentence);
});
