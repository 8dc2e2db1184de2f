/**
 * Measures how long after a command's start its first DATA frame leaves.
 *
 * @module
 */

import { join } from "node:path";
import { PartsWatch, WatchingProxy } from "./first_data.ts";
import { spreadOf } from "./figures.ts";
import { run } from "./processes.ts";
import { type Programs, startTrivetd, TrivetClient } from "./trivet.ts";

/** What the project promises. */
export const TARGET_FIRST_DATA_MS = 200;

/** Large enough that it does not travel in one request, small enough to be quick. */
const FILE_BYTES = 16 * 1024 * 1024;

/**
 * Uploads a file some times, watched.
 *
 * @param programs How client and server are started.
 * @param folder A folder of the bench.
 * @param options `plain`: without TLS; `rounds`: how often.
 * @returns The median of the times from just before the client's process is started to the first DATA.
 */
export async function firstDataMs(
  programs: Programs,
  folder: string,
  options: { plain: boolean; rounds: number },
): Promise<number | undefined> {
  await using stack = new AsyncDisposableStack();
  const name = options.plain ? "plain" : "tls";
  const data = join(folder, `data-${name}`);
  const server = await startTrivetd(stack, programs, data, options);
  const proxy = options.plain ? stack.use(new WatchingProxy(server.port)) : undefined;
  const watch = proxy ?? stack.use(new PartsWatch(data));
  const front = { port: proxy?.port ?? server.port, trust: server.trust };
  const client = await TrivetClient.login(programs, join(folder, `home-${name}`), front);
  const source = join(folder, `source-${name}`);
  await Deno.writeFile(source, new Uint8Array(FILE_BYTES).fill(7));
  const times: number[] = [];
  // One more than counted: the first start reads the programs from the disk.
  for (let round = -1; round < options.rounds; round++) {
    watch.takeSeenMs();
    const startMs = performance.now();
    await run(client.command(["put", source, `file${round}`, "--quiet"]));
    const seenMs = watch.takeSeenMs();
    if (seenMs !== undefined && round >= 0) times.push(seenMs - startMs);
  }
  return spreadOf(times)?.median;
}
