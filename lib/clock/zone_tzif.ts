/**
 * Time zones from the bytes of a TZif file (RFC 9636), which every Unix has for each zone. They have
 * what the runtime does not tell: the abbreviations of the IANA database, old ones too.
 *
 * @module
 */

import type { Zone, ZoneSpan } from "./zone.ts";
import { parseZoneRule, spanOfRule, type ZoneRule } from "./zone_rule.ts";

const MAGIC = "TZif";
const HEADER_BYTES = 44;
/** Bytes of a local time type record: offset, whether it is daylight saving time, abbreviation. */
const TYPE_BYTES = 6;
/** No zone has this many; 400 years of two changes a year are 800. */
const TRANSITIONS_MAX = 10_000;

/** How many records each part of a data block has, in their order in the header (RFC 9636 §3.1). */
interface Counts {
  readonly utc: number;
  readonly standard: number;
  readonly leaps: number;
  readonly transitions: number;
  readonly types: number;
  readonly characters: number;
}

type LocalType = Pick<ZoneSpan, "offsetSeconds" | "abbreviation" | "isDst">;

/** What a data block says. */
interface Block {
  /** Instants at which the clocks change, ascending, in seconds since 1970. */
  readonly transitions: readonly number[];
  /** What holds from each of them on. */
  readonly types: readonly LocalType[];
  /** What holds before the first. */
  readonly first: LocalType;
}

/**
 * Reads a TZif file of version 1 to 4.
 *
 * @param name Name of the zone.
 * @param bytes The file.
 * @returns The zone, `undefined` if the bytes are no such file.
 */
export function tzifZone(name: string, bytes: Uint8Array): Zone | undefined {
  const header = readHeader(bytes, 0);
  if (header === undefined) return undefined;
  if (header.version === 0) return zoneOf(name, readBlock(bytes, HEADER_BYTES, header.counts, 4));
  // Later versions repeat everything with 64 bits behind the block of version 1.
  const secondAt = HEADER_BYTES + blockBytes(header.counts, 4);
  const second = readHeader(bytes, secondAt);
  if (second === undefined) return undefined;
  const blockAt = secondAt + HEADER_BYTES;
  const block = readBlock(bytes, blockAt, second.counts, 8);
  const footer = textOf(bytes, blockAt + blockBytes(second.counts, 8), bytes.length);
  const match = /^\n([^\n]*)\n/.exec(footer);
  if (match === null) return undefined;
  const rule = parseZoneRule(match[1] ?? "");
  return match[1] !== "" && rule === undefined ? undefined : zoneOf(name, block, rule);
}

/** A zone of a block and of the rule that holds after its last transition. */
function zoneOf(name: string, block: Block | undefined, rule?: ZoneRule): Zone | undefined {
  if (block === undefined) return undefined;
  const { transitions, types, first } = block;
  const end = transitions.at(-1) ?? -Infinity;
  const at = (epochSeconds: number): ZoneSpan => {
    if (rule !== undefined && epochSeconds >= end) {
      const span = spanOfRule(rule, epochSeconds);
      return span.from < end ? { ...span, from: end } : span;
    }
    const next = firstAbove(transitions, epochSeconds);
    const type = next === 0 ? first : types[next - 1] ?? first;
    const from = transitions[next - 1] ?? -Infinity;
    return { ...type, from, until: transitions[next] ?? Infinity };
  };
  return { name, at };
}

/** Index of the first of ascending numbers that is above `value`. */
function firstAbove(numbers: readonly number[], value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? Infinity) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function readHeader(
  bytes: Uint8Array,
  at: number,
): { version: number; counts: Counts } | undefined {
  if (bytes.length < at + HEADER_BYTES || textOf(bytes, at, at + 4) !== MAGIC) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  const counts = {
    utc: view.getUint32(20),
    standard: view.getUint32(24),
    leaps: view.getUint32(28),
    transitions: view.getUint32(32),
    types: view.getUint32(36),
    characters: view.getUint32(40),
  };
  if (counts.transitions > TRANSITIONS_MAX) return undefined;
  return { version: view.getUint8(4), counts };
}

/** Bytes of a data block whose times have `timeBytes` (RFC 9636 §3.2). */
function blockBytes(counts: Counts, timeBytes: number): number {
  return counts.transitions * (timeBytes + 1) + counts.types * TYPE_BYTES + counts.characters +
    counts.leaps * (timeBytes + 4) + counts.standard + counts.utc;
}

function readBlock(
  bytes: Uint8Array,
  at: number,
  counts: Counts,
  timeBytes: 4 | 8,
): Block | undefined {
  if (counts.types === 0 || bytes.length < at + blockBytes(counts, timeBytes)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const indicesAt = counts.transitions * timeBytes;
  const typesAt = indicesAt + counts.transitions;
  const namesAt = typesAt + counts.types * TYPE_BYTES;
  const all: LocalType[] = [];
  for (let place = typesAt; place < namesAt; place += TYPE_BYTES) {
    const nameAt = view.getUint8(place + 5);
    if (nameAt >= counts.characters) return undefined;
    const names = textOf(bytes, at + namesAt + nameAt, at + namesAt + counts.characters);
    all.push({
      offsetSeconds: view.getInt32(place),
      isDst: view.getUint8(place + 4) !== 0,
      abbreviation: names.split("\0", 1)[0] ?? "",
    });
  }
  const transitions: number[] = [];
  const types: LocalType[] = [];
  for (let i = 0; i < counts.transitions; i++) {
    const place = i * timeBytes;
    const time = timeBytes === 4 ? view.getInt32(place) : Number(view.getBigInt64(place));
    const type = all[view.getUint8(indicesAt + i)];
    if (type === undefined || time <= (transitions.at(-1) ?? -Infinity)) return undefined;
    transitions.push(time);
    types.push(type);
  }
  const first = all[0];
  return first === undefined ? undefined : { transitions, types, first };
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 1024)));
}
