/**
 * How long small messages take over a link that loses some: the set-up in which KCP's numbers were
 * measured (its `test.cpp`). One side sends eight bytes every 20 ms and the other sends each back; what
 * counts is the time until it is there again. Of a hundred datagrams five are lost each way, which is
 * the "10 %" of those numbers, and a round trip takes 60 to 125 ms.
 *
 * @module
 */

import type { NetemOptions } from "../../../lib/datagram/netem.ts";
import type { DatagramPeer } from "../../../lib/datagram/types.ts";
import { openPair } from "../datagram_pair.ts";
import { type RunOptions, type RunResult, simulate, type Simulation } from "../simulation.ts";

/** One way of that link. */
const KCP_LINK: NetemOptions = { lossPercent: 5, delayMs: 46.25, jitterMs: 16.25 };

/** A link that loses twice as much. */
const HARD_LINK: NetemOptions = { ...KCP_LINK, lossPercent: 10 };

/** What KCP's fast mode has there, which does without congestion control. */
export const KCP_FAST = { meanMs: 138, maxMs: 392 };

/** A message every so many milliseconds. */
const EVERY_MS = 20;

/** Messages of a run, unless something else is asked for. */
const MESSAGES = 1000;

/** See the module. */
export async function echoSmall(options: RunOptions): Promise<RunResult> {
  return await simulate(options, Infinity, async (simulation) => {
    const kcp = await echo(simulation, "kcp", KCP_LINK);
    const hard = await echo(simulation, "hard", HARD_LINK);
    for (const { meanMs, maxMs } of [kcp, hard]) {
      if (meanMs <= KCP_FAST.meanMs && maxMs <= KCP_FAST.maxMs) continue;
      const theirs = `${KCP_FAST.meanMs} and ${KCP_FAST.maxMs}`;
      throw new Error(`Mean and longest are ${meanMs} and ${maxMs} ms, KCP's ${theirs}`);
    }
    return {
      meanMs: kcp.meanMs,
      maxMs: kcp.maxMs,
      hardMeanMs: hard.meanMs,
      hardMaxMs: hard.maxMs,
    };
  });
}

/** Sends messages to and fro. */
async function echo(
  simulation: Simulation,
  name: string,
  link: NetemOptions,
): Promise<{ meanMs: number; maxMs: number }> {
  const { network, clock, options: { messages = MESSAGES } } = simulation;
  const hosts = [network.addHost(`${name}-near`), network.addHost(`${name}-far`)] as const;
  network.link(...hosts, link);
  const sentMs: number[] = [];
  const times: number[] = [];
  const [near, far] = openPair(simulation, hosts, {
    client: (peer) => {
      for (const number of readNumbers(peer)) {
        if (number !== times.length) throw new Error(`Message ${number} comes as ${times.length}`);
        times.push(clock.nowMs - (sentMs[number] ?? 0));
      }
    },
    server: (peer) => {
      for (const number of readNumbers(peer)) peer.send(1, messageOf(number));
    },
  });
  for (let number = 0; number < messages; number++) {
    sentMs.push(clock.nowMs);
    near.peer.send(1, messageOf(number));
    near.driver.pump();
    await clock.sleep(EVERY_MS);
  }
  while (times.length < messages) await clock.sleep(EVERY_MS);
  near.driver.stop();
  far.driver.stop();
  const meanMs = times.reduce((sum, each) => sum + each, 0) / times.length;
  return { meanMs, maxMs: Math.max(...times) };
}

function messageOf(number: number): Uint8Array {
  const message = new Uint8Array(8);
  new DataView(message.buffer).setUint32(0, number);
  return message;
}

function* readNumbers(peer: DatagramPeer): Generator<number> {
  for (let got = peer.read(); got !== undefined; got = peer.read()) {
    yield new DataView(got.message.buffer, got.message.byteOffset).getUint32(0);
  }
}
