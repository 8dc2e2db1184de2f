/**
 * What the server keeps of machine keys, sealed: the database alone opens nothing. The key of the seal
 * is a file beside the certificate's key; it is made at the first need and never changed.
 *
 * @module
 */

import { join } from "node:path";
import { TrivetError } from "../lib/errors.ts";
import { quoteName } from "../lib/netdisk/path.ts";

/** Name of the seal's file in the folder of keys. */
export const SEAL_FILE = "machine_keys.seal";

const SEAL_BYTES = 32;
/** NIST SP 800-38D §8.2.2: random nonces are fine for far more than the keys of one server. */
const NONCE_BYTES = 12;
const SEAL_TEXT = /^[0-9a-f]{64}\n$/;
const OWNER_ONLY = 0o600;

type Bytes = Uint8Array<ArrayBuffer>;

/** Seals and opens what is stored of machine keys. */
export class KeySeal {
  readonly #key: CryptoKey;

  private constructor(key: CryptoKey) {
    this.#key = key;
  }

  /**
   * Reads the seal, making it when there is none; several programs may do so at once.
   *
   * @param folder Where keys lie.
   * @throws {TrivetError} `FAILED` when the file is damaged or cannot be made.
   */
  static async open(folder: string): Promise<KeySeal> {
    const file = join(folder, SEAL_FILE);
    const text = await readSeal(file) ?? await makeSeal(file);
    if (!SEAL_TEXT.test(text)) {
      throw new TrivetError("FAILED", `Cannot read ${quoteName(file)}: it is damaged`);
    }
    const raw = Uint8Array.fromHex(text.trim());
    const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
    return new KeySeal(key);
  }

  /**
   * Seals what a server keeps of a key (AES-256-GCM).
   *
   * @param id The key's, so that what is sealed for one cannot stand for another.
   * @param authKey From `deriveAuthKey`.
   */
  async seal(id: string, authKey: Bytes): Promise<Bytes> {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const sealed = await crypto.subtle.encrypt(algorithmFor(id, iv), this.#key, authKey);
    return new Uint8Array([...iv, ...new Uint8Array(sealed)]);
  }

  /**
   * Opens what was sealed.
   *
   * @returns The authentication key; null when it was sealed with another seal or for another id.
   */
  async open(id: string, sealed: Bytes): Promise<Bytes | null> {
    const algorithm = algorithmFor(id, sealed.slice(0, NONCE_BYTES));
    try {
      const content = sealed.slice(NONCE_BYTES);
      return new Uint8Array(await crypto.subtle.decrypt(algorithm, this.#key, content));
    } catch (error) {
      if (error instanceof DOMException) return null;
      throw error;
    }
  }
}

function algorithmFor(id: string, iv: Bytes): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(`trivet key ${id}`) };
}

async function readSeal(file: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw cannot("read", file, error);
  }
}

/** Whole or not at all, and never over another program's: a link fails where there is a file. */
async function makeSeal(file: string): Promise<string> {
  const text = `${crypto.getRandomValues(new Uint8Array(SEAL_BYTES)).toHex()}\n`;
  const temporary = `${file}.${crypto.randomUUID()}.new`;
  try {
    using opened = await Deno.open(temporary, { createNew: true, write: true, mode: OWNER_ONLY });
    await opened.write(new TextEncoder().encode(text));
    await opened.sync();
    await Deno.link(temporary, file);
    return text;
  } catch (error) {
    const other = error instanceof Deno.errors.AlreadyExists ? await readSeal(file) : null;
    if (other === null) throw cannot("make", file, error);
    return other;
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}

function cannot(act: "read" | "make", file: string, cause: unknown): TrivetError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TrivetError("FAILED", `Cannot ${act} ${quoteName(file)}: ${reason}`, { cause });
}
