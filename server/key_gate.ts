/**
 * The gate that machine keys open, before the login: runs the exchange on a connection, and says
 * whether a connection may go on without one.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { AuthResponse } from "../lib/auth/exchange.ts";
import type { MachineKeyHello } from "../lib/auth/machine_key_messages.ts";
import type { MachineKeyLink } from "../lib/auth/machine_key_schedule.ts";
import { type FoundKey, MachineKeyServer } from "../lib/auth/machine_key_server.ts";
import { MACHINE_KEY_ID_BYTES } from "../lib/auth/machine_key.ts";
import { TrivetError } from "../lib/errors.ts";
import type { KeySeal } from "./key_seal.ts";
import type { KeyCatalog } from "./store/catalog_keys.ts";

/** Bytes of an authentication key. */
const AUTH_KEY_BYTES = 32;

/** What {@linkcode KeyGate} works with. */
export interface KeyGateOptions {
  readonly catalog: Pick<KeyCatalog, "findKey" | "noteKeyUse">;
  readonly seal: KeySeal;
  /** Whether nobody may log in without a key. */
  readonly isRequired: boolean;
  /** A clock that does not jump, in milliseconds. */
  readonly now: () => number;
}

/** The connection that the exchange runs on. */
export interface KeyGuest extends MachineKeyLink {
  /** Sends a step. */
  readonly answer: (response: AuthResponse) => Promise<void>;
  /** Waits for the client's proof. */
  readonly receiveProof: () => Promise<string>;
}

/** What is opened in place of a key that is not there, so that both cost the same. */
interface Decoy {
  readonly id: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

const log = getLogger(["trivet", "keys"]);

/** See the module. */
export class KeyGate {
  /** Whether nobody may log in without a key. */
  readonly isRequired: boolean;
  readonly #options: KeyGateOptions;
  readonly #decoy: Decoy;

  private constructor(options: KeyGateOptions, decoy: Decoy) {
    this.#options = options;
    this.#decoy = decoy;
    this.isRequired = options.isRequired;
  }

  /** Makes a gate. */
  static async open(options: KeyGateOptions): Promise<KeyGate> {
    const id = crypto.getRandomValues(new Uint8Array(MACHINE_KEY_ID_BYTES)).toHex();
    const nobodys = crypto.getRandomValues(new Uint8Array(AUTH_KEY_BYTES));
    return new KeyGate(options, { id, sealed: await options.seal.seal(id, nobodys) });
  }

  /**
   * Runs the exchange.
   *
   * @param guest The connection.
   * @param hello The client's first message.
   * @throws {TrivetError} `KEY_INVALID`, also when the client ends the exchange, which is what it does
   * when the server's proof is not that of its key; `PROTOCOL_ERROR`, `VERSION_MISMATCH`, `TIMEOUT`.
   */
  async admit(guest: KeyGuest, hello: MachineKeyHello): Promise<void> {
    const { service, mechanisms, channelBinding } = guest;
    const exchange = new MachineKeyServer({
      ...{ service, mechanisms, channelBinding, now: this.#options.now },
      lookup: (id) => this.#find(id, service),
    });
    await guest.answer({ step: "machine-key-challenge", ...await exchange.challenge(hello) });
    exchange.accept(await proofOf(guest));
    await this.#noteUse(hello.keyId);
    await guest.answer({ step: "machine-key-accepted" });
  }

  async #find(id: string, service: string): Promise<FoundKey> {
    const stored = await this.#options.catalog.findKey(id, service);
    const isDecoy = stored === null;
    const { seal } = this.#options;
    const authKey = isDecoy
      ? await seal.open(this.#decoy.id, this.#decoy.sealed)
      : await seal.open(id, stored);
    if (authKey !== null) return { authKey, isDecoy };
    log.error("Cannot open machine key {id}: it was sealed with another file; add a new one", {
      id,
    });
    return { authKey: crypto.getRandomValues(new Uint8Array(AUTH_KEY_BYTES)), isDecoy: true };
  }

  /** A courtesy: nobody is refused because another program writes or the disk is full. */
  async #noteUse(id: string): Promise<void> {
    try {
      await this.#options.catalog.noteKeyUse(id);
    } catch (error) {
      if (!(error instanceof TrivetError) || error.code === "INTERNAL") throw error;
    }
  }
}

/** Whether the client goes away for a key that is known or for one that is not looks the same. */
async function proofOf(guest: KeyGuest): Promise<string> {
  try {
    return await guest.receiveProof();
  } catch (error) {
    if (!(error instanceof TrivetError) || error.code !== "CONNECTION_LOST") throw error;
    throw new TrivetError("KEY_INVALID", "The client ended the key exchange", { cause: error });
  }
}
