/**
 * The four messages of a SCRAM exchange (RFC 5802 §5 and §7): text to fields, strictly. The formal syntax is
 * taken at its narrowest: attributes in the order given there, each at most once, `m=` and authorization
 * identities refused, unknown extensions skipped where the RFC allows them.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { decodeBase64 } from "./base64.ts";
import { type Bytes, SCRAM_KEY_BYTES } from "./scram_keys.ts";

/** Most UTF-16 units of one SCRAM message; ours need less than 1024. */
export const SCRAM_MESSAGE_CHARS_MAX = 2048;
/** Fewest characters that each side adds to the nonce: 96 bits in base64. */
export const SCRAM_NONCE_PART_CHARS_MIN = 16;
/** Most characters that each side adds to the nonce. */
export const SCRAM_NONCE_PART_CHARS_MAX = 256;

/** The only channel binding type of this project (RFC 5929 §4). */
export const TLS_SERVER_END_POINT = "tls-server-end-point";

/** The mechanism names of RFC 7677 §3. */
export type ScramMechanism = "SCRAM-SHA-256" | "SCRAM-SHA-256-PLUS";

/** The client's first message. */
export interface ClientFirst {
  /** `n`: cannot bind; `y`: could, but thinks the server cannot; else the type after `p=`. */
  readonly binding: { readonly flag: "n" | "y" } | { readonly flag: "p"; readonly type: string };
  /** What the channel binding begins with, for example `n,,`. */
  readonly gs2Header: string;
  /** The message without the GS2 header, which is signed. */
  readonly bare: string;
  /** The name, unescaped, not yet checked against any rule. */
  readonly user: string;
  /** The client's part of the nonce. */
  readonly nonce: string;
}

/** The server's first message. */
export interface ServerFirst {
  /** The client's part and the server's part in one. */
  readonly nonce: string;
  /** Of any length here. */
  readonly salt: Bytes;
  /** PBKDF2 rounds, 1 to 9 999 999 999 here. */
  readonly iterations: number;
}

/** The client's final message. */
export interface ClientFinal {
  /** GS2 header and channel binding data. */
  readonly binding: Bytes;
  /** The whole nonce, as the server sent it. */
  readonly nonce: string;
  /** 32 bytes. */
  readonly proof: Bytes;
  /** The message up to the proof, which is signed. */
  readonly withoutProof: string;
}

/** The server's final message: its signature, or an error value of RFC 5802 §7. */
export type ServerFinal = { readonly signature: Bytes } | { readonly error: string };

/** One `x=value`. */
interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** Attributes with a meaning of their own (RFC 5802 §5.1); none may stand where an extension may. */
const KNOWN_ATTRIBUTES = "anmrcsipve";
/** `gs2-header` and `client-first-message-bare` of RFC 5802 §7; `s` because values may hold line ends. */
const CLIENT_FIRST = /^((n|y|p=([A-Za-z0-9.-]{1,64})),(a=[^,]*)?,)(.*)$/s;
/** `printable` of RFC 5802 §7. */
const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/;
/** `posit-number` of RFC 5802 §7, bounded. */
const POSITIVE_NUMBER = /^[1-9][0-9]{0,9}$/;
/** `server-error-value` of RFC 5802 §7. */
const SERVER_ERRORS: ReadonlySet<string> = new Set([
  "invalid-encoding",
  "extensions-not-supported",
  "invalid-proof",
  "channel-bindings-dont-match",
  "server-does-support-channel-binding",
  "channel-binding-not-supported",
  "unsupported-channel-binding-type",
  "unknown-user",
  "invalid-username-encoding",
  "no-resources",
  "other-error",
]);

/** The mechanism of a link: the one with channel binding where there is TLS to bind to. */
export function scramMechanism(channelBinding: Bytes | undefined): ScramMechanism {
  return channelBinding === undefined ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS";
}

/** Makes 32 characters of nonce from 192 random bits; base64 is within the RFC's `printable`. */
export function newScramNonce(): string {
  return crypto.getRandomValues(new Uint8Array(24)).toBase64();
}

/** Whether `part` may be one side's part of the nonce: 16 to 256 printable characters without a comma. */
export function isNoncePart(part: string): boolean {
  return part.length >= SCRAM_NONCE_PART_CHARS_MIN && part.length <= SCRAM_NONCE_PART_CHARS_MAX &&
    NONCE.test(part);
}

/**
 * Reads the client's first message.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR`.
 */
export function parseClientFirst(text: string): ClientFirst {
  checkText(text);
  const match = CLIENT_FIRST.exec(text);
  if (match === null) throw malformed("it does not begin with a GS2 header");
  const [, gs2Header = "", flag = "", type, authorizationId, bare = ""] = match;
  if (authorizationId !== undefined) throw malformed("an authorization identity is not supported");
  const [user, nonce] = readAttributes(bare, "nr");
  if (user === undefined || nonce === undefined) throw malformed("an attribute is missing");
  if (!isNoncePart(nonce)) throw malformed("the nonce of the client is too short or too long");
  const binding = flag === "n" || flag === "y"
    ? { flag } as const
    : { flag: "p", type: type ?? "" } as const;
  return { binding, gs2Header, bare, user: unescapeName(user), nonce };
}

