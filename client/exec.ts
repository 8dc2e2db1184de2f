/**
 * Remote commands from a program's side: which there are, and running them.
 *
 * @module
 */

import { checkExecResponse } from "../lib/exec/messages.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import { EXEC_SERVICE } from "../lib/rpc/services.ts";
import type { ByteWriter } from "../lib/transfer/sink.ts";
import type { ByteReader } from "../lib/transfer/source.ts";
import { type ConnectOptions, connectorFor } from "./connect_options.ts";
import type { CommandRequest, ListedCommand } from "./exec/exec_types.ts";
import { RemoteCommand } from "./exec/remote_command.ts";
import { type Credentials, type KeyCredentials, openSession, type Session } from "./session.ts";

/** Options of {@linkcode ExecClient.connect}. */
export interface ExecClientOptions extends Omit<ConnectOptions, "credentials"> {
  /** A token, a name and a password, or that `machineKey` is all. */
  readonly credentials: Credentials | KeyCredentials;
}

/** Options of {@linkcode ExecClient.start}. */
export interface ExecOptions {
  /** What the command reads, if it reads stdin at all; nothing without it. */
  readonly stdin?: ByteReader;
  /** Takes what the command writes; a slow one holds the command back. Dropped without it. */
  readonly stdout?: ByteWriter;
  /** The same for stderr. */
  readonly stderr?: ByteWriter;
  /** Variables to set for the command, if it takes them from clients. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends the command after so many milliseconds, if its own time limit is not shorter. */
  readonly timeoutMs?: number;
  /** Ends the command. */
  readonly signal?: AbortSignal;
}

/** Somebody who is logged in to run commands. Several may run at once. */
export class ExecClient implements AsyncDisposable {
  /** The server's address. */
  readonly server: string;
  /** Who is logged in; `key:NAME` for a machine key with no account. */
  readonly user: string;
  readonly #rpc: RpcClient;

  private constructor(server: string, { user, rpc }: Pick<Session, "user" | "rpc">) {
    this.server = server;
    this.user = user;
    this.#rpc = rpc;
  }

  /**
   * Connects and logs in.
   *
   * @param options The server, whom to trust, and who logs in.
   * @throws {TrivetError} `UNKNOWN_SERVICE` where no commands are served, `UNREACHABLE`, `TIMEOUT`,
   * `PIN_UNKNOWN`, `PIN_MISMATCH`, `AUTH_FAILED`, `TOKEN_INVALID` and others.
   */
  static async connect(options: ExecClientOptions): Promise<ExecClient> {
    const { credentials, signal } = options;
    const connector = await connectorFor(options, EXEC_SERVICE);
    return new ExecClient(connector.name, await openSession(connector, credentials, signal));
  }

  /**
   * Takes over a connection to the service that is logged in already.
   *
   * @param server The server's address.
   * @param session The connection.
   */
  static over(server: string, session: Pick<Session, "user" | "rpc">): ExecClient {
    return new ExecClient(server, session);
  }

  /** The commands that this account may run. */
  async list(signal?: AbortSignal): Promise<readonly ListedCommand[]> {
    const { head } = await this.#rpc.call("exec.list", {}, { signal });
    return checkExecResponse("exec.list", head).commands;
  }

  /**
   * Starts a command.
   *
   * @param name Its name.
   * @param args Its further arguments; no shell sees them.
   * @param options Its streams and limits.
   * @returns The command, which runs.
   * @throws {TrivetError} `COMMAND_NOT_FOUND`, `ARGUMENT_REFUSED`, `SERVER_BUSY` and others.
   */
  async start(
    name: string,
    args: readonly string[] = [],
    options: ExecOptions = {},
  ): Promise<RemoteCommand> {
    const { timeoutMs, environment } = options;
    const request: CommandRequest = {
      name,
      arguments: [...args],
      ...(environment === undefined ? {} : { environment: { ...environment } }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    return await RemoteCommand.start(this.#rpc, request, options);
  }

  /** Ends the commands that run, and closes the connection. */
  async close(): Promise<void> {
    await this.#rpc.close();
  }

  /** The same as {@linkcode ExecClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
