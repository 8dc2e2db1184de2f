/**
 * Users of the chat's bench who are connected and say nothing, a process of its own: connects all, says
 * so in a line, and goes at the end of stdin.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own
import { TextLineStream } from "@std/streams/text-line-stream";
import type { LoadOptions } from "./load.ts";
import { wireOf } from "./wires.ts";

/** What the connecting itself causes has passed by then. */
const SETTLE_MS = 2000;

if (import.meta.main) {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  const options: LoadOptions = JSON.parse((await lines.read()).value ?? "{}");
  const wire = wireOf(options);
  const buffer = new Uint8Array(64 * 1024);
  for (let number = 1; number <= options.receivers; number++) {
    const conn = await wire.connect(number, "receiver");
    // They read what comes: who is there, again and again.
    (async () => {
      while (await conn.read(buffer) !== null);
    })().catch(() => {});
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  console.log("connected");
  await lines.read();
  Deno.exit(0);
}
