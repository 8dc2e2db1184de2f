/**
 * The part of the catalog that keeps machine keys. It never sees a key: what it stores is sealed by
 * `server/key_seal.ts`.
 *
 * @module
 */

/** Services that a key may be confined to. */
export const KEY_SERVICES = ["netdisk", "exec"] as const;

/** A machine key as people see it. */
export interface KeyRecord {
  /** 18 hex digits, never used again. */
  readonly id: string;
  /** What the administrator calls it. */
  readonly name: string;
  /** The services that it opens; null for all. */
  readonly services: readonly string[] | null;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Last exchange that it was accepted in, rounded down to `TOKEN_USE_ROUND_MS`; null before. */
  readonly lastUsedAtMs: number | null;
  /** When it ends, in milliseconds since 1970; null for never. */
  readonly expiresAtMs: number | null;
}

/** A machine key to store. */
export interface NewKey extends Pick<KeyRecord, "id" | "name" | "services" | "expiresAtMs"> {
  /** What `KeySeal.seal` made of its authentication key. */
  readonly sealed: Uint8Array;
}

/** A page of keys to ask for. */
export interface KeyQuery {
  /** Only names after this one. */
  readonly after?: string;
  /** Most records in the answer. */
  readonly limit: number;
}

/** Machine keys. All changes but notes of a use are durable. */
export interface KeyCatalog {
  /** Adds a key. Throws `KEY_EXISTS` when the name is taken. */
  addKey(key: NewKey): Promise<KeyRecord>;
  /** Keys in order of their names, those that have ended too. */
  listKeys(query: KeyQuery): Promise<KeyRecord[]>;
  /**
   * What is stored of a key that opens a service now; null for any other, whatever the reason. The same
   * query either way.
   */
  findKey(id: string, service: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** The name of a key that is there; null for any other. */
  keyName(id: string): Promise<string | null>;
  /** Notes a use, coarsely. */
  noteKeyUse(id: string): Promise<void>;
  /** Forgets the key of this name, else of this id; null when there is none. */
  revokeKey(nameOrId: string): Promise<KeyRecord | null>;
  /** Which of these keys have ended or were revoked. `AccountCatalog.loginsMark` changes with them. */
  endedKeys(ids: readonly string[]): Promise<string[]>;
}
