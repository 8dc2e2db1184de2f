/**
 * Which uploads are being written to right now, so that a second session on the same upload ends the
 * first: the owner of a half-open connection comes back and must not wait for it to time out. And how
 * many of them an account may have.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";

/** Uploads that one account may have in use at once. */
export const ACCOUNT_UPLOADS_MAX = 64;

/** An upload in use by one connection. */
export interface ActiveUpload {
  /** Upload id. */
  readonly id: string;
  /** Whose it is. */
  readonly user: string;
  /** Ends it: nothing is written after the promise resolves. */
  end(reason: TrivetError): Promise<void>;
}

/** The uploads in use, by id. */
export class ActiveUploads {
  readonly #active = new Map<string, ActiveUpload>();
  /** Places by account: of uploads in use, and of those that are being opened. */
  readonly #places = new Map<string, number>();
  readonly #accountUploadsMax: number;

  /** @param options How many uploads one account may have in use at once. */
  constructor(options: { readonly accountUploadsMax?: number } = {}) {
    this.#accountUploadsMax = options.accountUploadsMax ?? ACCOUNT_UPLOADS_MAX;
  }

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
    this.remove(active);
    await active.end(
      new TrivetError("UPLOAD_TAKEN_OVER", "Another session has taken over this upload"),
    );
  }

  /**
   * Holds a place for an upload that is being opened.
   *
   * @param user Whose it is.
   * @returns To be disposed of when the upload is in use, or is not to be.
   * @throws {TrivetError} `TOO_MANY_UPLOADS` when the account has no place left.
   */
  holdPlace(user: string): Disposable {
    const taken = this.#places.get(user) ?? 0;
    if (taken >= this.#accountUploadsMax) {
      throw new TrivetError(
        "TOO_MANY_UPLOADS",
        `One account may have ${this.#accountUploadsMax} uploads open at once, and has them`,
        { details: { limit: this.#accountUploadsMax } },
      );
    }
    this.#addPlace(user, 1);
    return { [Symbol.dispose]: () => this.#addPlace(user, -1) };
  }

  /** Notes that `upload` is in use; call `takeOver` before. */
  add(upload: ActiveUpload): void {
    this.#active.set(upload.id, upload);
    this.#addPlace(upload.user, 1);
  }

  /** Notes that `upload` is no longer in use. */
  remove(upload: ActiveUpload): void {
    if (this.#active.get(upload.id) !== upload) return;
    this.#active.delete(upload.id);
    this.#addPlace(upload.user, -1);
  }

  #addPlace(user: string, change: number): void {
    const taken = (this.#places.get(user) ?? 0) + change;
    if (taken > 0) this.#places.set(user, taken);
    else this.#places.delete(user);
  }
}
