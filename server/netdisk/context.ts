/**
 * What the netdisk's handlers share: the server's stores, and the one connection they answer on.
 *
 * @module
 */

import type { NameRules } from "../../lib/netdisk/path.ts";
import { checkPath } from "../../lib/netdisk/path.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { Catalog, TokenKind, TokenScope } from "../store/catalog.ts";
import type { OpenLogin } from "../store/catalog_accounts.ts";
import type { ChatCatalog } from "../store/catalog_chat.ts";
import type { Depot, HomePath } from "./depot.ts";
import type { ActiveUploads } from "./active_uploads.ts";

/** Who a connection belongs to. */
export interface Session {
  /** The authenticated user. */
  readonly user: string;
  /** What the login allows. */
  readonly scope: TokenScope;
  /** The folder that the login is confined to; [] is the whole home. */
  readonly pathPrefix: readonly string[];
  /** SHA-256 of the token that it logged in with; `null` after a login by password. */
  readonly tokenHash: Uint8Array | null;
  /** After a login by password alone: the account's epoch, see `Catalog.authEpoch`. */
  authEpoch?: number;
  /** Where that token came from; `null` without one. */
  readonly tokenKind: TokenKind | null;
  /** When that token ends, in milliseconds since 1970; `null` for never, and without one. */
  readonly tokenExpiresAtMs: number | null;
  /** The account's epoch when its password was proven on this connection; `null` after a token. */
  readonly provenEpoch: number | null;
  /** Id of the machine key that admitted the connection. */
  readonly keyId?: string;
  /** Its name, where the service gives rights to keys. */
  readonly keyName?: string;
  /** It is that key that logged in, for remote commands; `user` names no account then. */
  readonly byKeyAlone?: true;
}

/** The server's part of the netdisk. */
export interface NetdiskStores {
  readonly catalog: Catalog;
  readonly depot: Depot;
  readonly activeUploads: ActiveUploads;
  /** Which names are allowed. */
  readonly names: NameRules;
  /** Files that messages carry, where there is a chat. */
  readonly chat?: Pick<ChatCatalog, "fileOf"> | undefined;
}

/** Whoever ends open connections whose login has ended. */
export interface LoginChanges {
  /** Looks which have. */
  check(): Promise<void>;
  /** Leaves one alone until this is disposed of: it must hear the answer to what ends its login. */
  hold(login: OpenLogin): Disposable;
}

/** What a handler works with. */
export interface NetdiskContext extends NetdiskStores {
  readonly session: Session;
  /** Told of what ends logins. */
  readonly logins: LoginChanges;
}

/**
 * A request's path, checked and inside what the login may touch.
 *
 * @throws {TrivetError} A path error, or `PERMISSION_DENIED` outside the login's folder.
 */
export function homePath(context: NetdiskContext, components: readonly string[]): HomePath {
  const { user, pathPrefix } = context.session;
  const path = checkPath(components, { names: context.names });
  if (pathPrefix.some((name, level) => path[level] !== name)) {
    throw new TrivetError("PERMISSION_DENIED", "The login does not reach this folder");
  }
  return { user, path };
}

/**
 * Like {@linkcode homePath}, for a login that may write.
 *
 * @throws {TrivetError} `PERMISSION_DENIED` for a login that may only read.
 */
export function writablePath(context: NetdiskContext, components: readonly string[]): HomePath {
  const at = homePath(context, components);
  requireWriter(context);
  return at;
}

/**
 * Like {@linkcode writablePath}, for what is taken away or put somewhere as a whole: neither the root
 * nor the folder that the login is confined to, which stands in a folder that it does not reach.
 *
 * @throws {TrivetError} `PERMISSION_DENIED` for these, too.
 */
export function entryPath(context: NetdiskContext, components: readonly string[]): HomePath {
  const at = writablePath(context, components);
  if (at.path.length === context.session.pathPrefix.length) {
    throw new TrivetError("PERMISSION_DENIED", "The root cannot be removed, moved or replaced");
  }
  return at;
}

/**
 * Refuses a login that may only read.
 *
 * @throws {TrivetError} `PERMISSION_DENIED`.
 */
export function requireWriter({ session }: NetdiskContext): void {
  if (session.scope !== "read") return;
  throw new TrivetError("PERMISSION_DENIED", "The login may only read");
}

/**
 * Refuses a login that may not manage the account: anything but scope `full` for the whole home.
 *
 * @throws {TrivetError} `PERMISSION_DENIED`.
 */
export function requireManager({ session }: NetdiskContext): void {
  if (session.scope === "full" && session.pathPrefix.length === 0) return;
  throw new TrivetError("PERMISSION_DENIED", "The login may not manage the account");
}
