/**
 * The netdisk from a program's side: list, make folders, upload, download, resumed and verified.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import {
  checkNetdiskResponse,
  type NetdiskMethod,
  type NetdiskRequest,
  type NetdiskResponse,
} from "../lib/netdisk/messages.ts";
import { formatPath, parsePath, quoteName } from "../lib/netdisk/path.ts";
import type { ByteReader } from "../lib/transfer/source.ts";
import type { ByteWriter } from "../lib/transfer/sink.ts";
import { Connections } from "./connections.ts";
import { type ConnectOptions, connectorFor } from "./connect_options.ts";
import type { Connector } from "./connector.ts";
import type { DoctorOptions, DoctorReport } from "./doctor/examine.ts";
import { openDirect } from "./direct.ts";
import type { DownloadResult } from "./download.ts";
import type { DownloadStreamResult } from "./download_stream.ts";
import { baseName } from "./local_path.ts";
import type {
  Account,
  CopyResult,
  DigestPage,
  DiskUsage,
  DurabilityMode,
  ListPage,
  NetdiskEntry,
  NewToken,
  NewTokenOptions,
  OverwriteMode,
  TokenInfo,
  TrashItem,
} from "./netdisk_types.ts";
import type { Pacer } from "./pacer.ts";
import { type Credentials, openSession, type Session } from "./session.ts";
import type { TransferOptions } from "./transfer_types.ts";
import type { GetTreeOptions, PutTreeOptions, TreeAccess } from "./tree/client_trees.ts";
import type { SyncResult, SyncTreesOptions } from "./tree/sync_types.ts";
import type { TreeResult } from "./tree/tree_types.ts";
import type { UploadResult } from "./upload.ts";

/** Options of {@linkcode NetdiskClient.connect}. */
export interface NetdiskClientOptions extends ConnectOptions {
  /** Bytes per second that all transfers together may move. */
  readonly limitRate?: number;
}

/** Options of {@linkcode NetdiskClient.put}. */
export interface PutOptions extends TransferOptions {
  /** What happens when the name is taken (default: `replace`). */
  readonly overwrite?: OverwriteMode;
  /** When the file counts as stored: once the disk holds it (`commit`, the default), or the system. */
  readonly durability?: DurabilityMode;
}

/** Options of {@linkcode NetdiskClient.get}. */
export interface GetOptions extends TransferOptions {
  /** What happens when the local name is taken (default: `replace`). */
  readonly overwrite?: OverwriteMode;
  /** When the file counts as stored: once the disk holds it (`commit`, the default), or the system. */
  readonly durability?: DurabilityMode;
}

/** Options of {@linkcode NetdiskClient.cat}. */
export type CatOptions = Pick<TransferOptions, "onProgress" | "onRetry" | "signal">;

/** A netdisk with a user logged in. */
export class NetdiskClient implements AsyncDisposable {
  /** The server's address. */
  readonly server: string;
  /** Who is logged in. */
  readonly user: string;
  /** `read`, `write` or `full`. */
  readonly scope: string;
  /** Whether its connections are encrypted. */
  readonly isEncrypted: boolean;
  readonly #connections: Connections;
  readonly #pacer: Pacer | undefined;
  /** Whether the token was made for this client alone. */
  readonly #isTokenOurs: boolean;
  /** How many will close it. */
  #holders = 1;

