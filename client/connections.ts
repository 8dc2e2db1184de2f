/**
 * The connections of one client: one for short requests, one more for each transfer that runs.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import type { RpcClient } from "../lib/rpc/client.ts";

/** Where a transfer gets its connection from, and another one when that was lost. */
export interface DataConnections {
  /**
   * A connection that is the caller's alone until `giveBack`.
   *
   * @param expectedBytes How much will be moved, where that is known.
   */
  borrow(signal?: AbortSignal, expectedBytes?: number): Promise<RpcClient>;
  /** Ends `borrow`. */
  giveBack(rpc: RpcClient): Promise<void>;
}

/** Opens a connection that is logged in. */
export type OpenConnection = (signal?: AbortSignal) => Promise<RpcClient>;

/** Opens one that costs the server less, beside one that is open; nothing where that cannot be. */
export type OpenDirect = (
  control: RpcClient,
  signal?: AbortSignal,
) => Promise<RpcClient | undefined>;

/** A transfer of fewer bytes is over before a direct connection would have paid. */
export const DIRECT_MIN_BYTES = 8 * 1024 * 1024;

/** Connections that are kept for the next transfer. */
const IDLE_MAX = 4;

/**
 * See the module. Transfers run on direct connections. Where there are none, the connection for short
 * requests is lent to a transfer as long as nobody else needs it, so that a program which only moves
 * one file opens only one.
 */
export class Connections implements DataConnections, AsyncDisposable {
  readonly #open: OpenConnection;
  /** For short requests; absent while it is lent or after it was lost. */
  #control: Promise<RpcClient> | undefined;
  #controlUsers = 0;
  readonly #lent = new Set<RpcClient>();
  /** Were for short requests, some of which may still be in flight. */
  readonly #retired: Promise<RpcClient>[] = [];
  /** Absent where the server offers none, or none could be reached. */
  #openDirect: OpenDirect | undefined;
  readonly #direct = new WeakSet<RpcClient>();
  readonly #idle: RpcClient[] = [];
  #isClosed = false;

  /**
   * Takes over a first connection.
   *
   * @param first It is open already.
   * @param open Opens more.
   * @param openDirect Opens direct ones.
   */
  constructor(first: RpcClient, open: OpenConnection, openDirect?: OpenDirect) {
    this.#control = Promise.resolve(first);
    this.#open = open;
    this.#openDirect = openDirect;
  }

  /** Runs short requests on the connection that they share. */
  async use<T>(work: (rpc: RpcClient) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#controlUsers += 1;
    try {
      return await work(await this.#takeControl(signal));
    } finally {
      this.#controlUsers -= 1;
      if (this.#controlUsers === 0 && this.#retired.length > 0) await this.#closeRetired();
    }
  }

  /** From now on short requests go over another connection; those in flight end where they are. */
  async replace(rpc: RpcClient): Promise<void> {
    if (this.#isClosed) return await rpc.close();
    if (this.#control !== undefined) this.#retired.push(this.#control);
    this.#control = Promise.resolve(rpc);
    if (this.#controlUsers === 0) await this.#closeRetired();
  }

  /** See {@linkcode DataConnections.borrow}. */
  async borrow(signal?: AbortSignal, expectedBytes = Infinity): Promise<RpcClient> {
    this.#mustBeOpen();
    const isWorth = expectedBytes >= DIRECT_MIN_BYTES;
    let rpc = isWorth
      ? this.#takeIdle({ isDirect: true }) ?? await this.#takeDirect(signal)
      : undefined;
    rpc ??= this.#takeIdle();
    if (rpc !== undefined) {
      this.#lent.add(rpc);
      return rpc;
    }
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
    if (rpc.failure !== null || this.#isClosed) return await rpc.close();
    if (this.#control === undefined && !this.#direct.has(rpc)) {
      this.#control = Promise.resolve(rpc);
      return;
    }
    // Another handshake may take longer than the next file.
    if (this.#idle.length < IDLE_MAX) this.#idle.push(rpc);
    else await rpc.close();
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#closeRetired();
    const control = await this.#control?.catch(() => undefined);
    this.#control = undefined;
    const all = [
      ...this.#lent,
      ...this.#idle.splice(0),
      ...(control === undefined ? [] : [control]),
    ];
    await Promise.all(all.map((rpc) => rpc.close()));
  }

  /** The same as {@linkcode Connections.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #closeRetired(): Promise<void> {
    const retired = this.#retired.splice(0);
    await Promise.all(retired.map((each) => each.then((rpc) => rpc.close(), () => {})));
  }

  #takeIdle({ isDirect = false } = {}): RpcClient | undefined {
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      const rpc = this.#idle[at];
      if (rpc === undefined || isDirect && !this.#direct.has(rpc)) continue;
      this.#idle.splice(at, 1);
      if (rpc.failure === null) return rpc;
    }
    return undefined;
  }

  async #takeDirect(signal: AbortSignal | undefined): Promise<RpcClient | undefined> {
    const open = this.#openDirect;
    if (open === undefined) return undefined;
    const rpc = await this.use(async (control) => {
      const direct = await open(control, signal);
      // Who could not be reached once is not waited for again.
      if (direct === undefined && control.failure === null) this.#openDirect = undefined;
      return direct;
    }, signal);
    if (rpc === undefined) return undefined;
    this.#direct.add(rpc);
    if (this.#isClosed) await rpc.close();
    this.#mustBeOpen();
    return rpc;
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
