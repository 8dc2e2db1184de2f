/**
 * The server's side of the exchange `machine-key-1`, sans-IO. A key that it does not know gets the
 * same messages by the same work: everything is done with a decoy, and fails where a wrong key fails.
 *
 * @module
 */

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { TrivetError } from "../errors.ts";
import { MACHINE_KEY_MECHANISM } from "./machine_key.ts";
import {
  type MachineKeyChallenge,
  type MachineKeyHello,
  readField,
  readKeyId,
  readShare,
} from "./machine_key_messages.ts";
import {
  agree,
  deriveMachineKeys,
  type FixedShare,
  MACHINE_KEY_TIMEOUT_MS,
  type MachineKeyLink,
  newShare,
  proveClient,
  proveServer,
  type SessionKeys,
  transcriptHash,
} from "./machine_key_schedule.ts";
import type { Bytes } from "./scram_keys.ts";

/** What a server finds for the id of a key. */
export interface FoundKey {
  /** What is stored of the key, or as many random bytes. */
  readonly authKey: Bytes;
  /** Whether `authKey` is a decoy: the key is unknown, has ended, or is not for this service. */
  readonly isDecoy: boolean;
}

/** Options of {@linkcode MachineKeyServer}. */
export interface MachineKeyServerOptions extends MachineKeyLink {
  /** Finds a key; one that is not to be taken must cost the same as one that is. */
  readonly lookup: (keyId: string) => Promise<FoundKey>;
  /** A clock that does not jump, in milliseconds. */
  readonly now: () => number;
  /** In place of random values; only tests pass it. */
  readonly share?: FixedShare;
}

type Step = "new" | "challenge sent" | "done" | "failed";

/** What is kept between the two steps. */
interface Expected {
  readonly proof: Bytes;
  readonly isDecoy: boolean;
  readonly sessionKeys: SessionKeys;
}

/** One exchange, from the server's side. */
export class MachineKeyServer {
  readonly #options: MachineKeyServerOptions;
  readonly #startedMs: number;
  #keyId: string | undefined;
  #expected: Expected | undefined;
  #sessionKeys: SessionKeys | undefined;
  #step: Step = "new";

  /** Prepares one exchange; its time runs from here. */
  constructor(options: MachineKeyServerOptions) {
    this.#options = options;
    this.#startedMs = options.now();
  }

  /** The id that the client named; who knows the key is another question. */
  get keyId(): string | undefined {
    return this.#keyId;
  }

  /** Keys for a link without TLS, once {@linkcode MachineKeyServer.accept} has returned. */
  get sessionKeys(): SessionKeys | undefined {
    return this.#sessionKeys;
  }

  /**
   * Answers the client's first message with the server's proof.
   *
   * @throws {TrivetError} `PROTOCOL_ERROR` for a malformed message, `VERSION_MISMATCH` for another
   * exchange than this, `TIMEOUT`.
   */
  async challenge(hello: MachineKeyHello): Promise<MachineKeyChallenge> {
    this.#advance("new");
    if (hello.mechanism !== MACHINE_KEY_MECHANISM) {
      throw new TrivetError("VERSION_MISMATCH", `This server speaks ${MACHINE_KEY_MECHANISM}`);
    }
    const { service, mechanisms, channelBinding, lookup } = this.#options;
    const keyId = readKeyId(hello.keyId);
    const client = readShare(hello);
    this.#keyId = keyId;
    const server = await newShare(this.#options.share);
    const { authKey, isDecoy } = await lookup(keyId);
    const transcript = await transcriptHash({
      ...{ service, mechanisms, channelBinding, keyId, client, server },
    });
    const shared = await agree(server.privateKey, client.ephemeral);
    const keys = await deriveMachineKeys({ authKey, shared, transcript });
    const serverProof = await proveServer(keys, transcript);
    this.#expected = {
      proof: await proveClient(keys, { transcript, serverProof }),
      isDecoy,
      sessionKeys: { send: keys.serverToClient, receive: keys.clientToServer },
    };
    this.#step = "challenge sent";
    return {
      nonce: server.nonce.toBase64(),
      ephemeral: server.ephemeral.toBase64(),
      proof: serverProof.toBase64(),
    };
  }

  /**
   * Checks the client's proof.
   *
   * @param proof In base64.
   * @throws {TrivetError} `KEY_INVALID`; `PROTOCOL_ERROR` for a malformed message; `TIMEOUT`.
   */
  accept(proof: string): void {
    this.#advance("challenge sent");
    const stated = readField(proof, "proof");
    const expected = this.#expected;
    const isProven = expected !== undefined && timingSafeEqual(expected.proof, stated);
    // A decoy cannot be proven; the second condition is a belt to those braces.
    if (!isProven || expected.isDecoy) {
      throw new TrivetError("KEY_INVALID", "The server does not take this machine key");
    }
    this.#sessionKeys = expected.sessionKeys;
    this.#step = "done";
  }

  /** Failed, until whoever calls says otherwise. */
  #advance(from: Step): void {
    const step = this.#step;
    this.#step = "failed";
    if (step !== from) {
      throw new TrivetError(
        "PROTOCOL_ERROR",
        `Cannot go on with the key exchange: it is "${step}"`,
      );
    }
    if (this.#options.now() - this.#startedMs > MACHINE_KEY_TIMEOUT_MS) {
      const text = `The key exchange took longer than ${MACHINE_KEY_TIMEOUT_MS} ms`;
      throw new TrivetError("TIMEOUT", text);
    }
  }
}
