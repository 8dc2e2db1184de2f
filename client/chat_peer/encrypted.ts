/**
 * Dialogues with peers over one UDP socket, encrypted: the exchange that opens each, the connections,
 * and the texts that wait for one.
 *
 * @module
 */

import {
  type KnownPeer,
  type PeerAgreement,
  PeerHandshakes,
} from "../../lib/chat/peer_handshakes.ts";
import { MESSAGE_MAX_BYTES } from "../../lib/chat/names.ts";
import type { DatagramConnection } from "../../lib/datagram/connection.ts";
import { connectionIdOf, PACKET_DATA } from "../../lib/datagram/packet.ts";
import { DatagramPump } from "../../lib/datagram/pump.ts";
import { CloseCode } from "../../lib/datagram/types.ts";
import { TrivetError } from "../../lib/errors.ts";
import { formatAddress } from "../../lib/link/address.ts";
import type { Dialogues, PeerEvent } from "./dialogues.ts";

/** Texts that wait for one contact before `send()` waits, in bytes. */
const QUEUE_MAX_BYTES: number = 64 * MESSAGE_MAX_BYTES;
/** Code of a close: a newer connection with the same peer has taken its place. */
const CLOSE_REPLACED = 16;
const STREAM = 0;
const SECRET_BYTES = 32;

const encoder = new TextEncoder();

/** Options of {@linkcode EncryptedDialogues}. */
export interface EncryptedDialoguesOptions {
  /** Address of this machine. */
  readonly host: string;
  /** UDP port; 0 for any free one. */
  readonly port: number;
  /** Everybody who is known. */
  readonly peers: readonly KnownPeer[];
  /** Told what happens. */
  readonly onEvent: (event: PeerEvent) => void;
}

/** One contact. */
interface Dialogue {
  readonly name: string;
  connection: DatagramConnection | undefined;
  /** Whether the peer has been heard on the connection. */
  isHeard: boolean;
  /** Texts that the connection has not taken. */
  readonly queue: Uint8Array<ArrayBuffer>[];
  queuedBytes: number;
  isEnding: boolean;
}

/** See the module. */
export class EncryptedDialogues implements Dialogues {
  readonly address: string;
  readonly #pump: DatagramPump;
  readonly #handshakes: PeerHandshakes;
  readonly #dialogues: ReadonlyMap<string, Dialogue>;
  readonly #onEvent: (event: PeerEvent) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #changed = Promise.withResolvers<void>();
  #isClosed = false;

