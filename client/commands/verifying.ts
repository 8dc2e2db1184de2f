/**
 * The work behind `trivet verify`.
 *
 * @module
 */

import { EXIT, TrivetError } from "../../lib/errors.ts";
import { formatPath, parsePath } from "../../lib/netdisk/path.ts";
import { formatBytes, formatCount } from "../../lib/term/format.ts";
import { localError, quoteLocal } from "../local_error.ts";
import { baseName } from "../local_path.ts";
import { describeSpecial } from "../tree/left_out.ts";
import { type Difference, TreeVerifier } from "../verify.ts";
import { openClient } from "./access.ts";
import type { ClientContext } from "./context.ts";

/** Ranges of one file that people are shown; scripts get all. */
const SHOWN_RANGES_MAX = 8;

/** Compares, shows what differs, and answers the exit code. */
export async function verify(
  context: ClientContext,
  { local, remote }: { readonly local: string; readonly remote: string },
): Promise<number> {
  const { output, signal } = context;
  const asked = parsePath(remote);
  const isFolder = await isLocalFolder(local);
  await using client = await openClient(context);
  const { type } = await client.stat(formatPath(asked), signal);
  if (isFolder && type !== "folder") {
    throw new TrivetError("NOT_FOLDER", `${quoteLocal(local)} is a folder, ${remote} is a file`);
  }
  const isInto = !isFolder && type === "folder";
  const path = isInto ? [...asked, ...parsePath(baseName(local))] : asked;
  const verifier = new TreeVerifier(client, { signal });
  const differences = [];
  for await (const difference of verifier.differences(local, path, isFolder)) {
    output.line(`${difference.kind}  ${difference.path}${describeRanges(difference)}`);
    differences.push(difference);
  }
  const { files, bytes, leftOut } = verifier.summary;
  const left = leftOut === 0 ? "" : `; left out ${describeSpecial(leftOut)}`;
  const { length } = differences;
  output.note(
    `${length === 0 ? "No difference" : formatCount(length, "difference")}: ` +
      `${formatCount(files, "file")}, ${formatBytes(bytes)}${left}`,
  );
  output.json({ path: formatPath(path), files, size_bytes: bytes, left_out: leftOut, differences });
  return differences.length === 0 ? EXIT.OK : EXIT.INTEGRITY;
}

/** Where contents differ, as first and last byte. */
function describeRanges({ ranges }: Difference): string {
  if (ranges.length === 0) return "";
  const shown = ranges.slice(0, SHOWN_RANGES_MAX).map(([start, end]) => `${start}-${end - 1}`);
  const left = ranges.length - shown.length;
  return `: bytes ${shown.join(", ")}${left > 0 ? ` and ${left} more ranges` : ""}`;
}

async function isLocalFolder(local: string): Promise<boolean> {
  try {
    return (await Deno.stat(local)).isDirectory;
  } catch (error) {
    throw localError(error, "read", local);
  }
}
