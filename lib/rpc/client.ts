/**
 * The client's end of a link: many requests at once, answers in any order, DATA in both directions.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { decodeData } from "../frame/decode.ts";
import { encodeControl, encodeFrame } from "../frame/encode.ts";
import { type Frame, FrameError, FrameType } from "../frame/frame.ts";
import { giveBackMemory } from "../frame/memory.ts";
import type { KeepaliveOptions } from "../link/keepalive.ts";
import type { Link } from "../link/link.ts";
import { type DataHandler, Pending } from "./calls.ts";
import { Heartbeat } from "./heartbeat.ts";
import {
  type Message,
  PING_PAYLOAD_MAX_BYTES,
  readError,
  readMessage,
  REQUESTS_IN_FLIGHT_MAX,
} from "./messages.ts";
import { Places } from "./places.ts";

/** Options of {@linkcode RpcClient}. */
export interface RpcClientOptions {
  /** Requests that may be in flight; more wait for a place. The server announces its limit. */
  readonly requestsInFlightMax?: number;
  /** When an idle link is pinged and given up. */
  readonly keepalive?: KeepaliveOptions;
}

/** Options of a call. */
export interface CallOptions {
  /** Raw bytes behind the request's head. */
  readonly body?: Uint8Array;
  /** Cancels the call, on the server too. */
  readonly signal?: AbortSignal | undefined;
  /** The call fails with `TIMEOUT` after this many milliseconds. */
  readonly timeoutMs?: number;
  /** Takes the DATA frames that answer the call. */
  readonly onData?: DataHandler;
}

/** Takes the head of an EVENT of the connection itself; it must not wait. */
export type EventHandler = (head: unknown) => void;

const REQUEST_ID_MAX = 0xffff_ffff;

/** One request in flight. */
export class ClientCall {
  /** Number of the request. */
  readonly id: number;
  /** The RESPONSE. */
  readonly response: Promise<Message>;
  /** The END behind the DATA that answers the call. */
  readonly ended: Promise<Message>;
  /** Aborted when the call has failed, so that a sender stops. */
  readonly signal: AbortSignal;
  readonly #link: Link;

  constructor(link: Link, id: number, state: CallState) {
    this.#link = link;
    this.id = id;
    this.response = state.response.promise;
    this.ended = state.ended.promise;
    this.signal = state.failed.signal;
  }

  /** Sends a sealed DATA frame of this call. Rejects with the call's error once it has failed. */
  async send(frame: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    await this.#link.send(frame);
  }

  /** Ends the DATA of this call. */
  async end(head: unknown, body?: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    await this.#link.send(encodeControl(FrameType.END, this.id, head, body));
  }
}

interface CallState {
  /** 0 until the call has a place. */
  id: number;
  readonly response: Pending;
  readonly ended: Pending;
  readonly failed: AbortController;
  readonly onData: DataHandler | undefined;
  readonly cleanUp: (() => void)[];
}

/** Calls over one link. Begin with `RpcClient.start(link)` after the handshake. */
export class RpcClient implements AsyncDisposable {
  readonly #link: Link;
  /** Calls with a place, by their number. */
  readonly #calls = new Map<number, CallState>();
  /** Calls that wait for a place. */
  readonly #waiting = new Set<CallState>();
  readonly #places: Places;
  readonly #heartbeat: Heartbeat;
  #onEvent: EventHandler | undefined;
  #lastId = 0;
  #failure: TrivetError | null = null;
  readonly #failed = new AbortController();
  #pump: Promise<void> = Promise.resolve();

