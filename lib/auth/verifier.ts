/**
 * What the server keeps instead of a password (RFC 5802 §2, "SCRAM authentication information"): made by the
 * client at registration, carried and stored as one line of text, checked strictly, and faked for unknown names.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { decodeBase64 } from "./base64.ts";
import { checkPassword } from "./credentials.ts";
import {
  type Bytes,
  deriveScramKeys,
  hmacSha256,
  SCRAM_ITERATIONS_DEFAULT,
  SCRAM_ITERATIONS_MAX,
  SCRAM_ITERATIONS_RFC_MIN,
  SCRAM_KEY_BYTES,
  SCRAM_SALT_BYTES_MAX,
  SCRAM_SALT_BYTES_MIN,
} from "./scram_keys.ts";

/** What the server keeps of one account; the password cannot be read from it, only guessed against it. */
export interface Verifier {
  /** 16 to 64 random bytes. */
  readonly salt: Bytes;
  /** PBKDF2 rounds. */
  readonly iterations: number;
  /** SHA-256 of the client key, 32 bytes. */
  readonly storedKey: Bytes;
  /** The server key, 32 bytes. */
  readonly serverKey: Bytes;
}

/** Options of {@linkcode makeVerifier}. */
export interface MakeVerifierOptions {
  /** PBKDF2 rounds, 4096 to 10 000 000; 600 000 by default. */
  readonly iterations?: number;
  /** 16 to 64 bytes; 16 random ones by default. Only tests pass it. */
  readonly salt?: Bytes;
}

/** Options of {@linkcode parseVerifier}. */
export interface ParseVerifierOptions {
  /** Fewest PBKDF2 rounds to accept; 600 000 by default. */
  readonly iterationsMin?: number;
}

/** Options of {@linkcode fakeVerifier}. */
export interface FakeVerifierOptions {
  /** PBKDF2 rounds that the fake names; 600 000 by default, as real ones do. */
  readonly iterations?: number;
}

