/**
 * The server's end of a link: requests run side by side up to a limit, each under its own signal;
 * DATA goes to the request that asked for it, and holds the link back while that one is busy.
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
import { FairTurns } from "../turn.ts";
import { Heartbeat } from "./heartbeat.ts";
import {
  checkHead,
  type Message,
  PING_PAYLOAD_MAX_BYTES,
  readMessage,
  Request,
  REQUESTS_IN_FLIGHT_MAX,
  toWireError,
} from "./messages.ts";

/** A handler's answer: head and body of RESPONSE. */
export interface Reply {
  readonly head: unknown;
  readonly body?: Uint8Array;
  /** Called when nobody looks at the body any more. */
  readonly release?: () => void;
}

/** Answers one request; a call that answered by itself returns nothing. */
export type CallHandler = (call: ServerCall) => Promise<Reply | void>;

/** Options of {@linkcode serveCalls}. */
export interface ServeCallsOptions {
  /** Requests that may be in flight; one more is answered with `SERVER_BUSY`. */
  readonly requestsInFlightMax?: number;
  /** When an idle link is pinged and given up. */
  readonly keepalive?: KeepaliveOptions;
  /** Once aborted, new requests are refused and the link closes when the last one is answered. */
  readonly shutdown?: AbortSignal;
  /** Told of failures that are ours: a handler threw something that is no `TrivetError`. */
  readonly onDefect?: (error: unknown, method: string) => void;
}

/** One request as its handler sees it. */
export class ServerCall {
  /** Number of the request. */
  readonly id: number;
  /** What is asked. */
  readonly method: string;
  /** Its arguments, unchecked. */
  readonly params: unknown;
  /** The raw bytes behind the head. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Aborted by CANCEL and when the link is lost. */
  readonly signal: AbortSignal;
  readonly #link: Link;
  readonly #state: CallState;
  readonly #turns: FairTurns;

  constructor(link: Link, { id, request, body, state, turns }: TakenRequest) {
    this.#link = link;
    this.#state = state;
    this.#turns = turns;
    this.id = id;
    this.method = request.method;
    this.params = request.params;
    this.body = body;
    this.signal = state.abort.signal;
  }

  /** Whether other connections are in use, which must not wait for what a handler does. */
  get isCrowded(): boolean {
    return this.#turns.isCrowded;
  }

  /** Sends RESPONSE before the handler is done, in front of DATA. */
  async respond(head: unknown, body?: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    const frame = encodeControl(FrameType.RESPONSE, this.id, head, body);
    await this.#link.send(frame);
    giveBackMemory(frame);
  }

  /** Sends a sealed DATA frame of this call. */
  async send(frame: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    // Before it is sent: the caller's buffer is its own again afterwards.
    const turn = this.#turns.pass(frame.length);
    await this.#link.send(frame);
    if (turn !== undefined) await turn;
  }

  /** Ends the DATA of this call. */
  async end(head: unknown, body?: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    await this.#link.send(encodeControl(FrameType.END, this.id, head, body));
  }

  /**
   * Takes the DATA that follows the request.
   *
   * @returns The END behind it.
   */
  receive(onData: DataHandler): Promise<Message> {
    this.#state.onData = onData;
    this.#state.sinkReady.resolve();
    return this.#state.ended.promise;
  }
}

/** What a {@linkcode ServerCall} is made of. */
interface TakenRequest {
  readonly id: number;
  readonly request: Request;
  readonly body: Message["body"];
  readonly state: CallState;
  readonly turns: FairTurns;
}

interface CallState {
  readonly method: string;
  readonly abort: AbortController;
  readonly ended: Pending;
  readonly sinkReady: PromiseWithResolvers<void>;
  onData: DataHandler | null;
}

/**
 * Serves one authenticated link until it ends.
 *
 * @param link The link; it is closed when this returns.
 * @param handle Answers each request.
 * @param options Limits and the shutdown signal.
 * @returns When the link is closed and every handler has returned.
 */
export async function serveCalls(
  link: Link,
  handle: CallHandler,
  options: ServeCallsOptions = {},
): Promise<void> {
  await new CallServer(link, handle, options).run();
}

