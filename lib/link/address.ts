/**
 * Addresses of servers as people write them: `host[:port]`, `[v6]:port` and `unix:/path`.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";

/** Port of the one TCP listener that netdisk, chat and exec share. */
export const DEFAULT_PORT = 9000;

/** Longest host name (RFC 1035 §2.3.4, without the root's dot). */
export const HOST_MAX_CHARACTERS = 253;

/**
 * Longest path of a Unix socket. Linux takes 107 bytes and macOS 103, of which eight are left for
 * the folder in which a server makes its socket.
 */
export const UNIX_PATH_MAX_BYTES = 95;

/** A host and a port; an IPv6 host stands without brackets. */
export interface TcpAddress {
  /** Tells the two kinds apart. */
  readonly transport: "tcp";
  /** Name or IP address. */
  readonly host: string;
  /** Port, 1 to 65535. */
  readonly port: number;
}

/** A Unix socket. */
export interface UnixAddress {
  /** Tells the two kinds apart. */
  readonly transport: "unix";
  /** Path of the socket. */
  readonly path: string;
}

/** Where a server listens. */
export type Address = TcpAddress | UnixAddress;

const UNIX_PREFIX = "unix:";
const BRACKETED = /^\[([^\]]*)\](?::(.*))?$/s;
const HOST_AND_PORT = /^([^:]*)(?::(.*))?$/s;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Reads an address.
 *
 * @param text `host`, `host:port`, `[v6]`, `[v6]:port`, a bare IPv6 address or `unix:/path`
 * @param defaultPort The port where `text` names none
 * @returns The address; host names are in lower case, without the root's dot
 * @throws TrivetError `USAGE` when `text` is none of these
 */
export function parseAddress(text: string, defaultPort: number = DEFAULT_PORT): Address {
  if (text.startsWith(UNIX_PREFIX)) return parseUnixAddress(text.slice(UNIX_PREFIX.length));
  if (text.includes("/")) {
    throw new TrivetError(
      "USAGE",
      `Cannot read the address ${quote(text)}: write "host" or "host:port", without scheme or path`,
    );
  }
  const bracketed = BRACKETED.exec(text);
  if (bracketed !== null) {
    const host = parseIPv6(bracketed[1] ?? "", text);
    return { transport: "tcp", host, port: parsePort(bracketed[2], defaultPort, text) };
  }
  // Two colons without brackets can only be an IPv6 address that names no port.
  if (text.indexOf(":") !== text.lastIndexOf(":")) {
    return { transport: "tcp", host: parseIPv6(text, text), port: defaultPort };
  }
  const parts = HOST_AND_PORT.exec(text);
  const host = parseHost(parts?.[1] ?? "", text);
  return { transport: "tcp", host, port: parsePort(parts?.[2], defaultPort, text) };
}

/**
 * Writes an address so that {@linkcode parseAddress} reads it again.
 *
 * @returns `host:port`, `[v6]:port` or `unix:/path`
 */
export function formatAddress(address: Address): string {
  if (address.transport === "unix") return UNIX_PREFIX + address.path;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/**
 * Whether what is sent to `host` stays on this machine: 127.0.0.0/8, `::1`, `localhost`.
 *
 * Other names are not looked up: an answer of the network must not decide what is sent in the clear.
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost") return true;
  if (isIPv4(name)) return name.startsWith("127.");
  const groups = expandIPv6(name);
  if (groups === undefined) return false;
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return (groups[6] ?? 0) >> 8 === 127;
  return groups.every((group, index) => group === (index === 7 ? 1 : 0));
}

/** Whether `host` is an IPv4 or IPv6 address rather than a name. */
export function isIpAddress(host: string): boolean {
  return isIPv4(host) || expandIPv6(host) !== undefined;
}

function parseUnixAddress(path: string): UnixAddress {
  const bytes = new TextEncoder().encode(path).length;
  if (!path.startsWith("/") || path.includes("\0")) {
    throw new TrivetError("USAGE", `Cannot use ${quote("unix:" + path)}: a path begins with "/"`);
  }
  if (bytes > UNIX_PATH_MAX_BYTES) {
    throw new TrivetError(
      "USAGE",
      `Cannot use the Unix socket "${path}": its path has ${bytes} bytes, ` +
        `the limit is ${UNIX_PATH_MAX_BYTES}`,
    );
  }
  return { transport: "unix", path };
}

function parsePort(digits: string | undefined, defaultPort: number, text: string): number {
  if (digits === undefined) return defaultPort;
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : -1;
  if (port < 1 || port > 65535) {
    throw new TrivetError(
      "USAGE",
      `Cannot read the address ${quote(text)}: the port is ${quote(digits)}, not 1 to 65535`,
    );
  }
  return port;
}

function parseHost(host: string, text: string): string {
  const name = host.toLowerCase().replace(/(?<=.)\.$/, "");
  const labels = name.split(".");
  const numeric = /^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "");
  // A last label of digits makes it an IPv4 address, never a name; "127.1" is too old a spelling.
  const valid = name.length <= HOST_MAX_CHARACTERS &&
    (numeric ? isIPv4(name) : labels.every((label) => LABEL.test(label)));
  if (valid) return name;
  const reason = host === "" ? "it names no host" : `${quote(host)} is no host name or IP address`;
  throw new TrivetError("USAGE", `Cannot read the address ${quote(text)}: ${reason}`);
}

function parseIPv6(host: string, text: string): string {
  if (expandIPv6(host) !== undefined) return host.toLowerCase();
  throw new TrivetError(
    "USAGE",
    `Cannot read the address ${quote(text)}: ${quote(host)} is no IPv6 address; ` +
      `write "host:port" or "[IPv6]:port"`,
  );
}

function isIPv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every(isOctet);
}

function isOctet(text: string): boolean {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= 255;
}

/** The eight groups of an IPv6 address (RFC 4291 §2.2), or undefined when it is none. */
function expandIPv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function groupsOf(text: string, mayEndInIPv4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(parseInt(part, 16));
    } else if (mayEndInIPv4 && index === parts.length - 1 && isIPv4(part)) {
      const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
      groups.push(a << 8 | b, c << 8 | d);
    } else {
      return undefined;
    }
  }
  return groups;
}

/** Quotes for a message; control characters are escaped, so that nothing reaches a terminal raw. */
function quote(text: string): string {
  return JSON.stringify(text.length > 300 ? text.slice(0, 300) + "…" : text);
}
