/**
 * Two users talk to a server over datagrams while somebody who sees every datagram sends the server and
 * the users all sorts of others: noise, copies, pieces, copies with changed bytes, from an address of
 * their own and from those of the others. Nothing breaks, nothing is kept of it, nobody gets more back than
 * three times what they sent, and what the two say arrives once and in order.
 *
 * @module
 */

import type { DatagramPeer } from "../../../lib/datagram/types.ts";
import { DATAGRAM_MAX_BYTES } from "../../../lib/datagram/types.ts";
import { DatagramEndpoint } from "../../../lib/datagram/endpoint.ts";
import type { SeededRandom } from "../../../lib/datagram/seeded_random.ts";
import { DatagramDriver } from "../datagram_driver.ts";
import type { Host } from "../network.ts";
import type { VirtualClock } from "../virtual_clock.ts";
import { type RunOptions, type RunResult, simulate, type Simulation } from "../simulation.ts";

/** Datagrams of the stranger, unless something else is asked for. */
const DATAGRAMS = 50_000;

/** The stranger sends one so often, in milliseconds. */
const EVERY_MS = 0.2;

/** How long a datagram of the stranger takes: less than the users' do. */
const STRANGER_MS = 1;

/** The users send a message so often, in milliseconds. */
const TALK_MS = 5;

/** Datagrams that the stranger remembers. */
const SEEN_MAX = 256;

/** What an address that has proven nothing may get for each byte. */
const REPLY_FACTOR = 3;

/** Time in which what is still on its way must arrive, in milliseconds. */
const SETTLE_MS = 20_000;

/** A datagram that was seen. */
interface Seen {
  readonly bytes: Uint8Array;
  readonly from: string;
  readonly to: string;
}

/** One way of talking: what was said, and what was heard. */
class Talk {
  readonly #peer: DatagramPeer;
  readonly #other: DatagramPeer;
  readonly #next = new Map<number, number>();
  readonly #said = new Map<number, number>();

  constructor(from: DatagramPeer, to: DatagramPeer) {
    this.#peer = from;
    this.#other = to;
  }

  say(stream: number): void {
    const number = this.#said.get(stream) ?? 0;
    this.#said.set(stream, number + 1);
    this.#peer.send(stream, new TextEncoder().encode(`${number}`));
  }

  hear(): void {
    for (let got = this.#other.read(); got !== undefined; got = this.#other.read()) {
      const { stream, message } = got;
      const wanted = this.#next.get(stream) ?? 0;
      const text = new TextDecoder().decode(message);
      if (text !== `${wanted}`) throw new Error(`"${text}" was heard, not ${wanted}`);
      this.#next.set(stream, wanted + 1);
    }
  }

