/**
 * What a netdisk should be after a row of operations, in memory and without any care for speed: the
 * tree and the trash of one client, and what each operation does to them.
 *
 * @module
 */

import * as fc from "fast-check";

/** A file by its content, of which size and seed are all there is to know. */
export interface ModelFile {
  readonly size: number;
  readonly seed: number;
}

/** A folder by its names. */
export type ModelFolder = ReadonlyMap<string, ModelNode>;

/** What can stand under a name. */
export type ModelNode = ModelFile | ModelFolder;

/** An item of the trash. */
export interface ModelItem {
  readonly path: readonly string[];
  readonly node: ModelNode;
}

/** Everything that belongs to a client. */
export interface ModelState {
  readonly tree: ModelFolder;
  /** By id; the id of an item whose answer never came is made up. */
  readonly trash: ReadonlyMap<string, ModelItem>;
}

/** One operation. */
export type Operation =
  | { readonly kind: "put"; readonly path: readonly string[]; readonly file: ModelFile }
  | { readonly kind: "interrupt"; readonly path: readonly string[]; readonly file: ModelFile }
  | { readonly kind: "mkdir"; readonly path: readonly string[]; readonly parents: boolean }
  | {
    readonly kind: "mv";
    readonly from: readonly string[];
    readonly to: readonly string[];
    readonly replace: boolean;
  }
  | { readonly kind: "rm" | "rmdir"; readonly path: readonly string[] }
  /** `item` counts through what is in the trash at that time. */
  | { readonly kind: "restore" | "empty"; readonly item: number };

/** Under this name a local file is put into a folder that has the name asked for. */
export const LOCAL_NAME = "local";

const MIB = 1024 * 1024;
const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 });
const seed = fc.integer({ min: 1, max: 1_000_000 });
const small = fc.record({ size: fc.integer({ min: 0, max: 5000 }), seed });
const large = fc.record({ size: fc.integer({ min: 64 * 1024 + 1, max: 3 * MIB }), seed });
const long = fc.record({ size: fc.integer({ min: 2 * MIB, max: 4 * MIB }), seed });

/** Operations in about the proportions in which people use them. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("put" as const), path, file: small }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("put" as const), path, file: large }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("interrupt" as const), path, file: long }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("mkdir" as const), path, parents: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("mv" as const),
      from: path,
      to: path,
      replace: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("rm" as const, "rmdir"), path }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("restore" as const, "empty"), item: fc.nat() }),
  },
);

/** Whether something is a folder. */
export function isFolder(node: ModelNode | undefined): node is ModelFolder {
  return node instanceof Map;
}

/** What stands at a path. */
export function nodeAt(tree: ModelFolder, path: readonly string[]): ModelNode | undefined {
  let node: ModelNode | undefined = tree;
  for (const name of path) {
    if (!isFolder(node)) return undefined;
    node = node.get(name);
  }
  return node;
}

/** The tree with something at a path whose folder exists, or with nothing there. */
export function withNode(
  tree: ModelFolder,
  [name = "", ...rest]: readonly string[],
  node: ModelNode | undefined,
): ModelFolder {
  const copy = new Map(tree);
  const below = tree.get(name);
  if (rest.length > 0) {
    copy.set(name, withNode(isFolder(below) ? below : new Map(), rest, node));
  } else if (node === undefined) {
    copy.delete(name);
  } else {
    copy.set(name, node);
  }
  return copy;
}

/** Whether a file stands in the way to a path. */
export function isBlocked(tree: ModelFolder, path: readonly string[]): boolean {
  return path.slice(0, -1).some((_, level) => {
    const node = nodeAt(tree, path.slice(0, level + 1));
    return node !== undefined && !isFolder(node);
  });
}

/** The item that `restore` and `empty` mean now; none in an empty trash. */
export function itemOf(state: ModelState, number: number): string | undefined {
  return [...state.trash.keys()][number % Math.max(1, state.trash.size)];
}

/**
 * What an operation makes of a state.
 *
 * @param state Before.
 * @param op The operation.
 * @param newId Id of the item that it may make.
 * @returns The state after; null if the operation must be refused.
 */
