/**
 * Where the client keeps which certificate each server showed: in a file, or in memory.
 *
 * @module
 */

import type { KnownServer } from "../lib/link/known_servers.ts";
import { readKnownServers, updateKnownServers } from "../lib/link/known_servers_file.ts";
import { quoteLocal } from "./local_error.ts";

/** What is known of a server. */
export interface KnownTrust {
  /** Its certificate; absent when it was never seen. */
  readonly known?: KnownServer;
  /** Where that stands, for messages. */
  readonly knownAt?: string;
}

/** Remembers servers. */
export interface TrustStore {
  /** What is known of an address, as `formatAddress` writes it. */
  lookup(address: string): Promise<KnownTrust>;
  /** Remembers a server, in place of what was known of its address. */
  remember(server: KnownServer): Promise<void>;
}

/** Remembers servers as long as the program runs. */
export class MemoryTrustStore implements TrustStore {
  readonly #servers = new Map<string, KnownServer>();

  /** See {@linkcode TrustStore.lookup}. */
  lookup(address: string): Promise<KnownTrust> {
    const known = this.#servers.get(address);
    return Promise.resolve(known === undefined ? {} : { known });
  }

  /** See {@linkcode TrustStore.remember}. */
  remember(server: KnownServer): Promise<void> {
    this.#servers.set(server.address, server);
    return Promise.resolve();
  }
}

/** Remembers servers in a file, as ssh does. */
export class FileTrustStore implements TrustStore {
  readonly #path: string;

  /**
   * Reads nothing yet.
   *
   * @param path The file; made when the first server is remembered.
   */
  constructor(path: string) {
    this.#path = path;
  }

  /** See {@linkcode TrustStore.lookup}. */
  async lookup(address: string): Promise<KnownTrust> {
    const servers = await readKnownServers(this.#path);
    const known = servers.lookup(address);
    if (known === undefined) return {};
    return { known, knownAt: `line ${servers.lineOf(address)} of ${quoteLocal(this.#path)}` };
  }

  /** See {@linkcode TrustStore.remember}. */
  async remember(server: KnownServer): Promise<void> {
    await updateKnownServers(this.#path, (servers) => servers.remember(server));
  }
}
