/**
 * The options that every command of `trivet` takes, declared once.
 *
 * @module
 */

import type { OptionTable, ValuesOf } from "../lib/term/command.ts";

/** Slowest transfer that is worth the name, in bytes per second. */
const LIMIT_RATE_MIN = 1024;

/** See the module. */
export const GLOBAL_OPTIONS = {
  server: {
    kind: "string",
    valueName: "HOST[:PORT]",
    env: "TRIVET_SERVER",
    help: "Server, or unix:PATH (default: that of the last login, else 127.0.0.1:9000)",
  },
  user: {
    kind: "string",
    valueName: "NAME",
    env: "TRIVET_USER",
    help: "Account (default: that of the last login)",
  },
  fingerprint: {
    kind: "string",
    valueName: "SHA256:...",
    env: "TRIVET_FINGERPRINT",
    help: "Fingerprint that the server's certificate must have",
  },
  "key-file": {
    kind: "path",
    valueName: "FILE",
    env: "TRIVET_KEY_FILE",
    help: "File with the machine key that the server asks for; only its owner may read it",
  },
  plain: {
    kind: "boolean",
    env: "TRIVET_PLAIN",
    help: "Connect without TLS; only to this machine",
  },
  "password-stdin": {
    kind: "boolean",
    env: "TRIVET_PASSWORD_STDIN",
    help: "Read the password from the first line of stdin",
  },
  "password-file": {
    kind: "path",
    valueName: "FILE",
    env: "TRIVET_PASSWORD_FILE",
    help: "Read the password from the first line of a file",
  },
  "limit-rate": {
    kind: "rate",
    env: "TRIVET_LIMIT_RATE",
    min: LIMIT_RATE_MIN,
    help: "Move at most so many bytes per second, such as 50M",
  },
  "no-input": { kind: "boolean", env: "TRIVET_NO_INPUT", help: "Never ask anything" },
  json: { kind: "boolean", env: "TRIVET_JSON", help: "Print the result as one JSON document" },
  quiet: {
    kind: "boolean",
    short: "q",
    env: "TRIVET_QUIET",
    help: "Print results and errors only, no progress",
  },
  "no-color": { kind: "boolean", env: "TRIVET_NO_COLOR", help: "Print without colours" },
} as const satisfies OptionTable;

/** Values of {@linkcode GLOBAL_OPTIONS}. */
export type GlobalValues = ValuesOf<typeof GLOBAL_OPTIONS>;
