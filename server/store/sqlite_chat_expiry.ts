/**
 * Deleting old messages in SQLite. Functions here run inside a transaction of `SqliteChat`.
 *
 * @module
 */

import type { ExpiryQuery } from "./catalog_chat.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";
import { integer } from "./sqlite_values.ts";

/** Conversations that are looked at in one transaction; the next one goes on behind them. */
const CONVERSATIONS_MAX = 10_000;

/** Deletes messages that are too old or too many; how many went. */
export function deleteExpired(
  db: SqliteDatabase,
  { sentBeforeMs, keepCount, limit }: ExpiryQuery,
): number {
  let deleted = 0;
  if (sentBeforeMs !== undefined) {
    deleted += db.run(
      `DELETE FROM chat_messages WHERE id IN
         (SELECT id FROM chat_messages WHERE sent_at_ms < ? ORDER BY sent_at_ms LIMIT ?)`,
      ...[sentBeforeMs, limit],
    );
  }
  if (keepCount === undefined || deleted >= limit) return deleted;
  const rows = db.all(
    `SELECT conversation, min(id) AS first FROM chat_messages GROUP BY conversation
     HAVING count(*) > ? LIMIT ?`,
    ...[keepCount, CONVERSATIONS_MAX],
  );
  for (const row of rows) {
    if (deleted >= limit) break;
    const number = integer(row, "conversation");
    deleted += db.run(
      `DELETE FROM chat_messages WHERE id IN
         (SELECT id FROM chat_messages WHERE conversation = ?1 AND id <=
           (SELECT id FROM chat_messages WHERE conversation = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
          ORDER BY id LIMIT ?3)`,
      ...[number, keepCount, limit - deleted],
    );
  }
  return deleted;
}