class CallServer {
  readonly #link: Link;
  readonly #handle: CallHandler;
  readonly #options: ServeCallsOptions;
  /** Calls that the client waits for. */
  readonly #calls = new Map<number, CallState>();
  /** Handlers, also those of cancelled calls. */
  readonly #running = new Set<Promise<void>>();
  readonly #heartbeat: Heartbeat;
  readonly #turns = new FairTurns();
  readonly #requestsInFlightMax: number;

  constructor(link: Link, handle: CallHandler, options: ServeCallsOptions) {
    this.#link = link;
    this.#handle = handle;
    this.#options = options;
    this.#heartbeat = new Heartbeat(link, {
      keepalive: options.keepalive,
      onSilent: () => {
        const text = "The client has been silent for too long";
        link.close(new TrivetError("CONNECTION_LOST", text));
      },
    });
    this.#requestsInFlightMax = options.requestsInFlightMax ?? REQUESTS_IN_FLIGHT_MAX;
  }

  async run(): Promise<void> {
    const { shutdown } = this.#options;
    const onShutdown = () => this.#closeWhenIdle();
    shutdown?.addEventListener("abort", onShutdown);
    this.#heartbeat.start();
    if (shutdown?.aborted) this.#closeWhenIdle();
    let reason = new TrivetError("CONNECTION_LOST", "The client closed the connection");
    try {
      // A pump that waits for a sink does not see that the link is closed.
      const closed = await Promise.race([this.#pump(), this.#link.closed]);
      if (closed !== undefined) reason = closed;
    } catch (error) {
      reason = toWireError(error instanceof FrameError ? protocolError(error) : error);
    }
    shutdown?.removeEventListener("abort", onShutdown);
    this.#heartbeat.stop();
    for (const [id, state] of this.#calls) this.#abort(id, state, reason);
    if (reason.code === "PROTOCOL_ERROR") {
      await this.#link.closeAfter(encodeError(0, reason), reason);
    }
    this.#link.close(reason);
    await Promise.all(this.#running);
  }

  async #pump(): Promise<void> {
    for (;;) {
      const frame = await this.#link.receive();
      if (frame === null || frame.type === FrameType.BYE) return;
      // Before it is taken: what is behind the payload may be overwritten by then.
      const { length } = frame.payload;
      const pending = this.#take(frame);
      if (pending !== undefined) await this.#heartbeat.hold(pending);
      const turn = this.#turns.pass(length);
      if (turn !== undefined) await turn;
    }
  }

  #take(frame: Frame): void | Promise<void> {
    switch (frame.type) {
      case FrameType.REQUEST:
        return this.#takeRequest(frame);
      case FrameType.DATA:
        return this.#takeData(frame);
      case FrameType.END:
        this.#calls.get(frame.id)?.ended.resolve(readMessage(frame));
        return;
      case FrameType.CANCEL: {
        const state = this.#calls.get(frame.id);
        if (state !== undefined) {
          const text = "The client cancelled the request";
          this.#abort(frame.id, state, new TrivetError("INTERRUPTED", text));
        }
        return;
      }
      case FrameType.PING:
        if (frame.payload.length > PING_PAYLOAD_MAX_BYTES) {
          throw new TrivetError("PROTOCOL_ERROR", "The payload of PING is too long");
        }
        this.#link.send(encodeFrame(FrameType.PONG, 0, frame.payload.slice())).catch(() => {});
        return;
      case FrameType.PONG:
        return;
      default:
        throw new TrivetError(
          "PROTOCOL_ERROR",
          `A frame of type ${frame.type} is not expected here`,
        );
    }
  }

  #takeRequest(frame: Frame): void {
    const { head, body } = readMessage(frame);
    const request = checkHead(Request, head, "REQUEST");
    const { id } = frame;
    if (id === 0 || this.#calls.has(id)) {
      throw new TrivetError("PROTOCOL_ERROR", `The request number ${id} is taken`);
    }
    if (this.#options.shutdown?.aborted) {
      this.#sayError(id, new TrivetError("SHUTTING_DOWN", "The server is shutting down"));
      return;
    }
    // Handlers of cancelled calls may take their time: an honest client's next request is welcome.
    const isFull = this.#calls.size >= this.#requestsInFlightMax ||
      this.#running.size >= 2 * this.#requestsInFlightMax;
    if (isFull) {
      const text = `More than ${this.#requestsInFlightMax} requests are in flight`;
      this.#sayError(id, new TrivetError("SERVER_BUSY", text));
      return;
    }
    const state: CallState = {
      method: request.method,
      abort: new AbortController(),
      ended: new Pending(),
      sinkReady: Promise.withResolvers<void>(),
      onData: null,
    };
    this.#calls.set(id, state);
    const running = this.#serve(
      new ServerCall(this.#link, { id, request, body, state, turns: this.#turns }),
      state,
    );
    this.#running.add(running);
    running.finally(() => {
      this.#running.delete(running);
      if (this.#options.shutdown?.aborted) this.#closeWhenIdle();
    });
  }

  /** Runs the handler; never rejects. */
  async #serve(call: ServerCall, state: CallState): Promise<void> {
    try {
      const reply = await this.#handle(call);
      // Before the answer leaves: the client may send its next request as soon as it reads it.
      this.#forget(call.id, state);
      if (reply === undefined) return;
      const sent = call.signal.aborted ? undefined : call.respond(reply.head, reply.body);
      // The frame has a copy of the body.
      reply.release?.();
      await sent;
    } catch (error) {
      this.#forget(call.id, state);
      if (!(error instanceof TrivetError)) this.#tellDefect(error, call.method);
      if (!call.signal.aborted) await this.#sayError(call.id, toWireError(error));
    }
  }

  #forget(id: number, state: CallState): void {
    state.sinkReady.resolve();
    if (this.#calls.get(id) === state) this.#calls.delete(id);
  }

  /** A log that fails must not end the link, let alone the server. */
  #tellDefect(error: unknown, method: string): void {
    try {
      this.#options.onDefect?.(error, method);
    } catch {
      // There is nobody else to tell.
    }
  }

  #takeData(frame: Frame): void | Promise<void> {
    const state = this.#calls.get(frame.id);
    // DATA on its way to a call that has failed: the client learns of it when it reads.
    if (state === undefined) return;
    return state.onData === null ? this.#waitForSink(frame, state) : this.#giveData(frame, state);
  }

  /** The link waits too, and so does the frame's payload. */
  async #waitForSink(frame: Frame, state: CallState): Promise<void> {
    await state.sinkReady.promise;
    if (state.onData !== null) await this.#giveData(frame, state);
  }

  #giveData(frame: Frame, state: CallState): void | Promise<void> {
    if (state.ended.isSettled) return;
    const failed = (error: unknown) => state.ended.reject(error);
    try {
      return state.onData?.(decodeData(frame.payload))?.catch(failed);
    } catch (error) {
      if (error instanceof FrameError) throw error;
      failed(error);
    }
  }

  #abort(id: number, state: CallState, reason: TrivetError): void {
    this.#forget(id, state);
    state.ended.reject(reason);
    state.abort.abort(reason);
  }

  /** Never rejects: an error that cannot be told loses the link, and the link tells that itself. */
  async #sayError(id: number, error: TrivetError): Promise<void> {
    await this.#link.send(encodeError(id, error)).catch(() => {});
  }

  #closeWhenIdle(): void {
    if (this.#running.size > 0 || this.#link.isClosed) return;
    const reason = new TrivetError("SHUTTING_DOWN", "The server is shutting down");
    this.#link.closeAfter(encodeControl(FrameType.BYE, 0, {}), reason);
  }
}

/** An error whose text or details do not fit a frame is told without them. */
function encodeError(id: number, error: TrivetError): Uint8Array {
  try {
    return encodeControl(FrameType.ERROR, id, error.toMessage());
  } catch {
    const short = new TrivetError(error.code, "The server failed with an error that is too long");
    return encodeControl(FrameType.ERROR, id, short.toMessage());
  }
}

function protocolError(cause: FrameError): TrivetError {
  return new TrivetError("PROTOCOL_ERROR", cause.message, { cause });
}
