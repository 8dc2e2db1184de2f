import { assertEquals } from "@std/assert";
import { createXXHash128 } from "hash-wasm";
import { toHex } from "../../../lib/transfer/digest.ts";
import { Xxh3 } from "../../../lib/transfer/xxh3.ts";
import { XXH3_WASM_BASE64 } from "../../../lib/transfer/xxh3_wasm.ts";
import { toModule, WASM_SOURCES } from "../../../tools/wasm.ts";

/** Lengths beside every edge: the short way's end, stripes, blocks, the window, several windows. */
const EDGES = [
  0,
  1,
  16,
  64,
  128,
  240,
  256,
  320,
  1024,
  1088,
  2048,
  65_536,
  66_560,
  131_072,
  1 << 20,
];
const LENGTHS = EDGES.flatMap((edge) => [edge - 1, edge, edge + 1]).filter((length) => length >= 0);

const content = new Uint8Array(LENGTHS.at(-1) ?? 0);
for (let i = 0, state = 7; i < content.length; i++) {
  state = Math.imul(state, 1_664_525) + 1_013_904_223 | 0;
  content[i] = state >>> 24;
}

const oracle = await createXXHash128();

function expected(length: number): string {
  return oracle.init().update(content.subarray(0, length)).digest("hex");
}

function digestBy(xxh3: Xxh3, length: number, step: number): string {
  const digest = new Uint8Array(16);
  xxh3.init();
  for (let at = 0; at < length; at += step) {
    xxh3.update(content.subarray(at, Math.min(at + step, length)));
  }
  xxh3.digestInto(digest, 0);
  return toHex(digest);
}

Deno.test("Xxh3 is XXH3-128 at every edge, whole and cut", { permissions: "none" }, () => {
  const xxh3 = new Xxh3();
  for (const length of LENGTHS) {
    const wanted = expected(length);
    for (const step of [Math.max(length, 1), 65_536, 1024, 1000, 63]) {
      assertEquals(digestBy(xxh3, length, step), wanted, `${length} bytes by ${step}`);
    }
  }
});

Deno.test("Xxh3 is XXH3-128 at all short lengths", { permissions: "none" }, () => {
  const xxh3 = new Xxh3();
  for (let length = 0; length <= 1100; length++) {
    assertEquals(digestBy(xxh3, length, 2048), expected(length), `${length} bytes`);
  }
});

Deno.test("Xxh3.init() drops a digest that has begun", { permissions: "none" }, () => {
  const xxh3 = new Xxh3();
  xxh3.update(content.subarray(0, 70_000));
  assertEquals(digestBy(xxh3, 5000, 5000), expected(5000));
});

Deno.test("Xxh3.digestInto() writes nothing but its 16 bytes", { permissions: "none" }, () => {
  const xxh3 = new Xxh3();
  const target = new Uint8Array(32).fill(0xee);
  xxh3.update(content.subarray(0, 3000));
  xxh3.digestInto(target, 8);
  assertEquals(toHex(target), "ee".repeat(8) + expected(3000) + "ee".repeat(8));
});

Deno.test("xxh3_wasm.ts is what xxh3.wat compiles to", async () => {
  const [source] = WASM_SOURCES;
  const root = new URL("../../../", import.meta.url);
  const wat = await Deno.readTextFile(new URL(source?.wat ?? "", root));
  const module = await toModule(wat, source?.constant ?? "", "xxh3.wat");
  assertEquals(await Deno.readTextFile(new URL(source?.module ?? "", root)), module);
  assertEquals(XXH3_WASM_BASE64.startsWith("AGFzbQ"), true);
});
