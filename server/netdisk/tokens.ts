/**
 * Access to the account itself: another password; tokens made, listed and revoked. Only a login that
 * may do everything gets here: scope `full` and the whole home.
 *
 * @module
 */

import { hashToken, newToken } from "../../lib/auth/token.ts";
import { parseVerifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import { TOKEN_PAGE_MAX } from "../../lib/netdisk/access_messages.ts";
import type { NetdiskRequest, NetdiskResponse } from "../../lib/netdisk/messages.ts";
import { tokenId } from "../store/catalog_access.ts";
import { homePath, type NetdiskContext, requireManager, type Session } from "./context.ts";

/** Answers `account.passwd`. */
export async function changePassword(
  context: NetdiskContext,
  request: NetdiskRequest<"account.passwd">,
): Promise<NetdiskResponse<"account.passwd">> {
  const { catalog, logins, session } = context;
  const { provenEpoch } = session;
  if (provenEpoch === null) {
    throw new TrivetError("AUTH_REQUIRED", "This connection must log in by password first");
  }
  const verifier = parseVerifier(request.verifier);
  const keep = request.keep === undefined ? session.tokenHash : Uint8Array.fromHex(request.keep);
  using _held = logins.hold(session);
  const { authEpoch, ended } = await catalog.setVerifier(session.user, verifier, {
    provenEpoch,
    keep,
  });
  // This connection goes on; the proof does not, for it was of the password before.
  if (session.authEpoch !== undefined) session.authEpoch = authEpoch;
  await logins.check();
  return { ended };
}

/** Answers `token.create`. */
export async function createToken(
  context: NetdiskContext,
  request: NetdiskRequest<"token.create">,
): Promise<NetdiskResponse<"token.create">> {
  requireManager(context);
  const { catalog, session } = context;
  const pathPrefix = homePath(context, request.path ?? []).path;
  const { lifetimeMs, scope, label = "" } = request;
  const expiresAtMs = lifetimeMs === undefined ? null : Date.now() + lifetimeMs;
  requireEndBefore(session, expiresAtMs);
  const token = newToken();
  const hash = Uint8Array.fromHex(await hashToken(token));
  const { user } = session;
  await catalog.addToken({ hash, user, kind: "api", scope, pathPrefix, expiresAtMs, label });
  return { id: tokenId(hash), token, expiresMs: expiresAtMs };
}

/** Answers `token.list`. */
export async function listTokens(
  context: NetdiskContext,
  { after }: NetdiskRequest<"token.list">,
): Promise<NetdiskResponse<"token.list">> {
  requireManager(context);
  const { catalog, session } = context;
  const page = await catalog.listTokens({
    user: session.user,
    limit: TOKEN_PAGE_MAX + 1,
    ...(after === undefined ? {} : { after }),
  });
  const tokens = page.slice(0, TOKEN_PAGE_MAX).map((token) => ({
    id: tokenId(token.hash),
    kind: token.kind,
    scope: token.scope,
    path: [...token.pathPrefix],
    label: token.label,
    createdMs: token.createdAtMs,
    expiresMs: token.expiresAtMs,
    lastUsedMs: token.lastUsedAtMs,
    isCurrent: isSameHash(token.hash, session.tokenHash),
  }));
  return { tokens, more: page.length > TOKEN_PAGE_MAX };
}

/** Answers `token.revoke`. */
export async function revokeTokens(
  context: NetdiskContext,
  { ids }: NetdiskRequest<"token.revoke">,
): Promise<NetdiskResponse<"token.revoke">> {
  requireManager(context);
  const { catalog, logins, session } = context;
  // Its own token may be among them: it still has to hear the answer.
  using _held = logins.hold(session);
  const revoked = await catalog.revokeTokens(session.user, ids);
  await logins.check();
  return { revoked };
}

/** A token that people made cannot make one that outlives it. */
function requireEndBefore(session: Session, expiresAtMs: number | null): void {
  const { tokenKind, tokenExpiresAtMs } = session;
  if (tokenKind !== "api" || tokenExpiresAtMs === null) return;
  if (expiresAtMs !== null && expiresAtMs <= tokenExpiresAtMs) return;
  throw new TrivetError("PERMISSION_DENIED", "A token cannot make one that ends later than itself");
}

function isSameHash(a: Uint8Array | null, b: Uint8Array | null): boolean {
  // Hashes of tokens, of which nobody learns anything by the time this takes.
  return a !== null && b !== null && a.toHex() === b.toHex();
}
