/**
 * The command-line flags that say the same as a permission set of `deno.json`, for programs that run
 * without it.
 *
 * @module
 */

/** A permission set: `true` for everything, a list for what it names. */
export type PermissionSet = Readonly<Record<string, boolean | readonly string[]>>;

/** What of `deno.json` a built program takes along. */
export interface Config {
  /** Permission sets by name. */
  readonly permissions: Readonly<Record<string, PermissionSet>>;
  /** Unstable features. */
  readonly unstable?: readonly string[];
}

/**
 * Spells out a permission set and the unstable features as flags of `deno run` and `deno compile`.
 *
 * @param config What `deno.json` says.
 * @param name The permission set.
 * @returns The flags; a prompt is never among what they allow.
 */
export function permissionFlags(config: Config, name: string): string[] {
  const set = config.permissions[name];
  if (set === undefined) throw new Error(`Cannot find the permission set "${name}" in deno.json`);
  const flags = ["--no-prompt", ...(config.unstable ?? []).map((each) => `--unstable-${each}`)];
  for (const [kind, value] of Object.entries(set)) {
    if (value === false) continue;
    if (value === true) flags.push(`--allow-${kind}`);
    else if (value.length > 0) flags.push(`--allow-${kind}=${value.join(",")}`);
  }
  return flags;
}
