import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { KeySeal, SEAL_FILE } from "../../server/key_seal.ts";

const ID = "01".repeat(9);
const AUTH_KEY = new Uint8Array(32).fill(5);

async function folder(stack: AsyncDisposableStack): Promise<string> {
  const path = await Deno.makeTempDir({ prefix: "trivet-test-" });
  stack.defer(() => Deno.remove(path, { recursive: true }));
  return path;
}

Deno.test("KeySeal opens what it sealed, also after the next start, and nothing else", async () => {
  await using stack = new AsyncDisposableStack();
  const path = await folder(stack);
  const seal = await KeySeal.open(path);
  const sealed = await seal.seal(ID, AUTH_KEY);
  assertNotEquals(await seal.seal(ID, AUTH_KEY), sealed);
  assertEquals(sealed.length, 12 + 32 + 16);
  const again = await KeySeal.open(path);
  assertEquals(await again.open(ID, sealed), AUTH_KEY);
  assertEquals(await again.open("02".repeat(9), sealed), null);
  const changed = Uint8Array.from(sealed);
  changed[20] = (changed[20] ?? 0) ^ 1;
  assertEquals(await again.open(ID, changed), null);
  const other = await KeySeal.open(await folder(stack));
  assertEquals(await other.open(ID, sealed), null);
});

Deno.test("KeySeal.open() makes one file of mode 0600, also for many at once", async () => {
  await using stack = new AsyncDisposableStack();
  const path = await folder(stack);
  const seals = await Promise.all(Array.from({ length: 8 }, () => KeySeal.open(path)));
  assertEquals([...Deno.readDirSync(path)].map(({ name }) => name), [SEAL_FILE]);
  const { mode } = await Deno.stat(join(path, SEAL_FILE));
  assertEquals((mode ?? 0) & 0o777, 0o600);
  const [first, ...rest] = seals;
  const sealed = await first?.seal(ID, AUTH_KEY) ?? new Uint8Array();
  for (const seal of rest) assertEquals(await seal.open(ID, sealed), AUTH_KEY);
});

Deno.test("KeySeal.open() refuses a damaged file", async () => {
  await using stack = new AsyncDisposableStack();
  const path = await folder(stack);
  await Deno.writeTextFile(join(path, SEAL_FILE), "ab".repeat(31) + "\n");
  const error = await assertRejects(() => KeySeal.open(path), TrivetError);
  assertEquals(error.code, "FAILED");
});
