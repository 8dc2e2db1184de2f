import { assertEquals, assertStringIncludes } from "@std/assert";
import { findLimit, type MeasuredWay, type TransferLimit } from "../../../lib/doctor/verdict.ts";

const MB = 1e6;
const FAST = { digest: 15_000 * MB, tls: 2_500 * MB, diskWrite: 3_000 * MB, diskRead: 9_000 * MB };

/** Everything fast, but for what a case makes slow. */
function measured(
  slow: { client?: object; server?: object; link?: object; isEncrypted?: boolean },
): MeasuredWay {
  return {
    roundTripMs: 0.2,
    link: { up: 1_500 * MB, down: 1_500 * MB, ...slow.link },
    isEncrypted: slow.isEncrypted ?? true,
    client: { ...FAST, ...slow.client },
    server: { ...FAST, ...slow.server },
  };
}

const name = (limit: TransferLimit) => limit.name;

Deno.test("each part of the way is found when it is the slowest", () => {
  const cases: [Parameters<typeof measured>[0], upload: string, download: string][] = [
    [{ link: { up: 110 * MB } }, "link", "client_processor"],
    [{ link: { down: 110 * MB } }, "client_processor", "link"],
    [{ client: { digest: 500 * MB } }, "client_processor", "client_processor"],
    [{ server: { digest: 500 * MB } }, "server_processor", "server_processor"],
    [{ client: { diskWrite: 90 * MB } }, "client_processor", "client_disk"],
    [{ client: { diskRead: 90 * MB } }, "client_disk", "client_processor"],
    [{ server: { diskWrite: 90 * MB } }, "server_disk", "client_processor"],
    [{ server: { diskRead: 90 * MB } }, "client_processor", "server_disk"],
  ];
  for (const [slow, upload, download] of cases) {
    const all = measured(slow);
    const found = [findLimit(all, "upload"), findLimit(all, "download")].map(name);
    assertEquals(found, [upload, download], JSON.stringify(slow));
  }
});

Deno.test("a link is at fault when it moves less than half of what TLS could, and not before", () => {
  const found = [1_249, 1_251].map((mb) =>
    name(findLimit(measured({ link: { up: mb * MB } }), "upload"))
  );
  assertEquals(found, ["link", "client_processor"]);
});

Deno.test("without TLS the link counts as it is, and TLS does not count", () => {
  const slow = { isEncrypted: false, client: { tls: 1 }, server: { tls: 1 } };
  assertEquals(findLimit(measured(slow), "download").name, "link");
});

Deno.test("a transfer is never promised more than the link moved", () => {
  const limit = findLimit(measured({ link: { up: 1_300 * MB } }), "upload");
  assertEquals([limit.name, limit.bytesPerSecond], ["client_processor", 1_300 * MB]);
});

Deno.test("the advice about a disk that is written to names what does not wait for it", () => {
  const server = findLimit(measured({ server: { diskWrite: MB } }), "upload");
  const client = findLimit(measured({ client: { diskWrite: MB } }), "download");
  for (const { advice } of [server, client]) assertStringIncludes(advice, "--durability os");
  const read = findLimit(measured({ server: { diskRead: MB } }), "download");
  assertEquals(read.advice.includes("--durability"), false);
});
