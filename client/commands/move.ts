/**
 * The work behind `put`, `get` and `cat`.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { formatPath, parsePath } from "../../lib/netdisk/path.ts";
import { localError } from "../local_error.ts";
import { baseName } from "../local_path.ts";
import type { GetOptions, PutOptions } from "../netdisk.ts";
import { openClient } from "./access.ts";
import { type ClientContext, remotePath, remotePattern } from "./context.ts";
import type { LinkMode } from "../tree/link_modes.ts";
import { showTransfer } from "./transfer.ts";
import type { TransferValues } from "./transfer_options.ts";

/** The word for stdin and stdout. */
const STREAM = "-";

/** A file that a message of the chat carries; a file of this name is "./chat:17". */
const SHARED = /^chat:([1-9][0-9]{0,14})$/;

/** What `put` is called with. */
export interface PutRequest
  extends Required<Pick<PutOptions, "resume" | "overwrite" | "durability">> {
  /** Path of the file, or `-`. */
  readonly local: string;
  /** Where it goes. */
  readonly remote: string | undefined;
}

/** What `get` is called with. */
export interface GetRequest
  extends Required<Pick<GetOptions, "resume" | "overwrite" | "durability">> {
  /** The file on the server. */
  readonly remote: string;
  /** A message that carries it, in place of `remote`. */
  readonly message?: number;
  /** Where it goes. */
  readonly local: string | undefined;
}

/** Values of `put`'s options. */
export type PutValues = TransferValues & { readonly links: LinkMode };

/** Uploads what `put` names: one file or stdin, or a tree. */
export async function putPaths(
  context: ClientContext,
  paths: readonly string[],
  values: PutValues,
): Promise<number | void> {
  const [local = "", typed] = paths;
  const remote = remotePath(context, typed ?? "");
  const isOne = paths.length <= 2 && !values.recursive && !values["dry-run"];
  if (isOne || local === STREAM) {
    if (paths.length > 2) throw new TrivetError("USAGE", '"-" cannot be sent beside others');
    return await putFile(context, { local, remote, ...values });
  }
  const sources = paths.length === 1 ? paths : paths.slice(0, -1);
  const target = remotePath(context, paths.length === 1 ? "" : paths.at(-1) ?? "");
  parsePath(target);
  for (const source of sources) await statLocal(source);
  const { showTree } = await import("./tree_transfer.ts");
  const shown = { name: nameOf(sources), outcome: "sent", dryRun: values["dry-run"] };
  return await showTree(
    context,
    shown,
    (client, options) =>
      client.putTree(sources, target, { ...options, ...values, dryRun: values["dry-run"] }),
  );
}

/** Downloads what `get` names: one file, to stdout or not, or a tree. */
export async function getPaths(
  context: ClientContext,
  paths: readonly string[],
  values: TransferValues,
): Promise<number | void> {
  const [typed = "", local] = paths;
  const shared = SHARED.exec(typed)?.[1];
  if (shared !== undefined) {
    if (paths.length > 2) throw new TrivetError("USAGE", "A file of the chat comes alone");
    return await getFile(context, { local, remote: typed, message: Number(shared), ...values });
  }
  if (paths.at(-1) === STREAM && paths.length > 1) {
    if (paths.length > 2) throw new TrivetError("USAGE", 'Only one file can be received to "-"');
    return await catFiles(context, [remotePattern(context, typed)]);
  }
  const { checkRemotePaths } = await import("../remote_glob.ts");
  const { hasGlob } = await import("../../lib/netdisk/glob.ts");
  if (paths.length <= 2 && !values.recursive && !values["dry-run"] && !hasGlob(typed)) {
    return await getFile(context, { local, remote: remotePath(context, typed), ...values });
  }
  const typedSources = paths.length === 1 ? paths : paths.slice(0, -1);
  const sources = typedSources.map((path) => remotePattern(context, path));
  checkRemotePaths(sources);
  const { showTree } = await import("./tree_transfer.ts");
  const shown = { name: nameOf(sources), outcome: "received", dryRun: values["dry-run"] };
  return await showTree(
    context,
    shown,
    (client, options) =>
      client.getTree(sources, paths.length === 1 ? "." : paths.at(-1), {
        ...options,
        ...values,
        dryRun: values["dry-run"],
      }),
  );
}

