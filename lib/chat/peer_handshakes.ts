/**
 * Opens and answers connections between peers that have no server: the exchange `machine-key-1` in
 * datagrams, repeated until it is done or its time is over. Opens no socket; whoever owns one hands
 * datagrams in, sends what it is given, and calls `timeout()` when `nextTimeout()` says so.
 *
 * Who does not name a known key gets no answer. What a stranger who knows the name of a key can cause
 * is bounded: {@linkcode ANSWERS_PER_SECOND_MAX} answers, {@linkcode ANSWERING_MAX} exchanges that wait,
 * and no answer is longer than what it answers.
 *
 * @module
 */

import { deriveAuthKey, MACHINE_KEY_MECHANISM, type MachineKey } from "../auth/machine_key.ts";
import { MachineKeyClient } from "../auth/machine_key_client.ts";
import { MACHINE_KEY_TIMEOUT_MS, type SessionKeys } from "../auth/machine_key_schedule.ts";
import { MachineKeyServer } from "../auth/machine_key_server.ts";
import type { DatagramSecrets, OutgoingDatagram } from "../datagram/types.ts";
import { TrivetError } from "../errors.ts";
import {
  connectionIdFor,
  encodePeerChallenge,
  encodePeerHello,
  encodePeerProof,
  type PeerChallenge,
  type PeerHello,
  type PeerProof,
  readPeerPacket,
} from "./peer_packets.ts";

/** The service that both sides prove: an exchange for a server is of no use here. */
export const PEER_SERVICE = "chat-peer-1";
/** Most exchanges that others began and that wait for their proof. */
export const ANSWERING_MAX = 64;
/** Most of them from one host. */
export const ANSWERING_OF_HOST_MAX = 8;
/** Most exchanges a second that are answered. */
export const ANSWERS_PER_SECOND_MAX = 50;
/** How long one exchange may take. */
export const PEER_TRY_MS: number = MACHINE_KEY_TIMEOUT_MS;

/** When both begin at once, the one with the smaller id goes on; after this time the other may, too. */
const BOTH_OPEN_MS = 3000;
const RESEND_MIN_MS = 500;
const RESEND_MAX_MS = 2000;

/** Somebody known. */
export interface KnownPeer {
  /** What this side calls them. */
  readonly name: string;
  /** The key that both sides have. */
  readonly key: MachineKey;
  /** Where they listen, as `formatRemote()` writes it; empty where only they can begin. */
  readonly addresses: readonly string[];
}

/** Two peers have proven themselves. */
export interface PeerAgreement {
  /** Who it is. */
  readonly name: string;
  /** `client` for who began; the server has seen the other's proof already. */
  readonly role: "client" | "server";
  /** 16 hex digits. */
  readonly connectionId: string;
  /** The secrets of the connection. */
  readonly secrets: DatagramSecrets;
  /** Where they are. */
  readonly remote: string;
}

/** Options of {@linkcode PeerHandshakes}. */
export interface PeerHandshakesOptions {
  /** Everybody who is known; names are unique. */
  readonly peers: readonly KnownPeer[];
  /** A clock that does not jump, in milliseconds. */
  readonly now: () => number;
  /** Sends a datagram. */
  readonly send: (datagram: OutgoingDatagram) => void;
  /** Told of each agreement. */
  readonly onAgreed: (agreement: PeerAgreement) => void;
  /** Told when an exchange that this side began came to nothing. */
  readonly onFailed: (name: string, error: TrivetError) => void;
}

/** An exchange that this side began. */
interface Opening {
  readonly peer: KnownPeer;
  readonly startedMs: number;
  tries: number;
  dueMs: number;
  exchange: MachineKeyClient | undefined;
  connectionId: string;
  hello: Uint8Array<ArrayBuffer> | undefined;
  /** The last datagram of the exchange, repeated until the other side was heard. */
  proof: OutgoingDatagram | undefined;
  wasRefused: boolean;
}

/** An exchange that somebody else began. */
interface Answering {
  readonly peer: KnownPeer;
  readonly from: string;
  readonly endMs: number;
  readonly exchange: MachineKeyServer;
  challenge: Uint8Array<ArrayBuffer> | undefined;
}

/** See the module. */
export class PeerHandshakes {
  readonly #options: PeerHandshakesOptions;
  readonly #opening = new Map<string, Opening>();
  readonly #answering = new Map<string, Answering>();
  #second = -Infinity;
  #answered = 0;

  /** Knows the peers, and has nothing to do. */
  constructor(options: PeerHandshakesOptions) {
    this.#options = options;
  }

  /** How many exchanges of others wait. */
  get answering(): number {
    return this.#answering.size;
  }

