/**
 * Which way a chat's connections go: over TCP, over UDP, or over UDP where that passes.
 *
 * @module
 */

import type { NetemOptions } from "../lib/datagram/netem.ts";
import { TrivetError } from "../lib/errors.ts";
import { REQUESTS_IN_FLIGHT_MAX } from "../lib/rpc/messages.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import type { OpenedDatagrams } from "./chat_datagrams.ts";
import type { ChatTransport } from "./chat_transports.ts";
import type { OpenDirect } from "./connections.ts";
import type { Session } from "./session.ts";

/** How a chat's connections are opened. */
export interface ChatTransportOptions {
  /**
   * `auto`, the default: over UDP for who follows the chat, where the server answers to it within a
   * second, else over TCP.
   */
  readonly transport?: ChatTransport | undefined;
  /** UDP port of the server, where a router forwards another one than the server names. */
  readonly udpPort?: number | undefined;
  /** Makes the network worse for the datagrams that are sent, to try out what that does. */
  readonly netem?: NetemOptions | undefined;
}

/** How long the server may take to answer over UDP where TCP does as well, in milliseconds. */
export const UDP_WAIT_MS = 1000;

/** The same where nothing else is wanted. */
const UDP_ONLY_WAIT_MS = 10_000;

/** Where UDP did not pass it is tried again after so long, in milliseconds. */
const UDP_AGAIN_MS = 60_000;

/** A connection over TCP that is logged in. */
export type ChatLogin = Pick<Session, "rpc" | "host">;

/** Logs in over TCP. */
export type OpenLogin = (signal?: AbortSignal) => Promise<ChatLogin>;

/** See the module. */
export class ChatDialer implements AsyncDisposable {
  readonly #login: OpenLogin;
  readonly #options: ChatTransportOptions;
  readonly #datagrams = new WeakSet<RpcClient>();
  readonly #closing = new Set<Promise<void>>();
  /** Until when UDP is not tried. */
  #tcpUntilMs = -Infinity;
  #hasPassed = false;
  /** Absent where the server offers none, or none could be reached. */
  #openDirect: OpenDirect | undefined;

  /**
   * Opens nothing yet.
   *
   * @param login Logs in over TCP.
   * @param options Which way.
   * @param openDirect Opens a connection that costs the server less beside one that is open.
   */
  constructor(login: OpenLogin, options: ChatTransportOptions, openDirect?: OpenDirect) {
    this.#login = login;
    this.#options = options;
    this.#openDirect = openDirect;
  }

  /** Whether a connection goes over UDP. */
  isDatagrams(rpc: RpcClient): boolean {
    return this.#datagrams.has(rpc);
  }

  /** A connection for short requests: over UDP only where that is wanted or has passed before. */
  async open(signal?: AbortSignal): Promise<RpcClient> {
    if (this.#hasPassed) return await this.openLasting(signal);
    return await this.first(await this.#login(signal), signal);
  }

  /**
   * A connection that lasts.
   *
   * @throws {TrivetError} What logging in throws; with the transport `udp` also `TIMEOUT`.
   */
  async openLasting(signal?: AbortSignal): Promise<RpcClient> {
    const rpc = await this.#advance(await this.#login(signal), signal);
    return this.isDatagrams(rpc) ? rpc : await this.#passGate(rpc, signal);
  }

  /**
   * A connection for short requests from one that has just logged in.
   *
   * @param session The login; its connection is used or closed.
   * @param signal Gives up.
   */
  async first(session: ChatLogin, signal?: AbortSignal): Promise<RpcClient> {
    return this.#options.transport === "udp" ? await this.#advance(session, signal) : session.rpc;
  }

  /** Waits until the sockets of all connections that were closed are closed, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#closing);
  }

  /** Goes on over UDP where that is wanted and passes. */
  async #advance({ rpc, host }: ChatLogin, signal: AbortSignal | undefined): Promise<RpcClient> {
    const { transport = "auto" } = this.#options;
    const isBarred = transport === "auto" && performance.now() < this.#tcpUntilMs;
    if (transport === "tcp" || isBarred) return rpc;
    let opened: OpenedDatagrams;
    try {
      opened = await this.#openDatagrams(rpc, { host, signal, isOnly: transport === "udp" });
    } catch (error) {
      const isOver = signal?.aborted === true || rpc.failure !== null;
      if (!isOver && transport === "auto") {
        this.#tcpUntilMs = performance.now() + UDP_AGAIN_MS;
        this.#hasPassed = false;
        return rpc;
      }
      await rpc.close();
      throw error;
    }
    this.#hasPassed = true;
    this.#datagrams.add(opened.rpc);
    this.#closing.add(opened.closed);
    opened.closed.finally(() => this.#closing.delete(opened.closed));
    await rpc.close();
    return opened.rpc;
  }

  /** Events come for as long as the client is there: past the gate they cost the server half. */
  async #passGate(gated: RpcClient, signal: AbortSignal | undefined): Promise<RpcClient> {
    if (this.#openDirect === undefined) return gated;
    const direct = await this.#openDirect(gated, signal);
    // Where it cannot be had once, each lost connection would wait for it in vain.
    if (direct === undefined && gated.failure === null) this.#openDirect = undefined;
    if (direct === undefined) return gated;
    await gated.close();
    return direct;
  }

  async #openDatagrams(
    control: RpcClient,
    { host, signal, isOnly }: {
      readonly host: string | undefined;
      readonly signal: AbortSignal | undefined;
      readonly isOnly: boolean;
    },
  ): Promise<OpenedDatagrams> {
    if (host === undefined) {
      throw new TrivetError("USAGE", "Cannot use UDP: a Unix socket has no host");
    }
    // Imported here: most commands need none of it.
    const { openDatagrams } = await import("./chat_datagrams.ts");
    const { netem, udpPort } = this.#options;
    return await openDatagrams(control, {
      host,
      port: udpPort,
      netem,
      signal,
      waitMs: isOnly ? UDP_ONLY_WAIT_MS : UDP_WAIT_MS,
      requestsInFlightMax: REQUESTS_IN_FLIGHT_MAX,
    });
  }
}