export function apply(state: ModelState, op: Operation, newId: string): ModelState | null {
  const { tree, trash } = state;
  switch (op.kind) {
    case "interrupt":
      return state;
    case "put": {
      const isInto = isFolder(nodeAt(tree, op.path));
      const path = isInto ? [...op.path, LOCAL_NAME] : op.path;
      if (!isFolder(nodeAt(tree, path.slice(0, -1))) || isFolder(nodeAt(tree, path))) return null;
      return { tree: withNode(tree, path, op.file), trash };
    }
    case "mkdir": {
      const { path } = op;
      const there = nodeAt(tree, path);
      if (op.parents && isFolder(there)) return state;
      if (there !== undefined || isBlocked(tree, path)) return null;
      if (!op.parents && !isFolder(nodeAt(tree, path.slice(0, -1)))) return null;
      return { tree: withNode(tree, path, new Map()), trash };
    }
    case "mv":
      return applyMove(state, op);
    case "rmdir": {
      const node = nodeAt(tree, op.path);
      if (!isFolder(node) || node.size > 0) return null;
      return { tree: withNode(tree, op.path, undefined), trash };
    }
    case "rm": {
      const node = nodeAt(tree, op.path);
      if (node === undefined) return null;
      const item = { path: op.path, node };
      return {
        tree: withNode(tree, op.path, undefined),
        trash: new Map([...trash, [newId, item]]),
      };
    }
    case "restore":
    case "empty": {
      const id = itemOf(state, op.item);
      const item = id === undefined ? undefined : trash.get(id);
      if (id === undefined || item === undefined) return null;
      const rest = new Map([...trash].filter(([other]) => other !== id));
      if (op.kind === "empty") return { tree, trash: rest };
      if (nodeAt(tree, item.path) !== undefined || isBlocked(tree, item.path)) return null;
      return { tree: withNode(tree, item.path, item.node), trash: rest };
    }
  }
}

/**
 * The states that an operation may leave when the server dies in it: before, after, and with the
 * folders that it had made by then. `mkdir --parents` and `restore` make one after another.
 */
export function outcomes(state: ModelState, op: Operation, newId: string): ModelState[] {
  const after = apply(state, op, newId);
  if (after === null) return [state];
  const item = op.kind === "restore" ? itemOf(state, op.item) : undefined;
  const path = op.kind === "mkdir" && op.parents
    ? op.path
    : item === undefined
    ? []
    : state.trash.get(item)?.path ?? [];
  const partly = [];
  for (let levels = 1; levels < path.length; levels++) {
    const above = path.slice(0, levels);
    if (nodeAt(state.tree, above) !== undefined) continue;
    partly.push({ tree: withNode(state.tree, above, new Map()), trash: state.trash });
  }
  return [after, state, ...partly];
}

function applyMove(
  { tree, trash }: ModelState,
  { from, to, replace }: Extract<Operation, { kind: "mv" }>,
): ModelState | null {
  const node = nodeAt(tree, from);
  const path = isFolder(nodeAt(tree, to)) ? [...to, ...from.slice(-1)] : to;
  const there = nodeAt(tree, path);
  const isInside = from.every((name, level) => path[level] === name);
  if (node === undefined || isInside || !isFolder(nodeAt(tree, path.slice(0, -1)))) return null;
  const isReplaceable = replace && !isFolder(node) && !isFolder(there);
  if (there !== undefined && !isReplaceable) return null;
  return { tree: withNode(withNode(tree, from, undefined), path, node), trash };
}

/** A tree as lines, for comparing: `a/` and `a/b 17`. */
export function linesOf(node: ModelNode, path: readonly string[] = []): string[] {
  if (!isFolder(node)) return [`${path.join("/")} ${node.size}`];
  const lines = path.length === 0 ? [] : [`${path.join("/")}/`];
  for (const [name, child] of node) lines.push(...linesOf(child, [...path, name]));
  return lines.sort();
}

/** The files of a tree. */
export function* filesOf(
  node: ModelNode,
  path: readonly string[] = [],
): Generator<[path: readonly string[], file: ModelFile]> {
  if (!isFolder(node)) return yield [path, node];
  for (const [name, child] of node) yield* filesOf(child, [...path, name]);
}
