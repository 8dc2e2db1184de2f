/**
 * Compiles the WebAssembly text of this project: `deno task wasm`, after a change of a `.wat` file.
 * Each becomes a module beside it, so that programs carry it wherever they are bundled.
 *
 * @module
 */

import wabt from "wabt";

const ROOT = new URL("../", import.meta.url);

/** The sources, and the constant in the module that each becomes. */
export const WASM_SOURCES: readonly { wat: string; module: string; constant: string }[] = [
  {
    wat: "lib/transfer/xxh3.wat",
    module: "lib/transfer/xxh3_wasm.ts",
    constant: "XXH3_WASM_BASE64",
  },
];

/**
 * The module that a source becomes.
 *
 * @param wat The WebAssembly text.
 * @param constant Name of the constant in the module.
 * @param name Name of the source, for its first lines and for errors.
 */
export async function toModule(wat: string, constant: string, name: string): Promise<string> {
  const parsed = (await wabt()).parseWat(name, wat, { simd: true });
  try {
    const { buffer } = parsed.toBinary({});
    const lines = buffer.toBase64().match(/.{1,94}/g) ?? [];
    const text = lines.map((line) => `  "${line}"`).join(" +\n");
    return `/**\n * Made from \`${name}\` by \`deno task wasm\`; change that instead.\n *\n * @module\n */\n\n` +
      `/** The WebAssembly module, in Base64. */\nexport const ${constant}: string =\n${text};\n`;
  } finally {
    parsed.destroy();
  }
}

if (import.meta.main) {
  for (const { wat, module, constant } of WASM_SOURCES) {
    const source = await Deno.readTextFile(new URL(wat, ROOT));
    const name = wat.slice(wat.lastIndexOf("/") + 1);
    await Deno.writeTextFile(new URL(module, ROOT), await toModule(source, constant, name));
  }
}
