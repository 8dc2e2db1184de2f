/**
 * The rules for user names and passwords, shared by the client, which sees a password, and the server,
 * which sees only the name.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";

/** Fewest characters (code points after preparation) of a new password. */
export const PASSWORD_CHARS_MIN = 8;
/** Most characters (code points after preparation) of a password. */
export const PASSWORD_CHARS_MAX = 1024;
/** Most characters of a user name. */
export const USER_NAME_CHARS_MAX = 32;

const USER_NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/;

/** RFC 3454 table C.1.2: spaces other than U+0020, which become U+0020. */
const OTHER_SPACE = /[\p{Zs}\u200B]/gu;

/** RFC 3454 table B.1: characters that are commonly mapped to nothing. */
const MAPPED_TO_NOTHING = new RegExp(
  "[\\u00AD\\u034F\\u1806\\u180B-\\u180D\\u200C\\u200D\\u2060\\uFE00-\\uFE0F\\uFEFF]",
  "gu",
);

/**
 * RFC 4013 §2.3: control characters and line separators (C.2), private use (C.3), non-characters (C.4),
 * surrogates (C.5), inappropriate for plain text (C.6), for canonical representation (C.7), display
 * properties (C.8), tags (C.9).
 */
const PROHIBITED = new RegExp(
  "[\\p{Cc}\\p{Co}\\p{Cs}\\p{Noncharacter_Code_Point}" +
    "\\u06DD\\u070F\\u180E\\u2028\\u2029\\u2061-\\u2063\\u206A-\\u206F\\u{1D173}-\\u{1D17A}" +
    "\\uFFF9-\\uFFFD\\u2FF0-\\u2FFB\\u0340\\u0341\\u200E\\u200F\\u202A-\\u202E" +
    "\\u{E0001}\\u{E0020}-\\u{E007F}]",
  "u",
);

/**
 * Checks a user name: 1 to 32 of `a-z`, `0-9`, `.`, `_`, `-`, beginning with a letter or digit. Such a name
 * is the same before and after SASLprep and needs no escapes in a SCRAM message.
 *
 * @param name The name to check.
 * @throws {TrivetError} `USER_NAME_INVALID`.
 */
export function checkUserName(name: string): void {
  if (USER_NAME.test(name)) return;
  const shown = JSON.stringify(name.slice(0, USER_NAME_CHARS_MAX));
  throw new TrivetError(
    "USER_NAME_INVALID",
    `Cannot use ${shown} as a user name: the rule is [a-z0-9][a-z0-9._-]{0,31}, the length is ${name.length}`,
  );
}

/**
 * Prepares a password for SCRAM after SASLprep (RFC 4013), so that it is the same bytes whatever the
 * keyboard and the system:
 *
 * 1. every space of another kind becomes U+0020, soft hyphens, joiners and variation selectors vanish;
 * 2. the text is normalised to NFKC, with the Unicode version of the runtime;
 * 3. what RFC 4013 §2.3 prohibits is refused.
 *
 * Two steps of RFC 4013 are left out on purpose. The check for bidirectional text (§2.4) would refuse
 * passwords that mix Hebrew or Arabic with digits at the wrong place, though nobody reads them. The refusal of code
 * points that Unicode 3.2 had not assigned (§2.5) would refuse every character since 2002.
 *
 * @param password As typed.
 * @returns The prepared text, 1 to 1024 characters.
 * @throws {TrivetError} `PASSWORD_INVALID`; the message never shows the password.
 */
export function preparePassword(password: string): string {
  // A code point is at most two UTF-16 units; this bounds the work before it begins.
  if (password.length > 2 * PASSWORD_CHARS_MAX) throw invalidLength(password.length, 1);
  const mapped = password.replace(OTHER_SPACE, " ").replace(MAPPED_TO_NOTHING, "");
  const prepared = mapped.normalize("NFKC");
  if (PROHIBITED.test(prepared)) {
    throw new TrivetError(
      "PASSWORD_INVALID",
      "Cannot use the password: it holds control characters or others that cannot be typed reliably",
    );
  }
  checkLength(prepared, 1);
  return prepared;
}

/**
 * Checks a new password: prepared as {@linkcode preparePassword} does, it has 8 to 1024 characters.
 *
 * @param password As typed.
 * @throws {TrivetError} `PASSWORD_INVALID`; the message never shows the password.
 */
export function checkPassword(password: string): void {
  checkLength(preparePassword(password), PASSWORD_CHARS_MIN);
}

function checkLength(prepared: string, charsMin: number): void {
  const chars = Array.from(prepared).length;
  if (chars < charsMin || chars > PASSWORD_CHARS_MAX) throw invalidLength(chars, charsMin);
}

function invalidLength(chars: number, charsMin: number): TrivetError {
  return new TrivetError(
    "PASSWORD_INVALID",
    `Cannot use the password: its length is ${chars}, the limits are ${charsMin} and ${PASSWORD_CHARS_MAX} characters`,
  );
}
