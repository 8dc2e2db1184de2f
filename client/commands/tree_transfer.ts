/**
 * The work behind `put` and `get` of folders and of several files at once.
 *
 * @module
 */

import { EXIT, TrivetError } from "../../lib/errors.ts";
import { formatBytes, formatCount, formatDuration, formatRate } from "../../lib/term/format.ts";
import { Progress } from "../../lib/term/progress.ts";
import { safeText } from "../../lib/term/text.ts";
import type { NetdiskClient } from "../netdisk.ts";
import type { PlannedTransfer, TreeTransferOptions } from "../tree/client_trees.ts";
import { describeSpecial, isByRule, type LeftOut } from "../tree/left_out.ts";
import type { TreeResult } from "../tree/tree_types.ts";
import { openClient } from "./access.ts";
import type { ClientContext } from "./context.ts";

/** How the transfer of a tree is shown. */
export interface ShownTree {
  /** What is transferred. */
  readonly name: string;
  /** What is said at the end, such as `sent`. */
  readonly outcome: string;
  /** Whether nothing is done but told. */
  readonly dryRun: boolean;
}

/** Options that the transfer gets from here. */
export type ShownTreeOptions =
  & Required<Pick<TreeTransferOptions, "onProgress" | "onLeftOut" | "onRetry">>
  & Pick<TreeTransferOptions, "onPlan">
  & { readonly signal: AbortSignal };

/**
 * Runs the transfer of a tree and shows it.
 *
 * @param context The command's.
 * @param shown Name and outcome.
 * @param transfer Does the work with the options it is given.
 * @returns 1 when something was left out that was asked for.
 * @throws {TrivetError} What the transfer threw.
 */
export async function showTree(
  context: ClientContext,
  shown: ShownTree,
  transfer: (client: NetdiskClient, options: ShownTreeOptions) => Promise<TreeResult>,
): Promise<number | void> {
  const { output, signal } = context;
  await using client = await openClient(context);
  const startedMs = performance.now();
  using progress = new Progress(output);
  let plan: readonly PlannedTransfer[] = [];
  let isShown = false;
  let last = { doneFiles: 0, totalFiles: 0 };
  let result: TreeResult;
  try {
    result = await transfer(client, {
      signal,
      ...(shown.dryRun
        ? {
          onPlan: (items) => {
            plan = items;
          },
        }
        : {}),
      onProgress: ({ action, doneBytes, totalBytes, doneFiles, totalFiles }) => {
        if (!isShown) progress.start({ name: shown.name });
        isShown = true;
        last = { doneFiles, totalFiles };
        progress.update({
          action,
          doneBytes,
          totalBytes,
          fileNumber: doneFiles,
          fileCount: totalFiles,
        });
      },
      onLeftOut: ({ message }) => output.warn(message),
      onRetry: (error, waitMs) =>
        output.warn(`${error.message}; trying again in ${Math.ceil(waitMs / 1000)} s`),
    });
  } catch (error) {
    progress.stop();
    throw withCount(error, last);
  }
  progress.stop();
  const seconds = (performance.now() - startedMs) / 1000;
  const failures = result.leftOut.filter((left) => !isByRule(left));
  if (shown.dryRun) {
    for (const { from, to, type } of plan) {
      tellPlanned(output, { from, to, type });
    }
  } else output.note(summaryOf(shown, result, seconds));
  tellLeftOut(output, result.leftOut);
  output.json({
    ...(shown.dryRun
      ? { plan: plan.map(({ size, ...item }) => ({ ...item, size_bytes: size })) }
      : {}),
    files: result.files,
    size_bytes: result.bytes,
    folders: result.folders,
    skipped: result.skipped,
    left_out: result.leftOut.map(({ path, reason, message }) => ({ path, reason, message })),
    seconds: Math.round(seconds * 1000) / 1000,
  });
  return failures.length === 0 ? undefined : EXIT.FAILED;
}

function tellPlanned(
  output: ClientContext["output"],
  { from, to, type }: Pick<PlannedTransfer, "from" | "to" | "type">,
): void {
  const end = type === "folder" ? "/" : "";
  output.line(`${safeText(from)}${end} -> ${safeText(to)}${end}`);
}

/** Says how much was left out, and why. */
export function tellLeftOut(output: ClientContext["output"], leftOut: readonly LeftOut[]): void {
  if (leftOut.length === 0) return;
  const failed = leftOut.filter((left) => !isByRule(left)).length;
  const words = [
    failed === 0 ? "" : `${failed} failed`,
    failed === leftOut.length ? "" : describeSpecial(leftOut.length - failed),
  ];
  output.warn(`Left out ${leftOut.length}: ${words.filter((word) => word !== "").join(", ")}`);
}

function summaryOf({ name, outcome }: ShownTree, result: TreeResult, seconds: number): string {
  const { files, bytes, folders, skipped } = result;
  const parts = [
    formatCount(files, "file"),
    folders === 0 ? "" : formatCount(folders, "new folder"),
    skipped === 0 ? "" : `${skipped} skipped`,
  ].filter((part) => part !== "");
  const rate = seconds > 0 ? ` (${formatRate(bytes / seconds)})` : "";
  return `${safeText(name)}  ${outcome} ${parts.join(", ")}, ${formatBytes(bytes)} in ` +
    `${formatDuration(seconds * 1000)}${rate}`;
}

/** An error with how far the transfer came. */
export function withCount(
  error: unknown,
  { doneFiles, totalFiles }: { readonly doneFiles: number; readonly totalFiles: number },
): unknown {
  if (!(error instanceof TrivetError) || totalFiles === 0) return error;
  return new TrivetError(
    error.code,
    `${error.message}, after ${doneFiles} of ${formatCount(totalFiles, "file")}`,
    { cause: error, details: { ...error.details, done_files: doneFiles, files: totalFiles } },
  );
}
