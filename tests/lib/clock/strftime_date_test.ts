/**
 * strftime against GNU date: random formats, instants and zones must give the same bytes. The seed is
 * part of the test's name; TRIVET_TEST_SEED sets it, TRIVET_STRFTIME_ROUNDS asks for more.
 */

import { assert, assertEquals } from "@std/assert";
import { TimeFormat } from "../../../lib/clock/strftime.ts";
import { UTC, type Zone } from "../../../lib/clock/zone.ts";
import { readZone, ZONE_FOLDERS } from "../../../lib/clock/zone_files.ts";
import { chosenSeed } from "../../testing/seed.ts";
import { gnuDate, HAS_GNU_DATE, WITHOUT_GNU_DATE } from "./gnu_date.ts";
import {
  FLAGS,
  FormatSource,
  isEndOfCenturyBefore0,
  isShownTwice,
  randomFrom,
  SPECIFIERS,
} from "./strftime_formats.ts";

const TRIPLES_MIN = 200_000;
const INSTANTS_PER_FORMAT = 128;
const CONVERSIONS_PER_FORMAT = 24;
const PROCESSES = 3;

const SEED = chosenSeed(1);
const ROUNDS = Number(Deno.env.get("TRIVET_STRFTIME_ROUNDS") ?? 1);

/** The zones that both sides can know: those of the runtime that have a file here. */
function zonesHere(): Zone[] {
  const names = Intl.supportedValuesOf("timeZone");
  const zones = names.map((name) => readZone(name, ZONE_FOLDERS));
  return [UTC, ...zones.filter((zone) => zone !== undefined)];
}

function ours(format: string, instants: readonly bigint[], zone: Zone): string {
  const compiled = new TimeFormat(format, { zone, lengthMaxBytes: 1e6 });
  return instants.map((ns) => `${compiled.format(ns)}\n`).join("");
}

/** Compares one format, and says which conversion differs at which instant. */
async function compare(parts: readonly string[], instants: readonly bigint[], zone: Zone) {
  const format = parts.join("");
  const whole = [ours(format, instants, zone), await theirs(format, instants, zone)];
  if (whole[0] === whole[1]) return;
  for (const part of [...parts, format]) {
    for (const ns of instants) {
      const where = `${part} at ${ns} in ${zone.name}`;
      assertEquals(ours(part, [ns], zone), await theirs(part, [ns], zone), where);
    }
  }
  assertEquals(whole[0], whole[1], `${format} in ${zone.name}`);
}

async function theirs(format: string, instants: readonly bigint[], zone: Zone): Promise<string> {
  return await gnuDate(format, instants, { zone: zone.name });
}

Deno.test({
  name: `strftime() writes what GNU date writes, seed ${SEED}${WITHOUT_GNU_DATE}`,
  ignore: !HAS_GNU_DATE,
  fn: async () => {
    const source = new FormatSource(randomFrom(SEED));
    const zones = zonesHere();
    const formats = Math.max(Math.ceil(1.1 * TRIPLES_MIN / INSTANTS_PER_FORMAT), zones.length) *
      ROUNDS;
    let next = 0;
    let triples = 0;
    const work = async () => {
      while (next < formats) {
        const zone = zones[next++ % zones.length] ?? UTC;
        const parts = source.format(CONVERSIONS_PER_FORMAT);
        const format = parts.join("");
        const instants = source.instants(INSTANTS_PER_FORMAT, zone)
          .filter((ns) => !/%[^%]*s/.test(format) || !isShownTwice(ns, zone))
          .filter((ns) => !/%[^%]*g/.test(format) || !isEndOfCenturyBefore0(ns));
        await compare(parts, instants, zone);
        triples += instants.length;
      }
    };
    await Promise.all(Array.from({ length: PROCESSES }, work));
    assert(triples >= TRIPLES_MIN, `only ${triples} triples`);
    const widths = Array.from({ length: 12 }, (_, i) => `${i + 1}`);
    const wanted = [
      ...SPECIFIERS.flatMap((letter) => ["", "E", "O"].map((each) => `%${each}${letter}`)),
      ...["%:z", "%::z", "%:::z", "%E:z"],
      ...SPECIFIERS.flatMap((letter) => [...FLAGS, ...widths].map((each) => `${each} ${letter}`)),
    ];
    assertEquals(wanted.filter((each) => !source.made.has(each)), []);
  },
});
