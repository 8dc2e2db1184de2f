import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../../lib/errors.ts";
import { copyToFile } from "../../../server/netdisk/depot_copy.ts";
import { Walker } from "../../../server/netdisk/depot_walk.ts";
import { noise } from "../testing.ts";

const FROM = { user: "ada", path: ["f"] };

interface Stage {
  readonly walker: Walker;
  readonly home: string;
  readonly target: string;
}

async function withStage(content: Uint8Array, test: (stage: Stage) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "trivet-copy-" });
  try {
    const home = join(folder, "homes", "ada");
    await Deno.mkdir(home, { recursive: true });
    await Deno.writeFile(join(home, "f"), content);
    const target = join(folder, "part");
    await Deno.writeTextFile(target, "");
    const walker = new Walker(join(folder, "homes"), { names: "native", foldsCase: false });
    await test({ walker, home, target });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const SIZES = [0, 1, 1024 * 1024, 1024 * 1024 + 1, 5_000_000];

Deno.test("copyToFile() copies the same at once and in slices", async () => {
  for (const size of SIZES) {
    await withStage(noise(size), async ({ walker, target }) => {
      // Just below the size and just at it.
      for (const atOnceMaxBytes of [size - 1, size]) {
        await Deno.writeFile(target, noise(7_000_000));
        await Deno.truncate(target);
        const options = { target, sharesBlocks: false, atOnceMaxBytes };
        const entry = await copyToFile(walker, FROM, options);
        assertEquals(entry.size, size);
        assertEquals(await Deno.readFile(target), noise(size));
      }
    });
  }
});

Deno.test("copyToFile() leaves a part that can be written, whatever the file allows", async () => {
  await withStage(noise(10), async ({ walker, home, target }) => {
    await Deno.chmod(join(home, "f"), 0o444);
    await copyToFile(walker, FROM, { target, sharesBlocks: true });
    assertEquals(((await Deno.stat(target)).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("copyToFile() ends between two slices when nobody wants the copy any more", async () => {
  await withStage(noise(8_000_000), async ({ walker, target }) => {
    const reason = new TrivetError("INTERRUPTED", "Given up");
    const controller = new AbortController();
    const options = { target, sharesBlocks: false, atOnceMaxBytes: 0, signal: controller.signal };
    const copying = copyToFile(walker, FROM, options);
    // Given up while the first slice is under way.
    controller.abort(reason);
    assertEquals(await assertRejects(() => copying), reason);
    assertEquals((await Deno.stat(target)).size < 8_000_000, true);
  });
});

Deno.test("copyToFile() refuses a file that is written to meanwhile", async () => {
  for (const atOnceMaxBytes of [0, 10_000_000]) {
    await withStage(noise(5_000_000), async ({ walker, home, target }) => {
      const options = { target, sharesBlocks: false, atOnceMaxBytes };
      const copying = copyToFile(walker, FROM, options);
      Deno.writeFileSync(join(home, "f"), noise(10), { append: true });
      const { code } = await assertRejects(() => copying, TrivetError);
      assertEquals(code, "CHANGED");
    });
  }
});
