/**
 * The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), sans-IO: two steps, text
 * in and text out. A name that the server does not know takes the same steps and the same work as one it
 * knows, and fails at the same place.
 *
 * @module
 */

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { TrivetError } from "../errors.ts";
import { checkUserName } from "./credentials.ts";
import { type Bytes, hmacSha256, sha256, xorKeys } from "./scram_keys.ts";
import {
  type ClientFirst,
  isNoncePart,
  newScramNonce,
  parseClientFinal,
  parseClientFirst,
  type ScramMechanism,
  scramMechanism,
  TLS_SERVER_END_POINT,
} from "./scram_messages.ts";
import { fakeVerifier, type Verifier } from "./verifier.ts";

/** Options of {@linkcode ScramServer}. */
export interface ScramServerOptions {
  /**
   * Finds the verifier of a user name, which has passed `checkUserName`; `undefined` if there is none. May throw,
   * for example `AUTH_THROTTLED`; the exchange then ends with that error.
   */
  readonly lookup: (user: string) => Promise<Verifier | undefined> | Verifier | undefined;
  /** Secret of the server for the salts of unknown names, at least 32 bytes; the same for ever. */
  readonly fakeSecret: Bytes;
  /** On a TLS link: `tlsServerEndPoint` of the server's own certificate. Absent on a plain link. */
  readonly channelBinding?: Bytes;
  /** The server's part of the nonce. Random by default; only tests pass it. */
  readonly nonce?: string;
}

/** What the server remembers between its two steps. */
interface Challenge {
  readonly client: ClientFirst;
  readonly nonce: string;
  readonly serverFirst: string;
  readonly verifier: Verifier;
  /** Whether the verifier is an account's, not a fake. */
  readonly known: boolean;
}

type Step = "new" | "looking up" | "challenged" | "proving" | "done" | "failed";

/**
 * One login, from the server's side. Use one object for one exchange: a nonce is never used twice.
 *
 * @example Answering a client
 * ```ts ignore
 * const server = new ScramServer({ lookup, fakeSecret, channelBinding });
 * send(await server.first(clientFirst));
 * send(await server.final(clientFinal)); // throws AUTH_FAILED
 * session.user = server.user;
 * ```
 */
export class ScramServer {
  readonly #options: ScramServerOptions;
  readonly #nonce: string;
  #user: string | undefined;
  #challenge: Challenge | undefined;
  #step: Step = "new";

  /**
   * Prepares one login.
   *
   * @throws {RangeError} If the nonce is outside its limits.
   */
  constructor(options: ScramServerOptions) {
    this.#options = options;
    this.#nonce = options.nonce ?? newScramNonce();
    if (!isNoncePart(this.#nonce)) {
      throw new RangeError("Cannot use the nonce: it is too short, too long or not printable");
    }
  }

  /** The only mechanism that this link takes. */
  get mechanism(): ScramMechanism {
    return scramMechanism(this.#options.channelBinding);
  }

  /** The name that the client claims, from `first()` on; proven only when {@linkcode authenticated}. */
  get user(): string | undefined {
    return this.#user;
  }

  /** Whether the client has proven that it knows the password. */
  get authenticated(): boolean {
    return this.#step === "done";
  }

  /**
   * Answers the client's first message with a challenge, for known and unknown names alike.
   *
   * @param clientFirst `client-first-message` (RFC 5802 §7).
   * @returns `server-first-message`.
   * @throws {TrivetError} `PROTOCOL_ERROR` for a malformed message, `USER_NAME_INVALID`, `AUTH_FAILED` if the
   * client's channel binding flag does not suit the link, or what `lookup` throws.
   */
  async first(clientFirst: string): Promise<string> {
    this.#advance("new", "looking up");
    try {
      const client = parseClientFirst(clientFirst);
      this.#checkBindingFlag(client.binding);
      checkUserName(client.user);
      this.#user = client.user;
      // Both for every name, so that the time taken says nothing about the name.
      const fake = await fakeVerifier(this.#options.fakeSecret, client.user);
      const found = await this.#options.lookup(client.user);
      const verifier = found ?? fake;
      const nonce = client.nonce + this.#nonce;
      const serverFirst = `r=${nonce},s=${verifier.salt.toBase64()},i=${verifier.iterations}`;
      this.#challenge = { client, nonce, serverFirst, verifier, known: found !== undefined };
      this.#advance("looking up", "challenged");
      return serverFirst;
    } catch (error) {
      this.#step = "failed";
      throw error;
    }
  }

  /**
   * Checks the client's proof and answers with the server's own.
   *
   * @param clientFinal `client-final-message` (RFC 5802 §7).
   * @returns `server-final-message`.
   * @throws {TrivetError} `AUTH_FAILED`, with one message for a wrong password and an unknown name;
   * `PROTOCOL_ERROR` for a malformed message.
   */
  async final(clientFinal: string): Promise<string> {
    this.#advance("challenged", "proving");
    try {
      const answer = await this.#prove(clientFinal);
      this.#advance("proving", "done");
      return answer;
    } catch (error) {
      this.#step = "failed";
      throw error;
    } finally {
      this.#challenge = undefined;
    }
  }

  async #prove(clientFinal: string): Promise<string> {
    const challenge = this.#challenge;
    if (challenge === undefined) throw new TypeError("Cannot prove without a challenge");
    const { client, nonce, serverFirst, verifier, known } = challenge;
    const message = parseClientFinal(clientFinal);
    if (message.nonce !== nonce) throw refused("the nonce is not that of this exchange");
    const binding = new Uint8Array([
      ...new TextEncoder().encode(client.gs2Header),
      ...(this.#options.channelBinding ?? []),
    ]);
    if (!equalBytes(message.binding, binding)) {
      throw refused("the channel binding is not that of this link; somebody may stand between");
    }
    const authMessage = `${client.bare},${serverFirst},${message.withoutProof}`;
    const clientSignature = await hmacSha256(verifier.storedKey, authMessage);
    const clientKey = xorKeys(message.proof, clientSignature);
    const serverSignature = await hmacSha256(verifier.serverKey, authMessage);
    const proven = timingSafeEqual(await sha256(clientKey), verifier.storedKey);
    // A fake cannot be proven; the second condition is a belt to those braces.
    if (!proven || !known) throw refused("user name or password is wrong");
    return `v=${serverSignature.toBase64()}`;
  }

  /**
   * On TLS only `p=tls-server-end-point` will do: `n` or `y` there is a downgrade (RFC 5802 §6). On a plain link
   * only `n`: `y` comes from a client that has a TLS channel, which then ends at somebody else.
   */
  #checkBindingFlag(binding: ClientFirst["binding"]): void {
    if (this.#options.channelBinding === undefined) {
      if (binding.flag !== "n") throw refused(`channel binding flag "${binding.flag}" needs TLS`);
    } else if (binding.flag !== "p") {
      throw refused(`channel binding flag is "${binding.flag}", TLS needs "p"`);
    } else if (binding.type !== TLS_SERVER_END_POINT) {
      throw refused(
        `channel binding type is "${binding.type}", "${TLS_SERVER_END_POINT}" is needed`,
      );
    }
  }

  #advance(from: Step, to: Step): void {
    if (this.#step !== from) {
      const step = this.#step;
      this.#step = "failed";
      throw new TrivetError("PROTOCOL_ERROR", `Cannot go on with the login: it is "${step}"`);
    }
    this.#step = to;
  }
}

function equalBytes(left: Bytes, right: Bytes): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

function refused(problem: string): TrivetError {
  return new TrivetError("AUTH_FAILED", `Cannot log in: ${problem}`);
}