/** Uploads a file or stdin. */
export async function putFile(context: ClientContext, request: PutRequest): Promise<void> {
  const { output, stdin } = context;
  const { local, remote = "/", resume, overwrite, durability } = request;
  const isStream = local === STREAM;
  if (isStream && (parsePath(remote).length === 0 || remote.endsWith("/"))) {
    throw new TrivetError("USAGE", 'What comes from "-" needs a name: trivet put - NAME');
  }
  if (isStream && resume === "always") {
    throw new TrivetError("USAGE", 'What comes from "-" cannot be resumed');
  }
  // A mistake is told before anything is connected.
  parsePath(remote);
  if (!isStream) (await openLocal(local))[Symbol.dispose]();
  // Loaded while the server answers, so that the first bytes leave sooner.
  const loading = isStream ? import("../upload_stream.ts") : import("../upload.ts");
  const [opened] = await Promise.all([openClient(context), loading]);
  await using client = opened;
  const result = await showTransfer(
    context,
    { name: isStream ? remote : baseName(local), outcome: "sent", isResumable: !isStream },
    async (options) => {
      const sent = await client.put(isStream ? stdin : local, remote, {
        ...options,
        resume,
        overwrite,
        durability,
      });
      return { ...sent, skipped: sent.stored.skipped, sizeBytes: sent.stored.size };
    },
  );
  const { stored } = result;
  const path = formatPath(stored.path);
  if (stored.skipped) output.note(`Skipped: ${path} exists`);
  else if (overwrite === "rename") output.note(`Stored as ${path}`);
  output.json({
    path,
    size_bytes: stored.size,
    sent_bytes: result.sentBytes,
    verified_bytes: result.verifiedBytes,
    resumed_at_bytes: result.resumedAtBytes,
    seconds: result.seconds,
    etag: stored.etag === "" ? null : stored.etag,
    skipped: stored.skipped,
  });
}

/** Downloads a file. */
export async function getFile(context: ClientContext, request: GetRequest): Promise<void> {
  const { output } = context;
  const { local, remote, message, resume, overwrite, durability } = request;
  const components = parsePath(remote);
  await using client = await openClient(context);
  const result = await showTransfer(
    context,
    { name: components.at(-1) ?? "/", outcome: "received", isResumable: true },
    (options) => {
      const all = { ...options, resume, overwrite, durability };
      if (message !== undefined) return client.getShared(message, local, all);
      return client.get(remote, local, all);
    },
  );
  if (result.skipped) output.note(`Skipped: ${result.path} exists`);
  else if (overwrite === "rename") output.note(`Stored as ${result.path}`);
  output.json({
    path: result.path,
    size_bytes: result.sizeBytes,
    received_bytes: result.receivedBytes,
    verified_bytes: result.verifiedBytes,
    resumed_at_bytes: result.resumedAtBytes,
    seconds: result.seconds,
    etag: result.etag === "" ? null : result.etag,
    skipped: result.skipped,
  });
}

/** Writes files to stdout, one after the other, and nothing else. */
export async function catFiles(context: ClientContext, paths: readonly string[]): Promise<void> {
  const { output, signal } = context;
  if (output.isJson) {
    throw new TrivetError("USAGE", "--json does not go together with a file on stdout");
  }
  const { checkRemotePaths, expandRemote } = await import("../remote_glob.ts");
  checkRemotePaths(paths);
  const writer = {
    write: async (bytes: Uint8Array) => {
      await output.bytes(bytes);
      return bytes.length;
    },
  };
  await using client = await openClient(context);
  for (const { path } of await expandRemote(client, paths, signal)) {
    await showTransfer(
      context,
      {
        name: parsePath(path).at(-1) ?? "/",
        outcome: "received",
        isResumable: false,
        isForTerminal: true,
      },
      async (options) => {
        const { sizeBytes } = await client.cat(path, writer, options);
        return { skipped: false, sizeBytes, verifiedBytes: 0 };
      },
    );
  }
}

/** What progress calls several sources. */
function nameOf(sources: readonly string[]): string {
  const [first = ""] = sources;
  return sources.length === 1 ? baseName(first) || first : `${sources.length} sources`;
}

/** A mistake is told before anything is connected. */
async function statLocal(path: string): Promise<void> {
  try {
    await Deno.stat(path);
  } catch (error) {
    throw localError(error, "read", path);
  }
}

async function openLocal(path: string): Promise<Disposable> {
  const { LocalSource } = await import("../local_source.ts");
  return await LocalSource.open(path);
}