const VERIFIER_SCHEME = "SCRAM-SHA-256";
/** Scheme 13, rounds 8, salt of 64 bytes 88, two keys 88 and four separators: 201 characters at most. */
const VERIFIER_TEXT_CHARS_MAX = 256;
const VERIFIER_TEXT =
  /^SCRAM-SHA-256\$([1-9][0-9]{0,8}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/;

/**
 * Makes the verifier of a new password, in the client: the server never sees the password.
 *
 * @param password As typed, 8 to 1024 characters.
 * @param options Rounds and salt.
 * @returns The verifier to send to the server.
 * @throws {TrivetError} `PASSWORD_INVALID`.
 * @throws {RangeError} If the rounds or the salt are outside their limits.
 */
export async function makeVerifier(
  password: string,
  options: MakeVerifierOptions = {},
): Promise<Verifier> {
  const iterations = options.iterations ?? SCRAM_ITERATIONS_DEFAULT;
  const salt = options.salt ?? crypto.getRandomValues(new Uint8Array(SCRAM_SALT_BYTES_MIN));
  const problem = problemOf(salt.length, iterations, SCRAM_ITERATIONS_RFC_MIN);
  if (problem !== undefined) throw new RangeError(`Cannot make a verifier: ${problem}`);
  checkPassword(password);
  const { storedKey, serverKey } = await deriveScramKeys(password, { salt, iterations });
  return { salt, iterations, storedKey, serverKey };
}

/**
 * Writes a verifier as one line: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, the bytes in
 * base64 (RFC 5803 §3).
 */
export function formatVerifier(verifier: Verifier): string {
  const { salt, iterations, storedKey, serverKey } = verifier;
  const keys = `${storedKey.toBase64()}:${serverKey.toBase64()}`;
  return `${VERIFIER_SCHEME}$${iterations}:${salt.toBase64()}$${keys}`;
}

/**
 * Reads what {@linkcode formatVerifier} writes, and nothing else: a client sends it at registration.
 *
 * @param text One line.
 * @param options The fewest rounds.
 * @returns The verifier: salt of 16 to 64 bytes, rounds within the limits, two keys of 32 bytes.
 * @throws {TrivetError} `INVALID_REQUEST`; the message never shows the text.
 */
export function parseVerifier(text: string, options: ParseVerifierOptions = {}): Verifier {
  if (text.length > VERIFIER_TEXT_CHARS_MAX) {
    throw invalid(`length is ${text.length}, the limit is ${VERIFIER_TEXT_CHARS_MAX}`);
  }
  const match = VERIFIER_TEXT.exec(text);
  if (match === null) {
    throw invalid("it is not SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>");
  }
  const [, digits = "", saltText = "", storedText = "", serverText = ""] = match;
  const salt = decodeBase64(saltText);
  const storedKey = decodeBase64(storedText);
  const serverKey = decodeBase64(serverText);
  if (salt === undefined || storedKey === undefined || serverKey === undefined) {
    throw invalid("salt and keys must be canonical base64");
  }
  if (storedKey.length !== SCRAM_KEY_BYTES || serverKey.length !== SCRAM_KEY_BYTES) {
    throw invalid(
      `keys have ${storedKey.length} and ${serverKey.length} bytes, ${SCRAM_KEY_BYTES} are needed`,
    );
  }
  const iterations = Number(digits);
  const problem = problemOf(
    salt.length,
    iterations,
    options.iterationsMin ?? SCRAM_ITERATIONS_DEFAULT,
  );
  if (problem !== undefined) throw invalid(problem);
  return { salt, iterations, storedKey, serverKey };
}

/**
 * The verifier that the server shows for a name it does not know: the same at every attempt, in the shape of
 * a real one by {@linkcode makeVerifier}'s defaults, so that accounts cannot be enumerated. It never
 * authenticates: nobody knows a key whose hash is its StoredKey.
 *
 * @param serverSecret At least 32 random bytes that the server made once and keeps.
 * @param user The name that the client claims.
 * @param options The rounds to name.
 * @returns A verifier that depends on the secret and the name only.
 * @throws {RangeError} If the secret is shorter than 32 bytes.
 */
export async function fakeVerifier(
  serverSecret: Bytes,
  user: string,
  options: FakeVerifierOptions = {},
): Promise<Verifier> {
  if (serverSecret.length < SCRAM_KEY_BYTES) {
    throw new RangeError(
      `Cannot make a fake verifier: the secret has ${serverSecret.length} bytes, ${SCRAM_KEY_BYTES} are needed`,
    );
  }
  const [salt, storedKey, serverKey] = await Promise.all([
    hmacSha256(serverSecret, `trivet fake salt\0${user}`),
    hmacSha256(serverSecret, `trivet fake stored key\0${user}`),
    hmacSha256(serverSecret, `trivet fake server key\0${user}`),
  ]);
  return {
    salt: salt.slice(0, SCRAM_SALT_BYTES_MIN),
    iterations: options.iterations ?? SCRAM_ITERATIONS_DEFAULT,
    storedKey,
    serverKey,
  };
}

/** What is wrong with salt and rounds, for an error message. */
function problemOf(
  saltBytes: number,
  iterations: number,
  iterationsMin: number,
): string | undefined {
  if (saltBytes < SCRAM_SALT_BYTES_MIN || saltBytes > SCRAM_SALT_BYTES_MAX) {
    return `the salt has ${saltBytes} bytes, the limits are ${SCRAM_SALT_BYTES_MIN} and ${SCRAM_SALT_BYTES_MAX}`;
  }
  const inRange = iterations >= iterationsMin && iterations <= SCRAM_ITERATIONS_MAX;
  if (!Number.isInteger(iterations) || !inRange) {
    return `iterations are ${iterations}, the limits are ${iterationsMin} and ${SCRAM_ITERATIONS_MAX}`;
  }
  return undefined;
}

function invalid(problem: string): TrivetError {
  return new TrivetError("INVALID_REQUEST", `Cannot read the verifier: ${problem}`);
}
