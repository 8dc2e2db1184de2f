/**
 * What operations on whole trees make of a netdisk, beside `model.ts`. They are no single step: a
 * server that dies in one, or a quota that ends it, leaves any part of it.
 *
 * @module
 */

import * as fc from "fast-check";
import {
  filesOf,
  isBlocked,
  isFolder,
  linesOf,
  type ModelFile,
  type ModelFolder,
  type ModelItem,
  type ModelNode,
  type ModelState,
  nodeAt,
  withNode,
} from "./model.ts";

/** One operation on a tree. */
export type TreeOperation =
  | { readonly kind: "putTree"; readonly path: readonly string[]; readonly tree: ModelFolder }
  | {
    readonly kind: "sync";
    readonly path: readonly string[];
    readonly tree: ModelFolder;
    readonly deletes: boolean;
  }
  | {
    readonly kind: "cp";
    readonly from: readonly string[];
    readonly to: readonly string[];
    readonly replace: boolean;
  };

/** What an operation on a tree must come to when nothing ends it. */
export interface TreeOutcome {
  readonly tree: ModelFolder;
  /** What goes into the trash. */
  readonly deleted: readonly ModelItem[];
  /** Files that it may take of the quota. */
  readonly files: number;
  /** How many of these are uploaded each by itself, and may be left open. */
  readonly largeFiles: number;
  /** Whether something stands in its way: `cp` ends there, the others leave that out. */
  readonly isHindered: boolean;
}

/** Under this name a local folder is put into a folder that has the name asked for. */
export const LOCAL_TREE = "tree";

/** Largest file that shares a request with others. */
const SMALL_MAX_BYTES = 64 * 1024;

const name = fc.constantFrom("a", "b", "c", "d", "e");
const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 });
/** Of equal sizes are equal contents, so that what a dead server left can be told by its size. */
const file = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 5000 }) },
  { weight: 1, arbitrary: fc.integer({ min: SMALL_MAX_BYTES + 1, max: 256 * 1024 }) },
).map((size): ModelFile => ({ size, seed: size + 1 }));
const tree = fc.array(
  fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), file),
  { minLength: 8, maxLength: 30, size: "max" },
).map((files) =>
  files.reduce<ModelFolder>(
    (tree, [path, file]) =>
      isBlocked(tree, path) || isFolder(nodeAt(tree, path)) ? tree : withNode(tree, path, file),
    new Map(),
  )
);

/** Operations on trees. */
export const treeOperation: fc.Arbitrary<TreeOperation> = fc.oneof(
  fc.record({ kind: fc.constant("putTree" as const), path, tree }),
  fc.record({ kind: fc.constant("sync" as const), path, tree, deletes: fc.boolean() }),
  fc.record({ kind: fc.constant("cp" as const), from: path, to: path, replace: fc.boolean() }),
);

/**
 * What an operation makes of a state.
 *
 * @returns null if it must be refused before anything is done.
 */
export function applyTree({ tree }: ModelState, op: TreeOperation): TreeOutcome | null {
  switch (op.kind) {
    case "putTree": {
      if (isBlocked(tree, op.path)) return null;
      const isInto = isFolder(nodeAt(tree, op.path));
      return merge(tree, isInto ? [...op.path, LOCAL_TREE] : op.path, op.tree);
    }
    case "sync": {
      const there = nodeAt(tree, op.path);
      if (isBlocked(tree, op.path) || (there !== undefined && !isFolder(there))) return null;
      if (!op.deletes) return merge(tree, op.path, op.tree);
      const deleted = [...deletedBy(there ?? new Map(), op.tree, op.path)];
      const after = withNode(tree, op.path, op.tree);
      return { tree: after, deleted, ...count(op.tree), isHindered: false };
    }
    case "cp": {
      const { from, to, replace } = op;
      const node = nodeAt(tree, from);
      const path = isFolder(nodeAt(tree, to)) ? [...to, ...from.slice(-1)] : to;
      const there = nodeAt(tree, path);
      if (node === undefined || !isFolder(nodeAt(tree, path.slice(0, -1)))) return null;
      const isInside = from.every((name, level) => path[level] === name);
      const isAround = path.every((name, level) => from[level] === name);
      if (isInside || isAround) return null;
      const isReplaceable = replace && isFolder(node) === isFolder(there);
      if (there !== undefined && !isReplaceable) return null;
      return merge(tree, path, node);
    }
  }
}

