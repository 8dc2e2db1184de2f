/**
 * Lends connections that are logged in to those who come to a Unix socket, one connection to each, and
 * keeps the next one ready.
 *
 * @module
 */

import { after } from "../../lib/after.ts";
import { TrivetError } from "../../lib/errors.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";
import { Link, type Transport } from "../../lib/link/link.ts";
import { toWireError } from "../../lib/rpc/messages.ts";
import { ReadyConnection } from "./ready_connection.ts";

/** Connections lent at once. */
export const LENT_MAX = 64;

/** The next connection is opened when the last one came back, or after this long, in milliseconds. */
const OPEN_NEXT_MS = 250;

/** Opens a connection and logs in. */
export type OpenLink = () => Promise<Link>;

/** See the module. */
export class Sharing implements AsyncDisposable {
  readonly #open: OpenLink;
  readonly #lent = new Set<Promise<void>>();
  readonly #users = new Set<Link>();
  #ready: Promise<ReadyConnection> | undefined;
  #count = 0;
  #isClosed = false;

  /**
   * Opens nothing yet.
   *
   * @param open Opens a connection.
   */
  constructor(open: OpenLink) {
    this.#open = open;
  }

  /** How many connections were used and have come back. */
  get count(): number {
    return this.#count;
  }

  /**
   * Opens the next connection, unless there is one.
   *
   * @throws {TrivetError} Why there is none.
   */
  async prepare(): Promise<void> {
    if (this.#isClosed) return;
    this.#ready ??= this.#connect();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
  }

  /** Lends a connection to somebody; never rejects. */
  lend(conn: Transport): void {
    const lent = this.#lend(new Link(conn, { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES }));
    this.#lent.add(lent);
    lent.finally(() => this.#lent.delete(lent));
  }

  /** Waits until nothing is lent. */
  async idle(): Promise<void> {
    while (this.#lent.size > 0) await Promise.all(this.#lent);
  }

  /** Takes back everything and closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const user of this.#users) user.close();
    await this.idle();
    const ready = await this.#ready?.catch(() => undefined);
    await ready?.[Symbol.asyncDispose]();
  }

  async #lend(user: Link): Promise<void> {
    this.#users.add(user);
    try {
      if (this.#users.size > LENT_MAX) {
        throw new TrivetError("SERVER_BUSY", `The connection is shared ${LENT_MAX} times already`);
      }
      const ready = await this.#take();
      // Not at once: the command that is about to run needs the processor more.
      using _next = after(OPEN_NEXT_MS, () => this.#prepareQuietly());
      await ready.lend(user);
      if (ready.isUsed) this.#count += 1;
    } catch (error) {
      const wire = toWireError(error);
      await user.closeAfter(encodeControl(FrameType.ERROR, 0, wire.toMessage()), wire);
    } finally {
      this.#users.delete(user);
      this.#prepareQuietly();
    }
  }

  /** The connection that is ready; another one if the server has ended it meanwhile. */
  async #take(): Promise<ReadyConnection> {
    const taken = this.#ready;
    this.#ready = undefined;
    const ready = await taken?.catch(() => undefined);
    return ready === undefined || ready.hasEnded ? await this.#connect() : ready;
  }

  async #connect(): Promise<ReadyConnection> {
    return new ReadyConnection(await this.#open());
  }

  /** Whoever comes next is told what failed, if it fails again. */
  #prepareQuietly(): void {
    this.prepare().catch(() => {});
  }
}
