import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  ageSample,
  bestSample,
  FREQUENCY_TOLERANCE,
  type NtpExchange,
  type NtpSample,
  ntpSample,
} from "../../../lib/clock/ntp_sample.ts";

const MS = 1_000_000;
const START_NS = 1_700_000_000_000_000_000n;

/** What a test says of an exchange, in nanoseconds. */
interface Way {
  readonly offset?: number;
  readonly there?: number;
  readonly held?: number;
  readonly back?: number;
  readonly precision?: number;
  readonly rootDelay?: number;
  readonly rootDispersion?: number;
}

function exchangeOf(way: Way): NtpExchange {
  const { offset = 0, there = 0, held = 0, back = 0, precision = -30 } = way;
  const [toServer, away] = [BigInt(there + offset), BigInt(there + held + back)];
  return {
    originateNs: START_NS,
    receiveNs: START_NS + toServer,
    transmitNs: START_NS + toServer + BigInt(held),
    destinationNs: START_NS + away,
    precision,
    rootDelayNs: way.rootDelay ?? 0,
    rootDispersionNs: way.rootDispersion ?? 0,
  };
}

function sampleOf(way: Way): NtpSample {
  const sample = ntpSample(exchangeOf(way));
  assert(sample !== undefined, "the stamps agree");
  return sample;
}

/** Compares sums of floating-point numbers: the last bits depend on the order of the sum. */
function assertClose(actual: number, expected: number, name = ""): void {
  assertLessOrEqual(Math.abs(actual - expected), 1e-3, `${name}: ${actual} is not ${expected}`);
}

Deno.test("ntpSample() computes offset, delay and bounds as RFC 5905 does", {
  permissions: "none",
}, () => {
  const drift = FREQUENCY_TOLERANCE;
  const cases: [way: Way, offset: number, delay: number, error: number][] = [
    // The clock is right, and the way is as long there as back.
    [{ there: MS, back: MS }, 0, 2 * MS, MS + 2 * MS * drift],
    [{ offset: 5 * MS, there: MS, back: MS }, 5 * MS, 2 * MS, MS + 2 * MS * drift],
    [{ offset: -5 * MS, there: MS, back: MS }, -5 * MS, 2 * MS, MS + 2 * MS * drift],
    // All of the delay on one side: the offset is wrong by half of it.
    [{ there: 4 * MS }, 2 * MS, 4 * MS, 2 * MS + 4 * MS * drift],
    [{ back: 4 * MS }, -2 * MS, 4 * MS, 2 * MS + 4 * MS * drift],
    // What the server holds the request for is no delay, but the clocks drift meanwhile.
    [{ there: MS, held: 1000 * MS, back: MS }, 0, 2 * MS, MS + 1002 * MS * drift],
    // No way is shorter than reading the clock takes.
    [{}, 0, 1000, 500],
    // A clock that is a day wrong.
    [{ offset: 86_400_000 * MS }, 86_400_000 * MS, 1000, 500],
  ];
  for (const [way, offset, delay, error] of cases) {
    const sample = sampleOf(way);
    const name = JSON.stringify(way);
    assertEquals(sample.offsetNs, offset, name);
    assertEquals(sample.delayNs, delay, name);
    assertClose(sample.errorNs, error + 1000 + 1e9 / 2 ** 30, name);
    assertClose(sample.errorNs, sample.delayNs / 2 + sample.dispersionNs, name);
  }
});

Deno.test("ntpSample() adds the server's own error for the true time", {
  permissions: "none",
}, () => {
  const way = { there: MS, back: MS };
  const { errorNs } = sampleOf(way);
  assertEquals(sampleOf(way).rootErrorNs, errorNs);
  const { rootErrorNs } = sampleOf({ ...way, rootDelay: 30 * MS, rootDispersion: 7 * MS });
  assertEquals(rootErrorNs, errorNs + 15 * MS + 7 * MS);
  const coarse = sampleOf({ ...way, precision: -6 });
  assertClose(coarse.errorNs - errorNs, 1e9 / 64 - 1e9 / 2 ** 30);
});

