/**
 * Reads lines from a stream as they come.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { abortable } from "../abortable.ts";

/** Longest line unless another limit is set, in bytes. */
const LINE_MAX_BYTES = 4096;

const READ_BYTES = 65_536;
const LINE_FEED = 0x0a;

/**
 * Reads lines; the last one needs no line feed.
 *
 * @param input The stream.
 * @param signal Gives up.
 * @param maxBytes Longest line.
 * @returns The lines, without their line feeds.
 * @throws {TrivetError} `USAGE` for a line that is longer; the signal's reason.
 */
export async function* readLines(
  input: Pick<Deno.FsFile, "read">,
  signal: AbortSignal,
  maxBytes: number = LINE_MAX_BYTES,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(READ_BYTES);
  let rest = new Uint8Array();
  let number = 1;
  while (true) {
    const count = await abortable(input.read(buffer), signal);
    const bytes = concat(rest, buffer.subarray(0, count ?? 0));
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
      checkLength(end - from, { number, maxBytes });
      yield decoder.decode(bytes.subarray(from, end));
      from = end + 1;
      number += 1;
    }
    rest = bytes.slice(from);
    checkLength(rest.length, { number, maxBytes });
    if (count === null) break;
  }
  if (rest.length > 0) yield decoder.decode(rest);
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function checkLength(
  bytes: number,
  { number, maxBytes }: { readonly number: number; readonly maxBytes: number },
): void {
  if (bytes <= maxBytes) return;
  throw new TrivetError(
    "USAGE",
    `Line ${number} of stdin is too long: the limit is ${maxBytes} bytes`,
  );
}