  private constructor(link: Link, options: RpcClientOptions) {
    this.#link = link;
    this.#places = new Places(options.requestsInFlightMax ?? REQUESTS_IN_FLIGHT_MAX);
    this.#heartbeat = new Heartbeat(link, {
      keepalive: options.keepalive,
      onSilent: () => {
        const text = "The server has been silent for too long";
        this.#fail(new TrivetError("CONNECTION_LOST", text));
      },
    });
  }

  /** Takes over a link whose handshake is done. */
  static start(link: Link, options: RpcClientOptions = {}): RpcClient {
    const client = new RpcClient(link, options);
    client.#pump = client.#run();
    client.#heartbeat.start();
    return client;
  }

  /** Aborted, with the reason, once the link is down. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Why the link is down, or `null` while it is up. */
  get failure(): TrivetError | null {
    return this.#failure;
  }

  /**
   * Sends a request and waits for its RESPONSE.
   *
   * @throws {TrivetError} What the server answered, or why the link failed.
   */
  async call(method: string, params: unknown, options: CallOptions = {}): Promise<Message> {
    const call = await this.open(method, params, options);
    try {
      return await call.response;
    } finally {
      this.#forget(call.id);
    }
  }

  /**
   * Sends a request that is followed by DATA, answered by DATA, or both. Call `release(call)` when
   * done with it.
   */
  async open(method: string, params: unknown, options: CallOptions = {}): Promise<ClientCall> {
    if (this.#failure !== null) throw this.#failure;
    options.signal?.throwIfAborted();
    const state = this.#newState(options);
    await this.#takePlace(state);
    try {
      const frame = encodeControl(FrameType.REQUEST, state.id, { method, params }, options.body);
      const sending = this.#link.send(frame).then(() => giveBackMemory(frame));
      // A call that fails while the peer does not read must not wait for the peer.
      await Promise.race([sending, state.response.promise]);
    } catch (error) {
      this.#failCall(state, error);
      throw error;
    }
    return new ClientCall(this.#link, state.id, state);
  }

  /** From now on hands events of the connection to `onEvent`; without it they are dropped. */
  listen(onEvent: EventHandler | undefined): void {
    this.#onEvent = onEvent;
  }

  /** Forgets a call; if the server is still busy with it, it is told to stop. */
  release(call: ClientCall): void {
    this.#forget(call.id);
  }

  /** Says BYE and closes the link; calls in flight fail. */
  async close(): Promise<void> {
    const reason = new TrivetError("CONNECTION_LOST", "The connection was closed");
    if (this.#failure === null) {
      await this.#link.closeAfter(encodeControl(FrameType.BYE, 0, {}), reason);
    }
    this.#fail(reason);
    await this.#pump;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #newId(): number {
    do {
      this.#lastId = this.#lastId >= REQUEST_ID_MAX ? 1 : this.#lastId + 1;
    } while (this.#calls.has(this.#lastId));
    return this.#lastId;
  }

  /** Gives the call a place and a number, in turn. */
  async #takePlace(state: CallState): Promise<void> {
    const { signal } = state.failed;
    this.#waiting.add(state);
    try {
      await this.#places.take(signal);
    } finally {
      this.#waiting.delete(state);
    }
    if (signal.aborted) {
      this.#places.release();
      throw signal.reason;
    }
    state.id = this.#newId();
    this.#calls.set(state.id, state);
  }

  #newState(options: CallOptions): CallState {
    const state: CallState = {
      id: 0,
      response: new Pending(),
      ended: new Pending(),
      failed: new AbortController(),
      onData: options.onData,
      cleanUp: [],
    };
    const { signal, timeoutMs } = options;
    if (signal !== undefined) {
      const onAbort = () => this.#cancel(state, signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      state.cleanUp.push(() => signal.removeEventListener("abort", onAbort));
    }
    if (timeoutMs !== undefined) {
      const error = new TrivetError("TIMEOUT", `The server did not answer within ${timeoutMs} ms`);
      const timer = setTimeout(() => this.#cancel(state, error), timeoutMs);
      state.cleanUp.push(() => clearTimeout(timer));
    }
    return state;
  }

  #cancel(state: CallState, reason: unknown): void {
    const isInFlight = this.#calls.get(state.id) === state;
    this.#failCall(state, reason);
    if (isInFlight && !this.#link.isClosed) {
      this.#link.send(encodeControl(FrameType.CANCEL, state.id, {})).catch(() => {});
    }
  }

  #failCall(state: CallState, reason: unknown): void {
    state.response.reject(reason);
    state.ended.reject(reason);
    state.failed.abort(reason);
    this.#drop(state);
  }

  #forget(id: number): void {
    const state = this.#calls.get(id);
    if (state === undefined) return;
    const awaitsData = state.onData !== undefined && !state.ended.isSettled;
    if (awaitsData || !state.response.isSettled) {
      this.#cancel(state, new TrivetError("INTERRUPTED", "The call was given up"));
      return;
    }
    this.#drop(state);
  }

  #drop(state: CallState): void {
    for (const cleanUp of state.cleanUp.splice(0)) cleanUp();
    if (this.#calls.get(state.id) !== state) return;
    this.#calls.delete(state.id);
    this.#places.release();
  }

  async #run(): Promise<void> {
    try {
      // A reader that waits for a sink does not see that the link is closed.
      this.#fail(await Promise.race([this.#read(), this.#link.closed]));
    } catch (error) {
      this.#fail(asLinkError(error));
    }
  }

  async #read(): Promise<TrivetError> {
    for (;;) {
      const frame = await this.#link.receive();
      if (frame === null) {
        return new TrivetError("CONNECTION_LOST", "The server closed the connection");
      }
      const pending = this.#take(frame);
      if (pending !== undefined) await this.#heartbeat.hold(pending);
    }
  }

  #take(frame: Frame): void | Promise<void> {
    if (frame.id === 0) return this.#takeForLink(frame);
    const state = this.#calls.get(frame.id);
    // An answer to a call that was cancelled meanwhile.
    if (state === undefined) return;
    switch (frame.type) {
      case FrameType.DATA:
        return this.#takeData(frame, state);
      case FrameType.RESPONSE:
        return state.response.resolve(readMessage(frame));
      case FrameType.END:
        return state.ended.resolve(readMessage(frame));
      case FrameType.ERROR:
        return this.#failCall(state, readError(frame));
      case FrameType.EVENT:
        return;
      default:
        throw new TrivetError("PROTOCOL_ERROR", `The server sent a frame of type ${frame.type}`);
    }
  }

  #takeForLink(frame: Frame): void {
    switch (frame.type) {
      case FrameType.PING:
        if (frame.payload.length > PING_PAYLOAD_MAX_BYTES) {
          throw new TrivetError("PROTOCOL_ERROR", "The payload of PING is too long");
        }
        this.#link.send(encodeFrame(FrameType.PONG, 0, frame.payload.slice())).catch(() => {});
        return;
      case FrameType.PONG:
        return;
      case FrameType.EVENT:
        this.#onEvent?.(readMessage(frame).head);
        return;
      case FrameType.ERROR:
        throw readError(frame);
      case FrameType.BYE:
        throw new TrivetError("SHUTTING_DOWN", "The server is shutting down");
      default:
        throw new TrivetError("PROTOCOL_ERROR", `The server sent a frame of type ${frame.type}`);
    }
  }

  #takeData(frame: Frame, state: CallState): void | Promise<void> {
    if (state.onData === undefined) {
      throw new TrivetError("PROTOCOL_ERROR", "The server sent DATA that nobody asked for");
    }
    if (state.ended.isSettled) {
      throw new TrivetError("PROTOCOL_ERROR", "The server sent DATA behind END");
    }
    const failed = (error: unknown) => this.#cancel(state, error);
    try {
      return state.onData(decodeData(frame.payload))?.catch(failed);
    } catch (error) {
      if (error instanceof FrameError) throw error;
      failed(error);
    }
  }

  #fail(error: TrivetError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#failed.abort(error);
    this.#heartbeat.stop();
    this.#link.close(error);
    // Those that wait go first, so that none of them is given a place meanwhile.
    for (const state of [...this.#waiting, ...this.#calls.values()]) this.#failCall(state, error);
  }
}

function asLinkError(error: unknown): TrivetError {
  if (error instanceof TrivetError) return error;
  if (error instanceof FrameError) {
    return new TrivetError("PROTOCOL_ERROR", error.message, { cause: error });
  }
  return new TrivetError("INTERNAL", "The client failed at an answer", { cause: error });
}
