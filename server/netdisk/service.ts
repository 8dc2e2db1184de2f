/**
 * The netdisk on one connection: checks each request and hands it to its answer.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  checkNetdiskRequest,
  isNetdiskMethod,
  type NetdiskMethod,
  type NetdiskRequest,
} from "../../lib/netdisk/messages.ts";
import type { CallHandler, Reply, ServerCall } from "../../lib/rpc/server.ts";
import { cp } from "./copy.ts";
import type { NetdiskContext } from "./context.ts";
import { storeFiles, storeFolders } from "./batch.ts";
import { readFiles } from "./read_files.ts";
import { digestFile } from "./digest.ts";
import { measureServer, receiveNoise, sendNoise } from "./doctor.ts";
import { sendFile } from "./download.ts";
import { logout, ls, mkdir, stat, whoami } from "./files.ts";
import { df, mv, rmdir } from "./move.ts";
import { storeSmallFile } from "./small_file.ts";
import { changePassword, createToken, listTokens, revokeTokens } from "./tokens.ts";
import { emptyTrash, listTrash, restoreTrash, rm } from "./trash.ts";
import { ConnectionUploads } from "./uploads.ts";

/** The netdisk's end of one connection. */
export interface NetdiskSession extends AsyncDisposable {
  /** Answers a request. */
  readonly handle: CallHandler;
}

type Answer<M extends NetdiskMethod> = (
  request: NetdiskRequest<M>,
  call: ServerCall,
) => Promise<Reply | void>;

type Answers = { readonly [M in NetdiskMethod]: Answer<M> };

/**
 * Opens the netdisk for one connection.
 *
 * @param context The stores and who is connected.
 * @returns The handler; disposing of it ends the connection's uploads, which stay resumable.
 */
export function openNetdiskSession(context: NetdiskContext): NetdiskSession {
  const uploads = new ConnectionUploads(context);
  const answers: Answers = {
    whoami: async () => ({ head: await whoami(context) }),
    logout: async () => ({ head: await logout(context) }),
    ls: async (request) => ({ head: await ls(context, request) }),
    stat: async (request) => ({ head: await stat(context, request) }),
    mkdir: async (request) => ({ head: await mkdir(context, request) }),
    rmdir: async (request) => ({ head: await rmdir(context, request) }),
    rm: async (request) => ({ head: await rm(context, request) }),
    mv: async (request) => ({ head: await mv(context, request) }),
    cp: async (request, call) => ({ head: await cp(context, request, call.signal) }),
    df: async () => ({ head: await df(context) }),
    "trash.list": async (request) => ({ head: await listTrash(context, request) }),
    "trash.restore": async (request) => ({ head: await restoreTrash(context, request) }),
    "trash.empty": async (request) => ({ head: await emptyTrash(context, request) }),
    "put.file": async (request, call) => ({
      head: await storeSmallFile(context, request, call.body),
    }),
    "put.folders": async (request) => ({ head: await storeFolders(context, request) }),
    "put.files": async (request, call) => ({
      head: await storeFiles(context, request, call.body),
    }),
    "get.files": (request) => readFiles(context, request),
    "put.open": (request) => uploads.open(request),
    "put.seed": (request, call) => uploads.seed(request, call.signal),
    "put.journal": (request) => uploads.journalPage(request),
    "put.data": (request, call) => uploads.receive(request, call),
    "put.commit": (request) => uploads.commit(request),
    "put.discard": (request) => uploads.discard(request),
    "get.open": (request, call) => sendFile(context, request, call),
    digest: (request, call) => digestFile(context, request, call),
    "doctor.down": (request, call) => sendNoise(request, call),
    "doctor.up": async (_, call) => ({ head: await receiveNoise(call) }),
    "doctor.server": async (_, call) => ({ head: await measureServer(context, call.signal) }),
    "account.passwd": async (request) => ({ head: await changePassword(context, request) }),
    "token.create": async (request) => ({ head: await createToken(context, request) }),
    "token.list": async (request) => ({ head: await listTokens(context, request) }),
    "token.revoke": async (request) => ({ head: await revokeTokens(context, request) }),
  };
  return {
    handle: async (call) => {
      if (!isNetdiskMethod(call.method)) {
        throw new TrivetError("UNKNOWN_METHOD", `The netdisk has no method "${call.method}"`);
      }
      return await answer(answers, call.method, call);
    },
    [Symbol.asyncDispose]: () => uploads.close(),
  };
}

function answer<M extends NetdiskMethod>(
  answers: Answers,
  method: M,
  call: ServerCall,
): Promise<Reply | void> {
  return answers[method](checkNetdiskRequest(method, call.params), call);
}