/**
 * The state that an operation left which something ended: every name is as before or as after.
 *
 * @param before The state before.
 * @param outcome What would have become of it.
 * @param seen What the server holds: lines as of `linesOf()`, and the trash by id.
 */
export function adopt(
  before: ModelState,
  { tree: after, deleted }: Pick<TreeOutcome, "tree" | "deleted">,
  seen: { readonly lines: readonly string[]; readonly trash: ReadonlyMap<string, string> },
): ModelState {
  let tree: ModelFolder = new Map();
  for (const line of seen.lines) {
    const [, text = "", size] = /^(.*?)(?:\/| (\d+))$/.exec(line) ?? [];
    const path = text.split("/");
    const node = [nodeAt(after, path), nodeAt(before.tree, path)].find((node) =>
      node !== undefined && (isFolder(node) ? size === undefined : node.size === Number(size))
    );
    if (node === undefined) throw new Error(`${line} is neither old nor new`);
    if (isBlocked(tree, path)) throw new Error(`${line} is below a file`);
    tree = withNode(tree, path, isFolder(node) ? nodeAt(tree, path) ?? new Map() : node);
  }
  const now = new Set(linesOf(tree).map((line) => line.replace(/(\/| \d+)$/, "")));
  for (const [path, file] of filesOf(before.tree)) {
    const isKept = nodeAt(after, path) !== undefined && !isFolder(nodeAt(after, path));
    if (isKept && !now.has(path.join("/"))) {
      throw new Error(`${path.join("/")} ${file.size} is gone`);
    }
  }
  return { tree, trash: trashAfter(before, deleted, seen.trash) };
}

/** The trash with what an operation may have moved into it. */
function trashAfter(
  before: ModelState,
  deleted: readonly ModelItem[],
  seen: ReadonlyMap<string, string>,
): Map<string, ModelItem> {
  const trash = new Map(before.trash);
  for (const id of before.trash.keys()) {
    if (!seen.has(id)) throw new Error(`Item ${id} of the trash is gone`);
  }
  for (const [id, path] of seen) {
    if (trash.has(id)) continue;
    const item = deleted.find((item) => item.path.join("/") === path);
    if (item === undefined) throw new Error(`${path} is in the trash, and nobody deleted it`);
    trash.set(id, item);
  }
  return trash;
}

/** Files in a tree. */
export function countFiles(node: ModelNode): number {
  return [...filesOf(node)].length;
}

function count(node: ModelNode): Pick<TreeOutcome, "files" | "largeFiles"> {
  const files = [...filesOf(node)];
  const large = files.filter(([, { size }]) => size > SMALL_MAX_BYTES);
  return { files: files.length, largeFiles: large.length };
}

function merge(tree: ModelFolder, path: readonly string[], node: ModelNode): TreeOutcome {
  if (isBlocked(tree, path)) return { tree, deleted: [], ...count(node), isHindered: true };
  const run = { isHindered: false };
  const after = withNode(tree, path, merged(nodeAt(tree, path), node, run));
  return { tree: after, deleted: [], ...count(node), ...run };
}

function merged(
  there: ModelNode | undefined,
  node: ModelNode,
  run: { isHindered: boolean },
): ModelNode {
  if (there === undefined) return node;
  if (isFolder(there) !== isFolder(node)) {
    run.isHindered = true;
    return there;
  }
  if (!isFolder(there) || !isFolder(node)) return node;
  const both = new Map(there);
  for (const [name, child] of node) both.set(name, merged(there.get(name), child, run));
  return both;
}

/** What a sync deletes: the outermost of what is not wanted, and what is of another kind. */
function* deletedBy(
  there: ModelFolder,
  wanted: ModelNode,
  path: readonly string[],
): Generator<ModelItem> {
  for (const [name, node] of there) {
    const at = [...path, name];
    const other = isFolder(wanted) ? wanted.get(name) : undefined;
    if (other === undefined) yield { path: at, node };
    else {
      if (isFolder(node)) yield* deletedBy(node, other, at);
      if (isFolder(node) === isFolder(other)) continue;
      yield { path: at, node: isFolder(node) ? new Map() : node };
    }
  }
}
