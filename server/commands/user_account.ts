/**
 * What the commands about accounts share: finding one, listing all, one form in JSON.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { formatBytes, formatCount } from "../../lib/term/format.ts";
import type { Catalog, UserRecord } from "../store/catalog.ts";
import type { SessionRecord } from "../store/catalog_accounts.ts";

/** Records that are read at a time. */
const PAGE_MAX = 1000;

/**
 * An account by name.
 *
 * @throws {TrivetError} `USER_NOT_FOUND`.
 */
export async function findAccount(catalog: Catalog, name: string): Promise<UserRecord> {
  const user = await catalog.findUser(name);
  if (user !== null) return user;
  throw new TrivetError("USER_NOT_FOUND", `User ${quoteName(name)} does not exist`);
}

/** All accounts, by name. */
export async function* allAccounts(catalog: Catalog): AsyncGenerator<UserRecord> {
  for (let after = "";;) {
    const page = await catalog.listUsers({ after, limit: PAGE_MAX });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_MAX) return;
    after = last.name;
  }
}

/** All sessions, or those of one account, the newest last. */
export async function allSessions(catalog: Catalog, user?: string): Promise<SessionRecord[]> {
  const sessions: SessionRecord[] = [];
  const ofUser = user === undefined ? {} : { user };
  for (let after = "";;) {
    const page = await catalog.listSessions({ ...ofUser, after, limit: PAGE_MAX });
    sessions.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_MAX) break;
    after = last.id;
  }
  return sessions.sort((a, b) => a.createdAtMs - b.createdAtMs);
}

/** A quota for people, such as `10.0 GiB, 1000 files`. */
export function formatQuota({ quotaBytes, quotaFiles }: UserRecord): string {
  const bytes = formatBytes(quotaBytes);
  return quotaFiles === null ? bytes : `${bytes}, ${formatCount(quotaFiles, "file")}`;
}

/** What counts against a quota, for people. */
export function formatUsed({ usedBytes, usedFiles }: UserRecord): string {
  return `${formatBytes(usedBytes)}, ${formatCount(usedFiles, "file")}`;
}

/** An account as `--json` shows it. */
export function accountJson(user: UserRecord): Record<string, unknown> {
  return {
    name: user.name,
    disabled: user.disabled,
    quota_bytes: user.quotaBytes,
    used_bytes: user.usedBytes,
    quota_files: user.quotaFiles,
    used_files: user.usedFiles,
    created_ms: user.createdAtMs,
  };
}
