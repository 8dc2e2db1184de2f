/**
 * What the chat's handlers share: the server's part, and the one connection they answer on.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { ChatCatalog, FileRecord } from "../store/catalog_chat.ts";
import type { Broker } from "./broker.ts";
import type { MessageRates } from "./rates.ts";

/** The files that messages may carry. */
export interface ChatFiles {
  /**
   * A file in somebody's netdisk as it is now.
   *
   * @throws {TrivetError} `NOT_FOUND`, `IS_FOLDER`, or a path error.
   */
  describe(user: string, path: readonly string[]): Promise<FileRecord>;
}

/** The server's part of the chat. */
export interface ChatHub {
  readonly files: ChatFiles;
  readonly catalog: ChatCatalog;
  readonly broker: Broker;
  readonly rates: MessageRates;
  /** Most bytes of events that wait for one connection. */
  readonly outboxMaxBytes: number;
}

/** What a handler works with. */
export interface ChatContext extends ChatHub {
  readonly user: string;
  /** Whether the login may change anything. */
  readonly canWrite: boolean;
}

/**
 * Refuses a login that may only read.
 *
 * @throws {TrivetError} `PERMISSION_DENIED`.
 */
export function requireChatWriter({ canWrite }: ChatContext): void {
  if (canWrite) return;
  throw new TrivetError("PERMISSION_DENIED", "The login may only read");
}

/**
 * Refuses who sends too fast.
 *
 * @throws {TrivetError} `RATE_LIMITED`, with how long to wait.
 */
export function requireRate({ rates, user }: ChatContext): void {
  const waitMs = rates.take(user, performance.now());
  if (waitMs === 0) return;
  throw new TrivetError("RATE_LIMITED", `You send too fast; wait ${waitMs} ms`, {
    details: { wait_ms: waitMs },
  });
}
