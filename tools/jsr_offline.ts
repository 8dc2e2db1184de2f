/**
 * Writes the manifests of `tools/jsr-offline/`, the folder that stands in for JSR where it cannot be
 * reached: which versions there are, which files each has and their checksums.
 *
 * `deno run -RW=tools/jsr-offline tools/jsr_offline.ts`
 *
 * @module
 */

/** The folder that holds the packages, with a slash at its end. */
export const JSR_OFFLINE_URL: URL = new URL("./jsr-offline/", import.meta.url);

/**
 * Works out every manifest from the files that are there.
 *
 * @param root The folder in JSR's layout: `@scope/name/version/file`.
 * @returns The text of each manifest, by its path below `root`.
 */
export async function manifestsOf(root: URL): Promise<Map<string, string>> {
  const manifests = new Map<string, string>();
  for (const scope of await foldersIn(root)) {
    for (const name of await foldersIn(new URL(`${scope}/`, root))) {
      const path = `${scope}/${name}`;
      const versions = await foldersIn(new URL(`${path}/`, root));
      const latest = versions.at(-1);
      if (latest === undefined) throw new Error(`Cannot describe "${path}": it has no version`);
      const meta = {
        scope: scope.slice(1),
        name,
        latest,
        versions: Object.fromEntries(versions.map((version) => [version, {}])),
      };
      manifests.set(`${path}/meta.json`, jsonOf(meta));
      for (const version of versions) {
        const files = await manifestOfVersion(new URL(`${path}/${version}/`, root));
        manifests.set(`${path}/${version}_meta.json`, jsonOf(files));
      }
    }
  }
  return manifests;
}

/** What one version holds: its files, and the sub-paths that it exports. */
async function manifestOfVersion(folder: URL): Promise<unknown> {
  const manifest: Record<string, { size: number; checksum: string }> = {};
  const exports: Record<string, string> = {};
  for (const file of (await entriesOf(folder)).filter((entry) => entry.isFile)) {
    const bytes = await Deno.readFile(new URL(file.name, folder));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    manifest[`/${file.name}`] = { size: bytes.length, checksum: `sha256-${digest.toHex()}` };
    if (!file.name.startsWith("_")) exports[subPathOf(file.name)] = `./${file.name}`;
  }
  return { manifest, exports };
}

/** `parse_args.ts` is exported as `./parse-args`, `mod.ts` as the package itself. */
function subPathOf(file: string): string {
  return file === "mod.ts" ? "." : `./${file.replace(/\.ts$/, "").replaceAll("_", "-")}`;
}

async function foldersIn(folder: URL): Promise<string[]> {
  return (await entriesOf(folder)).filter((entry) => entry.isDirectory).map(({ name }) => name);
}

async function entriesOf(folder: URL): Promise<Deno.DirEntry[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

if (import.meta.main) {
  for (const [path, text] of await manifestsOf(JSR_OFFLINE_URL)) {
    await Deno.writeTextFile(new URL(path, JSR_OFFLINE_URL), text);
  }
}