  /**
   * Opens the socket and listens.
   *
   * @throws {TrivetError} `ADDRESS_IN_USE`, or `USAGE` when this machine cannot listen there.
   */
  constructor({ host, port, peers, onEvent }: EncryptedDialoguesOptions) {
    this.#onEvent = onEvent;
    this.#dialogues = new Map(peers.map(({ name }) => [name, newDialogue(name)]));
    this.#pump = new DatagramPump({
      host,
      port,
      resetSecret: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)),
      onChanged: (connection) => this.#look(connection),
      take: (datagram, from) => this.#take(datagram, from),
    });
    this.address = formatAddress({ transport: "tcp", host, port: this.#pump.port });
    this.#handshakes = new PeerHandshakes({
      peers,
      now: () => performance.now(),
      send: (datagram) => void this.#pump.send(datagram),
      onAgreed: (agreement) => this.#agree(agreement),
      onFailed: (name, error) => this.#fail(this.#of(name), error),
    });
  }

  /** Whether there is a dialogue. */
  isOpen(name: string): boolean {
    return this.#dialogues.get(name)?.isHeard === true;
  }

  /** Takes a text. */
  async send(name: string, text: string): Promise<void> {
    const dialogue = this.#of(name);
    while (dialogue.queuedBytes >= QUEUE_MAX_BYTES && !this.#isClosed) await this.#changed.promise;
    const bytes = encoder.encode(text);
    dialogue.queue.push(bytes);
    dialogue.queuedBytes += bytes.length;
    if (dialogue.connection !== undefined) return this.#flush(dialogue);
    const opened = this.#handshakes.open(name);
    this.#setTimer();
    await opened;
  }

  /** Ends a dialogue. */
  async bye(name: string): Promise<void> {
    const dialogue = this.#of(name);
    await this.#until(() => isDone(dialogue));
    const { connection } = dialogue;
    if (connection?.state !== "open") return;
    dialogue.isEnding = true;
    connection.close(CloseCode.DONE, "bye");
    this.#end(dialogue, "you said bye");
  }

  /** Waits until all has arrived. */
  async drained(): Promise<void> {
    await this.#until(() => [...this.#dialogues.values()].every(isDone));
  }

  /** Ends all dialogues and closes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#pump[Symbol.asyncDispose]();
    this.#wake();
  }

  /** @returns Whether the datagram is for no connection: of the exchange, or of somebody unknown. */
  #take(datagram: Uint8Array, from: string): boolean {
    const connectionId = connectionIdOf(datagram);
    if (connectionId === undefined) {
      const received = this.#handshakes.receive(datagram.slice(), from);
      this.#setTimer();
      void received;
      return true;
    }
    // Strangers would get a reset, and learn that somebody is here.
    return datagram[0] !== PACKET_DATA || this.#pump.get(connectionId) === undefined;
  }

  #agree({ name, role, connectionId, secrets, remote }: PeerAgreement): void {
    const dialogue = this.#of(name);
    const { connection: before } = dialogue;
    // Both began at once: both keep the connection with the smaller id.
    const isFirst = before !== undefined && before.state === "open" && !dialogue.isHeard &&
      before.connectionId < connectionId;
    if (isFirst || this.#isClosed || this.#pump.get(connectionId) !== undefined) return;
    if (role === "server") this.#handshakes.settle(name);
    dialogue.connection = this.#pump.open({ role, connectionId, secrets, remote });
    dialogue.isEnding = false;
    if (before !== undefined) {
      if (before.bufferedBytes > 0) this.#lose(name, "they have begun anew");
      before.close(CLOSE_REPLACED, "replaced");
    }
    dialogue.isHeard = role === "server";
    if (dialogue.isHeard) this.#onEvent({ event: "connected", contact: name, address: remote });
    this.#flush(dialogue);
  }

  /** Something happened to a connection. */
  #look(connection: DatagramConnection): void {
    const dialogue = [...this.#dialogues.values()].find((each) => each.connection === connection);
    if (dialogue === undefined) return;
    const { name } = dialogue;
    if (!dialogue.isHeard && connection.isConfirmed) {
      dialogue.isHeard = true;
      this.#handshakes.settle(name);
      const address = connection.remote ?? "";
      this.#onEvent({ event: "connected", contact: name, address });
    }
    for (let next = connection.read(); next !== undefined; next = connection.read()) {
      const text = new TextDecoder().decode(next.message);
      this.#onEvent({ event: "message", from: name, text });
    }
    if (connection.state === "open") this.#flush(dialogue);
    else if (!dialogue.isEnding) {
      const { end } = connection;
      const isBye = end?.by === "peer" && end.code === CloseCode.DONE;
      const reason = isBye ? "they said bye" : end?.reason ?? "the connection was lost";
      if (connection.bufferedBytes > 0) this.#lose(name, reason);
      this.#end(dialogue, reason);
    }
    this.#wake();
  }

  /** Gives the connection what it takes. */
  #flush(dialogue: Dialogue): void {
    const { connection, isHeard, queue } = dialogue;
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      // One that was not heard may still make way for another, and what it holds would be lost.
      if (connection === undefined || !isHeard || connection.writableBytes < next.length) break;
      connection.send(STREAM, next);
      queue.shift();
      dialogue.queuedBytes -= next.length;
    }
    this.#wake();
  }

  #end(dialogue: Dialogue, reason: string): void {
    dialogue.connection = undefined;
    dialogue.isHeard = false;
    this.#handshakes.settle(dialogue.name);
    this.#onEvent({ event: "ended", contact: dialogue.name, reason });
    if (dialogue.queue.length > 0) {
      this.#empty(dialogue);
      this.#lose(dialogue.name, reason);
    }
    this.#wake();
  }

  #fail(dialogue: Dialogue, error: TrivetError): void {
    const { connection } = dialogue;
    dialogue.connection = undefined;
    dialogue.isHeard = false;
    connection?.close(CLOSE_REPLACED, "not confirmed");
    this.#empty(dialogue);
    this.#onEvent({ event: "failed", contact: dialogue.name, error });
    this.#wake();
  }

  #lose(name: string, reason: string): void {
    const text = `The last texts to "${name}" may not have arrived: ${reason}`;
    const error = new TrivetError("CONNECTION_LOST", text);
    this.#onEvent({ event: "failed", contact: name, error });
  }

  #empty(dialogue: Dialogue): void {
    dialogue.queue.length = 0;
    dialogue.queuedBytes = 0;
  }

  #of(name: string): Dialogue {
    const dialogue = this.#dialogues.get(name);
    if (dialogue === undefined) throw new TypeError(`There is no contact ${JSON.stringify(name)}`);
    return dialogue;
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.#isClosed) await this.#changed.promise;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const dueMs = this.#handshakes.nextTimeout();
    if (dueMs === undefined || this.#isClosed) return;
    this.#timer = setTimeout(async () => {
      await this.#handshakes.timeout();
      this.#setTimer();
    }, Math.max(0, Math.ceil(dueMs - performance.now())));
  }
}

function newDialogue(name: string): Dialogue {
  const state = { connection: undefined, isHeard: false, isEnding: false };
  return { name, queue: [], queuedBytes: 0, ...state };
}

/** Whether nothing is on its way. */
function isDone({ connection, queue }: Dialogue): boolean {
  return queue.length === 0 && (connection === undefined || connection.bufferedBytes === 0);
}
