/**
 * The schema of the server's database, as steps: `PRAGMA user_version` says how many were taken.
 * A step that was released is never changed; the next change is a new step at the end.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import { TrivetError } from "../../lib/errors.ts";

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE users (
    name TEXT PRIMARY KEY,
    salt BLOB NOT NULL,
    iterations INTEGER NOT NULL,
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL,
    quota_bytes INTEGER NOT NULL CHECK (quota_bytes >= 0),
    used_bytes INTEGER NOT NULL DEFAULT 0 CHECK (used_bytes >= 0),
    created_at_ms INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1))
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tokens (
    hash BLOB PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('session', 'api')),
    scope TEXT NOT NULL CHECK (scope IN ('read', 'write', 'full')),
    path_prefix TEXT NOT NULL,
    expires_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    last_used_at_ms INTEGER,
    label TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tokens_by_user ON tokens (user);
  CREATE INDEX tokens_by_end ON tokens (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

  -- "number" keeps the journal's rows short: an id is a text of up to 64 characters.
  CREATE TABLE uploads (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('upload', 'small')),
    state TEXT NOT NULL CHECK (state IN ('open', 'committing')),
    path TEXT NOT NULL,
    path_key TEXT,
    size INTEGER CHECK (size >= 0),
    chunk_bytes INTEGER NOT NULL,
    overwrite TEXT NOT NULL,
    reserved_bytes INTEGER NOT NULL CHECK (reserved_bytes >= 0),
    commit_path TEXT,
    commit_size INTEGER,
    replaced_bytes INTEGER NOT NULL DEFAULT 0,
    created_at_ms INTEGER NOT NULL,
    touched_at_ms INTEGER NOT NULL,
    UNIQUE (user, path_key)
  ) STRICT;

  CREATE TABLE chunks (
    upload INTEGER NOT NULL REFERENCES uploads (number) ON DELETE CASCADE,
    chunk INTEGER NOT NULL CHECK (chunk >= 0),
    digest BLOB NOT NULL CHECK (length(digest) = 16),
    PRIMARY KEY (upload, chunk)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Bytes in the trash stay part of "used_bytes" until their row goes.
  CREATE TABLE trash (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('moving', 'kept', 'restoring', 'emptying')),
    kind TEXT NOT NULL CHECK (kind IN ('file', 'folder')),
    path TEXT NOT NULL,
    deleted_at_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    entries INTEGER NOT NULL DEFAULT 0 CHECK (entries >= 0)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX trash_by_user ON trash (user, id);

  -- Only moves that replace a file: the others change nothing that is counted.
  CREATE TABLE moves (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    from_path TEXT NOT NULL,
    to_path TEXT NOT NULL,
    replaced_bytes INTEGER NOT NULL CHECK (replaced_bytes >= 0)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Small files between their common intent and its end; "files" is a JSON array.
  CREATE TABLE batches (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    files TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- What large files contained when they were stored.
  CREATE TABLE contents (
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 16),
    etag TEXT NOT NULL,
    noted_at_ms INTEGER NOT NULL,
    PRIMARY KEY (user, path)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX contents_by_size ON contents (user, size);
  `,
  `
  -- Raised by whatever ends the logins by password that were there before.
  ALTER TABLE users ADD COLUMN auth_epoch INTEGER NOT NULL DEFAULT 0;

  -- Files are counted like bytes: those in the trash and those that uploads have reserved, too.
  ALTER TABLE users ADD COLUMN quota_files INTEGER CHECK (quota_files >= 0);
  ALTER TABLE users ADD COLUMN used_files INTEGER NOT NULL DEFAULT 0 CHECK (used_files >= 0);
  ALTER TABLE uploads ADD COLUMN reserved_files INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE uploads ADD COLUMN replaced_files INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE trash ADD COLUMN files INTEGER NOT NULL DEFAULT 0 CHECK (files >= 0);
  `,
  `
  -- What stored files had when they were read last; "file" is device, inode and birth.
  CREATE TABLE digests (
    file TEXT PRIMARY KEY,
    size INTEGER NOT NULL CHECK (size >= 0),
    mtime_ms INTEGER NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    round INTEGER NOT NULL,
    seen INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX digests_by_seen ON digests (seen);

  CREATE TABLE scrub_rounds (
    number INTEGER PRIMARY KEY,
    begun_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER
  ) STRICT;
  `,
  `
  -- "sealed" opens with a file that is not in the database; "services" is a JSON array.
  CREATE TABLE machine_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    services TEXT,
    sealed BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL,
    last_used_at_ms INTEGER,
    expires_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX machine_keys_by_end ON machine_keys (expires_at_ms)
    WHERE expires_at_ms IS NOT NULL;
  `,
  `
  -- The one sequence behind ids of messages and numbers of their changes.
  CREATE TABLE chat_sequence (last INTEGER NOT NULL) STRICT;
  INSERT INTO chat_sequence (last) VALUES (0);

  -- Rooms, and the direct messages of two people, which go with either account. Names of private rooms
  -- are not unique: a name that is refused would tell that such a room exists.
  CREATE TABLE chat_conversations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('room', 'direct')),
    name TEXT,
    user_a TEXT REFERENCES users (name) ON DELETE CASCADE,
    user_b TEXT REFERENCES users (name) ON DELETE CASCADE,
    private INTEGER NOT NULL CHECK (private IN (0, 1)),
    topic TEXT NOT NULL DEFAULT '',
    created_at_ms INTEGER NOT NULL,
    CHECK ((kind = 'room') = (name IS NOT NULL)),
    CHECK ((kind = 'direct') = (user_a IS NOT NULL AND user_b IS NOT NULL))
  ) STRICT;
  CREATE UNIQUE INDEX chat_public_rooms ON chat_conversations (name)
    WHERE kind = 'room' AND private = 0;
  CREATE INDEX chat_rooms ON chat_conversations (name) WHERE kind = 'room';
  CREATE UNIQUE INDEX chat_pairs ON chat_conversations (user_a, user_b) WHERE kind = 'direct';
  CREATE INDEX chat_pairs_by_second ON chat_conversations (user_b) WHERE kind = 'direct';

  CREATE TABLE chat_members (
    conversation INTEGER NOT NULL REFERENCES chat_conversations (number) ON DELETE CASCADE,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('joined', 'invited', 'banned')),
    role TEXT NOT NULL CHECK (role IN ('owner', 'moderator', 'member')),
    since_ms INTEGER NOT NULL,
    delivered_id INTEGER NOT NULL DEFAULT 0,
    read_id INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation, user)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX chat_members_by_user ON chat_members (user, state);

  -- "sender" stays what it was; "account" goes with the account, so that a later one of the same name
  -- has no rights to the message.
  CREATE TABLE chat_messages (
    id INTEGER PRIMARY KEY,
    changed INTEGER NOT NULL UNIQUE,
    conversation INTEGER NOT NULL REFERENCES chat_conversations (number) ON DELETE CASCADE,
    sender TEXT NOT NULL,
    account TEXT REFERENCES users (name) ON DELETE SET NULL,
    client_id TEXT NOT NULL,
    sent_at_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    mentions TEXT NOT NULL,
    reply_to INTEGER,
    edited_at_ms INTEGER,
    redacted_at_ms INTEGER,
    redacted_by TEXT,
    UNIQUE (account, client_id)
  ) STRICT;
  CREATE INDEX chat_messages_by_conversation ON chat_messages (conversation, id);
  CREATE INDEX chat_messages_by_time ON chat_messages (sent_at_ms);

  CREATE TABLE chat_reactions (
    message INTEGER NOT NULL REFERENCES chat_messages (id) ON DELETE CASCADE,
    emoji TEXT NOT NULL,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    PRIMARY KEY (message, emoji, user)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX chat_reactions_by_user ON chat_reactions (user);

  -- Trigrams find parts of words, and words of languages that write no spaces.
  CREATE VIRTUAL TABLE chat_search USING fts5 (
    text, content = 'chat_messages', content_rowid = 'id', tokenize = 'trigram'
  );
  CREATE TRIGGER chat_search_insert AFTER INSERT ON chat_messages BEGIN
    INSERT INTO chat_search (rowid, text) VALUES (new.id, new.text);
  END;
  CREATE TRIGGER chat_search_delete AFTER DELETE ON chat_messages BEGIN
    INSERT INTO chat_search (chat_search, rowid, text) VALUES ('delete', old.id, old.text);
  END;
  CREATE TRIGGER chat_search_update AFTER UPDATE OF text ON chat_messages BEGIN
    INSERT INTO chat_search (chat_search, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO chat_search (rowid, text) VALUES (new.id, new.text);
  END;
  `,
  `
  CREATE TABLE invites (
    hash BLOB PRIMARY KEY,
    quota_bytes INTEGER CHECK (quota_bytes >= 0),
    quota_files INTEGER CHECK (quota_files >= 0),
    uses INTEGER NOT NULL CHECK (uses > 0),
    uses_left INTEGER NOT NULL CHECK (uses_left >= 0),
    expires_at_ms INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- A file in the netdisk of who sent the message, as JSON: path, name, size and etag.
  ALTER TABLE chat_messages ADD COLUMN file TEXT;
  `,
  `
  -- Up to which message the search has an index: the newest follow many at a time.
  ALTER TABLE chat_sequence ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
  UPDATE chat_sequence SET indexed = last;
  -- 1 while numbers are given out that a power cut may take back.
  ALTER TABLE chat_sequence ADD COLUMN unsynced INTEGER NOT NULL DEFAULT 0;
  DROP TRIGGER chat_search_insert;
  DROP TRIGGER chat_search_delete;
  DROP TRIGGER chat_search_update;
  CREATE TRIGGER chat_search_delete AFTER DELETE ON chat_messages
    WHEN old.id <= (SELECT indexed FROM chat_sequence) BEGIN
    INSERT INTO chat_search (chat_search, rowid, text) VALUES ('delete', old.id, old.text);
  END;
  CREATE TRIGGER chat_search_update AFTER UPDATE OF text ON chat_messages
    WHEN old.id <= (SELECT indexed FROM chat_sequence) BEGIN
    INSERT INTO chat_search (chat_search, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO chat_search (rowid, text) VALUES (new.id, new.text);
  END;
  `,
];

/** The version of a database that this program writes. */
export const SCHEMA_VERSION: number = MIGRATIONS.length;

/**
 * Brings a database to {@linkcode SCHEMA_VERSION}, in one transaction.
 *
 * @param db An open database.
 * @throws {TrivetError} `VERSION_MISMATCH` if a newer program wrote it.
 */
export function migrate(db: DatabaseSync): void {
  if (readVersion(db) === SCHEMA_VERSION) return;
  // Prepared, since `exec()` does not tell a lock from other failures.
  db.prepare("BEGIN IMMEDIATE").run();
  try {
    // Read again: two programs may open a new database at the same moment.
    const version = readVersion(db);
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function readVersion(db: DatabaseSync): number {
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version <= SCHEMA_VERSION) return version;
  throw new TrivetError(
    "VERSION_MISMATCH",
    `Cannot open database: its schema is version ${version}, this program knows up to ${SCHEMA_VERSION}`,
    { details: { schema_version: version, known_version: SCHEMA_VERSION } },
  );
}
