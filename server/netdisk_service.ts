/**
 * The netdisk as a service: opens the data folder, listens, serves, and drains when told to end.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { LoginThrottle } from "../lib/auth/throttle.ts";
import { TrivetError } from "../lib/errors.ts";
import { type Address, isLoopback } from "../lib/link/address.ts";
import { formatFingerprint } from "../lib/link/fingerprint.ts";
import type { AcceptedConn } from "../lib/link/link.ts";
import { listen, listenAll, type Listener } from "../lib/link/listen.ts";
import type { NameRules } from "../lib/netdisk/path.ts";
import { Admission } from "./admission.ts";
import type { AuthAttempt } from "./authenticate.ts";
import { type ConnectionContext, LOGIN_TIMEOUT_MS, serveConnection } from "./connection.ts";
import { DirectDoors } from "./direct_doors.ts";
import { openDataFolder } from "./data_folder.ts";
import { openIdentity, openOwnCertificate, readTlsIdentity, type TlsIdentity } from "./identity.ts";
import { LiveSessions } from "./live_sessions.ts";
import { ActiveUploads } from "./netdisk/active_uploads.ts";
import { FolderDepot } from "./netdisk/folder_depot.ts";
import { recoverCommits } from "./store/recovery.ts";
import { SqliteCatalog } from "./store/sqlite_catalog.ts";

/** Quota of a new account, in bytes. */
export const DEFAULT_QUOTA_BYTES = 10 * 1024 ** 3;

/** How the netdisk is set up. */
export interface NetdiskServeOptions {
  /** The data folder; made at the first start. The netdisk needs one. */
  readonly data?: string;
  /** Hosts to listen on, or `unix:PATH`; 127.0.0.1 without it. */
  readonly listen?: readonly string[];
  /** Port; 0 takes any free one. 9000 without it. */
  readonly port?: number;
  /** Without TLS, on loopback and Unix sockets only. */
  readonly plain?: boolean;
  /** A certificate and its key, both in PEM; the server makes its own without them. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /**
   * Whether logged-in clients get ports of their own for transfers, past the gate in front of TLS;
   * yes without it.
   */
  readonly direct?: boolean;
  /** Whether people may make accounts; without it: only when it listens on this machine alone. */
  readonly registration?: "open" | "closed";
  /** Quota of a new account, in bytes. */
  readonly defaultQuotaBytes?: number;
  /** Which names files may have. */
  readonly names?: NameRules;
  /** From accept to logged in, in milliseconds. */
  readonly loginTimeoutMs?: number;
  /** Connections at once, and those of them that are not logged in. */
  readonly connectionsMax?: number;
  /** See `connectionsMax`. */
  readonly guestsMax?: number;
}

/** The netdisk as it runs. */
export interface RunningNetdisk {
  /** Where it listens, with the real port. */
  readonly addresses: readonly Address[];
  /** The certificate's fingerprint, unless it serves without TLS. */
  readonly fingerprint: string | undefined;
  /** Whether people may make accounts. */
  readonly registration: "open" | "closed";
  /**
   * Stops accepting, lets requests in flight finish, closes everything. To be called once.
   *
   * @param drainMs How long they may take; then their connections are closed.
   */
  end(drainMs: number): Promise<void>;
}

const log = getLogger(["trivet", "server"]);

/**
 * Starts the netdisk.
 *
 * @param options How it is set up.
 * @returns The running netdisk.
 * @throws {TrivetError} `USAGE`, `ADDRESS_IN_USE`, or `FAILED` when the data folder cannot be used.
 */
