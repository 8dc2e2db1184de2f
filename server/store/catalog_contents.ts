/**
 * The catalog's memory of what large files contain, so that one who uploads the same again need not
 * send it.
 *
 * @module
 */

/** What a stored file contains. */
export interface ContentRecord {
  /** Whose it is. */
  readonly user: string;
  /** Checked components of its path when it was stored. */
  readonly path: readonly string[];
  /** Its size in bytes. */
  readonly size: number;
  /** XXH3-128 over the digests of its chunks, as `put.commit` has it. */
  readonly digest: Uint8Array;
  /** Its entity tag then: with another one, it is not this file any more. */
  readonly etag: string;
}

/** What large files contain; part of `Catalog`. A record may be out of date: the tag tells. */
export interface ContentCatalog {
  /** Notes what was stored, in place of what was noted for the path. */
  noteContent(content: ContentRecord): Promise<void>;
  /** Files of a user with a size, and a digest if one is given; those noted last come first. */
  findContents(
    user: string,
    query: { readonly size: number; readonly digest?: Uint8Array; readonly limit: number },
  ): Promise<ContentRecord[]>;
  /** Forgets what was noted for a path. */
  forgetContent(user: string, path: readonly string[]): Promise<void>;
}
