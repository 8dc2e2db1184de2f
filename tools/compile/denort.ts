/**
 * Finds out whether `deno compile` has a base runtime (`denort`) to build on.
 *
 * @module
 */

/** Time for the download server to answer, in milliseconds. */
const PROBE_TIMEOUT_MS = 5_000;

/** Where a base runtime comes from, or why there is none. */
export type Denort =
  | { readonly found: true; readonly where: string }
  | { readonly found: false; readonly reason: string };

/**
 * Looks for a base runtime: `DENORT_BIN`, a `denort` beside Deno, the download.
 *
 * @param target The target triple.
 * @returns Where it is, or why there is none.
 * @throws {Error} When `DENORT_BIN` names something that is no base runtime.
 */
export async function findDenort(target: string): Promise<Denort> {
  const named = Deno.env.get("DENORT_BIN");
  if (named) {
    await refuseDeno(named);
    return { found: true, where: `DENORT_BIN=${named}` };
  }
  const isHost = target === Deno.build.target;
  const beside = Deno.execPath().replace(/[^/\\]*$/, "denort");
  if (isHost && await isFile(beside)) {
    await refuseDeno(beside);
    return { found: true, where: beside };
  }
  return await findDownload(target);
}

async function findDownload(target: string): Promise<Denort> {
  const url = `https://dl.deno.land/release/v${Deno.version.deno}/denort-${target}.zip`;
  try {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const response = await fetch(url, { method: "HEAD", signal });
    await response.body?.cancel();
    if (response.ok) return { found: true, where: url };
    return { found: false, reason: `${url} answers ${response.status}` };
  } catch {
    return { found: false, reason: `${url} cannot be reached` };
  }
}

/** A plain Deno as the base builds a copy of Deno's command line instead of the program. */
async function refuseDeno(path: string): Promise<void> {
  if (!await isFile(path)) throw new Error(`Cannot use "${path}" as denort: there is no such file`);
  const command = new Deno.Command(path, {
    args: ["--version"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  // A base runtime of another platform does not start here, and so is not Deno at hand.
  const output = await command.output().catch(() => undefined);
  const said = new TextDecoder().decode(output?.stdout);
  if (said.startsWith("deno ")) {
    throw new Error(`Cannot use "${path}" as denort: it is Deno itself, and not its base runtime`);
  }
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}
