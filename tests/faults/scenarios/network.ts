/**
 * What networks do: connections that end, stand still, bring a byte at a time or other bytes than were
 * sent, and two clients that want to be the same one.
 *
 * @module
 */

import { RoughProxy, type Treatment } from "../rough_proxy.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";
import { type Work, WORKS } from "../works.ts";

const MIB = 1024 * 1024;

/** Standing still for so long is bad, but no reason to give up. */
const STALL_MAX_MS = 3_000;

/** A frame's header, before which a flipped bit changes what all that follows means. */
const CHANGES_MAX = 3;

const BY_NAME = new Map(WORKS.map((work) => [work.name, work]));

function work(name: string): Work {
  const found = BY_NAME.get(name);
  if (found === undefined) throw new TypeError(`There is no work "${name}"`);
  return found;
}

/** Runs a work whose connections go through a proxy. */
async function through(trial: Trial, work: Work, treat: Treatment): Promise<void> {
  await using proxy = new RoughProxy(() => trial.server.port, treat);
  const begin = await work.prepare(trial);
  trial.reachBy(proxy.address);
  const { running, settle } = begin();
  const ended = await running.ended;
  trial.reachBy(undefined);
  await settle(ended);
}

/** Some connections are reset in the middle, each after as many bytes as chance will have it. */
const RESETS: readonly Scenario[] = ["put", "get", "put -r", "sync", "mv"].map((name) => ({
  name: `reset: ${name}`,
  summary: `connections are reset at random moments of ${name}`,
  run: async (trial) => {
    const resets = new Map<number, number>();
    for (let i = 0; i < 4; i++) {
      resets.set(i, Math.floor(2 ** trial.random.between(8, 23)));
    }
    await through(trial, work(name), (bytes, { connection, passedBytes }) => {
      const at = resets.get(connection) ?? Infinity;
      return passedBytes + bytes.length >= at ? null : [bytes];
    });
  },
}));

const STALLS: readonly Scenario[] = ["put", "get", "sync"].map((name) => ({
  name: `stall: ${name}`,
  summary: `the network stands still for a while in the middle of ${name}`,
  run: async (trial) => {
    const at = Math.floor(2 ** trial.random.between(6, 22));
    const ms = trial.random.between(100, STALL_MAX_MS);
    const direction = trial.random.chance(50) ? "up" : "down";
    let hasStalled = false;
    await through(trial, work(name), async (bytes, way) => {
      if (!hasStalled && way.direction === direction && way.passedBytes + bytes.length > at) {
        hasStalled = true;
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
      return [bytes];
    });
  },
}));

const TRICKLES: readonly Scenario[] = ["mv", "rm", "put -r"].map((name) => ({
  name: `trickle: ${name}`,
  summary: `the first bytes of each connection come one at a time in ${name}`,
  run: async (trial) => {
    const until = 200 + trial.random.below(2_000);
    await through(trial, work(name), (bytes, { passedBytes }) => {
      const single = Math.max(Math.min(until - passedBytes, bytes.length), 0);
      const pieces = Array.from({ length: single }, (_, at) => bytes.subarray(at, at + 1));
      return [...pieces, bytes.subarray(single)];
    });
  },
}));

const FLIPS: readonly Scenario[] = ["put", "get", "put -r", "mv"].map((name) => ({
  name: `flip: ${name}`,
  summary: `some bits are flipped on the wire, without TLS, in ${name}`,
  setUp: { serve: ["--plain"] },
  run: async (trial) => {
    let left = 1 + trial.random.below(CHANGES_MAX);
    // Behind the handshake, where the checks of the netdisk are what counts.
    const from = 2_000;
    let next = from + Math.floor(2 ** trial.random.between(4, 22));
    await through(trial, work(name), (bytes, { passedBytes }) => {
      const at = next - passedBytes;
      if (left > 0 && at >= 0 && at < bytes.length) {
        bytes[at] = (bytes[at] ?? 0) ^ 1 << trial.random.below(8);
        left -= 1;
        next += trial.random.below(2 * MIB);
      }
      return [bytes];
    });
  },
}));

const TWINS: Scenario = {
  name: "twins",
  summary: "two clients upload the same file to the same name at once",
  run: async (trial) => {
    const digest = await trial.makeFile("twin.bin", 3 * MIB + trial.random.below(4 * MIB));
    const args = ["put", "twin.bin", "twin.bin", "--limit-rate", "20M"];
    const first = trial.start(args);
    await trial.pause(500);
    const second = trial.start(args);
    const codes = (await Promise.all([first.ended, second.ended])).map(({ code }) => code);
    if (!codes.includes(0)) trial.fail(`none of two clients ended well: ${codes.join(" and ")}`);
    trial.expected.write("twin.bin", digest, true);
  },
};

const SLOW_READER: Scenario = {
  name: "slow reader",
  summary: "a client reads a file much slower than it comes, and goes before its end",
  run: async (trial) => {
    const digest = await trial.makeFile("slow.bin", 6 * MIB);
    const { code } = await trial.run(["put", "slow.bin", "slow.bin"]);
    trial.expected.write("slow.bin", digest, code === 0);
    await using proxy = new RoughProxy(() => trial.server.port, async (bytes, { direction }) => {
      if (direction === "down") await new Promise((resolve) => setTimeout(resolve, 20));
      return [bytes];
    });
    trial.reachBy(proxy.address);
    const slow = trial.start(["get", "slow.bin", "copy.bin"]);
    trial.reachBy(undefined);
    await trial.pause(1_000);
    // Meanwhile the server serves others as if nothing were the matter.
    const listed = await trial.run(["ls"]);
    if (listed.code !== 0) trial.fail("a slow reader keeps others from being served");
    if (trial.random.chance(50)) slow.kill();
    await slow.ended;
  },
};

/** All of them. */
export const NETWORK: readonly Scenario[] = [
  ...RESETS,
  ...STALLS,
  ...TRICKLES,
  ...FLIPS,
  TWINS,
  SLOW_READER,
];
