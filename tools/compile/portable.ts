/**
 * Builds a program as one portable file: a shell script, the bundled program and a Deno to run it.
 *
 * @module
 */
import { toBytes } from "@std/streams/to-bytes";
import { type Part, stubOf } from "./stub.ts";

/** What to build. */
export interface PortableOptions {
  /** Name of the program. */
  readonly name: string;
  /** Its entry point. */
  readonly entry: string;
  /** The file to write. */
  readonly output: string;
  /** Flags of `deno run`. */
  readonly flags: readonly string[];
  /** The compressed Deno; made once for all programs. */
  readonly deno: PackedPart;
  /** The `deno.json` that resolves its imports. */
  readonly config: string;
}

/** A compressed part with its contents. */
export interface PackedPart extends Part {
  /** The compressed contents. */
  readonly packed: Uint8Array<ArrayBuffer>;
}

/**
 * Compresses a part.
 *
 * @param bytes The part.
 * @returns What to put behind the script, and how to check it.
 */
export async function pack(bytes: Uint8Array<ArrayBuffer>): Promise<PackedPart> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const packed = await toBytes(stream);
  return { packed, packed_bytes: packed.length, sha256: digest.toHex() };
}

/**
 * Builds one program.
 *
 * @param options What to build.
 * @returns The length of the file in bytes.
 */
export async function buildPortable(options: PortableOptions): Promise<number> {
  const program = await pack(await bundle(options.entry, options.config));
  const stub = new TextEncoder().encode(stubOf({ ...options, program }));
  const file = new Blob([stub, program.packed, options.deno.packed]);
  // Written beside and renamed: a program that is running keeps the file it started from.
  const temp = `${options.output}.new`;
  await Deno.writeFile(temp, file.stream(), { mode: 0o755 });
  await Deno.chmod(temp, 0o755);
  await Deno.rename(temp, options.output);
  return file.size;
}

/** One script with everything the program imports; dynamic imports in it stay lazy. */
async function bundle(entry: string, config: string): Promise<Uint8Array<ArrayBuffer>> {
  const output = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const flags = ["--quiet", "--check", "--minify", "--keep-names", `--config=${config}`];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", ...flags, `--output=${output}`, entry],
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) {
      const reason = new TextDecoder().decode(stderr).trim();
      throw new Error(`Cannot bundle ${entry} (deno bundle fetches esbuild from npm): ${reason}`);
    }
    return await Deno.readFile(output);
  } finally {
    await Deno.remove(output);
  }
}
