/**
 * The netdisk as a service: opens the data folder, listens, serves, and drains when told to end.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { LoginThrottle } from "../lib/auth/throttle.ts";
import { TrivetError } from "../lib/errors.ts";
import { type Address, isLoopback, type TcpAddress } from "../lib/link/address.ts";
import { formatFingerprint } from "../lib/link/fingerprint.ts";
import type { AcceptedConn } from "../lib/link/link.ts";
import { listen, listenAll, type Listener } from "../lib/link/listen.ts";
import type { NameRules } from "../lib/netdisk/path.ts";
import { REQUESTS_IN_FLIGHT_MAX } from "../lib/rpc/messages.ts";
import { CHAT_SERVICE, EXEC_SERVICE } from "../lib/rpc/services.ts";
import { Admission } from "./admission.ts";
import { Audit, type AuditOptions } from "./audit.ts";
import { ChatDatagrams } from "./chat/datagrams.ts";
import { chatFilesOf } from "./netdisk/message_file.ts";
import { type ChatOptions, openChatHub } from "./chat/hub.ts";
import type { AuthAttempt } from "./authenticate.ts";
import { type ClassicOptions, ClassicService } from "./classic/service.ts";
import {
  type ConnectionContext,
  LOGIN_TIMEOUT_MS,
  serveConnection,
  serveDatagrams,
} from "./connection.ts";
import { Expiry } from "./care/expiry.ts";
import { DirectDoors } from "./direct_doors.ts";
import { openDataFolder } from "./data_folder.ts";
import { type ExecOptions, ExecService } from "./exec/service.ts";
import { LoginWatch } from "./login_watch.ts";
import { KeyGate } from "./key_gate.ts";
import { KeySeal } from "./key_seal.ts";
import { openIdentity, openOwnCertificate, readTlsIdentity, type TlsIdentity } from "./identity.ts";
import type { LimitOptions } from "./limit_config.ts";
import { ActiveUploads } from "./netdisk/active_uploads.ts";
import { FolderDepot } from "./netdisk/folder_depot.ts";
import { recoverCommits } from "./store/recovery.ts";
import { SqliteCatalog } from "./store/sqlite_catalog.ts";

/** Quota of a new account, in bytes. */
export const DEFAULT_QUOTA_BYTES = 10 * 1024 ** 3;

/** How the netdisk is set up. */
export interface NetdiskServeOptions extends LimitOptions {
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
  /** The tutorials' protocol beside the netdisk's own, without encryption; off without it. */
  readonly classic?: ClassicOptions;
  /** Whether nobody may log in, or register, without a machine key; not with `classic`. */
  readonly requireKey?: boolean;
  /** Whether people may make accounts; without it: only when it listens on this machine alone. */
  readonly registration?: "open" | "closed";
  /** Quota of a new account, in bytes. */
  readonly defaultQuotaBytes?: number;
  /** Which names files may have. */
  readonly names?: NameRules;
  /** Partial uploads that were not touched for so long are removed; 0 is never. A week without it. */
  readonly keepPartialsMs?: number;
  /** What has been in the trash for so long is deleted; 0 is never. 30 days without it. */
  readonly keepTrashMs?: number;
  /** From accept to logged in, in milliseconds. */
  readonly loginTimeoutMs?: number;
  /** Where logins and changes are written down; nowhere without it. */
  readonly audit?: AuditOptions;
  /** Remote commands, for the service `exec`; it needs `audit` too. */
  readonly exec?: ExecOptions;
  /** How the service `chat` is set up. */
  readonly chat?: ChatOptions;
}

/** A UDP port of this machine. */
export interface UdpAddress {
  /** Address of this machine. */
  readonly host: string;
  /** The port. */
  readonly port: number;
}

/** The netdisk as it runs. */
export interface RunningNetdisk {
  /** Where it listens, with the real port. */
  readonly addresses: readonly Address[];
  /** Where the classic protocol is spoken, with the real port; empty when it is off. */
  readonly classic: readonly TcpAddress[];
  /** Where the chat is spoken over UDP, with the real port; empty when it is off. */
  readonly chatUdp: readonly UdpAddress[];
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
 * Starts the netdisk, and what else is reached through its port.
 *
 * @param options How it is set up.
 * @param services Names of the services that clients may ask for.
 * @returns The running netdisk.
 * @throws {TrivetError} `USAGE`, `ADDRESS_IN_USE`, or `FAILED` when the data folder cannot be used.
 */
export async function startNetdisk(
  options: NetdiskServeOptions,
  services: ReadonlySet<string>,
): Promise<RunningNetdisk> {
  if (options.data === undefined) throw new TypeError("The netdisk needs a data folder");
  if (options.requireKey === true && options.classic !== undefined) {
    const text = "A machine key cannot be required together with the classic protocol";
    throw new TrivetError("USAGE", text);
  }
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await openDataFolder(options.data));
  const catalog = stack.adopt(SqliteCatalog.open(folder.database), (opened) => opened.close());
  const audit = options.audit && stack.use(await Audit.open(folder.path, options.audit));
  const names = options.names ?? "native";
  const depot = await FolderDepot.open(folder.path, { names });
  const recovered = await recoverCommits(catalog, depot);
  if (recovered > 0) log.info("Settled {recovered} uploads of the last run", { recovered });
  // What the removal of an account left when it was interrupted; it must not keep the server down.
  await depot.removeSetAside().catch((error) => {
    log.warning("Cannot delete what removed accounts have left: {error}", { error });
  });
  await catalog.removeExpiredTokens();
  const chat = services.has(CHAT_SERVICE)
    ? stack.use(openChatHub(folder.database, chatFilesOf(depot, names), options.chat ?? {}))
    : undefined;

