/**
 * How full a flow of datagrams keeps a link that loses nothing but what its queue has no room for, and
 * how two flows share one.
 *
 * @module
 */

import type { DatagramPeer } from "../../../lib/datagram/types.ts";
import { MESSAGE_MAX_BYTES } from "../../../lib/datagram/types.ts";
import { openPair } from "../datagram_pair.ts";
import type { Host } from "../network.ts";
import { type RunOptions, type RunResult, simulate, type Simulation } from "../simulation.ts";

/** Rates in Mbit/s with the part of the time for which each is measured. */
const RATES: readonly (readonly [mbit: number, part: number])[] = [[1, 1], [10, 1 / 3], [
  100,
  1 / 10,
]];

/** Seconds of the longest measurement, unless something else is asked for. */
const SECONDS = 60;

/** There and back, in milliseconds: something between these, by the seed. */
const ROUND_TRIP_MS = { min: 20, max: 80 };

/** Time to begin, which does not count, in milliseconds. */
const WARM_UP_MS = 2000;

/** Bytes that a sender has ready. */
const READY_BYTES = 1024 * 1024;

/** How full a link must be. */
const FULL_MIN = 0.9;

/** Rate and time of two flows, of which the second begins later. */
const SHARED = { mbit: 5, seconds: 60, laterMaxMs: 5000 };

/** What each of two flows must have. */
const SHARE_MIN = 0.4;

/** A message to send over and over. */
const MESSAGE = new Uint8Array(MESSAGE_MAX_BYTES);

/** See the module. */
export async function fillLink(options: RunOptions): Promise<RunResult> {
  return await simulate(options, Infinity, async (simulation) => {
    const figures: Record<string, number> = {};
    for (const [mbit, part] of RATES) {
      const seconds = (options.messages ?? SECONDS) * part;
      figures[`full${mbit}Mbit`] = await fill(simulation, mbit, seconds);
    }
    figures["share"] = await share(simulation);
    for (const [name, value] of Object.entries(figures)) {
      const least = name === "share" ? SHARE_MIN : FULL_MIN;
      if (value < least) throw new Error(`${name} is ${value.toFixed(3)}, should be ${least}`);
    }
    return figures;
  });
}

/** One flow: the part of the rate that arrives as messages. */
async function fill(simulation: Simulation, mbit: number, seconds: number): Promise<number> {
  const [flow] = openFlows(simulation, mbit, 1);
  const { clock } = simulation;
  if (flow === undefined) return 0;
  flow.start();
  await clock.sleep(WARM_UP_MS);
  const before = flow.received();
  await clock.sleep(seconds * 1000);
  const bytes = flow.received() - before;
  flow.stop();
  return bytes * 8 / (mbit * 1e6 * seconds);
}

/** Two flows: the smaller one's part of what both have, in the second half. */
async function share(simulation: Simulation): Promise<number> {
  const { clock, random } = simulation;
  const flows = openFlows(simulation, SHARED.mbit, 2);
  for (const flow of flows) {
    flow.start();
    await clock.sleep(random.between(0, SHARED.laterMaxMs));
  }
  await clock.sleep(SHARED.seconds * 500);
  const before = flows.map((flow) => flow.received());
  await clock.sleep(SHARED.seconds * 500);
  const bytes = flows.map((flow, i) => flow.received() - (before[i] ?? 0));
  for (const flow of flows) flow.stop();
  return Math.min(...bytes) / bytes.reduce((sum, each) => sum + each, 0);
}

interface Flow {
  start(): void;
  stop(): void;
  /** Bytes of messages that have arrived. */
  received(): number;
}

/** Flows from hosts of their own to hosts of their own, through one queue. */
function openFlows(simulation: Simulation, mbit: number, count: number): Flow[] {
  const { network, random } = simulation;
  const bytesPerSecond = mbit * 1e6 / 8;
  const roundTripMs = random.between(ROUND_TRIP_MS.min, ROUND_TRIP_MS.max);
  // One round trip's worth, as routers have, and room for a few datagrams.
  const queueBytes = Math.max(bytesPerSecond * roundTripMs / 1000, 30_000);
  const pairs: [Host, Host][] = [];
  for (let i = 0; i < count; i++) {
    const name = `${mbit}x${count}-${i}`;
    pairs.push([network.addHost(`from-${name}`), network.addHost(`to-${name}`)]);
  }
  const delayMs = roundTripMs / 2;
  network.share(pairs, { bytesPerSecond, queueBytes, delayMs });
  network.share(pairs.map(([from, to]) => [to, from]), { delayMs });
  return pairs.map((hosts) => openFlow(simulation, hosts));
}

function openFlow(simulation: Simulation, hosts: [Host, Host]): Flow {
  let bytes = 0;
  let isOn = false;
  const [client, server] = openPair(simulation, hosts, {
    client: (peer) => {
      while (isOn && peer.bufferedBytes < READY_BYTES && peer.writableBytes >= MESSAGE.length) {
        peer.send(1, MESSAGE);
      }
    },
    server: (peer) => bytes += readAll(peer),
  });
  return {
    start: () => {
      isOn = true;
      client.driver.pump();
    },
    stop: () => {
      isOn = false;
      client.driver.stop();
      server.driver.stop();
    },
    received: () => bytes,
  };
}

function readAll(peer: DatagramPeer): number {
  let bytes = 0;
  for (let got = peer.read(); got !== undefined; got = peer.read()) bytes += got.message.length;
  return bytes;
}
