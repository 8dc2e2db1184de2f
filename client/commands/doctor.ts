/**
 * `trivet doctor`: measures the way to the server and says what limits a transfer.
 *
 * @module
 */

import type { MeasuredWay, TransferLimit, TransferPart } from "../../lib/doctor/verdict.ts";
import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** What a part is called in the sentence about it. */
const NAMES: Readonly<Record<TransferPart, string>> = {
  link: "the link",
  client_processor: "the processor of this machine",
  client_disk: "the disk of this machine",
  server_processor: "the processor of the server",
  server_disk: "the disk of the server",
};

/** See the module. */
export const doctorCommand = defineCommand({
  name: "doctor",
  summary: "Measure the way to the server, and say what limits a transfer",
  description:
    "Takes about five seconds: small requests, noise over the link both ways, and digests, TLS and " +
    "the disk of both machines, each alone. 64 MiB are written to either disk and removed again; the " +
    "quota does not count them. Reading is from memory, where the system keeps what was just written.",
  examples: [
    { command: "trivet doctor", does: "Measure with the disk of the current folder" },
    { command: "trivet doctor /mnt/backup", does: "Measure with another disk" },
  ],
  options: {
    time: {
      kind: "duration",
      env: "TRIVET_DOCTOR_TIME",
      default: "1s",
      min: 10,
      max: 3_000,
      help: "How long each direction of the link is measured",
    },
  },
  arguments: {
    folder: {
      help: "A folder of this machine (default: the current one)",
      optional: true,
      completes: "local",
    },
  },
  run: async (context: ClientContext, { values: { time }, arguments: { folder = "." } }) => {
    const { formatRate } = await import("../../lib/term/format.ts");
    const { renderTable } = await import("../../lib/term/table.ts");
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const report = await client.doctor({
      folder,
      linkMs: time,
      signal,
      onStep: (step) => output.note(`Measuring: ${step}`),
    });
    const rows = tableOf(report).map(([name, ...speeds]) => [name, ...speeds.map(formatRate)]);
    const columns = [
      { title: "" },
      ...["this machine", "the server"].map((title) => ({
        title,
        align: "right" as const,
      })),
    ];
    output.line(`A request and its answer: ${report.roundTripMs.toFixed(1)} ms`);
    output.line(`Link: up ${formatRate(report.link.up)}, down ${formatRate(report.link.down)}`);
    for (const line of renderTable(columns, rows)) output.line(line);
    output.line(sentenceOf("Uploads", report.upload, formatRate));
    output.line(sentenceOf("Downloads", report.download, formatRate));
    output.json(documentOf(report));
  },
});

function tableOf(
  { client, server, isEncrypted }: MeasuredWay,
): [name: string, client: number, server: number][] {
  const tls: [string, number, number][] = isEncrypted ? [["TLS", client.tls, server.tls]] : [];
  return [
    ["digests", client.digest, server.digest],
    ...tls,
    ["disk, written", client.diskWrite, server.diskWrite],
    ["disk, read", client.diskRead, server.diskRead],
  ];
}

function sentenceOf(
  what: string,
  limit: TransferLimit,
  formatRate: (rate: number) => string,
): string {
  const { name, bytesPerSecond, advice } = limit;
  return `${what} are limited by ${NAMES[name]}, to ${formatRate(bytesPerSecond)}: ${advice}`;
}

function documentOf(
  { roundTripMs, link, isEncrypted, client, server, upload, download }:
    & MeasuredWay
    & { readonly upload: TransferLimit; readonly download: TransferLimit },
) {
  const machine = ({ digest, tls, diskWrite, diskRead }: MeasuredWay["client"]) => ({
    digest_bytes_per_second: digest,
    tls_bytes_per_second: tls,
    disk_write_bytes_per_second: diskWrite,
    disk_read_bytes_per_second: diskRead,
  });
  const limit = ({ name, bytesPerSecond, advice }: TransferLimit) => ({
    limit: name,
    bytes_per_second: bytesPerSecond,
    advice,
  });
  return {
    round_trip_ms: roundTripMs,
    encrypted: isEncrypted,
    link_up_bytes_per_second: link.up,
    link_down_bytes_per_second: link.down,
    client: machine(client),
    server: machine(server),
    upload: limit(upload),
    download: limit(download),
  };
}
