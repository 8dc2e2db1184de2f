/**
 * What must be done so that one tree becomes like another: a comparison of two listings, without any
 * input or output.
 *
 * @module
 */

/** A file or folder on one side, by its path from the tree's root. */
export interface SyncItem {
  /** Components from the tree's root; never []. */
  readonly path: readonly string[];
  /** What it is; nothing is done with `other`. */
  readonly type: "file" | "folder" | "other";
  /** Bytes; 0 for a folder. */
  readonly size: number;
  /** When its content last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Whether it may be executed. */
  readonly isExecutable: boolean;
}

/** Why something is done. */
export type SyncAction = "create" | "update" | "delete" | "replace";

/** One thing to do. */
export interface SyncStep {
  /** `create` what is missing, `update` what differs, `delete` what is too much, `replace` what is of another kind. */
  readonly action: SyncAction;
  /** Components from the tree's root. */
  readonly path: readonly string[];
  /** What it is; for `replace`, what it is to be. */
  readonly type: "file" | "folder";
  /** Bytes that may have to move. */
  readonly size: number;
}

/** Two things of which each has the other's name. */
export interface SyncConflict {
  /** Components from the tree's root. */
  readonly path: readonly string[];
  /** What stands in the way. */
  readonly message: string;
}

/** Options of {@linkcode planSync}. */
export interface SyncPlanOptions {
  /** Whether what the source does not have goes. */
  readonly deletes: boolean;
  /** Files that have the same size and time, and yet differ, by their path with `/` between. */
  readonly different?: ReadonlySet<string>;
  /** Files that have the same content, although their times differ. */
  readonly same?: ReadonlySet<string>;
}

/** What is to be done. */
export interface SyncPlan {
  /** Deletions first, then folders before what is in them. */
  readonly steps: readonly SyncStep[];
  /** Folders whose time must be set: those that differ, and those in which something is done. */
  readonly touched: ReadonlySet<string>;
  /** What is left as it is. */
  readonly conflicts: readonly SyncConflict[];
  /** Files that are the same already. */
  readonly unchanged: number;
}

/** A path as a key. */
export function syncKey(path: readonly string[]): string {
  return path.join("/");
}

/**
 * Compares two trees. Files are the same if size, time (to the millisecond) and the executable bit are.
 *
 * @param source What is to be, parents before what is in them.
 * @param target What is, in the same order.
 * @param options Deletions, and what a comparison of contents has found.
 */
export function planSync(
  source: readonly SyncItem[],
  target: readonly SyncItem[],
  options: SyncPlanOptions,
): SyncPlan {
  const wanted = new Map(source.map((item) => [syncKey(item.path), item]));
  const there = new Map(target.map((item) => [syncKey(item.path), item]));
  const run = {
    steps: [] as SyncStep[],
    conflicts: [] as SyncConflict[],
    touched: new Set<string>(),
  };
  planDeletions(target, wanted, { ...run, deletes: options.deletes });
  let unchanged = 0;
  let blocked: string | undefined;
  for (const item of source) {
    const key = syncKey(item.path);
    if (item.type === "other" || (blocked !== undefined && key.startsWith(blocked))) continue;
    const before = there.get(key);
    if (before !== undefined && before.type !== item.type && !options.deletes) {
      const message = `a ${before.type === "other" ? "special file" : before.type} has its name`;
      run.conflicts.push({ path: item.path, message });
      blocked = `${key}/`;
      continue;
    }
    const action = actionFor(item, before, { key, ...options });
    if (action === undefined) {
      if (item.type === "file") unchanged += 1;
      continue;
    }
    if (item.type === "folder") run.touched.add(key);
    run.touched.add(syncKey(item.path.slice(0, -1)));
    // A folder that only has another time is no step that anybody wants to hear of.
    if (item.type === "folder" && action === "update") continue;
    run.steps.push({ action, path: item.path, type: item.type, size: item.size });
  }
  return { ...run, unchanged };
}

/** What goes: only the outermost of a folder that goes with all in it. */
function planDeletions(
  target: readonly SyncItem[],
  wanted: ReadonlyMap<string, SyncItem>,
  run: { readonly steps: SyncStep[]; readonly touched: Set<string>; readonly deletes: boolean },
): void {
  if (!run.deletes) return;
  let gone: string | undefined;
  for (const { path, type, size } of target) {
    const key = syncKey(path);
    if (type === "other" || (gone !== undefined && key.startsWith(gone))) continue;
    if (wanted.has(key)) continue;
    run.steps.push({ action: "delete", path, type, size });
    run.touched.add(syncKey(path.slice(0, -1)));
    if (type === "folder") gone = `${key}/`;
  }
}

function actionFor(
  item: SyncItem,
  before: SyncItem | undefined,
  { key, same, different }: SyncPlanOptions & { readonly key: string },
): Exclude<SyncAction, "delete"> | undefined {
  if (before === undefined) return "create";
  if (before.type !== item.type) return "replace";
  if (item.type === "folder") return before.mtimeMs === item.mtimeMs ? undefined : "update";
  if (different?.has(key) === true) return "update";
  if (before.size !== item.size || before.isExecutable !== item.isExecutable) return "update";
  return before.mtimeMs === item.mtimeMs || same?.has(key) === true ? undefined : "update";
}
