/**
 * Bytes of the classic netdisk protocol to messages and files. Feed it whatever a socket gives, in pieces
 * of any size: it knows no socket, copies no file and checks each length before it allocates.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";

/** Bytes of a length: a C `int`, little-endian and signed. */
export const CLASSIC_LENGTH_BYTES = 4;

/** Longest text from a client, in bytes: the longest path, or a name and the longest password. */
export const CLASSIC_TEXT_MAX_BYTES = 8192;

/** Longest file, or rest of one, that a C `int` can announce. */
export const CLASSIC_FILE_MAX_BYTES = 2 ** 31 - 1;

/** What a {@linkcode ClassicDecoder} reads. */
export type ClassicPiece =
  /** A whole text. */
  | { readonly kind: "text"; readonly text: string }
  /** How many bytes of a file follow. */
  | { readonly kind: "file"; readonly size: number }
  /** The next bytes of a file: a view of what was pushed. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

/**
 * Reads what a client sends. Whether a file comes instead of a text only the one who answered knows,
 * and says so with {@linkcode expectFile}; so texts and files may arrive in one piece.
 */
export class ClassicDecoder {
  #input: Uint8Array = new Uint8Array(0);
  #length = new Uint8Array(CLASSIC_LENGTH_BYTES);
  #lengthBytes = 0;
  #text: Uint8Array | undefined;
  #textBytes = 0;
  #isFileNext = false;
  #fileBytesLeft = 0;

  /** Whether nothing of a message or file that began is still to come, and nothing is left to read. */
  get isBetween(): boolean {
    return this.#input.length === 0 && this.#lengthBytes === 0 && this.#text === undefined &&
      this.#fileBytesLeft === 0;
  }

  /**
   * Takes the next bytes. They are the decoder's until {@linkcode next} has answered `null`.
   *
   * @param bytes Any number of them.
   * @throws {TypeError} If earlier ones are not read yet.
   */
  push(bytes: Uint8Array): void {
    if (this.#input.length > 0) throw new TypeError("Cannot push: earlier bytes are not read yet");
    this.#input = bytes;
  }

  /**
   * Reads the next piece.
   *
   * @returns The piece, or `null` when more bytes are needed.
   * @throws {TrivetError} `PROTOCOL_ERROR` for a length that is negative or above the limit, or a text
   * that is not UTF-8; nothing that follows can be read.
   */
  next(): ClassicPiece | null {
    if (this.#fileBytesLeft > 0) return this.#fileBytes();
    if (this.#text === undefined) {
      const length = this.#readLength();
      if (length === null) return null;
      if (this.#isFileNext) return this.#beginFile(length);
      this.#beginText(length);
    }
    return this.#readText();
  }

  /** The next length is a file's. To be called when all that came before is read. */
  expectFile(): void {
    this.#isFileNext = true;
  }

  #take(bytesMax: number): Uint8Array {
    const bytes = this.#input.subarray(0, bytesMax);
    this.#input = this.#input.subarray(bytes.length);
    return bytes;
  }

  #readLength(): number | null {
    const bytes = this.#take(CLASSIC_LENGTH_BYTES - this.#lengthBytes);
    this.#length.set(bytes, this.#lengthBytes);
    this.#lengthBytes += bytes.length;
    if (this.#lengthBytes < CLASSIC_LENGTH_BYTES) return null;
    this.#lengthBytes = 0;
    return new DataView(this.#length.buffer).getInt32(0, true);
  }

  #beginText(length: number): void {
    if (length < 0 || length > CLASSIC_TEXT_MAX_BYTES) {
      throw malformed(`a text's length is ${length}, the limit is ${CLASSIC_TEXT_MAX_BYTES}`);
    }
    this.#text = new Uint8Array(length);
    this.#textBytes = 0;
  }

  #readText(): ClassicPiece | null {
    const text = this.#text ?? new Uint8Array(0);
    const bytes = this.#take(text.length - this.#textBytes);
    text.set(bytes, this.#textBytes);
    this.#textBytes += bytes.length;
    if (this.#textBytes < text.length) return null;
    this.#text = undefined;
    return { kind: "text", text: decodeText(text) };
  }

  #beginFile(length: number): ClassicPiece {
    if (length < 0) throw malformed(`a file's length is ${length}`);
    this.#isFileNext = false;
    this.#fileBytesLeft = length;
    return { kind: "file", size: length };
  }

  #fileBytes(): ClassicPiece | null {
    const bytes = this.#take(this.#fileBytesLeft);
    if (bytes.length === 0) return null;
    this.#fileBytesLeft -= bytes.length;
    return { kind: "bytes", bytes };
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new TrivetError("PROTOCOL_ERROR", "Cannot read the message: it is not UTF-8", { cause });
  }
}

function malformed(problem: string): TrivetError {
  return new TrivetError("PROTOCOL_ERROR", `Cannot read the message: ${problem}`);
}
