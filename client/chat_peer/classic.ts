/**
 * Dialogues in the tutorials' plain datagrams: each is a text in UTF-8, and `bye` ends a dialogue.
 * Nobody is proven, nothing is encrypted, and what is lost is lost.
 *
 * @module
 */

import { MESSAGE_MAX_BYTES } from "../../lib/chat/names.ts";
import { formatRemote } from "../../lib/datagram/pump.ts";
import { TrivetError } from "../../lib/errors.ts";
import { formatAddress } from "../../lib/link/address.ts";
import type { Dialogues, PeerEvent } from "./dialogues.ts";

/** What ends a dialogue. */
const BYE = "bye";
/** Strangers that are told of, each once. */
const STRANGERS_MAX = 16;
/** First and longest pause after receiving failed. */
const PAUSE_MIN_MS = 5;
const PAUSE_MAX_MS = 1000;

/** Options of {@linkcode ClassicDialogues}. */
export interface ClassicDialoguesOptions {
  /** Address of this machine. */
  readonly host: string;
  /** UDP port; 0 for any free one. */
  readonly port: number;
  /** Everybody who is known, each with at least one address. */
  readonly peers: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  /** Told what happens. */
  readonly onEvent: (event: PeerEvent) => void;
}

/** See the module. */
export class ClassicDialogues implements Dialogues {
  readonly address: string;
  readonly #options: ClassicDialoguesOptions;
  readonly #socket: Deno.DatagramConn;
  readonly #open = new Set<string>();
  readonly #strangers = new Set<string>();
  readonly #receiving: Promise<void>;
  #isClosed = false;

  /**
   * Opens the socket and listens.
   *
   * @throws {TrivetError} `ADDRESS_IN_USE`, or `USAGE` when this machine cannot listen there.
   */
  constructor(options: ClassicDialoguesOptions) {
    this.#options = options;
    const { host, port } = options;
    this.#socket = listen(host, port);
    const { addr } = this.#socket;
    const bound = addr.transport === "udp" ? addr.port : port;
    this.address = formatAddress({ transport: "tcp", host, port: bound });
    this.#receiving = this.#receive();
  }

  /** Whether something was said since the last `bye`. */
  isOpen(name: string): boolean {
    return this.#open.has(name);
  }

  /** Sends a text as one datagram. */
  async send(name: string, text: string): Promise<void> {
    const peer = this.#options.peers.find((each) => each.name === name);
    const [address] = peer?.addresses ?? [];
    if (address === undefined) throw new TypeError(`No contact ${JSON.stringify(name)}`);
    const colon = address.lastIndexOf(":");
    const to = { hostname: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
    try {
      await this.#socket.send(new TextEncoder().encode(text), { transport: "udp", ...to });
      this.#open.add(name);
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
      const message = `Cannot send to "${name}" at "${address}": ${cause.message}`;
      const error = new TrivetError("PEER_UNREACHABLE", message, { cause });
      this.#options.onEvent({ event: "failed", contact: name, error });
    }
  }

  /** Says `bye`. */
  async bye(name: string): Promise<void> {
    await this.send(name, BYE);
    this.#open.delete(name);
    this.#options.onEvent({ event: "ended", contact: name, reason: "you said bye" });
  }

  /** Nobody tells what arrived. */
  drained(): Promise<void> {
    return Promise.resolve();
  }

  /** Closes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#socket.close();
    }
    await this.#receiving;
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(MESSAGE_MAX_BYTES + 1);
    let pauseMs = PAUSE_MIN_MS;
    while (!this.#isClosed) {
      try {
        const [datagram, from] = await this.#socket.receive(buffer);
        pauseMs = PAUSE_MIN_MS;
        if (from.transport === "udp" && datagram.length <= MESSAGE_MAX_BYTES) {
          this.#take(new TextDecoder().decode(datagram), formatRemote(from));
        }
      } catch (error) {
        if (this.#isClosed) return;
        // Windows tells the next call that nobody was there for an earlier datagram.
        if (error instanceof Deno.errors.ConnectionReset) continue;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
      }
    }
  }

  #take(text: string, from: string): void {
    const { peers, onEvent } = this.#options;
    const peer = peers.find(({ addresses }) => addresses.includes(from));
    if (peer === undefined) {
      if (this.#strangers.has(from) || this.#strangers.size >= STRANGERS_MAX) return;
      this.#strangers.add(from);
      return onEvent({ event: "ignored", address: from });
    }
    const { name } = peer;
    if (!this.#open.has(name)) onEvent({ event: "connected", contact: name, address: from });
    this.#open.add(name);
    // Programs that read lines send the line feed, too.
    const said = text.replace(/\r?\n$/, "");
    onEvent({ event: "message", from: name, text: said });
    if (said.trim() !== BYE) return;
    this.#open.delete(name);
    onEvent({ event: "ended", contact: name, reason: "they said bye" });
  }
}

function listen(hostname: string, port: number): Deno.DatagramConn {
  try {
    return Deno.listenDatagram({ transport: "udp", hostname, port });
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof Deno.errors.NotCapable) throw cause;
    const isInUse = cause instanceof Deno.errors.AddrInUse;
    const reason = isInUse ? "it is in use" : cause.message;
    const text = `Cannot listen on UDP "${hostname}:${port}": ${reason}`;
    throw new TrivetError(isInUse ? "ADDRESS_IN_USE" : "USAGE", text, { cause });
  }
}
