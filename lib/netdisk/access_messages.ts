/**
 * The requests and answers about access to an account: its password and its tokens. Part of the
 * netdisk's (`messages.ts`).
 *
 * @module
 */

import * as v from "valibot";
import { TOKEN_LABEL_CHARS_MAX, TOKEN_LIFETIME_MAX_MS, TOKEN_SCOPES } from "./token_limits.ts";

/** Digits of a token's id: the first of the SHA-256 of the token, in lower-case hex. */
export const TOKEN_ID_CHARS = 16;

/** Most tokens in one answer to `token.list`, and most ids in one `token.revoke`. */
export const TOKEN_PAGE_MAX = 100;

const TimeMs = v.pipe(v.number(), v.safeInteger());
const Path = v.pipe(v.array(v.pipe(v.string(), v.maxLength(4096))), v.maxLength(256));
/** What the id of a token looks like. */
export const TOKEN_ID = /^[0-9a-f]{16}$/;
const TokenId = v.pipe(v.string(), v.regex(TOKEN_ID));

const Token = v.object({
  id: v.string(),
  /** `session` of a login, or `api`. */
  kind: v.picklist(["session", "api"]),
  scope: v.picklist(TOKEN_SCOPES),
  /** The folder that it is confined to; [] is the whole home. */
  path: v.array(v.string()),
  label: v.string(),
  createdMs: TimeMs,
  /** When it ends; null for never. */
  expiresMs: v.nullable(TimeMs),
  /** Last use, coarsely; null before the first. */
  lastUsedMs: v.nullable(TimeMs),
  /** Whether this connection logged in with it. */
  isCurrent: v.boolean(),
});

/** A token as its owner sees it: never the token itself. */
export type TokenListItem = v.InferOutput<typeof Token>;

/** Requests by method. */
export const ACCESS_REQUESTS = {
  /**
   * Sets another password, on a connection that logged in by password, and ends the account's other
   * sessions. `keep`: the SHA-256, in hex, of the token of a session that goes on.
   */
  "account.passwd": v.strictObject({
    verifier: v.pipe(v.string(), v.maxLength(2048)),
    keep: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  }),
  /** Makes a token; without `lifetimeMs` it never ends, without `path` it reaches the whole home. */
  "token.create": v.strictObject({
    scope: v.picklist(TOKEN_SCOPES),
    path: v.optional(Path),
    lifetimeMs: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(TOKEN_LIFETIME_MAX_MS)),
    ),
    label: v.optional(v.pipe(v.string(), v.maxLength(TOKEN_LABEL_CHARS_MAX))),
  }),
  /** One page of the account's tokens that have not ended, in order of their ids. */
  "token.list": v.strictObject({ after: v.optional(TokenId) }),
  /** Ends tokens, and the connections that logged in with them; with an unknown id, none. */
  "token.revoke": v.strictObject({
    ids: v.pipe(v.array(TokenId), v.minLength(1), v.maxLength(TOKEN_PAGE_MAX)),
  }),
} as const;

/** Answers by method. */
export const ACCESS_RESPONSES = {
  "account.passwd": v.object({
    /** Sessions that were ended. */
    ended: v.pipe(v.number(), v.integer(), v.minValue(0)),
  }),
  "token.create": v.object({
    id: v.string(),
    /** The token; nobody can show it again. */
    token: v.string(),
    expiresMs: v.nullable(TimeMs),
  }),
  "token.list": v.object({ tokens: v.array(Token), more: v.boolean() }),
  "token.revoke": v.object({ revoked: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
} as const;
