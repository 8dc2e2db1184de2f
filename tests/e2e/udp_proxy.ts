/**
 * A way that is longer in one direction than in the other: forwards datagrams to a server on this
 * machine and its answers back, each after a wait of its own. It can be blocked, and can come to the
 * server from other ports, as a router that was started anew does.
 *
 * @module
 */

/** How long datagrams take, in milliseconds. */
export interface ProxyWaits {
  /** On the way to the server. */
  readonly thereMs: number;
  /** On the way back. */
  readonly backMs: number;
}

/** Clients that one proxy serves at most. */
const CLIENTS_MAX = 1000;

/** See the module. */
export class SlowUdpProxy implements AsyncDisposable {
  readonly port: number;
  /** Datagrams that clients sent. */
  count = 0;
  /** Whether nothing passes. */
  isBlocked = false;
  readonly #waits: ProxyWaits;
  readonly #server: Deno.NetAddr;
  readonly #front: Deno.DatagramConn;
  readonly #backs = new Map<number, Deno.DatagramConn>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #pumps: Promise<void>[] = [];

  constructor(serverPort: number, waits: ProxyWaits) {
    this.#waits = waits;
    this.#server = { transport: "udp", hostname: "127.0.0.1", port: serverPort };
    this.#front = listen();
    this.port = portOf(this.#front);
    this.#pumps.push(this.#forward());
  }

  /** From now on each client comes to the server from another port. */
  moveClients(): void {
    for (const back of this.#backs.values()) back.close();
    this.#backs.clear();
  }

  async #forward(): Promise<void> {
    for await (const [bytes, from] of this.#front) {
      this.count += 1;
      if (this.isBlocked || from.transport !== "udp") continue;
      const back = this.#backs.get(from.port) ?? this.#open(from);
      this.#later(this.#waits.thereMs, () => back.send(bytes, this.#server));
    }
  }

  /** Each client has a port of its own towards the server, so that answers find their way. */
  #open(client: Deno.NetAddr): Deno.DatagramConn {
    if (this.#backs.size >= CLIENTS_MAX) throw new Error("Too many clients for the proxy");
    const back = listen();
    this.#backs.set(client.port, back);
    this.#pumps.push((async () => {
      for await (const [bytes] of back) {
        if (this.isBlocked) continue;
        this.#later(this.#waits.backMs, () => this.#front.send(bytes, client));
      }
    })());
    return back;
  }

  #later(waitMs: number, send: () => Promise<unknown>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      // What is on the way when a socket closes is nobody's concern any more.
      this.#pumps.push(send().then(() => {}, () => {}));
    }, waitMs);
    this.#timers.add(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
    await Promise.allSettled(this.#pumps);
  }
}

function listen(): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
}

function portOf({ addr }: Deno.DatagramConn): number {
  return addr.transport === "udp" ? addr.port : 0;
}