/**
 * Reads the server's first message.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR`.
 */
export function parseServerFirst(text: string): ServerFirst {
  checkText(text);
  const [nonce, saltText, digits] = readAttributes(text, "rsi");
  if (nonce === undefined || saltText === undefined || digits === undefined) {
    throw malformed("an attribute is missing");
  }
  checkNonce(nonce);
  if (!POSITIVE_NUMBER.test(digits)) throw malformed("the iteration count is not a number");
  return { nonce, salt: readBase64(saltText, "s"), iterations: Number(digits) };
}

/**
 * Reads the client's final message.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR`.
 */
export function parseClientFinal(text: string): ClientFinal {
  checkText(text);
  const end = text.lastIndexOf(",p=");
  if (end === -1) throw malformed("the proof is missing");
  const withoutProof = text.slice(0, end);
  const [binding, nonce] = readAttributes(withoutProof, "cr");
  if (binding === undefined || nonce === undefined) throw malformed("an attribute is missing");
  checkNonce(nonce);
  const proof = readKey(text.slice(end + ",p=".length), "p");
  return { binding: readBase64(binding, "c"), nonce, proof, withoutProof };
}

/**
 * Reads the server's final message.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR`.
 */
export function parseServerFinal(text: string): ServerFinal {
  checkText(text);
  const isError = text.startsWith("e=");
  const [value] = readAttributes(text, isError ? "e" : "v");
  if (value === undefined) throw malformed("an attribute is missing");
  if (!isError) return { signature: readKey(value, "v") };
  // Unknown values count as other-error (RFC 5802 §7), so a server's free text is never shown.
  return { error: SERVER_ERRORS.has(value) ? value : "other-error" };
}

/**
 * Reads comma-separated attributes: first those of `order`, then extensions.
 *
 * @param text The attributes.
 * @param order The names that must come first, one letter each.
 * @returns The values of `order`.
 */
function readAttributes(text: string, order: string): string[] {
  const attributes = text.split(",").map(splitAttribute);
  if (attributes.some(({ name }) => name === "m")) {
    throw malformed("a mandatory extension (m=) is not supported");
  }
  const names = new Set<string>();
  for (const [index, { name }] of attributes.entries()) {
    const expected = order[index];
    if (expected !== undefined && name !== expected) {
      throw malformed(`attribute ${index + 1} is "${name}", "${expected}" is expected`);
    }
    if (expected === undefined && KNOWN_ATTRIBUTES.includes(name)) {
      throw malformed(`attribute "${name}" stands in the wrong place`);
    }
    if (names.has(name)) throw malformed(`attribute "${name}" stands twice`);
    names.add(name);
  }
  return attributes.slice(0, order.length).map(({ value }) => value);
}

function splitAttribute(text: string): Attribute {
  if (!/^[A-Za-z]=./s.test(text)) throw malformed("an attribute is not of the form x=value");
  return { name: text.charAt(0), value: text.slice(2) };
}

/** Undoes `=2C` and `=3D` of a `saslname` (RFC 5802 §5.1); any other `=` is an error there. */
function unescapeName(value: string): string {
  if (/=(?!2C|3D)/.test(value)) throw malformed("the user name is not escaped correctly");
  return value.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

function checkText(text: string): void {
  if (text.length > SCRAM_MESSAGE_CHARS_MAX) {
    throw malformed(`length is ${text.length}, the limit is ${SCRAM_MESSAGE_CHARS_MAX}`);
  }
  // Lone surrogates would be signed as U+FFFD: two texts, one signature.
  if (text.includes("\0") || !text.isWellFormed()) throw malformed("it is not valid text");
}

function checkNonce(nonce: string): void {
  if (nonce.length > 2 * SCRAM_NONCE_PART_CHARS_MAX || !NONCE.test(nonce)) {
    throw malformed("the nonce is too long or not printable");
  }
}

function readBase64(text: string, name: string): Bytes {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw malformed(`attribute "${name}" is not canonical base64`);
  return bytes;
}

function readKey(text: string, name: string): Bytes {
  const bytes = readBase64(text, name);
  if (bytes.length === SCRAM_KEY_BYTES) return bytes;
  throw malformed(
    `attribute "${name}" has ${bytes.length} bytes, ${SCRAM_KEY_BYTES} are needed`,
  );
}

function malformed(problem: string): TrivetError {
  return new TrivetError("PROTOCOL_ERROR", `Cannot read the SCRAM message: ${problem}`);
}
