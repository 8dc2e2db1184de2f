/**
 * Which uploads are being written to right now, so that a second session on the same upload ends the
 * first: the owner of a half-open connection comes back and must not wait for it to time out.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";

/** An upload in use by one connection. */
export interface ActiveUpload {
  /** Upload id. */
  readonly id: string;
  /** Ends it: nothing is written after the promise resolves. */
  end(reason: TrivetError): Promise<void>;
}

/** The uploads in use, by id. */
export class ActiveUploads {
  readonly #active = new Map<string, ActiveUpload>();

  /** How many are in use. */
  get size(): number {
    return this.#active.size;
  }

  /** Whether an upload is in use. */
  has(id: string): boolean {
    return this.#active.has(id);
  }

  /** Ends whoever uses this upload. */
  async takeOver(id: string): Promise<void> {
    const active = this.#active.get(id);
    if (active === undefined) return;
    this.#active.delete(id);
    await active.end(
      new TrivetError("UPLOAD_TAKEN_OVER", "Another session has taken over this upload"),
    );
  }

  /** Notes that `upload` is in use; call `takeOver` before. */
  add(upload: ActiveUpload): void {
    this.#active.set(upload.id, upload);
  }

  /** Notes that `upload` is no longer in use. */
  remove(upload: ActiveUpload): void {
    if (this.#active.get(upload.id) === upload) this.#active.delete(upload.id);
  }
}
