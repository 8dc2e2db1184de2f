/**
 * The journal file beside a partial download: one line of JSON that says of what it is the journal,
 * then records that are appended as chunks arrive. Whatever is damaged is not trusted.
 *
 * @module
 */

import { chunkCount } from "./chunks.ts";
import { crc32, DIGEST_ALGORITHM, DIGEST_BYTES } from "./digest.ts";
import { ChunkJournal } from "./journal.ts";

/** Version of the format. */
export const SIDECAR_VERSION = 1;

/** Size of a record: `u32 chunk index | 16 bytes digest | u32 CRC-32 of the 20 bytes before`. */
export const SIDECAR_RECORD_BYTES: number = 4 + DIGEST_BYTES + 4;

/** Longest first line, with its newline. */
export const SIDECAR_HEADER_MAX_BYTES = 64 * 1024;

const NEWLINE = 0x0a;
const CRC_AT = 4 + DIGEST_BYTES;

/** Of what a partial file is a part. */
export interface SidecarHeader {
  /** Etag of the file on the server. */
  readonly etag: string;
  /** Its bytes. */
  readonly size: number;
  /** Bytes of each chunk but the last. */
  readonly chunkBytes: number;
  /** Which server. */
  readonly server: string;
  /** Path on the server. */
  readonly path: string;
}

/** What a journal file says. */
export interface Sidecar {
  /** Of what the partial file is a part. */
  readonly header: SidecarHeader;
  /** The chunks that it claims to hold. */
  readonly journal: ChunkJournal;
  /** Bytes up to the first record that is damaged or torn: cut the file here, then append. */
  readonly goodBytes: number;
}

/**
 * The first line of a journal file.
 *
 * @throws {RangeError} If it is longer than {@linkcode SIDECAR_HEADER_MAX_BYTES}.
 */
export function encodeSidecarHeader(header: SidecarHeader): Uint8Array<ArrayBuffer> {
  const { etag, size, chunkBytes, server, path } = header;
  const fields = { etag, size, chunkBytes, algorithm: DIGEST_ALGORITHM, server, path };
  const line = new TextEncoder().encode(`${JSON.stringify({ v: SIDECAR_VERSION, ...fields })}\n`);
  if (line.length > SIDECAR_HEADER_MAX_BYTES) {
    throw new RangeError(
      `Cannot write journal: its header has ${line.length} bytes, ` +
        `the limit is ${SIDECAR_HEADER_MAX_BYTES}`,
    );
  }
  return line;
}

/** A record that says that a chunk is held; it replaces earlier ones of the same chunk. */
export function encodeSidecarRecord(index: number, digest: Uint8Array): Uint8Array<ArrayBuffer> {
  if (digest.length !== DIGEST_BYTES) {
    throw new RangeError(
      `Cannot write journal: the digest of chunk ${index} is ${digest.length} B`,
    );
  }
  const record = new Uint8Array(SIDECAR_RECORD_BYTES);
  const view = new DataView(record.buffer);
  view.setUint32(0, index);
  record.set(digest, 4);
  view.setUint32(CRC_AT, crc32(record.subarray(0, CRC_AT)));
  return record;
}

/**
 * Reads a journal file. Records count up to the first that is torn, damaged or out of the file.
 *
 * @param bytes The file.
 * @returns What it says; `undefined` when the first line is not one of this version.
 */
export function decodeSidecar(bytes: Uint8Array): Sidecar | undefined {
  const lineEnd = bytes.subarray(0, SIDECAR_HEADER_MAX_BYTES).indexOf(NEWLINE);
  if (lineEnd < 0) return undefined;
  const header = decodeHeader(bytes.subarray(0, lineEnd));
  if (header === undefined) return undefined;
  const chunks = chunkCount(header.size, header.chunkBytes);
  const journal = new ChunkJournal();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = lineEnd + 1;
  for (; at + SIDECAR_RECORD_BYTES <= bytes.length; at += SIDECAR_RECORD_BYTES) {
    const index = view.getUint32(at);
    const isGood = view.getUint32(at + CRC_AT) === crc32(bytes.subarray(at, at + CRC_AT));
    if (!isGood || index >= chunks || !journal.accepts(index)) break;
    journal.set(index, bytes, at + 4);
  }
  return { header, journal, goodBytes: at };
}

/**
 * Reads a journal file for a download that is about to begin or go on.
 *
 * @param bytes The file.
 * @param wanted What the download is of, as the server says now.
 * @returns What it says; `undefined` when it is of anything else, so that the download starts anew.
 */
export function resumableSidecar(bytes: Uint8Array, wanted: SidecarHeader): Sidecar | undefined {
  const sidecar = decodeSidecar(bytes);
  if (sidecar === undefined) return undefined;
  const { header } = sidecar;
  const isSame = header.etag === wanted.etag && header.size === wanted.size &&
    header.chunkBytes === wanted.chunkBytes && header.server === wanted.server &&
    header.path === wanted.path;
  return isSame ? sidecar : undefined;
}

function decodeHeader(line: Uint8Array): SidecarHeader | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields: Partial<Record<string, unknown>> = { ...value };
  const { v, etag, size, chunkBytes, algorithm, server, path } = fields;
  if (v !== SIDECAR_VERSION || algorithm !== DIGEST_ALGORITHM) return undefined;
  if (typeof etag !== "string" || typeof server !== "string" || typeof path !== "string") {
    return undefined;
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
  if (typeof chunkBytes !== "number" || !Number.isSafeInteger(chunkBytes) || chunkBytes < 1) {
    return undefined;
  }
  return { etag, size, chunkBytes, server, path };
}
