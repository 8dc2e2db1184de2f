/**
 * What `trivet chat peer` needs of whoever carries its texts: encrypted, or as plain datagrams.
 *
 * @module
 */

import type { TrivetError } from "../../lib/errors.ts";

/** Something that happened. */
export type PeerEvent =
  | { readonly event: "connected"; readonly contact: string; readonly address: string }
  | { readonly event: "message"; readonly from: string; readonly text: string }
  | { readonly event: "ended"; readonly contact: string; readonly reason: string }
  | { readonly event: "failed"; readonly contact: string; readonly error: TrivetError }
  | { readonly event: "ignored"; readonly address: string };

/** Dialogues with several contacts over one socket. */
export interface Dialogues extends AsyncDisposable {
  /** Where it listens, as people write it. */
  readonly address: string;
  /** Whether there is a dialogue with somebody. */
  isOpen(name: string): boolean;
  /**
   * Takes a text for somebody, and opens the dialogue where there is none. Waits while too much waits
   * already.
   */
  send(name: string, text: string): Promise<void>;
  /** Ends the dialogue once all texts have arrived. */
  bye(name: string): Promise<void>;
  /** Waits until every text has arrived, or its dialogue has failed. */
  drained(): Promise<void>;
}
