/**
 * Compares the database with the disk: what is counted, what lies in parts, trash and homes, and what
 * does not belong there. It only reads; `repair.ts` sets right what can be.
 *
 * Beside a running server things change while they are looked at. Whatever looks wrong is looked at
 * twice (`confirm()`), and an account whose count changes all the time is not judged.
 *
 * @module
 */

import { join } from "node:path";
import type { AccountCount } from "../store/catalog_care.ts";
import { type CheckedData, PAGE_MAX } from "./checked_data.ts";
import { confirm, type Finding, type Suspect } from "./finding.ts";
import { type HomeSize, lookAtHome, suspectForeign } from "./home_check.ts";
import { suspectParts, suspectUploads } from "./parts_check.ts";
import { lookAt, namesOf } from "./tree.ts";
import { suspectTrash, suspectTrashFolders } from "./trash_check.ts";
import { suspectUnsettled } from "./unsettled_check.ts";

/** Between two looks at what seems wrong where a server runs or may start, in milliseconds. */
export const LIVE_PAUSE_MS = 1000;

/**
 * Parts younger than this are not judged beside a running server, in milliseconds: a small file is a
 * part, without a row yet, for as long as the disk takes to sync it.
 */
export const YOUNG_MS = 60_000;

/** Looks at an account whose count changes meanwhile. */
const QUOTA_LOOKS_MAX = 3;

/** Options of {@linkcode DataCheck}. */
export interface DataCheckOptions {
  /** Only this account. */
  readonly user?: string;
  /** Whether a server runs: what it has under way is nothing wrong. */
  readonly isLive?: boolean;
  /** Between two looks at what seems wrong; 0, the default, when nobody can change anything. */
  readonly pauseMs?: number;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** Ends the check. */
  readonly signal?: AbortSignal;
}

/** What was looked at. */
export interface CheckSummary {
  /** Accounts. */
  accounts: number;
  /** Files in their homes. */
  files: number;
  /** Bytes of these files. */
  bytes: number;
  /** Accounts whose count could not be judged: too much under way, or a home that cannot be read. */
  readonly unjudged: Set<string>;
}

/** One check. */
export class DataCheck {
  /** What was looked at so far. */
  readonly summary: CheckSummary = { accounts: 0, files: 0, bytes: 0, unjudged: new Set() };
  readonly #data: CheckedData;
  readonly #options: DataCheckOptions;

  constructor(data: CheckedData, options: DataCheckOptions = {}) {
    this.#data = data;
    this.#options = options;
  }

  /**
   * What is wrong, as it is found. What the reader sets right before it asks for the next one is not
   * found again; counts come last, since everything before changes them.
   */
  async *findings(): AsyncGenerator<Finding, void> {
    const { user, isLive = false, pauseMs = 0, signal, now = Date.now } = this.#options;
    const data = this.#data;
    const steps = [
      ...(isLive ? [] : [suspectUnsettled(data, user)]),
      suspectUploads(data, user),
      ...(user === undefined ? [suspectParts(data, isLive ? now() - YOUNG_MS : Infinity)] : []),
      suspectTrash(data, user),
      suspectTrashFolders(data, user),
      ...(user === undefined ? [suspectHomes(data)] : []),
      this.#suspectAccounts(),
    ];
    for (const suspects of steps) yield* confirm(suspects, pauseMs, signal);
  }

  async *#suspectAccounts(): AsyncGenerator<Suspect, void> {
    const { care } = this.#data;
    const { user } = this.#options;
    if (user !== undefined) {
      const account = await care.account(user);
      if (account !== null) yield* this.#suspectAccount(account);
      return;
    }
    for (let after = "";;) {
      const page = await care.accounts({ after, limit: PAGE_MAX });
      for (const account of page) yield* this.#suspectAccount(account);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_MAX) return;
      after = last.name;
    }
  }

  async *#suspectAccount({ name }: AccountCount): AsyncGenerator<Suspect, void> {
    const { folders, care } = this.#data;
    this.summary.accounts++;
    const look = () => this.#lookForHome(name);
    const missing = await look();
    if (missing !== null) yield { finding: missing, look };
    const before = await care.account(name);
    const size: HomeSize = { bytes: 0, files: 0, isWhole: true };
    for await (const item of lookAtHome(folders.homes, name, size, this.#options.signal)) {
      yield suspectForeign(folders.homes, name, item);
    }
    this.summary.files += size.files;
    this.summary.bytes += size.bytes;
    const after = await care.account(name);
    const finding = size.isWhole && isSettled(before, after)
      ? judge(after, size)
      : await this.#lookAtQuota(name);
    if (finding !== null) yield { finding, look: () => this.#lookAtQuota(name) };
  }

  async #lookForHome(user: string): Promise<Finding | null> {
    const info = lookAt(join(this.#data.folders.homes, user));
    if (info !== null || await this.#data.care.account(user) === null) return null;
    return {
      kind: "account-without-home",
      user,
      where: `homes/${user}`,
      detail: "The account has no home",
    };
  }

  async #lookAtQuota(name: string): Promise<Finding | null> {
    const { folders, care } = this.#data;
    this.summary.unjudged.delete(name);
    for (let looks = 0; looks < QUOTA_LOOKS_MAX; looks++) {
      const before = await care.account(name);
      if (before === null) return null;
      const size: HomeSize = { bytes: 0, files: 0, isWhole: true };
      for await (const _ of lookAtHome(folders.homes, name, size, this.#options.signal));
      const after = await care.account(name);
      if (size.isWhole && isSettled(before, after)) return judge(after, size);
    }
    this.summary.unjudged.add(name);
    return null;
  }
}

async function* suspectHomes({ folders, care }: CheckedData): AsyncGenerator<Suspect, void> {
  for (const user of await namesOf(folders.homes) ?? []) {
    const look = async (): Promise<Finding | null> => {
      const info = lookAt(join(folders.homes, user));
      if (info === null || await care.account(user) !== null) return null;
      const where = `homes/${user}`;
      if (!info.isDirectory) return { kind: "foreign", user: null, where, detail: "No home" };
      return { kind: "home-without-account", user, where, detail: "No account has this home" };
    };
    const finding = await look();
    if (finding !== null) yield { finding, look };
  }
}

/** Whether nothing was under way for an account while its home was looked at. */
function isSettled(
  before: AccountCount | null,
  after: AccountCount | null,
): after is AccountCount {
  return before !== null && after !== null && after.unsettled === 0 &&
    JSON.stringify(before) === JSON.stringify(after);
}

/** Compares what an account counts with what its home, its trash and its uploads take. */
function judge(account: AccountCount, home: HomeSize): Finding | null {
  const { name: user, usedBytes: countedBytes, usedFiles: countedFiles } = account;
  const realBytes = home.bytes + account.trashBytes + account.reservedBytes;
  const realFiles = home.files + account.trashFiles + account.reservedFiles;
  if (countedBytes === realBytes && countedFiles === realFiles) return null;
  const counted = `${countedBytes} bytes (files: ${countedFiles}) are counted`;
  const detail = `${counted}; files, trash and uploads take ${realBytes} (files: ${realFiles})`;
  const counts = { countedBytes, realBytes, countedFiles, realFiles };
  return { kind: "quota", user, where: `homes/${user}`, detail, ...counts };
}
