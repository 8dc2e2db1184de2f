/**
 * Five users talk in four rooms while a fifth of what they send is lost, some comes twice or late, the
 * server dies twice and one of them gets another address: every message that was acknowledged is in every
 * history once and in order.
 *
 * @module
 */

import type { ChatClient } from "../../../client/chat.ts";
import type { NetemOptions } from "../../../lib/datagram/netem.ts";
import { type Carrier, StreamCarrier } from "../carrier.ts";
import { checkChat } from "../chat_check.ts";
import { ChatServer, prepareDatabase } from "../chat_server.ts";
import { ChatUser } from "../chat_user.ts";
import { DatagramCarrier } from "../datagram_carrier.ts";
import type { Host, Network } from "../network.ts";
import { type RunOptions, type RunResult, simulate, type Simulation } from "../simulation.ts";

/** The bad network. */
const LOSSY: NetemOptions = {
  lossPercent: 20,
  duplicatePercent: 10,
  reorderPercent: 10,
  delayMs: 40,
  jitterMs: 10,
};

/** Who is in which room; the first makes it. */
const ROOMS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["everybody", new Set(["ann", "bob", "cat", "dan", "eve"])],
  ["early", new Set(["ann", "bob", "cat"])],
  ["late", new Set(["cat", "dan", "eve"])],
  ["pair", new Set(["eve", "ann"])],
]);

const USERS = ["ann", "bob", "cat", "dan", "eve"];

/** Messages of a run, unless something else is asked for. */
const MESSAGES = 10_000;

/** Longest run on its own clock: ten hours. */
const LIMIT_MS = 36_000_000;

/** Makes the way by which users reach the server. */
export type NewCarrier = (network: Network, server: Host) => Carrier;

/** The scenario over connections as TCP makes them. */
export function chatOverStreams(options: RunOptions): Promise<RunResult> {
  return runChat(options, (network, server) => new StreamCarrier(network, server));
}

/** The scenario over datagrams. */
export function chatOverDatagrams(options: RunOptions): Promise<RunResult> {
  return runChat(options, (network, server) => new DatagramCarrier(network, server));
}

/** Runs the scenario over a way of one's own. */
export async function runChat(options: RunOptions, newCarrier: NewCarrier): Promise<RunResult> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-sim-", ...await memoryFolder() });
  const path = `${folder}/trivet.db`;
  try {
    await prepareDatabase(path, USERS);
    return await simulate(options, LIMIT_MS, (simulation) => {
      return talk(simulation, path, newCarrier);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function talk(
  simulation: Simulation,
  path: string,
  newCarrier: NewCarrier,
): Promise<Record<string, number>> {
  const { network, clock, options: { messages = MESSAGES } } = simulation;
  const place = network.addHost("server");
  const carrier = newCarrier(network, place);
  const defects: unknown[] = [];
  using server = new ChatServer(network, { carrier, path, defects });
  const users = USERS.map((name) => {
    const host = network.addHost(name);
    network.link(host, place, LOSSY);
    return new ChatUser(network, { host, carrier });
  });
  const clients = await Promise.all(users.map((user) => user.enter()));
  await openRooms(clients);
  const following = users.map((user, i) => user.follow(required(clients[i])));
  const share = Math.ceil(messages / [...ROOMS.values()].reduce((sum, { size }) => sum + size, 0));
  const sending = users.flatMap((user, i) =>
    [...ROOMS].filter(([, members]) => members.has(user.name))
      .map(([room]) => user.send(required(clients[i]), room, share))
  );
  const counted = () => users.reduce((sum, user) => sum + user.acked.length, 0);
  const faults = breakThings(simulation, { server, users, total: messages, counted });
  await Promise.all([...sending, faults]);
  const isTold = () => users.every((user) => user.followed.length >= wantedBy(user, share));
  while (!isTold()) await clock.sleep(100);
  for (const user of users) user.stop();
  await Promise.all(following);
  await checkChat({ users, clients, rooms: ROOMS });
  for (const client of clients) await client.close();
  if (defects.length > 0) throw new Error("The server failed", { cause: defects[0] });
  return figuresOf(users, network);
}

async function openRooms(clients: readonly ChatClient[]): Promise<void> {
  for (const [room, members] of ROOMS) {
    let isMade = false;
    for (const client of clients) {
      if (!members.has(client.user)) continue;
      if (isMade) await client.join(room);
      else await client.create(room);
      isMade = true;
    }
  }
}

/** Two restarts and one new address, each somewhere along the way. */
async function breakThings(
  { clock, random, network }: Simulation,
  { server, users, total, counted }: {
    readonly server: ChatServer;
    readonly users: readonly ChatUser[];
    readonly total: number;
    readonly counted: () => number;
  },
): Promise<void> {
  const mover = required(users[random.below(users.length)]);
  const faults: [at: number, strike: () => void][] = [
    [random.between(0.1, 0.5) * total, () => server.restart(random.between(10, 5000))],
    [random.between(0.5, 0.9) * total, () => server.restart(random.between(10, 5000))],
    [random.between(0.1, 0.9) * total, () => network.move(mover.host)],
  ];
  for (const [at, strike] of faults.sort(([a], [b]) => a - b)) {
    while (counted() < at) await clock.sleep(random.between(1, 50));
    strike();
  }
}

/** How many messages a user is to be told of. */
function wantedBy({ name }: ChatUser, share: number): number {
  const rooms = [...ROOMS.values()].filter((members) => members.has(name));
  return share * rooms.reduce((sum, { size }) => sum + size, 0);
}

function figuresOf(users: readonly ChatUser[], { counts }: Network): Record<string, number> {
  const times = users.flatMap(({ acked }) => acked.map(({ tookMs }) => tookMs));
  const sorted = times.sort((a, b) => a - b);
  return {
    messages: sorted.length,
    ackMeanMs: Math.round(sorted.reduce((sum, each) => sum + each, 0) / sorted.length),
    ackP99Ms: Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0),
    ackMaxMs: Math.round(sorted.at(-1) ?? 0),
    calledAgain: users.reduce((sum, { failures }) => sum + failures, 0),
    datagrams: counts.sent,
    lost: counts.lost,
  };
}

/**
 * A folder in memory, where there is one that may be used: the database is written ten thousand times,
 * and each time a real disk is waited for. The runtime lets a program in only with all permissions.
 */
async function memoryFolder(): Promise<{ dir?: string }> {
  const info = await Deno.stat("/dev/shm").catch(() => undefined);
  return info?.isDirectory === true ? { dir: "/dev/shm" } : {};
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError("A user is missing");
  return value;
}