  /**
   * Begins an exchange, unless one is under way.
   *
   * @param name One of the peers.
   */
  async open(name: string): Promise<void> {
    const peer = this.#options.peers.find((each) => each.name === name);
    if (peer === undefined || this.#opening.has(name)) return;
    if (peer.addresses.length === 0) {
      const text = `Cannot reach "${name}": no address is known, so only they can begin`;
      return this.#options.onFailed(name, new TrivetError("PEER_UNREACHABLE", text));
    }
    const now = this.#options.now();
    const opening: Opening = {
      ...{ peer, startedMs: now, tries: 0, dueMs: now + RESEND_MIN_MS, connectionId: "" },
      ...{ exchange: undefined, hello: undefined, proof: undefined, wasRefused: false },
    };
    this.#opening.set(name, opening);
    await this.#greet(opening);
  }

  /** Ends what {@linkcode PeerHandshakes.open} began: the other side was heard, or is not wanted. */
  settle(name: string): void {
    this.#opening.delete(name);
  }

  /**
   * Takes a datagram. Whatever it is, it does no more than the module says.
   *
   * @param datagram The bytes; may be used again after the call.
   * @param from Where they come from.
   */
  async receive(datagram: Uint8Array, from: string): Promise<void> {
    const packet = readPeerPacket(datagram);
    if (packet?.kind === "hello") await this.#answer(packet, from);
    else if (packet?.kind === "challenge") await this.#prove(packet, from);
    else if (packet?.kind === "proof") this.#accept(packet, from);
  }

  /** When to call {@linkcode PeerHandshakes.timeout}; `undefined` when nothing is awaited. */
  nextTimeout(): number | undefined {
    const due = [...this.#opening.values()].map(({ dueMs, startedMs }) =>
      Math.min(dueMs, startedMs + PEER_TRY_MS)
    );
    for (const { endMs } of this.#answering.values()) due.push(endMs);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Does what is due. */
  async timeout(): Promise<void> {
    const now = this.#options.now();
    for (const [id, { endMs }] of this.#answering) if (endMs <= now) this.#answering.delete(id);
    for (const opening of [...this.#opening.values()]) {
      if (opening.startedMs + PEER_TRY_MS <= now) this.#fail(opening);
      else if (opening.dueMs <= now) {
        opening.tries += 1;
        opening.dueMs = now + Math.min(RESEND_MIN_MS * 2 ** opening.tries, RESEND_MAX_MS);
        await this.#greet(opening);
      }
    }
  }

  /** Sends what the exchange has come to. */
  async #greet(opening: Opening): Promise<void> {
    const { peer, proof } = opening;
    if (proof !== undefined) return this.#options.send(proof);
    if (opening.hello === undefined) {
      const exchange = new MachineKeyClient({
        key: peer.key,
        service: PEER_SERVICE,
        mechanisms: [MACHINE_KEY_MECHANISM],
      });
      const first = await exchange.first();
      if (opening.hello !== undefined || this.#opening.get(peer.name) !== opening) return;
      const nonce = Uint8Array.fromBase64(first.nonce);
      opening.exchange = exchange;
      opening.connectionId = connectionIdFor(nonce);
      const ephemeral = Uint8Array.fromBase64(first.ephemeral);
      opening.hello = encodePeerHello({ nonce, ephemeral, keyId: peer.key.id });
    }
    // A name may have several addresses: one after the other.
    const to = peer.addresses[opening.tries % peer.addresses.length] ?? "";
    this.#options.send({ to, bytes: opening.hello });
  }

  #fail({ peer, wasRefused }: Opening): void {
    this.#opening.delete(peer.name);
    const where = peer.addresses.map((address) => `"${address}"`).join(", ");
    const reason = wasRefused
      ? "who answered there did not prove to have the key"
      : `nobody who has the key answered for ${PEER_TRY_MS} ms`;
    const text = `Cannot reach "${peer.name}" at ${where} over UDP: ${reason}`;
    this.#options.onFailed(peer.name, new TrivetError("PEER_UNREACHABLE", text));
  }

  async #answer(hello: PeerHello, from: string): Promise<void> {
    const { now, send } = this.#options;
    const id = connectionIdFor(hello.nonce);
    const waiting = this.#answering.get(id);
    if (waiting !== undefined) {
      if (waiting.from === from && waiting.challenge !== undefined) {
        send({ to: from, bytes: waiting.challenge });
      }
      return;
    }
    const peer = this.#whoHas(hello.keyId, from);
    if (peer === undefined || this.#isOwn(id) || this.#waitsForOurs(peer.name, id)) return;
    if (!this.#mayAnswer(from)) return;
    const exchange = new MachineKeyServer({
      service: PEER_SERVICE,
      mechanisms: [MACHINE_KEY_MECHANISM],
      lookup: async () => ({ authKey: await deriveAuthKey(peer.key), isDecoy: false }),
      now,
    });
    const endMs = now() + PEER_TRY_MS;
    // In the table before anything is computed: that is what bounds the work, too.
    const entry: Answering = { peer, from, endMs, exchange, challenge: undefined };
    this.#answering.set(id, entry);
    const said = await orUndefined(exchange.challenge({
      mechanism: MACHINE_KEY_MECHANISM,
      keyId: hello.keyId,
      nonce: hello.nonce.toBase64(),
      ephemeral: hello.ephemeral.toBase64(),
    }));
    if (said === undefined) return void this.#answering.delete(id);
    const [nonce, ephemeral, proof] = [said.nonce, said.ephemeral, said.proof].map(decode);
    if (nonce === undefined || ephemeral === undefined || proof === undefined) return;
    entry.challenge = encodePeerChallenge({ connectionId: id, nonce, ephemeral, proof });
    send({ to: from, bytes: entry.challenge });
  }

  async #prove(challenge: PeerChallenge, from: string): Promise<void> {
    const { connectionId } = challenge;
    const opening = this.#openingOf(connectionId);
    const exchange = opening?.exchange;
    if (opening === undefined || exchange === undefined || opening.proof !== undefined) return;
    if (!opening.peer.addresses.includes(from)) return;
    // Taken out: a second challenge meanwhile is a copy.
    opening.exchange = undefined;
    const proof = await orUndefined(exchange.prove({
      nonce: challenge.nonce.toBase64(),
      ephemeral: challenge.ephemeral.toBase64(),
      proof: challenge.proof.toBase64(),
    }));
    const { name } = opening.peer;
    if (this.#opening.get(name) !== opening) return;
    const keys = exchange.sessionKeys;
    if (proof === undefined || keys === undefined) {
      // Perhaps forged: the next try begins a fresh exchange, which the true peer can answer.
      opening.hello = undefined;
      opening.connectionId = "";
      opening.wasRefused = true;
      return;
    }
    const bytes = encodePeerProof({ connectionId, proof: decode(proof) });
    opening.proof = { to: from, bytes };
    this.#options.send(opening.proof);
    const secrets = secretsOf(keys);
    this.#options.onAgreed({ name, role: "client", connectionId, secrets, remote: from });
  }

  #accept({ connectionId, proof }: PeerProof, from: string): void {
    const entry = this.#answering.get(connectionId);
    if (entry?.challenge === undefined || entry.from !== from) return;
    this.#answering.delete(connectionId);
    try {
      entry.exchange.accept(proof.toBase64());
    } catch (error) {
      if (error instanceof TrivetError) return;
      throw error;
    }
    const keys = entry.exchange.sessionKeys;
    if (keys === undefined) return;
    const { name } = entry.peer;
    // An exchange of our own that has not come as far is not needed any more.
    if (this.#opening.get(name)?.proof === undefined) this.#opening.delete(name);
    const secrets = secretsOf(keys);
    this.#options.onAgreed({ name, role: "server", connectionId, secrets, remote: from });
  }

  /** Who it is: by the key, and where several have the same one, by the address too. */
  #whoHas(keyId: string, from: string): KnownPeer | undefined {
    const having = this.#options.peers.filter(({ key }) => key.id === keyId);
    if (having.length <= 1) return having[0];
    return having.find(({ addresses }) => addresses.includes(from));
  }

  #openingOf(connectionId: string): Opening | undefined {
    return [...this.#opening.values()].find((each) => each.connectionId === connectionId);
  }

  /** Whether it is our own HELLO, sent back: to answer it would prove us to ourselves as the peer. */
  #isOwn(connectionId: string): boolean {
    return this.#openingOf(connectionId) !== undefined;
  }

  /** Whether both began at once, and the peer is to answer ours, which has the smaller id. */
  #waitsForOurs(name: string, connectionId: string): boolean {
    const opening = this.#opening.get(name);
    if (opening === undefined || opening.connectionId === "") return false;
    const isFresh = this.#options.now() - opening.startedMs < BOTH_OPEN_MS;
    return isFresh && opening.connectionId < connectionId;
  }

  #mayAnswer(from: string): boolean {
    const second = Math.floor(this.#options.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#answered = 0;
    }
    if (this.#answered >= ANSWERS_PER_SECOND_MAX || this.#answering.size >= ANSWERING_MAX) {
      return false;
    }
    const host = hostOf(from);
    const ofHost = [...this.#answering.values()].filter((each) => hostOf(each.from) === host);
    if (ofHost.length >= ANSWERING_OF_HOST_MAX) return false;
    this.#answered += 1;
    return true;
  }
}

/** What work yields; nothing where the peer broke a rule of the exchange. */
async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TrivetError) return undefined;
    throw error;
  }
}

function secretsOf({ send, receive }: SessionKeys): DatagramSecrets {
  return { send, receive };
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(base64);
}

function hostOf(remote: string): string {
  return remote.slice(0, remote.lastIndexOf(":"));
}
