/**
 * One client of the model's test: does operations against a real server, beside the model, and finds
 * out what became of those that a dying server left without an answer.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { NetdiskClient } from "../../client/netdisk.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { TrivetError } from "../../lib/errors.ts";
import { checkNetdiskResponse } from "../../lib/netdisk/messages.ts";
import { RpcClient } from "../../lib/rpc/client.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { ChunkJournal } from "../../lib/transfer/journal.ts";
import { noise, sendChunks } from "../server/testing.ts";
import {
  apply,
  filesOf,
  itemOf,
  linesOf,
  LOCAL_NAME,
  type ModelState,
  type Operation,
  outcomes,
} from "./model.ts";
import {
  adopt,
  applyTree,
  countFiles,
  LOCAL_TREE,
  type TreeOperation,
  type TreeOutcome,
} from "./model_trees.ts";
import { until } from "./testing.ts";

/** Exit code of failures that say nothing about what was asked, only about the way there. */
const UNAVAILABLE = 5;

/** A busy machine may take this long to start a server several times. */
const BACK_MAX_MS = 120_000;

/** Where a client works. */
export interface ModelClientOptions {
  readonly port: number;
  readonly token: string;
  /** The one folder of the account that nobody else touches. */
  readonly root: string;
  /** A local folder of its own. */
  readonly local: string;
  /** Files that the account may have, if it has this client alone. */
  readonly quotaFiles?: number | undefined;
  /** Told when an operation on a tree is under way. */
  readonly onTree?: () => void;
}

/** See the module. */
export class ModelClient implements AsyncDisposable {
  /** What the server should hold. */
  state: ModelState = { tree: new Map(), trash: new Map() };
  /** How often an operation was left without an answer. */
  lostAnswers = 0;
  /** How often the quota ended an operation. */
  quotaEnds = 0;
  /** Uploads that may have been left open, which count as files until they expire. */
  #openUploads = 0;
  readonly #options: ModelClientOptions;
  readonly #client: NetdiskClient;

  private constructor(options: ModelClientOptions, client: NetdiskClient) {
    this.#options = options;
    this.#client = client;
  }

  /** Logs in and makes the folder. */
  static async open(options: ModelClientOptions): Promise<ModelClient> {
    const { port, token, root } = options;
    const server = `127.0.0.1:${port}`;
    const client = await NetdiskClient.connect({ server, credentials: { token }, plain: true });
    await client.mkdir(root);
    return new ModelClient(options, client);
  }

