/**
 * The server of a simulated chat: the server's own code from the RPC layer down to its database, which is
 * a file that outlives each of its lives.
 *
 * @module
 */

import { FRAME_PAYLOAD_MAX_BYTES } from "../../lib/frame/frame.ts";
import { Link, type Transport } from "../../lib/link/link.ts";
import { serveCalls } from "../../lib/rpc/server.ts";
import type { ChatHub } from "../../server/chat/context.ts";
import { LocalBroker } from "../../server/chat/local_broker.ts";
import { OUTBOX_MAX_BYTES } from "../../server/chat/outbox.ts";
import { MessageRates } from "../../server/chat/rates.ts";
import { CHAT_KEEPALIVE, openChatSession } from "../../server/chat/service.ts";
import type { Session } from "../../server/netdisk/context.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";
import { SqliteChat } from "../../server/store/sqlite_chat.ts";
import { addUser } from "../server/store/catalog_contract.ts";
import type { Carrier } from "./carrier.ts";
import type { Network } from "./network.ts";

/** How long the disk takes to hold what it was given, at most. */
const DISK_MAX_MS = 5;

/** One life of the server's program. */
class Life {
  readonly #network: Network;
  readonly #syncing = new Set<() => void>();
  readonly hub: ChatHub & { readonly catalog: SqliteChat };
  #isDead = false;

  constructor(network: Network, path: string) {
    this.#network = network;
    const catalog = SqliteChat.open(path, { gather: () => this.#gather() });
    const rates = new MessageRates();
    this.hub = { catalog, broker: new LocalBroker(), rates, outboxMaxBytes: OUTBOX_MAX_BYTES };
  }

  /** Ends it; what the disk was just given is there afterwards, or is not. */
  end(isDiskFaster: boolean): void {
    this.#isDead = true;
    if (isDiskFaster) { for (const synced of this.#syncing) synced(); }
    this.#syncing.clear();
    // It waits for what will never be written, unless there is nothing.
    void this.hub.catalog.close();
  }

  /** Waits as for a disk; the dead wait for ever. */
  #gather(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isDead) return;
      this.#syncing.add(resolve);
      this.#network.clock.after(this.#network.random.between(0.1, DISK_MAX_MS), () => {
        if (!this.#syncing.delete(resolve)) return;
        resolve();
      });
    });
  }
}

/** Options of {@linkcode ChatServer}. */
export interface ChatServerOptions {
  readonly carrier: Carrier;
  readonly path: string;
  readonly defects: unknown[];
}

/** Makes a database in which some users have accounts. */
export async function prepareDatabase(path: string, users: readonly string[]): Promise<void> {
  const catalog = SqliteCatalog.open(path);
  for (const user of users) await addUser(catalog, user);
  await catalog.close();
}

/** See the module. */
export class ChatServer implements Disposable {
  readonly #network: Network;
  readonly #carrier: Carrier;
  readonly #path: string;
  readonly #defects: unknown[];
  #life: Life;

  /**
   * Starts it.
   *
   * @param network Where it is.
   * @param options How it is reached, its database, and where failures go that are the server's own.
   */
  constructor(network: Network, { carrier, path, defects }: ChatServerOptions) {
    this.#network = network;
    this.#carrier = carrier;
    this.#path = path;
    this.#defects = defects;
    this.#life = this.#begin();
  }

  /** The program dies at once, and starts again after a while on what its disk holds. */
  restart(pauseMs: number): void {
    const isDiskFaster = this.#network.random.chance(50);
    this.#network.trace.add(`server restarts after ${pauseMs} ms, disk ${isDiskFaster}`);
    this.#carrier.crash();
    this.#life.end(isDiskFaster);
    this.#network.clock.after(pauseMs, () => {
      this.#life = this.#begin();
    });
  }

  [Symbol.dispose](): void {
    this.#life.end(false);
  }

  #begin(): Life {
    const life = new Life(this.#network, this.#path);
    this.#carrier.listen((transport, user) => void this.#serve(life, transport, user));
    return life;
  }

  async #serve({ hub }: Life, transport: Transport, user: string): Promise<void> {
    const link = new Link(transport, { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
    const chat = openChatSession(hub, { session: sessionOf(user), link });
    await serveCalls(link, chat.handle, {
      keepalive: CHAT_KEEPALIVE,
      onDefect: (error) => this.#defects.push(error),
    });
    await chat[Symbol.asyncDispose]();
  }
}

function sessionOf(user: string): Session {
  return {
    user,
    scope: "full",
    pathPrefix: [],
    tokenHash: null,
    tokenKind: null,
    tokenExpiresAtMs: null,
    provenEpoch: null,
  };
}
