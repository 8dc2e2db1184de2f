/**
 * The client's list of servers it has seen, as text: which certificate each address showed.
 *
 * ```text
 * # comments and empty lines are kept
 * disk.example.org:9000 SHA256:oXx… MIIB…
 * [::1]:9000 SHA256:9dF… MIIC…,MIIB…
 * big.example.com:9000 webpki
 * ```
 *
 * The third field is the certificate in DER and base64, then those of its issuers that the server
 * sent, so that a later connection can verify the server without asking first who it is.
 * `webpki` says that a public certificate authority vouches for the host's name: nothing is pinned.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { formatFingerprint, parseFingerprint } from "./fingerprint.ts";

/** Largest text that is read; about 2000 servers. */
export const KNOWN_SERVERS_MAX_BYTES = 2 * 1024 * 1024;

/** Most certificates of one server: its own and its issuers'. */
export const KNOWN_SERVER_CHAIN_MAX = 8;

/** A server whose certificate is pinned. */
export interface PinnedServer {
  /** Tells the two kinds apart. */
  readonly trust: "pinned";
  /** The address as `formatAddress` writes it. */
  readonly address: string;
  /** Fingerprint of the server's certificate. */
  readonly sha256: Uint8Array;
  /** The server's certificate in DER, then those of its issuers that it sent. */
  readonly chain: readonly Uint8Array[];
}

/** A server for whose name a public certificate authority vouches. */
export interface WebpkiServer {
  /** Tells the two kinds apart. */
  readonly trust: "webpki";
  /** The address as `formatAddress` writes it. */
  readonly address: string;
}

/** One server that the client knows. */
export type KnownServer = PinnedServer | WebpkiServer;

/** A line that cannot be used; it stays in the file until somebody removes it. */
export interface DamagedLine {
  /** Number of the line, from 1. */
  readonly line: number;
  /** What is wrong with it, as the end of a sentence. */
  readonly reason: string;
}

interface Line {
  readonly text: string;
  readonly address?: string;
  readonly server?: KnownServer;
  readonly damage?: string;
}

/** The servers that a client knows, in the order of the file. */
export class KnownServers {
  #lines: Line[];

  private constructor(lines: Line[]) {
    this.#lines = lines;
  }

  /**
   * Reads the text of the file. Lines that cannot be used are kept and reported by `damaged`.
   *
   * @throws TrivetError `FAILED` when the text is larger than {@linkcode KNOWN_SERVERS_MAX_BYTES}
   */
  static parse(text: string): KnownServers {
    if (text.length > KNOWN_SERVERS_MAX_BYTES) {
      throw new TrivetError(
        "FAILED",
        `Cannot read the known servers: they have ${text.length} bytes, ` +
          `the limit is ${KNOWN_SERVERS_MAX_BYTES}`,
      );
    }
    const seen = new Map<string, number>();
    const texts = text.split("\n");
    if (texts.at(-1) === "") texts.pop();
    return new KnownServers(texts.map((line, index) => {
      const parsed = parseLine(line);
      const first = parsed.address === undefined ? undefined : seen.get(parsed.address);
      if (parsed.address === undefined) return parsed;
      if (first === undefined) seen.set(parsed.address, index + 1);
      else return { text: line, damage: `it repeats the address of line ${first}` };
      return parsed;
    }));
  }

  /** Lines that cannot be used. */
  get damaged(): DamagedLine[] {
    return this.#lines.flatMap(({ damage }, index) =>
      damage === undefined ? [] : [{ line: index + 1, reason: damage }]
    );
  }

  /** How many servers the list knows. */
  get size(): number {
    return this.#lines.filter((line) => line.server !== undefined).length;
  }

  /**
   * What is known of an address.
   *
   * @param address The address as `formatAddress` writes it
   * @returns The server, or undefined when the address was never remembered
   * @throws TrivetError `PIN_UNKNOWN` when the line of this address is damaged: taking the server
   * for a new one would throw its pin away in silence
   */
  lookup(address: string): KnownServer | undefined {
    const found = this.#lines.find((line) => line.address === address);
    if (found?.damage !== undefined) {
      throw new TrivetError(
        "PIN_UNKNOWN",
        `Cannot use line ${this.lineOf(address)} of the known servers, ` +
          `which is for "${address}": ${found.damage}`,
      );
    }
    return found?.server;
  }

  /** Number of the line of an address, from 1, or undefined when there is none. */
  lineOf(address: string): number | undefined {
    const index = this.#lines.findIndex((line) => line.address === address);
    return index === -1 ? undefined : index + 1;
  }

  /** Adds a server, in place of what was known of its address. */
  remember(server: KnownServer): void {
    const line: Line = { text: writeLine(server), address: server.address, server };
    const index = this.#lines.findIndex((line) => line.address === server.address);
    if (index === -1) this.#lines.push(line);
    else this.#lines[index] = line;
  }

  /**
   * Removes what is known of an address.
   *
   * @returns Whether there was anything to remove
   */
  forget(address: string): boolean {
    const before = this.#lines.length;
    this.#lines = this.#lines.filter((line) => line.address !== address);
    return this.#lines.length < before;
  }

  /** The text of the file. */
  toString(): string {
    return this.#lines.map((line) => line.text + "\n").join("");
  }
}

function writeLine(server: KnownServer): string {
  if (server.trust === "webpki") return `${server.address} webpki`;
  const chain = server.chain.map((der) => der.toBase64()).join(",");
  return `${server.address} ${formatFingerprint(server.sha256)} ${chain}`;
}

function parseLine(text: string): Line {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.startsWith("#")) return { text };
  const [addressField = "", trustField, chainField, ...rest] = trimmed.split(/[ \t]+/);
  const address = normalAddress(addressField);
  if (address === undefined) return { text, damage: "it does not begin with an address" };
  const damaged = (damage: string): Line => ({ text, address, damage });
  if (trustField === undefined) return damaged("it ends after the address");
  if (trustField === "webpki") {
    if (chainField !== undefined) return damaged('something follows "webpki"');
    return { text, address, server: { trust: "webpki", address } };
  }
  const sha256 = optional(() => parseFingerprint(trustField));
  if (sha256 === undefined) return damaged("its second field is no fingerprint");
  if (chainField === undefined) return damaged("it names no certificate");
  if (rest.length > 0) return damaged("something follows the certificate");
  const chain = parseChain(chainField);
  if (chain === undefined) return damaged("its certificate is damaged");
  return { text, address, server: { trust: "pinned", address, sha256, chain } };
}

function normalAddress(text: string): string | undefined {
  return optional(() => formatAddress(parseAddress(text)));
}

function parseChain(text: string): Uint8Array[] | undefined {
  const fields = text.split(",");
  if (fields.length > KNOWN_SERVER_CHAIN_MAX) return undefined;
  const chain: Uint8Array[] = [];
  for (const field of fields) {
    const der = optional(() => Uint8Array.fromBase64(field, { lastChunkHandling: "strict" }));
    if (der === undefined || !isWholeSequence(der)) return undefined;
    chain.push(der);
  }
  return chain;
}

/** Whether `der` is one SEQUENCE with exactly its length: finds lines that were cut. */
function isWholeSequence(der: Uint8Array): boolean {
  // Certificates take two bytes of length: 0x30 0x82 hi lo (X.690 §8.1.3).
  const [tag, form, high = 0, low = 0] = der;
  return tag === 0x30 && form === 0x82 && der.length === 4 + (high << 8 | low);
}

function optional<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