  /** Does one operation, on the server and in the model. */
  async run(op: Operation): Promise<void> {
    const before = this.state;
    const madeUp = crypto.randomUUID();
    let after = apply(before, op, madeUp);
    if (op.kind === "interrupt") this.#openUploads++;
    try {
      const trashId = await this.#ask(op);
      assert(after !== null, `${JSON.stringify(op)} was done on ${this.#shown()}`);
      if (trashId !== undefined) after = apply(before, op, trashId);
    } catch (error) {
      if (!(error instanceof TrivetError)) throw error;
      if (op.kind === "put" && error.exitCode === UNAVAILABLE) this.#openUploads++;
      if (error.exitCode === UNAVAILABLE) after = await this.#observe(op, madeUp);
      else if (op.kind === "put" && this.#isOverQuota(error, 1)) after = before;
      else if (after !== null && op.kind !== "interrupt") {
        throw new Error(`${JSON.stringify(op)} on ${this.#shown()}`, { cause: error });
      } else after = before;
    }
    this.state = after ?? before;
    this.#checkQuota();
  }

  /** Does one operation on a tree. */
  async runTree(op: TreeOperation): Promise<void> {
    const before = this.state;
    const outcome = applyTree(before, op);
    try {
      this.#options.onTree?.();
      const leftOut = await this.#askTree(op);
      assert(outcome !== null, `${this.#describe(op)} was done`);
      assertEquals(leftOut > 0, outcome.isHindered, this.#describe(op));
      const { ids } = await this.#lookAtServer();
      assertEquals(ids.size - before.trash.size, outcome.deleted.length, this.#describe(op));
      const lines = linesOf(outcome.tree);
      this.state = { ...adopt(before, outcome, { lines, trash: ids }), tree: outcome.tree };
    } catch (error) {
      if (!(error instanceof TrivetError)) throw error;
      const isLost = error.exitCode === UNAVAILABLE;
      if (isLost) this.lostAnswers++;
      const isEnded = isLost || this.#isOverQuota(error, outcome?.files ?? 0);
      if (isEnded) this.#openUploads += outcome?.largeFiles ?? 0;
      const isRefused = outcome === null || (op.kind === "cp" && outcome.isHindered);
      if (!isEnded && !isRefused) throw new Error(this.#describe(op), { cause: error });
      const part: Pick<TreeOutcome, "tree" | "deleted"> = outcome ?? { ...before, deleted: [] };
      try {
        const { lines, ids } = await this.#lookAtServer();
        this.state = adopt(before, part, { lines, trash: ids });
      } catch (left) {
        throw new Error(`${this.#describe(op)} after ${error.code}`, { cause: left });
      }
    }
    this.#checkQuota();
  }

  /** Compares tree, contents and trash on the server with the model. */
  async compare(home: string): Promise<void> {
    const { tree, trash } = this.state;
    assertEquals(await this.#tree(), linesOf(tree));
    assertEquals([...(await this.#trash()).keys()].sort(), [...trash.keys()].sort());
    for (const [path, { size, seed }] of filesOf(tree)) {
      const bytes = await Deno.readFile(join(home, this.#options.root, ...path));
      assertEquals(bytes.length, size, path.join("/"));
      const expected = noise(size, seed);
      assert(bytes.every((byte, at) => byte === expected[at]), `${path.join("/")} differs`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  #path(path: readonly string[]): string {
    return [this.#options.root, ...path].join("/");
  }

  /** Asks the server; the id of what went into the trash. */
  async #ask(op: Operation): Promise<string | undefined> {
    const client = this.#client;
    switch (op.kind) {
      case "put": {
        const local = join(this.#options.local, LOCAL_NAME);
        await Deno.writeFile(local, noise(op.file.size, op.file.seed));
        await client.put(local, this.#path(op.path), { durability: "os" });
        return undefined;
      }
      case "interrupt":
        await this.#interrupt(op.path, noise(op.file.size, op.file.seed));
        return undefined;
      case "mkdir":
        await client.mkdir(this.#path(op.path), { parents: op.parents });
        return undefined;
      case "mv":
        await client.mv(this.#path(op.from), this.#path(op.to), { replace: op.replace });
        return undefined;
      case "rmdir":
        await client.rmdir(this.#path(op.path));
        return undefined;
      case "rm":
        return (await client.rm(this.#path(op.path), { recursive: true })).trashId;
      case "restore":
        await client.restore(itemOf(this.state, op.item) ?? "none");
        return undefined;
      case "empty":
        await client.emptyTrash([itemOf(this.state, op.item) ?? "none"]);
        return undefined;
    }
  }

  /** Begins an upload, sends its first chunk and breaks the connection. */
  async #interrupt(path: readonly string[], content: Uint8Array): Promise<void> {
    const { port, token, root } = this.#options;
    try {
      const link = new Link(await Deno.connect({ hostname: "127.0.0.1", port }));
      try {
        await greet(link, { service: "netdisk" });
        await link.send(encodeControl(FrameType.AUTH, 0, { step: "token", token }));
        await expectFrame(link, FrameType.AUTH);
        link.setPayloadMaxBytes(FRAME_PAYLOAD_MAX_BYTES);
        const rpc = RpcClient.start(link);
        const request = { path: [root, ...path], size: content.length, overwrite: "replace" };
        const { head } = await rpc.call("put.open", { ...request, resume: "never" });
        const { uploadId, chunkBytes } = checkNetdiskResponse("put.open", head);
        const upload = { uploadId, chunkBytes, journal: new ChunkJournal() };
        await sendChunks(rpc, upload, content, { stopAfterChunks: 1 });
      } finally {
        link.close();
      }
    } catch (error) {
      if (error instanceof TrivetError) throw error;
      throw new TrivetError("CONNECTION_LOST", "The server has gone", { cause: error });
    }
  }

  /** Once the server is back: which of the states that may be is there. */
  async #observe(op: Operation, madeUp: string): Promise<ModelState> {
    this.lostAnswers++;
    const before = this.state;
    const { lines, ids: items } = await this.#lookAtServer();
    const ids = [...items.keys()].sort();
    for (const { tree, trash } of outcomes(before, op, madeUp)) {
      // The item whose id was never heard of is the one that nobody knows.
      const unknown = ids.find((each) => !before.trash.has(each)) ?? madeUp;
      const known = new Map([...trash].map(([id, item]) => [id === madeUp ? unknown : id, item]));
      const isTree = linesOf(tree).join("\n") === lines.join("\n");
      if (isTree && [...known.keys()].sort().join() === ids.join()) return { tree, trash: known };
    }
    throw new Error(`${JSON.stringify(op)} on ${this.#shown()} left ${JSON.stringify(lines)}`);
  }

  /** What the server holds, once it is back. */
  async #lookAtServer(): Promise<{ lines: string[]; ids: Map<string, string> }> {
    let seen = { lines: [] as string[], ids: new Map<string, string>() };
    let isSame = false;
    await until(
      async () => {
        try {
          // Twice the same: what was given up may end a moment later on the server.
          const { lines, ids } = seen;
          seen = { lines: await this.#tree(), ids: await this.#trash() };
          const wasSame = isSame;
          isSame = lines.join() === seen.lines.join() && ids.size === seen.ids.size;
          return isSame && wasSame;
        } catch (error) {
          if (error instanceof TrivetError && error.exitCode === UNAVAILABLE) return false;
          throw error;
        }
      },
      "the server to come back",
      BACK_MAX_MS,
    );
    return seen;
  }

  /** The tree on the server as lines. */
  async #tree(path: readonly string[] = []): Promise<string[]> {
    const lines = path.length === 0 ? [] : [`${path.join("/")}/`];
    for await (const { name, type, size } of this.#client.list(this.#path(path))) {
      const below = [...path, name];
      if (type === "folder") lines.push(...await this.#tree(below));
      else lines.push(`${below.join("/")} ${size}`);
    }
    return lines.sort();
  }

  /** Paths of the items of the trash that were this client's, by id. */
  async #trash(): Promise<Map<string, string>> {
    const ids = new Map<string, string>();
    for await (const { id, path } of this.#client.trash()) {
      if (path[0] === this.#options.root) ids.set(id, path.slice(1).join("/"));
    }
    return ids;
  }

  /** Asks the server; how much was left out. */
  async #askTree(op: TreeOperation): Promise<number> {
    const client = this.#client;
    if (op.kind === "cp") {
      const options = { recursive: true, replace: op.replace };
      await client.cp(this.#path(op.from), this.#path(op.to), options);
      return 0;
    }
    const local = join(this.#options.local, LOCAL_TREE);
    await Deno.remove(local, { recursive: true }).catch(() => {});
    await Deno.mkdir(local);
    for (const [path, { size, seed }] of filesOf(op.tree)) {
      await Deno.mkdir(join(local, ...path.slice(0, -1)), { recursive: true });
      await Deno.writeFile(join(local, ...path), noise(size, seed));
    }
    const { leftOut } = op.kind === "putTree"
      ? await client.putTree([local], this.#path(op.path))
      : await client.sync(local, this.#path(op.path), { deletes: op.deletes });
    return leftOut.length;
  }

  /** Files that the model knows of, in the tree and in the trash. */
  get #files(): number {
    const items = [...this.state.trash.values()];
    return countFiles(this.state.tree) +
      items.reduce((sum, { node }) => sum + countFiles(node), 0);
  }

  /** Whether it was the quota, and rightly. */
  #isOverQuota(error: TrivetError, files: number): boolean {
    const { quotaFiles } = this.#options;
    if (error.code !== "QUOTA_EXCEEDED" || quotaFiles === undefined) return false;
    this.quotaEnds++;
    const needed = this.#files + this.#openUploads + files;
    assert(needed > quotaFiles, `${needed} files are within the quota`);
    return true;
  }

  #checkQuota(): void {
    const { quotaFiles = Infinity } = this.#options;
    assert(this.#files <= quotaFiles, `${this.#files} files, ${quotaFiles} are the quota`);
  }

  #describe(op: TreeOperation): string {
    const tree = op.kind === "cp" ? "" : ` of ${JSON.stringify(linesOf(op.tree))}`;
    const { tree: _, ...rest } = { tree: undefined, ...op };
    return `${JSON.stringify(rest)}${tree} on ${this.#shown()}`;
  }

  #shown(): string {
    return JSON.stringify(linesOf(this.state.tree));
  }
}
