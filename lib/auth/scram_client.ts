/**
 * The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), sans-IO: three steps,
 * text in and text out. It refuses a server that wants a weak or an endless key derivation, and one that
 * cannot prove at the end that it holds the verifier.
 *
 * @module
 */

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { TrivetError } from "../errors.ts";
import { checkUserName, preparePassword } from "./credentials.ts";
import {
  type Bytes,
  deriveScramKeys,
  hmacSha256,
  SCRAM_ITERATIONS_DEFAULT,
  SCRAM_ITERATIONS_MAX,
  SCRAM_ITERATIONS_RFC_MIN,
  SCRAM_SALT_BYTES_MAX,
  SCRAM_SALT_BYTES_MIN,
  xorKeys,
} from "./scram_keys.ts";
import {
  isNoncePart,
  newScramNonce,
  parseServerFinal,
  parseServerFirst,
  type ScramMechanism,
  scramMechanism,
  type ServerFirst,
  TLS_SERVER_END_POINT,
} from "./scram_messages.ts";

/** Options of {@linkcode ScramClient}. */
export interface ScramClientOptions {
  /** The account. */
  readonly user: string;
  /** As typed; prepared by the rules of SASLprep before use. */
  readonly password: string;
  /** On a TLS link: `tlsServerEndPoint` of the certificate that the client trusts. Absent on a plain link. */
  readonly channelBinding?: Bytes;
  /** Fewest PBKDF2 rounds to accept; 600 000 by default, at least 4096 (RFC 7677 §4). */
  readonly iterationsMin?: number;
  /** Most PBKDF2 rounds to accept; 10 000 000 by default and at most. */
  readonly iterationsMax?: number;
  /** The client's part of the nonce. Random by default; only tests pass it. */
  readonly nonce?: string;
}

type Step = "new" | "first sent" | "deriving" | "final sent" | "done" | "failed";

/**
 * One login, from the client's side.
 *
 * @example Logging in
 * ```ts ignore
 * const client = new ScramClient({ user, password, channelBinding });
 * const serverFirst = await ask(client.first());
 * const serverFinal = await ask(await client.final(serverFirst));
 * client.verify(serverFinal); // only now trust the server
 * ```
 */
export class ScramClient {
  readonly #bare: string;
  readonly #nonce: string;
  readonly #gs2Header: string;
  readonly #mechanism: ScramMechanism;
  readonly #channelBinding: Bytes;
  readonly #iterationsMin: number;
  readonly #iterationsMax: number;
  #password: string;
  #serverSignature: Bytes | undefined;
  #step: Step = "new";