export async function startNetdisk(options: NetdiskServeOptions): Promise<RunningNetdisk> {
  if (options.data === undefined) throw new TypeError("The netdisk needs a data folder");
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await openDataFolder(options.data));
  const catalog = stack.adopt(SqliteCatalog.open(folder.database), (opened) => opened.close());
  const names = options.names ?? "native";
  const depot = await FolderDepot.open(folder.path, { names });
  const recovered = await recoverCommits(catalog, depot);
  if (recovered > 0) log.info("Settled {recovered} uploads of the last run", { recovered });
  await catalog.removeExpiredTokens();

  const identity = await openIdentity(catalog);
  const tls = options.plain === true
    ? undefined
    : options.tls === undefined
    ? await openOwnCertificate(folder, identity.serverId)
    : await readTlsIdentity(options.tls.certFile, options.tls.keyFile);
  const listeners = await openListeners(options, tls);
  for (const listener of listeners) stack.use(listener);
  const addresses = listeners.map(({ address }) => address);
  const registration = options.registration ?? defaultRegistration(addresses);

  const shutdown = new AbortController();
  const connections = new Connections();
  const doors = tls === undefined || options.direct === false
    ? undefined
    : stack.use(openDoors(tls, (conn) => connections.add(conn, serveConnection(conn, context))));
  const context: ConnectionContext = {
    authority: {
      catalog,
      depot,
      throttle: new LoginThrottle(),
      fakeSecret: identity.fakeSecret,
      registration,
      defaultQuotaBytes: options.defaultQuotaBytes ?? DEFAULT_QUOTA_BYTES,
      now: () => performance.now(),
      onAttempt: logAttempt,
    },
    admission: new Admission(options),
    stores: { catalog, depot, names, activeUploads: new ActiveUploads() },
    live: new LiveSessions(),
    serverId: identity.serverId,
    channelBinding: tls?.info.sha256,
    doors,
    loginTimeoutMs: options.loginTimeoutMs ?? LOGIN_TIMEOUT_MS,
    shutdown: shutdown.signal,
  };
  const accepting = listeners.map((listener) => acceptAll(listener, connections, context));
  const held = stack.move();
  const end = async (drainMs: number) => {
    for (const listener of listeners) listener.close();
    doors?.close();
    shutdown.abort();
    await Promise.all(accepting);
    await connections.drain(drainMs);
    await held.disposeAsync();
  };
  return {
    addresses,
    fingerprint: tls === undefined ? undefined : formatFingerprint(tls.info.sha256),
    registration,
    end,
  };
}

/** The connections that are being served. */
class Connections {
  readonly #open = new Map<AcceptedConn, Promise<void>>();

  add(conn: AcceptedConn, served: Promise<void>): void {
    this.#open.set(conn, served);
    served.finally(() => this.#open.delete(conn));
  }

  /** Waits until all are done; closes those that are not after `drainMs`. */
  async drain(drainMs: number): Promise<void> {
    const timer = setTimeout(() => this.#closeAll(), drainMs);
    await Promise.all(this.#open.values());
    clearTimeout(timer);
  }

  #closeAll(): void {
    for (const conn of this.#open.keys()) {
      try {
        conn.close();
      } catch {
        // It was closing already.
      }
    }
  }
}

async function acceptAll(
  listener: Listener,
  connections: Connections,
  context: ConnectionContext,
): Promise<void> {
  for await (const conn of listener) connections.add(conn, serveConnection(conn, context));
}

function openDoors(
  { cert, key }: TlsIdentity,
  onConnection: (conn: AcceptedConn) => void,
): DirectDoors {
  const onShut = () =>
    log.warning("No more direct connections until the next start: too many were stuck in TLS");
  return new DirectDoors({ cert, key, onConnection, onShut });
}

async function openListeners(
  options: NetdiskServeOptions,
  tls: TlsIdentity | undefined,
): Promise<Listener[]> {
  const places = options.listen ?? ["127.0.0.1"];
  const unixPaths = places.filter((place) => place.startsWith("unix:"));
  if (unixPaths.length > 0 && tls !== undefined) {
    throw new TrivetError("USAGE", "A Unix socket is served without TLS: add --plain");
  }
  const onPause = (error: unknown, pauseMs: number) => {
    log.warning("Cannot accept, trying again in {pauseMs} ms: {error}", { pauseMs, error });
  };
  const hosts = places.filter((place) => !place.startsWith("unix:"));
  const listeners = await listenAll(hosts, {
    onPause,
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(tls === undefined ? { plain: true } : { cert: tls.cert, key: tls.key }),
  });
  for (const path of unixPaths) {
    listeners.push(await listen({ unixPath: path.slice("unix:".length), onPause }));
  }
  return listeners;
}

/** Whoever can reach an address beyond this machine must not be able to take disk space. */
function defaultRegistration(addresses: readonly Address[]): "open" | "closed" {
  const isLocal = addresses.every((address) =>
    address.transport === "unix" || isLoopback(address.host)
  );
  return isLocal ? "open" : "closed";
}

function logAttempt(attempt: AuthAttempt): void {
  const { kind, user, error, source } = attempt;
  if (error === null) {
    log.info("Accepted {kind} of {user} from {source}", { kind, user, source });
  } else {
    log.warning("Refused {kind} of {user} from {source}: {code}", {
      kind,
      user: user ?? "unknown",
      source,
      code: error.code,
    });
  }
}
