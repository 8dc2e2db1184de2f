/**
 * The connections of one client: one for short requests, one more for each transfer that runs.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import type { RpcClient } from "../lib/rpc/client.ts";

/** Where a transfer gets its connection from, and another one when that was lost. */
export interface DataConnections {
  /** A connection that is the caller's alone until `giveBack`. */
  borrow(signal?: AbortSignal): Promise<RpcClient>;
  /** Ends `borrow`. */
  giveBack(rpc: RpcClient): Promise<void>;
}

/** Opens a connection that is logged in. */
export type OpenConnection = (signal?: AbortSignal) => Promise<RpcClient>;

/**
 * See the module. The connection for short requests is lent to a transfer as long as nobody else
 * needs it, so that a program which only moves one file opens only one.
 */
export class Connections implements DataConnections, AsyncDisposable {
  readonly #open: OpenConnection;
  /** For short requests; absent while it is lent or after it was lost. */
  #control: Promise<RpcClient> | undefined;
  #controlUsers = 0;
  readonly #lent = new Set<RpcClient>();
  #isClosed = false;

  /**
   * Takes over a first connection.
   *
   * @param first It is open already.
   * @param open Opens more.
   */
  constructor(first: RpcClient, open: OpenConnection) {
    this.#control = Promise.resolve(first);
    this.#open = open;
  }

  /** Runs short requests on the connection that they share. */
  async use<T>(work: (rpc: RpcClient) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#controlUsers += 1;
    try {
      return await work(await this.#takeControl(signal));
    } finally {
      this.#controlUsers -= 1;
    }
  }

  /** See {@linkcode DataConnections.borrow}. */
  async borrow(signal?: AbortSignal): Promise<RpcClient> {
    this.#mustBeOpen();
    let rpc: RpcClient | undefined;
    if (this.#controlUsers === 0 && this.#control !== undefined) {
      const control = this.#control;
      this.#control = undefined;
      rpc = await control.catch(() => undefined);
    }
    if (rpc === undefined || rpc.failure !== null) rpc = await this.#open(signal);
    this.#lent.add(rpc);
    return rpc;
  }

  /** See {@linkcode DataConnections.giveBack}. */
  async giveBack(rpc: RpcClient): Promise<void> {
    this.#lent.delete(rpc);
    if (rpc.failure === null && this.#control === undefined && !this.#isClosed) {
      this.#control = Promise.resolve(rpc);
      return;
    }
    await rpc.close();
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const control = await this.#control?.catch(() => undefined);
    this.#control = undefined;
    const all = [...this.#lent, ...(control === undefined ? [] : [control])];
    await Promise.all(all.map((rpc) => rpc.close()));
  }

  /** The same as {@linkcode Connections.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #takeControl(signal: AbortSignal | undefined): Promise<RpcClient> {
    this.#mustBeOpen();
    // Set before anybody else can look: of several that find it lost, one opens another.
    this.#control = this.#renew(this.#control, signal);
    return this.#control;
  }

  async #renew(
    before: Promise<RpcClient> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<RpcClient> {
    const rpc = await before?.catch(() => undefined);
    return rpc === undefined || rpc.failure !== null ? await this.#open(signal) : rpc;
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new TrivetError("CONNECTION_LOST", "The client is closed");
  }
}