  /**
   * Checks the credentials and prepares one login.
   *
   * @throws {TrivetError} `USER_NAME_INVALID` or `PASSWORD_INVALID`.
   * @throws {RangeError} If another option is outside its limits.
   */
  constructor(options: ScramClientOptions) {
    checkUserName(options.user);
    this.#password = preparePassword(options.password);
    this.#nonce = options.nonce ?? newScramNonce();
    if (!isNoncePart(this.#nonce)) {
      throw new RangeError("Cannot use the nonce: it is too short, too long or not printable");
    }
    this.#iterationsMin = options.iterationsMin ?? SCRAM_ITERATIONS_DEFAULT;
    this.#iterationsMax = options.iterationsMax ?? SCRAM_ITERATIONS_MAX;
    if (
      this.#iterationsMin < SCRAM_ITERATIONS_RFC_MIN ||
      this.#iterationsMax > SCRAM_ITERATIONS_MAX || this.#iterationsMin > this.#iterationsMax
    ) {
      throw new RangeError(
        `Cannot accept ${this.#iterationsMin} to ${this.#iterationsMax} iterations: ` +
          `the limits are ${SCRAM_ITERATIONS_RFC_MIN} and ${SCRAM_ITERATIONS_MAX}`,
      );
    }
    this.#channelBinding = options.channelBinding ?? new Uint8Array(0);
    this.#mechanism = scramMechanism(options.channelBinding);
    this.#gs2Header = options.channelBinding === undefined ? "n,," : `p=${TLS_SERVER_END_POINT},,`;
    // The user name rule leaves nothing to escape (RFC 5802 §5.1).
    this.#bare = `n=${options.user},r=${this.#nonce}`;
  }

  /** The mechanism to name to the server. */
  get mechanism(): ScramMechanism {
    return this.#mechanism;
  }

  /** `client-first-message` (RFC 5802 §7). */
  first(): string {
    this.#advance("new", "first sent");
    return this.#gs2Header + this.#bare;
  }

  /**
   * Answers the server's first message. The key derivation takes about a second of one core, off this thread.
   *
   * @param serverFirst `server-first-message`.
   * @returns `client-final-message`.
   * @throws {TrivetError} `PROTOCOL_ERROR` for a malformed message; `SERVER_NOT_PROVEN` for a nonce of another
   * exchange, or a salt or a number of rounds outside the limits.
   */
  async final(serverFirst: string): Promise<string> {
    this.#advance("first sent", "deriving");
    try {
      const message = parseServerFirst(serverFirst);
      this.#checkServerFirst(message);
      const keys = await deriveScramKeys(this.#password, message);
      const binding = new Uint8Array([
        ...new TextEncoder().encode(this.#gs2Header),
        ...this.#channelBinding,
      ]);
      const withoutProof = `c=${binding.toBase64()},r=${message.nonce}`;
      const authMessage = `${this.#bare},${serverFirst},${withoutProof}`;
      this.#serverSignature = await hmacSha256(keys.serverKey, authMessage);
      const clientSignature = await hmacSha256(keys.storedKey, authMessage);
      const proof = xorKeys(keys.clientKey, clientSignature);
      this.#advance("deriving", "final sent");
      return `${withoutProof},p=${proof.toBase64()}`;
    } catch (error) {
      this.#step = "failed";
      throw error;
    } finally {
      this.#password = "";
    }
  }

  /**
   * Checks that the server holds the verifier. Nothing it says before or after counts until this returned.
   *
   * @param serverFinal `server-final-message`.
   * @throws {TrivetError} `SERVER_NOT_PROVEN`; `AUTH_FAILED` if the server refuses the client (`e=`);
   * `PROTOCOL_ERROR` for a malformed message.
   */
  verify(serverFinal: string): void {
    const expected = this.#serverSignature;
    // Failed unless every check below passes.
    this.#advance("final sent", "failed");
    const message = parseServerFinal(serverFinal);
    if ("error" in message) {
      throw new TrivetError("AUTH_FAILED", `Cannot log in: the server says "${message.error}"`);
    }
    if (expected === undefined || !timingSafeEqual(expected, message.signature)) {
      throw notProven("its signature is not that of the account");
    }
    this.#step = "done";
  }

  #checkServerFirst({ nonce, salt, iterations }: ServerFirst): void {
    if (!nonce.startsWith(this.#nonce) || !isNoncePart(nonce.slice(this.#nonce.length))) {
      throw notProven("its nonce does not continue the nonce of this login");
    }
    if (iterations < this.#iterationsMin || iterations > this.#iterationsMax) {
      throw notProven(
        `it asks for ${iterations} iterations, the limits are ${this.#iterationsMin} and ${this.#iterationsMax}`,
      );
    }
    if (salt.length < SCRAM_SALT_BYTES_MIN || salt.length > SCRAM_SALT_BYTES_MAX) {
      throw notProven(
        `its salt has ${salt.length} bytes, the limits are ${SCRAM_SALT_BYTES_MIN} and ${SCRAM_SALT_BYTES_MAX}`,
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

function notProven(problem: string): TrivetError {
  return new TrivetError("SERVER_NOT_PROVEN", `Cannot trust the server: ${problem}`);
}
