/**
 * Ends open connections whose login has ended: the session or token was ended or is at its end, the
 * password changed, the account disabled or removed, the machine key revoked or at its end, by this
 * server or by a command beside it. SQLite is where they meet.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { TrivetError } from "../lib/errors.ts";
import type { AccountCatalog, OpenLogin } from "./store/catalog_accounts.ts";
import type { KeyCatalog } from "./store/catalog_keys.ts";

/** How often the database is asked whether logins may have ended, in milliseconds. */
export const LOGIN_CHECK_MS = 500;

/** An open connection of somebody who is logged in. */
export interface WatchedLogin {
  /** Who it is. */
  readonly login: OpenLogin;
  /** Tells the client why and closes the connection. */
  end(reason: TrivetError): void;
}

/** What {@linkcode LoginWatch} asks. */
export type LoginCatalog =
  & Pick<AccountCatalog, "loginsMark" | "endedLogins">
  & Pick<KeyCatalog, "endedKeys">;

const log = getLogger(["trivet", "server"]);

/** Watches the logins of all open connections. */
export class LoginWatch implements AsyncDisposable {
  readonly #catalog: LoginCatalog;
  readonly #watched = new Set<WatchedLogin>();
  /** Added since the last check: the change that ends them may have come before they were added. */
  readonly #unchecked = new Set<WatchedLogin>();
  /** Logins that nobody ends for now. */
  readonly #held = new Set<OpenLogin>();
  readonly #timer: ReturnType<typeof setInterval>;
  #mark: string | undefined;
  #checking: Promise<void> | null = null;

  /**
   * Begins to watch; nobody is watched yet.
   *
   * @param catalog Where logins end.
   * @param checkMs In place of {@linkcode LOGIN_CHECK_MS}.
   */
  constructor(catalog: LoginCatalog, checkMs: number = LOGIN_CHECK_MS) {
    this.#catalog = catalog;
    this.#timer = setInterval(() => this.check(), checkMs);
  }

  /**
   * Watches a connection.
   *
   * @param watched The connection.
   * @returns Dispose of it when the connection is closed.
   */
  add(watched: WatchedLogin): Disposable {
    this.#watched.add(watched);
    this.#unchecked.add(watched);
    return { [Symbol.dispose]: () => this.#drop(watched) };
  }

  /**
   * Leaves a connection alone for a while, as one that changes what its own login rests on.
   *
   * @param login Its login, the very object that it was added with.
   * @returns Dispose of it when the change is over; the connection is then looked at like a new one.
   */
  hold(login: OpenLogin): Disposable {
    this.#held.add(login);
    return {
      [Symbol.dispose]: () => {
        this.#held.delete(login);
        for (const watched of this.#watched) {
          if (watched.login === login) this.#unchecked.add(watched);
        }
      },
    };
  }

  /** Looks now; checks that come while one is under way share its outcome. Never rejects. */
  check(): Promise<void> {
    return this.#checking ??= this.#look().finally(() => this.#checking = null);
  }

  /** Watches no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  async #look(): Promise<void> {
    if (this.#watched.size === 0) return;
    try {
      const mark = await this.#catalog.loginsMark();
      const asked = [...(mark === this.#mark ? this.#unchecked : this.#watched)]
        .filter(({ login }) => !this.#held.has(login));
      if (asked.length > 0) {
        // A key that logged in by itself has no account whose end could matter.
        const people = asked.filter(({ login }) => login.byKeyAlone !== true);
        const ended = await this.#catalog.endedLogins(people.map(({ login }) => login));
        for (const place of ended) this.#end(people[place], sessionEnded());
        await this.#endByKeys(asked);
      }
      // Only now: what failed is asked again.
      for (const watched of asked) this.#unchecked.delete(watched);
      this.#mark = mark;
    } catch (error) {
      const isBusy = error instanceof TrivetError && error.code === "SERVER_BUSY";
      if (!isBusy) log.error("Cannot check who is still logged in: {error}", { error });
    }
  }

  async #endByKeys(asked: readonly WatchedLogin[]): Promise<void> {
    const ids = new Set(asked.flatMap(({ login }) => login.keyId ?? []));
    if (ids.size === 0) return;
    const ended = new Set(await this.#catalog.endedKeys([...ids]));
    for (const watched of asked) {
      if (ended.has(watched.login.keyId ?? "")) this.#end(watched, keyEnded());
    }
  }

  #end(watched: WatchedLogin | undefined, reason: TrivetError): void {
    if (watched === undefined || !this.#watched.has(watched)) return;
    if (this.#held.has(watched.login)) return;
    this.#drop(watched);
    const { user } = watched.login;
    log.info("Closed a connection of {user}: {reason}", { user, reason: reason.message });
    watched.end(reason);
  }

  #drop(watched: WatchedLogin): void {
    this.#watched.delete(watched);
    this.#unchecked.delete(watched);
  }
}

function sessionEnded(): TrivetError {
  return new TrivetError("TOKEN_INVALID", "The session has ended or was revoked");
}

function keyEnded(): TrivetError {
  return new TrivetError("KEY_INVALID", "The machine key has ended or was revoked");
}
