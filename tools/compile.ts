/**
 * Builds the two programs as single executables: with `deno compile` where its base runtime can be
 * had, else as portable files that carry the Deno at hand.
 *
 * `deno task compile [--target TRIPLE] [--output FOLDER] [--kind native|portable]`
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program of its own, which says what it built
import { parseArgs } from "@std/cli/parse-args";
import { fileURLToPath } from "node:url";
import { type Denort, findDenort } from "./compile/denort.ts";
import { type Config, permissionFlags } from "./compile/permission_flags.ts";
import { buildPortable, pack } from "./compile/portable.ts";

const ROOT = new URL("../", import.meta.url);
const CONFIG = fileURLToPath(new URL("deno.json", ROOT));

const PROGRAMS = [
  { name: "trivetd", entry: fileURLToPath(new URL("server/main.ts", ROOT)) },
  { name: "trivet", entry: fileURLToPath(new URL("client/main.ts", ROOT)) },
] as const;

const USAGE = `Usage: deno task compile [--target TRIPLE] [--output FOLDER] [--kind KIND]

  --target TRIPLE   platform to build for, such as aarch64-apple-darwin (default: this one)
  --output FOLDER   where to put trivetd and trivet (default: dist)
  --kind KIND       native: deno compile; portable: a shell script with Deno (default: native where
                    its base runtime can be had, else portable)`;

/** What the command line asks for. */
interface Order {
  readonly target: string;
  readonly output: string;
  readonly kind: "native" | "portable" | undefined;
}

/** What was built, and why that way. */
interface Built {
  readonly how: string;
  readonly sizes_bytes: readonly number[];
}

function readOrder(args: readonly string[]): Order | string {
  const unknown: string[] = [];
  const flags = parseArgs(args, {
    string: ["target", "output", "kind", "_"],
    boolean: ["help"],
    default: { target: Deno.build.target, output: "dist" },
    unknown: (arg) => unknown.push(arg) === 0,
  });
  if (flags.help) return "";
  if (unknown.length > 0) return `Cannot understand "${unknown[0]}"`;
  const { target, output, kind } = flags;
  if (!target || !output) return "Cannot use an empty --target or --output";
  if (kind !== undefined && kind !== "native" && kind !== "portable") {
    return `Cannot build the kind "${kind}": use native or portable`;
  }
  return { target, output, kind };
}

async function build(order: Order): Promise<Built> {
  const config = JSON.parse(await Deno.readTextFile(CONFIG)) as Config;
  await Deno.mkdir(order.output, { recursive: true });
  if (order.kind === "portable") return await buildPortables(order, config, "as asked");
  const denort = await findDenort(order.target);
  if (denort.found) return await buildNatives(order, config, denort);
  if (order.kind === "native" || order.target !== Deno.build.target) {
    throw new Error(`Cannot build for ${order.target} with deno compile: ${denort.reason}`);
  }
  return await buildPortables(order, config, denort.reason);
}

async function buildNatives(
  { target, output }: Order,
  config: Config,
  denort: Denort & { found: true },
): Promise<Built> {
  const sizes: number[] = [];
  for (const { name, entry } of PROGRAMS) {
    const path = `${output}/${name}${target.includes("windows") ? ".exe" : ""}`;
    const flags = [`--config=${CONFIG}`, ...permissionFlags(config, name)];
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["compile", "--quiet", "--target", target, "--output", path, ...flags, entry],
      stdin: "null",
    }).spawn().status;
    if (!success) throw new Error(`Cannot build ${name}: see the message above`);
    sizes.push((await Deno.stat(path)).size);
  }
  return { how: `deno compile for ${target}, on ${denort.where}`, sizes_bytes: sizes };
}

async function buildPortables(order: Order, config: Config, reason: string): Promise<Built> {
  if (order.target !== Deno.build.target || Deno.build.os === "windows") {
    throw new Error(`Cannot build portable files for ${order.target} on ${Deno.build.target}`);
  }
  const deno = await pack(await Deno.readFile(Deno.execPath()));
  const sizes: number[] = [];
  for (const { name, entry } of PROGRAMS) {
    sizes.push(
      await buildPortable({
        name,
        entry,
        output: `${order.output}/${name}`,
        flags: permissionFlags(config, name),
        deno,
        config: CONFIG,
      }),
    );
  }
  return { how: `portable files with Deno ${Deno.version.deno} (${reason})`, sizes_bytes: sizes };
}

/** Runs the command and answers its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const order = readOrder(args);
  if (typeof order === "string") {
    if (order === "") console.log(USAGE);
    else console.error(`${order}\n\n${USAGE}`);
    return order === "" ? 0 : 2;
  }
  try {
    const { how, sizes_bytes } = await build(order);
    const files = PROGRAMS.map(({ name }, at) => {
      const size_mib = (sizes_bytes[at] ?? 0) / 2 ** 20;
      return `${order.output}/${name} (${size_mib.toFixed(1)} MiB)`;
    });
    console.log(`Built ${files.join(" and ")}: ${how}`);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
