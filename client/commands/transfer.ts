/**
 * What `put`, `get` and `cat` do around a transfer: the question whether to go on, progress, and the
 * words by which an interrupted one can be continued.
 *
 * @module
 */

import { type ErrorCode, TrivetError } from "../../lib/errors.ts";
import { formatBytes } from "../../lib/term/format.ts";
import { Progress, type ProgressTarget } from "../../lib/term/progress.ts";
import { quoteWord } from "../../lib/term/words.ts";
import type { PartialTransfer, TransferOptions, TransferProgress } from "../transfer_types.ts";
import { type ClientContext, commandLine } from "./context.ts";

/** Failures after which the same command goes on where this one ended. */
const RESUMABLE: ReadonlySet<ErrorCode> = new Set([
  "INTERRUPTED",
  "UNREACHABLE",
  "TIMEOUT",
  "CONNECTION_LOST",
  "SERVER_BUSY",
  "TOO_MANY_CONNECTIONS",
  "TOO_MANY_UPLOADS",
  "SHUTTING_DOWN",
  "DISK_FULL",
]);

/** Where progress goes that nobody is to see. */
const SILENT: ProgressTarget = {
  progressMode: "off",
  columns: 0,
  draw: () => {},
  attach: () => {},
};

/** How a transfer is to be shown. */
export interface ShownTransfer {
  /** Name of the file. */
  readonly name: string;
  /** What is said at the end, such as `sent`. */
  readonly outcome: string;
  /** Whether the same command can go on with it. */
  readonly isResumable: boolean;
  /** Whether nothing is said of it but at a terminal. */
  readonly isForTerminal?: boolean;
}

/** Options that a transfer gets from here. */
export type ShownTransferOptions =
  & Required<Pick<TransferOptions, "onProgress" | "onResume" | "onRetry" | "confirmResume">>
  & { readonly signal: AbortSignal };

/** What a transfer tells at its end. */
export interface EndedTransfer {
  /** Whether the name was taken and left as it was. */
  readonly skipped: boolean;
  /** Bytes of the file. */
  readonly sizeBytes: number;
  /** Bytes that were there before. */
  readonly verifiedBytes: number;
}

/**
 * Runs a transfer and shows it.
 *
 * @param context The command's.
 * @param shown Name and outcome.
 * @param transfer Does the work with the options it is given.
 * @returns What the transfer returned, and how long it took in seconds.
 * @throws {TrivetError} What the transfer threw, with the words by which to go on.
 */
export async function showTransfer<R extends EndedTransfer>(
  context: ClientContext,
  shown: ShownTransfer,
  transfer: (options: ShownTransferOptions) => Promise<R>,
): Promise<R & { readonly seconds: number }> {
  const { output, signal } = context;
  const startedMs = performance.now();
  const isShown = shown.isForTerminal !== true || output.progressMode === "line";
  using progress = new Progress(isShown ? output : SILENT);
  const last = { progress: undefined as TransferProgress | undefined, resumedBytes: 0 };
  progress.start({ name: shown.name });
  try {
    const result = await transfer({
      signal,
      onProgress: (state) => {
        last.progress = state;
        const { action, doneBytes, totalBytes } = state;
        progress.update({
          action,
          doneBytes,
          ...(totalBytes === undefined ? {} : { totalBytes }),
        });
      },
      onResume: (heldBytes) => {
        last.resumedBytes = heldBytes;
      },
      onRetry: (error, waitMs) => {
        output.warn(`${error.message}; trying again in ${Math.ceil(waitMs / 1000)} s`);
      },
      confirmResume: (partial) => confirmResume(context, progress, shown.name, partial),
    });
    progress.resumeAt(result.verifiedBytes);
    progress.update({ doneBytes: result.sizeBytes });
    if (result.skipped) progress.stop();
    else progress.end(shown.outcome);
    return { ...result, seconds: Math.round(performance.now() - startedMs) / 1000 };
  } catch (error) {
    progress.stop();
    throw withAdvice(error, context, shown, last);
  }
}

async function confirmResume(
  { prompter }: ClientContext,
  progress: Progress,
  name: string,
  partial: PartialTransfer,
): Promise<boolean> {
  if (!prompter.canAsk) return true;
  progress.stop();
  const percent = percentOf(partial.heldBytes, partial.totalBytes);
  const goOn = await prompter.askYesNo(`Continue "${name}" at ${percent} %`, true);
  progress.start({ name, totalBytes: partial.totalBytes });
  return goOn;
}

function withAdvice(
  error: unknown,
  context: ClientContext,
  shown: ShownTransfer,
  last: { readonly progress: TransferProgress | undefined; readonly resumedBytes: number },
): unknown {
  if (!(error instanceof TrivetError) || !RESUMABLE.has(error.code)) return error;
  const { doneBytes: seenBytes = 0, totalBytes } = last.progress ?? {};
  const doneBytes = Math.max(seenBytes, last.resumedBytes);
  if (!shown.isResumable || doneBytes === 0) return error;
  const at = totalBytes === undefined || totalBytes === 0
    ? formatBytes(doneBytes)
    : `${percentOf(doneBytes, totalBytes)} %`;
  const command = commandLine(context, context.argv.map(quoteWord));
  return new TrivetError(error.code, `${error.message} at ${at}. To go on: ${command}`, {
    cause: error,
    details: {
      ...error.details,
      done_bytes: doneBytes,
      ...(totalBytes === undefined ? {} : { size_bytes: totalBytes }),
    },
  });
}

/** Whole percent, rounded down so that 100 means all. */
function percentOf(doneBytes: number, totalBytes: number): number {
  return totalBytes === 0 ? 100 : Math.floor(doneBytes / totalBytes * 100);
}