Deno.test("ntpSample() refuses stamps that contradict each other", { permissions: "none" }, () => {
  const good = exchangeOf({ there: MS, held: MS, back: MS });
  const { originateNs, receiveNs, transmitNs, destinationNs } = good;
  const nanosecond = 1n;
  const slackNs = BigInt(Math.floor(1000 + 1e9 / 2 ** 30 + 3 * MS * FREQUENCY_TOLERANCE));
  const cases: [change: Partial<NtpExchange>, isGood: boolean][] = [
    [{}, true],
    // The reply left before the request came.
    [{ transmitNs: receiveNs - slackNs }, true],
    [{ transmitNs: receiveNs - slackNs - nanosecond }, false],
    // The server held the request for longer than it was away.
    [{ transmitNs: receiveNs + (destinationNs - originateNs) + slackNs }, true],
    [{ transmitNs: receiveNs + (destinationNs - originateNs) + slackNs + nanosecond }, false],
    // The reply came before the request left.
    [{ destinationNs: originateNs - nanosecond, transmitNs: receiveNs }, false],
    [{ destinationNs: originateNs, transmitNs: receiveNs }, true],
    [{ transmitNs: transmitNs + 86_400_000_000_000n }, false],
  ];
  for (const [change, isGood] of cases) {
    assertEquals(
      ntpSample({ ...good, ...change }) !== undefined,
      isGood,
      String(Object.keys(change)),
    );
  }
});

Deno.test("ntpSample() has a bound that contains the truth, however unequal the ways", {
  permissions: "none",
}, () => {
  const dayNs = 86_400_000 * MS;
  const way = fc.record({
    offset: fc.integer({ min: -dayNs, max: dayNs }),
    there: fc.nat(2000 * MS),
    held: fc.nat(100 * MS),
    back: fc.nat(2000 * MS),
    // This clock runs fast or slow while it waits, the server's is coarse.
    drift: fc.double({ min: -FREQUENCY_TOLERANCE, max: FREQUENCY_TOLERANCE, noNaN: true }),
    precision: fc.integer({ min: -30, max: -6 }),
  });
  fc.assert(
    fc.property(way, ({ drift, precision, ...way }) => {
      const exact = exchangeOf(way);
      const tickNs = BigInt(Math.max(1, Math.floor(2 ** precision * 1e9)));
      const coarse = (ns: bigint) => ns - ns % tickNs;
      const away = Number(exact.destinationNs - exact.originateNs);
      const sample = ntpSample({
        ...exact,
        precision,
        receiveNs: coarse(exact.receiveNs),
        transmitNs: coarse(exact.transmitNs),
        destinationNs: exact.destinationNs + BigInt(Math.round(away * drift)),
      });
      assert(sample !== undefined);
      assertLessOrEqual(Math.abs(sample.offsetNs - way.offset), sample.errorNs);
      // And it says no more than that: half of the delay is needed when one way is all of it.
      assertLessOrEqual(sample.delayNs / 2, sample.errorNs);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("bestSample() takes the shortest delay, and lets it age", { permissions: "none" }, () => {
  assertEquals(bestSample([]), undefined);
  const samples = [4 * MS, MS, 2 * MS, MS].map((back, index) => ({
    ...sampleOf({ back }),
    destinationNs: START_NS + BigInt(index) * 1_000_000_000n,
  }));
  const best = bestSample(samples);
  assertEquals(best?.offsetNs, -MS / 2);
  assertEquals(best?.destinationNs, START_NS + 1_000_000_000n);
  // Two seconds at 15 ppm.
  const second = samples[1];
  assert(best !== undefined && second !== undefined);
  assertClose(best.errorNs - second.errorNs, 30_000);
  assertClose(best.rootErrorNs - second.rootErrorNs, 30_000);
  assertClose(best.dispersionNs - second.dispersionNs, 30_000);
  assertEquals(bestSample(samples.slice(1, 2)), second);
});

Deno.test("ageSample() never makes a sample younger", { permissions: "none" }, () => {
  const sample = sampleOf({ there: MS });
  assertEquals(ageSample(sample, sample.destinationNs), sample);
  assertEquals(ageSample(sample, sample.destinationNs - 1_000_000_000n), sample);
});