  private constructor(
    connector: Connector,
    session: Session,
    options: { readonly credentials: Credentials; readonly pacer: Pacer | undefined },
  ) {
    const { user, scope } = session;
    const { credentials, pacer } = options;
    this.server = connector.name;
    this.user = user;
    this.scope = scope;
    this.isEncrypted = connector.isTls;
    this.#isTokenOurs = session.token !== undefined;
    this.#pacer = pacer;
    // The password has done its part: more connections cost no key derivation.
    const { token } = session;
    const later = token === undefined ? credentials : { token };
    this.#connections = new Connections(
      session.rpc,
      async (signal) => (await openSession(connector, later, signal)).rpc,
      (control, signal) => openDirect(control, { connector, credentials: later, signal }),
    );
  }

  /**
   * Connects and logs in. A login by password makes a token, which {@linkcode NetdiskClient.close}
   * revokes.
   *
   * @param options The server, whom to trust, and who logs in.
   * @throws {TrivetError} `UNREACHABLE`, `TIMEOUT`, `PIN_UNKNOWN`, `PIN_MISMATCH`, `AUTH_FAILED`,
   * `TOKEN_INVALID`, `KEY_REQUIRED`, `KEY_NOT_PROVEN` and others.
   */
  static async connect(options: NetdiskClientOptions): Promise<NetdiskClient> {
    const { credentials, signal } = options;
    const connector = await connectorFor(options);
    const pacer = options.limitRate === undefined
      ? undefined
      : new (await import("./pacer.ts")).Pacer(options.limitRate);
    const session = await openSession(connector, credentials, signal);
    return new NetdiskClient(connector, session, { credentials, pacer });
  }

  /** Who is logged in, and what the account holds. */
  async whoami(signal?: AbortSignal): Promise<Account> {
    return await this.#ask("whoami", {}, signal);
  }

  /**
   * Lists a folder, sorted by name; a file lists itself.
   *
   * @param path Such as `/photos/2026`; `/` is the root.
   * @returns The entries, read page by page as they are asked for.
   */
  async *list(path: string, signal?: AbortSignal): AsyncGenerator<NetdiskEntry> {
    let after: string | undefined;
    for (;;) {
      const page = await this.listPage(path, { after, signal });
      yield* page.entries;
      const last = page.entries.at(-1);
      if (!page.more || last === undefined) return;
      after = last.name;
    }
  }

  /**
   * One page of a folder, sorted by name; of a file: the file itself.
   *
   * @param path Such as `/photos/2026`; `/` is the root.
   * @param options `after`: only names behind this one.
   */
  async listPage(
    path: string,
    options: { readonly after?: string | undefined; readonly signal?: AbortSignal | undefined } =
      {},
  ): Promise<ListPage> {
    const { after, signal } = options;
    const request = { path: parsePath(path), ...(after === undefined ? {} : { after }) };
    return await this.#ask("ls", request, signal);
  }

  /** One file or folder. */
  async stat(path: string, signal?: AbortSignal): Promise<NetdiskEntry> {
    return (await this.#ask("stat", { path: parsePath(path) }, signal)).entry;
  }

  /**
   * Makes a folder.
   *
   * @param path Its path.
   * @param options `parents`: the folders above it too, and an existing one is no error.
   * @returns Whether there was none before.
   */
  async mkdir(
    path: string,
    options: { readonly parents?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<boolean> {
    const request = { path: parsePath(path), parents: options.parents ?? false };
    return (await this.#ask("mkdir", request, options.signal)).created;
  }

  /**
   * Uploads a file, going on where an earlier upload of it ended.
   *
   * @param source Path of a local file, or a stream, of which nothing can be resumed.
   * @param path Where it goes: a folder that exists, or a path that ends with `/`, takes a file under
   * its local name.
   * @param options What happens when the name is taken, and progress.
   * @throws {TrivetError} `CHANGED`, `QUOTA_EXCEEDED`, `EXISTS`, `DIGEST_MISMATCH` and others.
   */
  async put(
    source: string | ByteReader,
    path: string,
    options: PutOptions = {},
  ): Promise<UploadResult> {
    const components = parsePath(path);
    if (typeof source !== "string") {
      if (components.length === 0) {
        throw new TrivetError("IS_FOLDER", "Cannot send a stream to a folder: name a file");
      }
      const { uploadStream } = await import("./upload_stream.ts");
      return await uploadStream(this.#connections, source, this.#upload(components, options));
    }
    const { LocalSource } = await import("./local_source.ts");
    const { uploadFile } = await import("./upload.ts");
    using local = await LocalSource.open(source);
    const inside = [...components, ...parsePath(baseName(source))];
    if (components.length === 0 || path.endsWith("/")) {
      return await uploadFile(this.#connections, local, this.#upload(inside, options));
    }
    try {
      return await uploadFile(this.#connections, local, this.#upload(components, options));
    } catch (error) {
      // Told before any data moved, so nobody has to ask first.
      if (!(error instanceof TrivetError) || error.code !== "IS_FOLDER") throw error;
      return await uploadFile(this.#connections, local, this.#upload(inside, options));
    }
  }

  /**
   * Downloads a file, going on where an earlier download ended.
   *
   * @param path The file on the server.
   * @param local Where it goes: a folder that exists takes it under the remote's name, and so does
   * the working folder without it.
   * @param options What happens when the name is taken, and progress.
   * @throws {TrivetError} `NOT_FOUND`, `EXISTS`, `LOCAL_IN_USE`, `DIGEST_MISMATCH` and others.
   */
  async get(path: string, local?: string, options: GetOptions = {}): Promise<DownloadResult> {
    const remote = parsePath(path);
    const name = remote.at(-1);
    if (name === undefined) {
      throw new TrivetError("IS_FOLDER", 'Cannot receive "/": it is a folder');
    }
    const { checkTarget, resolveTarget } = await import("./local_target.ts");
    const target = await resolveTarget(local, name);
    const { overwrite = "replace", durability = "commit" } = options;
    try {
      if (await checkTarget(target, overwrite)) return skippedDownload(target);
    } catch (error) {
      // Where both are folders, the one that was asked for is the mistake.
      const isFolder = error instanceof TrivetError && error.code === "IS_FOLDER" &&
        (await this.stat(path, options.signal)).type === "folder";
      if (!isFolder) throw error;
      const text = `Cannot receive ${quoteName(formatPath(remote))}: it is a folder`;
      throw new TrivetError("IS_FOLDER", text, { cause: error });
    }
    const { downloadFile } = await import("./download.ts");
    const server = `${this.user}@${this.server}`;
    return await downloadFile(this.#connections, {
      ...options,
      pacer: this.#pacer,
      target: { remote, server, local: target, overwrite, durability },
    });
  }

  /**
   * Downloads the file that a message of the chat carries.
   *
   * @param message Id of the message.
   * @param local Where it goes, as for {@linkcode NetdiskClient.get}.
   * @param options What happens when the name is taken, and progress.
   * @throws {TrivetError} `MESSAGE_NOT_FOUND` also for who may not read the message, `NOT_FOUND` once
   * the file is gone or another one, and what {@linkcode NetdiskClient.get} throws.
   */
  async getShared(
    message: number,
    local?: string,
    options: GetOptions = {},
  ): Promise<DownloadResult> {
    const { entry } = await this.#ask("stat", { path: [], message }, options.signal);
    const { checkTarget, resolveTarget } = await import("./local_target.ts");
    const target = await resolveTarget(local, entry.name);
    const { overwrite = "replace", durability = "commit" } = options;
    if (await checkTarget(target, overwrite)) return skippedDownload(target);
    const { downloadFile } = await import("./download.ts");
    const server = `${this.user}@${this.server}#${message}`;
    return await downloadFile(this.#connections, {
      ...options,
      pacer: this.#pacer,
      target: { remote: [entry.name], message, server, local: target, overwrite, durability },
    });
  }

  /**
   * Downloads a file to a stream.
   *
   * @param path The file on the server.
   * @param writer Takes the bytes in order.
   * @param options Progress.
   * @throws {TrivetError} `NOT_FOUND`, `CHANGED`, `DIGEST_MISMATCH` and others.
   */
  async cat(
    path: string,
    writer: ByteWriter,
    options: CatOptions = {},
  ): Promise<DownloadStreamResult> {
    const remote = parsePath(path);
    const { downloadStream } = await import("./download_stream.ts");
    return await downloadStream(this.#connections, writer, {
      ...options,
      pacer: this.#pacer,
      remote,
    });
  }

  /**
   * Uploads files and folders, with all in them.
   *
   * @param sources Local paths.
   * @param path Where they go: a folder that exists, or a path that ends with `/`, takes them under
   * their names; a single source may also be given another name.
   * @param options What happens when names are taken, what stays out, and progress.
   * @returns How many were sent, and what was left out.
   * @throws {TrivetError} `QUOTA_EXCEEDED`, `DISK_FULL` and others that concern all files.
   */
  async putTree(
    sources: readonly string[],
    path: string,
    options: PutTreeOptions = {},
  ): Promise<TreeResult> {
    const { uploadTrees } = await import("./tree/client_trees.ts");
    return await uploadTrees(this.#treeAccess(), { sources, to: path }, options);
  }

  /**
   * Downloads files and folders, with all in them.
   *
   * @param paths On the server; patterns such as `/photos/*.jpg` too.
   * @param local Where they go: a folder that exists, or a path that ends with a separator, takes them
   * under their names, and so does the working folder without it; a single one may also be given
   * another name.
   * @param options What happens when names are taken, what stays out, and progress.
   * @returns How many were received, and what was left out.
   * @throws {TrivetError} `NOT_FOUND`, `DISK_FULL` and others that concern all files.
   */
  async getTree(
    paths: readonly string[],
    local?: string,
    options: GetTreeOptions = {},
  ): Promise<TreeResult> {
    const { downloadTrees } = await import("./tree/client_trees.ts");
    return await downloadTrees(this.#treeAccess(), { sources: paths, to: local ?? "." }, options);
  }

  /**
   * Makes a folder of the server like a local one, or with `pull` the local one like the server's. Only
   * files that differ in size, time or the executable bit are transferred.
   *
   * @param local The local folder.
   * @param path The folder on the server.
   * @param options Direction, deletions, what stays out, and progress.
   * @returns What was done.
   * @throws {TrivetError} `NOT_FOUND`, `LOCAL_NOT_FOUND`, `QUOTA_EXCEEDED` and others.
   */
  async sync(local: string, path: string, options: SyncTreesOptions = {}): Promise<SyncResult> {
    const { syncTrees } = await import("./tree/sync_run.ts");
    return await syncTrees(this, { local, remote: parsePath(path) }, {
      ...options,
      connections: this.#connections,
      pacer: this.#pacer,
      server: `${this.user}@${this.server}`,
    });
  }

  /**
   * Tells the digests of a file's chunks, which the server reads for it.
   *
   * @param path The file on the server.
   * @returns Pages in order, as they are asked for; an empty file has one without digests.
   * @throws {TrivetError} `NOT_FOUND`, `IS_FOLDER`, and `CHANGED` if it changes in between.
   */
  async *digests(path: string, signal?: AbortSignal): AsyncGenerator<DigestPage> {
    const { digestPages } = await import("./digests.ts");
    yield* digestPages(this.#connections, parsePath(path), signal);
  }

  /** Removes an empty folder for good. */
  async rmdir(path: string, signal?: AbortSignal): Promise<void> {
    await this.#ask("rmdir", { path: parsePath(path) }, signal);
  }

  /**
   * Moves a file into the trash, or with `recursive` a folder and all in it.
   *
   * @returns How many files and folders went, and what {@linkcode NetdiskClient.restore} needs.
   */
  async rm(
    path: string,
    options: { readonly recursive?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<{ removed: number; trashId: string }> {
    const { recursive = false, signal } = options;
    return await this.#ask("rm", { path: parsePath(path), recursive }, signal);
  }

  /**
   * Gives a file or folder another path.
   *
   * @param from Where it is.
   * @param to Where it goes: a folder that exists, or a path that ends with `/`, takes it under its name.
   * @param options `replace`: a file that has the new path goes.
   * @returns The path that it has now.
   */
  async mv(
    from: string,
    to: string,
    options: { readonly replace?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<string> {
    const { replace = false, signal } = options;
    const source = parsePath(from);
    const path = await this.#targetOf(source, to, signal);
    const overwrite = replace ? "replace" : "fail";
    await this.#ask("mv", { from: source, to: path, overwrite }, signal);
    return formatPath(path);
  }

  /**
   * Copies a file, or with `recursive` a folder and all in it, on the server.
   *
   * @param from Where it is.
   * @param to Where the copy goes: a folder that exists, or a path that ends with `/`, takes it under
   * its name.
   * @param options `replace`: files that have the new paths go, and folders take what is copied. When
   * the signal gives up, files that were copied whole stay.
   * @returns The path of the copy, and what it has.
   */
  async cp(
    from: string,
    to: string,
    options: {
      readonly recursive?: boolean;
      readonly replace?: boolean;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<CopyResult> {
    const { recursive = false, replace = false, signal } = options;
    const source = parsePath(from);
    const path = await this.#targetOf(source, to, signal);
    const overwrite = replace ? "replace" : "fail";
    const request = { from: source, to: path, overwrite, recursive } as const;
    const { files, folders, bytes, skipped } = await this.#ask("cp", request, signal);
    return { path: formatPath(path), files, folders, bytes, skipped };
  }

  /** What the account may hold and does. */
  async df(signal?: AbortSignal): Promise<DiskUsage> {
    return await this.#ask("df", {}, signal);
  }

  /**
   * Measures the way between this machine and the server.
   *
   * @param options Where this machine's disk is tried, and progress.
   * @throws {TrivetError} `SERVER_BUSY` while somebody else measures, `PERMISSION_DENIED` for a login
   * that may only read, `UNKNOWN_METHOD` from an older server.
   */
  async doctor(options: DoctorOptions): Promise<DoctorReport> {
    const { examine } = await import("./doctor/examine.ts");
    return await examine(this.#connections, { ...options, isEncrypted: this.isEncrypted });
  }

  /** Lists the trash, what was removed first at the top, read page by page. */
  async *trash(signal?: AbortSignal): AsyncGenerator<TrashItem> {
    let after: string | undefined;
    for (;;) {
      const page = await this.#ask("trash.list", after === undefined ? {} : { after }, signal);
      yield* page.items;
      after = page.items.at(-1)?.id;
      if (!page.more || after === undefined) return;
    }
  }

  /**
   * Puts something back where it was removed.
   *
   * @param id What {@linkcode NetdiskClient.trash} calls it.
   * @param options `rename`: if the name is taken meanwhile, another one.
   * @returns Its path.
   */
  async restore(
    id: string,
    options: { readonly rename?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<string> {
    const overwrite = options.rename === true ? "rename" : "fail";
    return formatPath((await this.#ask("trash.restore", { id, overwrite }, options.signal)).path);
  }

  /**
   * Deletes what is in the trash for good, and gives its bytes back to the quota.
   *
   * @param ids Only these; everything without it.
   */
  async emptyTrash(
    ids?: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ items: number; bytes: number }> {
    return await this.#ask("trash.empty", ids === undefined ? {} : { ids: [...ids] }, signal);
  }

  /**
   * Makes a token for a program.
   *
   * @param options What it allows, where, how long, and what it is called.
   * @returns Its id and the token, which nobody can show again.
   * @throws {TrivetError} `PERMISSION_DENIED` for a login that may not manage the account, `TOO_MANY`.
   */
  async createToken(options: NewTokenOptions): Promise<NewToken> {
    const { scope, path, lifetimeMs, label, signal } = options;
    const request = {
      scope,
      ...(path === undefined ? {} : { path: parsePath(path) }),
      ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
      ...(label === undefined ? {} : { label }),
    };
    return await this.#ask("token.create", request, signal);
  }

  /** Lists the account's tokens and sessions that have not ended, read page by page. */
  async *tokens(signal?: AbortSignal): AsyncGenerator<TokenInfo> {
    let after: string | undefined;
    for (;;) {
      const page = await this.#ask("token.list", after === undefined ? {} : { after }, signal);
      yield* page.tokens;
      after = page.tokens.at(-1)?.id;
      if (!page.more || after === undefined) return;
    }
  }

  /**
   * Ends tokens, and the connections that logged in with them.
   *
   * @param ids What {@linkcode NetdiskClient.tokens} calls them.
   * @returns How many ended: all, since an unknown id fails with `TOKEN_NOT_FOUND`.
   */
  async revokeTokens(ids: readonly string[], signal?: AbortSignal): Promise<number> {
    return (await this.#ask("token.revoke", { ids: [...ids] }, signal)).revoked;
  }

  /**
   * Revokes the token of this session; this client is of no use after.
   *
   * @returns Whether there was a token to revoke.
   */
  async logout(signal?: AbortSignal): Promise<boolean> {
    return (await this.#ask("logout", {}, signal)).revoked;
  }

  /**
   * Hands the client to one more that will close it: only the last one does.
   *
   * @returns The same client.
   */
  hold(): this {
    this.#holders += 1;
    return this;
  }

  /** Closes every connection; a token that was made for this client alone is revoked first. */
  async close(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    if (this.#isTokenOurs) await this.logout(AbortSignal.timeout(2000)).catch(() => {});
    await this.#connections.close();
  }

  /** The same as {@linkcode NetdiskClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Where something goes: into a folder, under its name, or to a new path. */
  async #targetOf(
    source: readonly string[],
    to: string,
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    const target = parsePath(to);
    const isFolder = target.length === 0 || to.endsWith("/") ||
      await this.#isFolder(target, signal);
    return isFolder ? [...target, ...source.slice(-1)] : target;
  }

  async #isFolder(path: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return (await this.#ask("stat", { path: [...path] }, signal)).entry.type === "folder";
    } catch (error) {
      if (error instanceof TrivetError && error.code === "NOT_FOUND") return false;
      throw error;
    }
  }

  #treeAccess(): TreeAccess {
    const server = `${this.user}@${this.server}`;
    return { reader: this, connections: this.#connections, pacer: this.#pacer, server };
  }

  #upload(path: readonly string[], options: PutOptions) {
    const { overwrite = "replace", durability = "commit" } = options;
    return { ...options, pacer: this.#pacer, target: { path, overwrite, durability } };
  }

  async #ask<M extends NetdiskMethod>(
    method: M,
    request: NetdiskRequest<M>,
    signal: AbortSignal | undefined,
  ): Promise<NetdiskResponse<M>> {
    return await this.#connections.use(async (rpc) => {
      const { head } = await rpc.call(method, request, { signal });
      return checkNetdiskResponse(method, head);
    }, signal);
  }
}

function skippedDownload(path: string): DownloadResult {
  return {
    path,
    sizeBytes: 0,
    etag: "",
    mtimeMs: 0,
    receivedBytes: 0,
    verifiedBytes: 0,
    resumedAtBytes: 0,
    skipped: true,
  };
}
