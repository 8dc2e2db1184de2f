/**
 * Prepares what a resumed transfer goes on with: the first half of a file, or a transfer that was
 * interrupted half way.
 *
 * @module
 */

import type { Contender } from "./contender.ts";
import { interrupt } from "./processes.ts";

/** Time between two looks at how far a transfer is, in milliseconds. */
const LOOK_MS = 5;

const COPY_BYTES = 1024 * 1024;

/** What to prepare. */
export interface Half {
  readonly direction: "up" | "down";
  /** The whole file. */
  readonly source: string;
  /** Its bytes. */
  readonly sizeBytes: number;
  /** The file on the client's side; `source` itself for an upload. */
  readonly local: string;
  /** The file's name on the server. */
  readonly name: string;
}

/**
 * Prepares a half.
 *
 * @returns Bytes that are there, as far as the file system tells.
 */
export async function makeHalf(contender: Contender, half: Half): Promise<number> {
  const { direction, local, name, sizeBytes } = half;
  const place = contender.partOf?.(direction, local);
  if (place === undefined) {
    const path = direction === "up" ? `${contender.folder}/${name}` : local;
    return await copyHalf(half.source, path, Math.floor(sizeBytes / 2));
  }
  const command = contender.command(direction, local, name);
  if (command === undefined) throw new Error(`Cannot interrupt ${contender.name}`);
  const path = "path" in place ? () => Promise.resolve(place.path) : () => onlyFile(place.folder);
  using stack = new DisposableStack();
  const halfWay = Promise.withResolvers<void>();
  let held = 0;
  const timer = setInterval(async () => {
    held = await sizeOf(await path());
    if (held >= sizeBytes / 2) halfWay.resolve();
  }, LOOK_MS);
  stack.defer(() => clearInterval(timer));
  await interrupt(command, halfWay.promise);
  return await sizeOf(await path());
}

async function copyHalf(source: string, target: string, bytes: number): Promise<number> {
  using from = await Deno.open(source);
  using to = await Deno.open(target, { create: true, write: true, truncate: true });
  const buffer = new Uint8Array(COPY_BYTES);
  for (let left = bytes; left > 0;) {
    const count = from.readSync(buffer.subarray(0, Math.min(left, COPY_BYTES))) ?? 0;
    if (count === 0) break;
    for (let at = 0; at < count;) at += to.writeSync(buffer.subarray(at, count));
    left -= count;
  }
  return bytes;
}

async function onlyFile(folder: string): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) return `${folder}/${name}`;
  return folder;
}

async function sizeOf(path: string): Promise<number> {
  return await Deno.stat(path).then((info) => info.isFile ? info.size : 0, () => 0);
}
