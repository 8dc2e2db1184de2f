import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { decodeData } from "../../../lib/frame/decode.ts";
import { FRAME_HEADER_BYTES } from "../../../lib/frame/frame.ts";
import { noiseFrames } from "../../../lib/doctor/noise.ts";
import { measureMachine, perSecond } from "../../../lib/doctor/speeds.ts";

async function tempFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("a machine is measured, and nothing is left on its disk", async () => {
  await using folder = await tempFolder();
  const speeds = await measureMachine({ path: join(folder.path, "probe") });
  for (const [what, speed] of Object.entries(speeds)) assert(speed > 1e6, `${what} ${speed}`);
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("measuring that is given up leaves nothing on the disk", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "probe");
  const stop = new AbortController();
  const measuring = measureMachine({ path, signal: stop.signal });
  const watcher = Deno.watchFs(folder.path);
  for await (const { kind } of watcher) if (kind === "create") break;
  stop.abort(new Error("enough"));
  await assertRejects(() => measuring, Error, "enough");
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("a file that exists is not written over", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "mine");
  await Deno.writeTextFile(path, "mine");
  await assertRejects(() => measureMachine({ path }), Deno.errors.AlreadyExists);
  assertEquals(await Deno.readTextFile(path), "mine");
});

Deno.test("noise comes as whole DATA frames, one behind the other, one at least", () => {
  const frames = [...noiseFrames(7, 0)].map((frame) => decodeData(frame.slice(FRAME_HEADER_BYTES)));
  assertEquals(frames.map(({ offset }) => offset), [0]);
  const offsets: number[] = [];
  for (const frame of noiseFrames(7, 50)) {
    offsets.push(decodeData(frame.slice(FRAME_HEADER_BYTES)).offset);
  }
  assertEquals(offsets, offsets.map((_, index) => index * 256 * 1024));
});

Deno.test("a rate is whole bytes per second, also of what took no time", () => {
  assertEquals([perSecond(1500, 1000), perSecond(1, 0)], [1500, 1_000_000]);
});
