/**
 * A way that is longer in one direction than in the other: forwards datagrams to a server on this
 * machine and its answers back, each after a wait of its own.
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

  async #forward(): Promise<void> {
    for await (const [bytes, from] of this.#front) {
      if (from.transport !== "udp") continue;
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
        this.#later(this.#waits.backMs, () => this.#front.send(bytes, client));
      }
    })());
    return back;
  }

  #later(waitMs: number, send: () => Promise<unknown>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#pumps.push(send().then(() => {}));
    }, waitMs);
    this.#timers.add(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
    // What was on the way when the sockets closed is nobody's concern any more.
    await Promise.allSettled(this.#pumps);
  }
}

function listen(): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
}

function portOf({ addr }: Deno.DatagramConn): number {
  return addr.transport === "udp" ? addr.port : 0;
}
