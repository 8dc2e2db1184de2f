/**
 * The client's side of the exchange `machine-key-1`, sans-IO. It proves nothing to a server that has
 * not proven first that it holds the same key, for this very link.
 *
 * @module
 */

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { TrivetError } from "../errors.ts";
import { deriveAuthKey, MACHINE_KEY_MECHANISM, type MachineKey } from "./machine_key.ts";
import {
  type MachineKeyChallenge,
  type MachineKeyHello,
  readField,
  readShare,
} from "./machine_key_messages.ts";
import {
  agree,
  deriveMachineKeys,
  type FixedShare,
  type MachineKeyLink,
  newShare,
  type OwnShare,
  proveClient,
  proveServer,
  type SessionKeys,
  transcriptHash,
} from "./machine_key_schedule.ts";

/** Options of {@linkcode MachineKeyClient}. */
export interface MachineKeyClientOptions extends MachineKeyLink {
  /** The key. */
  readonly key: MachineKey;
  /** In place of random values; only tests pass it. */
  readonly share?: FixedShare;
}

type Step = "new" | "first sent" | "done" | "failed";

/** One exchange, from the client's side. */
export class MachineKeyClient {
  readonly #options: MachineKeyClientOptions;
  #share: OwnShare | undefined;
  #sessionKeys: SessionKeys | undefined;
  #step: Step = "new";

  /**
   * Prepares one exchange.
   *
   * @throws {TrivetError} `KEY_NOT_PROVEN` when the server does not offer this exchange.
   */
  constructor(options: MachineKeyClientOptions) {
    this.#options = options;
    if (options.mechanisms.includes(MACHINE_KEY_MECHANISM)) return;
    throw notProven(`it does not offer ${MACHINE_KEY_MECHANISM}`);
  }

  /** Keys for a link without TLS, once {@linkcode MachineKeyClient.prove} has returned. */
  get sessionKeys(): SessionKeys | undefined {
    return this.#sessionKeys;
  }

  /** The first message. */
  async first(): Promise<MachineKeyHello> {
    this.#advance("new", "failed");
    const share = await newShare(this.#options.share);
    this.#share = share;
    this.#step = "first sent";
    return {
      mechanism: MACHINE_KEY_MECHANISM,
      keyId: this.#options.key.id,
      nonce: share.nonce.toBase64(),
      ephemeral: share.ephemeral.toBase64(),
    };
  }

  /**
   * Checks the server's proof and makes the client's.
   *
   * @param challenge What the server answered.
   * @returns The client's proof, in base64.
   * @throws {TrivetError} `KEY_NOT_PROVEN`; `PROTOCOL_ERROR` for a malformed message. Nothing may be
   * sent then.
   */
  async prove(challenge: MachineKeyChallenge): Promise<string> {
    // Failed unless every check below passes.
    this.#advance("first sent", "failed");
    const { key, service, mechanisms, channelBinding } = this.#options;
    const client = this.#share;
    if (client === undefined) throw new TypeError("The exchange has no share");
    const server = readShare(challenge);
    const stated = readField(challenge.proof, "proof");
    const transcript = await transcriptHash({
      ...{ service, mechanisms, channelBinding, keyId: key.id, client, server },
    });
    const shared = await agree(client.privateKey, server.ephemeral);
    const authKey = await deriveAuthKey(key);
    const keys = await deriveMachineKeys({ authKey, shared, transcript });
    const serverProof = await proveServer(keys, transcript);
    if (!timingSafeEqual(serverProof, stated)) {
      throw notProven(`its proof is not that of key ${key.id} on this connection`);
    }
    const proof = await proveClient(keys, { transcript, serverProof });
    this.#sessionKeys = { send: keys.clientToServer, receive: keys.serverToClient };
    this.#step = "done";
    return proof.toBase64();
  }

  #advance(from: Step, to: Step): void {
    const step = this.#step;
    this.#step = step === from ? to : "failed";
    if (step === from) return;
    throw new TrivetError("PROTOCOL_ERROR", `Cannot go on with the key exchange: it is "${step}"`);
  }
}

function notProven(problem: string): TrivetError {
  return new TrivetError(
    "KEY_NOT_PROVEN",
    `The server did not prove that it knows the machine key: ${problem}`,
  );
}
