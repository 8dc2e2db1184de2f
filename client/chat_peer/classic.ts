/**
 * Dialogues in the tutorials' plain datagrams: each is a text in UTF-8, and `bye` ends a dialogue.
 * Nobody is proven, nothing is encrypted, and what is lost is lost.
 *
 * @module
 */

import { MESSAGE_MAX_BYTES } from "../../lib/chat/names.ts";
import { DatagramSocket } from "../../lib/datagram/socket.ts";
import { TrivetError } from "../../lib/errors.ts";
import { formatAddress } from "../../lib/link/address.ts";
import type { Dialogues, PeerEvent } from "./dialogues.ts";

/** What ends a dialogue. */
const BYE = "bye";
/** Strangers that are told of, each once. */
const STRANGERS_MAX = 16;

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
  readonly #socket: DatagramSocket;
  readonly #open = new Set<string>();
  readonly #strangers = new Set<string>();

  /**
   * Opens the socket and listens.
   *
   * @throws {TrivetError} `ADDRESS_IN_USE`, or `USAGE` when this machine cannot listen there.
   */
  constructor(options: ClassicDialoguesOptions) {
    this.#options = options;
    const { host, port } = options;
    this.#socket = new DatagramSocket(host, port);
    this.address = formatAddress({ transport: "tcp", host, port: this.#socket.port });
    this.#socket.start(MESSAGE_MAX_BYTES + 1, (datagram, from) => {
      if (datagram.length <= MESSAGE_MAX_BYTES) {
        this.#take(new TextDecoder().decode(datagram), from);
      }
    });
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
    try {
      await this.#socket.send(new TextEncoder().encode(text), address);
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
  [Symbol.asyncDispose](): Promise<void> {
    return this.#socket[Symbol.asyncDispose]();
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