  const identity = await openIdentity(catalog);
  const tls = options.plain === true
    ? undefined
    : options.tls === undefined
    ? await openOwnCertificate(folder, identity.serverId)
    : await readTlsIdentity(options.tls.certFile, options.tls.keyFile);
  const listeners = await openListeners(options, tls);
  for (const listener of listeners) stack.use(listener);
  const addresses = listeners.map(({ address }) => address);
  const classic = options.classic === undefined
    ? undefined
    : stack.use(new ClassicService(options.classic));
  const registration = options.registration ??
    defaultRegistration([...addresses, ...classic?.addresses ?? []]);

  const activeUploads = new ActiveUploads(options);
  stack.use(new Expiry({ catalog, depot, activeUploads }, options));

  const keys = await openKeys(catalog, { folder: folder.keys, options });
  const shutdown = new AbortController();
  const exec = services.has(EXEC_SERVICE)
    ? stack.use(await openExec(options, { audit, shutdown: shutdown.signal }))
    : undefined;
  const connections = new Connections();
  const doors = tls === undefined || options.direct === false
    ? undefined
    : stack.use(openDoors(tls, (conn) => connections.add(conn, serveConnection(conn, context))));
  const admission = new Admission(options);
  const datagrams = chat === undefined || options.chat?.udpPort === undefined
    ? undefined
    : stack.use(
      await ChatDatagrams.open({
        hosts: tcpHosts(options),
        port: options.chat.udpPort,
        resetSecret: identity.resetSecret,
        admission,
        connectionsMax: options.connectionsMax,
        netem: options.chat.netem,
        serve: (conn, member) => {
          const served = serveDatagrams(conn, member, context);
          connections.add(conn, served);
          return served;
        },
      }),
    );
  const context: ConnectionContext = {
    authority: {
      catalog,
      depot,
      throttle: openThrottle(options),
      keys,
      fakeSecret: identity.fakeSecret,
      registration,
      defaultQuotaBytes: options.defaultQuotaBytes ?? DEFAULT_QUOTA_BYTES,
      now: () => performance.now(),
      onAttempt: (attempt) => {
        logAttempt(attempt);
        audit?.noteAttempt(attempt);
      },
    },
    admission,
    stores: { catalog, depot, names, activeUploads, chat: chat?.catalog },
    services,
    exec,
    chat,
    datagrams,
    logins: stack.use(new LoginWatch(catalog)),
    serverId: identity.serverId,
    channelBinding: tls?.info.sha256,
    doors,
    audit,
    loginTimeoutMs: options.loginTimeoutMs ?? LOGIN_TIMEOUT_MS,
    requestsInFlightMax: options.requestsInFlightMax ?? REQUESTS_IN_FLIGHT_MAX,
    shutdown: shutdown.signal,
  };
  const accepting = listeners.map((listener) => acceptAll(listener, connections, context));
  if (classic !== undefined) {
    accepting.push(classic.start(context, (conn, served) => connections.add(conn, served)));
  }
  const held = stack.move();
  const end = async (drainMs: number) => {
    for (const listener of listeners) listener.close();
    classic?.close();
    doors?.close();
    shutdown.abort();
    await Promise.all(accepting);
    await connections.drain(drainMs);
    await held.disposeAsync();
  };
  return {
    addresses,
    classic: classic?.addresses ?? [],
    chatUdp: datagrams?.addresses ?? [],
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

/** A command that nobody wrote down must not have run. */
async function openExec(
  { exec }: NetdiskServeOptions,
  { audit, shutdown }: { readonly audit: Audit | undefined; readonly shutdown: AbortSignal },
): Promise<ExecService> {
  if (exec === undefined) {
    throw new TrivetError("USAGE", "Remote commands need a list of them: add --commands FILE");
  }
  if (audit === undefined) {
    throw new TrivetError("USAGE", "Remote commands need the audit log: leave out --audit off");
  }
  return await ExecService.open(exec, { audit, shutdown });
}

async function openKeys(
  catalog: SqliteCatalog,
  { folder, options }: { readonly folder: string; readonly options: NetdiskServeOptions },
): Promise<KeyGate> {
  const isRequired = options.requireKey ?? false;
  if (isRequired && (await catalog.listKeys({ limit: 1 })).length === 0) {
    log.warning("Nobody can log in: there is no machine key yet; make one with trivetd key add");
  }
  const seal = await KeySeal.open(folder);
  return await KeyGate.open({ catalog, seal, isRequired, now: () => performance.now() });
}

function openThrottle({ loginAttemptsFree }: LimitOptions): LoginThrottle {
  return new LoginThrottle(loginAttemptsFree === undefined ? {} : { pairFree: loginAttemptsFree });
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
  const listeners = await listenAll(tcpHosts(options), {
    onPause,
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(tls === undefined ? { plain: true } : { cert: tls.cert, key: tls.key }),
  });
  for (const path of unixPaths) {
    listeners.push(await listen({ unixPath: path.slice("unix:".length), onPause }));
  }
  return listeners;
}

function tcpHosts({ listen = ["127.0.0.1"] }: NetdiskServeOptions): string[] {
  return listen.filter((place) => !place.startsWith("unix:"));
}

/** Whoever can reach an address beyond this machine must not be able to take disk space. */
function defaultRegistration(addresses: readonly Address[]): "open" | "closed" {
  const isLocal = addresses.every((address) =>
    address.transport === "unix" || isLoopback(address.host)
  );
  return isLocal ? "open" : "closed";
}

function logAttempt(attempt: AuthAttempt): void {
  const { kind, error, source } = attempt;
  const user = attempt.user ?? attempt.keyId;
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