  get isOver(): boolean {
    return [...this.#said].every(([stream, count]) => this.#next.get(stream) === count);
  }

  get count(): number {
    return [...this.#next.values()].reduce((sum, each) => sum + each, 0);
  }
}

/** See the module. */
export async function withstandStranger(options: RunOptions): Promise<RunResult> {
  return await simulate(options, Infinity, async (simulation) => {
    const { clock, network, random, options: { messages = DATAGRAMS } } = simulation;
    const { endpoint, talks, pump, hosts } = openTalks(simulation);
    const stranger = network.addHost("stranger");
    for (const host of hosts) network.link(stranger, host, { delayMs: STRANGER_MS });
    const accounts = new Accounts(stranger, clock);
    network.onSend = (bytes, from, to) => accounts.note({ bytes, from, to });
    for (let i = 0; i < messages; i++) {
      if (i % (TALK_MS / EVERY_MS) === 0) {
        for (const talk of talks) talk.say(random.below(4));
        pump();
      }
      attack(simulation, accounts, stranger);
      await clock.sleep(EVERY_MS);
      if (endpoint.size !== hosts.length - 1) throw new Error(`${endpoint.size} connections`);
    }
    const endsMs = clock.nowMs + SETTLE_MS;
    while (!talks.every((talk) => talk.isOver)) {
      if (clock.nowMs > endsMs) throw new Error("What was said has not arrived");
      await clock.sleep(10);
    }
    return {
      strange: messages,
      heard: talks.reduce((sum, { count }) => sum + count, 0),
      repliedBytes: accounts.repliedBytes,
      strangeBytes: accounts.strangeBytes,
    };
  });
}

/** A server with two users, each of whom talks and listens. */
function openTalks(simulation: Simulation) {
  const { clock, network, random } = simulation;
  const server = network.addHost("server");
  const users = ["ann", "bob"].map((name) => network.addHost(name));
  const draw = (count: number) => {
    const bytes = new Uint8Array(count);
    random.fill(bytes);
    return bytes;
  };
  const endpoint = new DatagramEndpoint({ resetSecret: draw(32) });
  const talks: Talk[] = [];
  const onProgress = () => {
    for (const talk of talks) talk.hear();
  };
  const drivers = [new DatagramDriver(endpoint, { clock, host: server, onProgress })];
  for (const host of users) {
    network.link(host, server, { delayMs: 20, jitterMs: 5, lossPercent: 2 });
    const common = { connectionId: draw(8).toHex(), now: clock.nowMs };
    const [up, down] = [draw(32), draw(32)];
    const far = endpoint.open({ ...common, role: "server", secrets: { send: down, receive: up } });
    const socket = new DatagramEndpoint({ resetSecret: draw(32) });
    const near = socket.open({
      ...common,
      role: "client",
      remote: server.address,
      secrets: { send: up, receive: down },
      resetToken: endpoint.resetToken(common.connectionId),
    });
    talks.push(new Talk(near, far), new Talk(far, near));
    drivers.push(new DatagramDriver(socket, { clock, host, onProgress }));
  }
  const pump = () => {
    for (const driver of drivers) driver.pump();
  };
  return { endpoint, talks, pump, hosts: [server, ...users] };
}

/** What the stranger saw and sent, and got for it. */
class Accounts {
  readonly seen: Seen[] = [];
  readonly #address: string;
  readonly #clock: VirtualClock;
  #next = 0;
  /** The last few of the stranger's own, by when they arrive. */
  readonly #requests: { readonly atMs: number; left: number }[] = [];
  strangeBytes = 0;
  repliedBytes = 0;

  constructor(stranger: Host, clock: VirtualClock) {
    this.#address = stranger.address;
    this.#clock = clock;
  }

  note({ bytes, from, to }: Seen): void {
    const { nowMs } = this.#clock;
    if (from === this.#address) {
      this.strangeBytes += bytes.length;
      this.#requests.push({ atMs: nowMs + STRANGER_MS, left: REPLY_FACTOR * bytes.length });
      if (this.#requests.length > SEEN_MAX) this.#requests.shift();
    } else if (to === this.#address) {
      this.repliedBytes += bytes.length;
      this.#checkReply(bytes.length, nowMs);
    } else this.seen[this.#next++ % SEEN_MAX] = { bytes, from, to };
  }

  /** An answer is to what came in that moment, or to what is left of others before it. */
  #checkReply(length: number, nowMs: number): void {
    const asked = this.#requests.filter(({ atMs }) => atMs <= nowMs + 1e-6);
    const now = asked.filter(({ atMs }) => atMs >= nowMs - 1e-6);
    for (const request of [...now, ...asked]) {
      if (request.left < length) continue;
      request.left -= length;
      return;
    }
    throw new Error(`${length} bytes came back for less than a third of that`);
  }
}

/** Sends one strange datagram. */
function attack({ network, random }: Simulation, { seen }: Accounts, stranger: Host): void {
  const { bytes, from, to } = seen[random.below(seen.length)] ??
    { bytes: new Uint8Array(40), from: "", to: "server:1" };
  const strange = change(bytes, random);
  // Copies that nothing was done to come from elsewhere: those who stand between two can do more.
  if (strange !== bytes && random.chance(50)) network.inject(strange, from, to);
  else stranger.send(strange, to);
}

/** What becomes of a datagram. */
function change(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  switch (random.below(7)) {
    case 0: {
      const noise = new Uint8Array(random.below(DATAGRAM_MAX_BYTES + 300));
      random.fill(noise);
      return noise;
    }
    case 1:
      return bytes.slice(0, random.below(bytes.length));
    case 2: {
      const longer = new Uint8Array(bytes.length + 1 + random.below(50));
      longer.set(bytes);
      return longer;
    }
    case 3:
      return bytes;
    default: {
      const copy = bytes.slice();
      const reach = random.chance(50) ? Math.min(copy.length, 20) : copy.length;
      for (let left = 1 + random.below(3); left > 0; left--) {
        const at = random.below(reach);
        copy[at] = (copy[at] ?? 0) ^ (1 + random.below(255));
      }
      return copy;
    }
  }
}
