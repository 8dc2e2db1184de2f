/** TZif files by hand (RFC 9636), for tests. */

/** What a file says. */
export interface TzifFields {
  /** Version byte: 0 for version 1, else the digit. */
  readonly version?: number;
  /** Offset in seconds, daylight saving time, abbreviation. */
  readonly types: readonly (readonly [number, boolean, string])[];
  /** Time and index of the type. */
  readonly transitions?: readonly (readonly [number, number])[];
  readonly footer?: string;
  /** Leap seconds and indicators, which readers must step over. */
  readonly extras?: boolean;
}

/** Lays a file out: version 1 and, from version 2 on, the block with 64 bits and the footer. */
export function tzifBytes(fields: TzifFields): Uint8Array<ArrayBuffer> {
  const version = fields.version ?? 0x32;
  const first = block(fields, version, 4);
  if (version === 0) return first;
  const footer = new TextEncoder().encode(`\n${fields.footer ?? ""}\n`);
  const parts = [first, block(fields, version, 8), footer];
  const bytes = new Uint8Array(parts.reduce((all, part) => all + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function block(
  { types, transitions = [], extras = false }: TzifFields,
  version: number,
  timeBytes: 4 | 8,
): Uint8Array<ArrayBuffer> {
  const names = types.map(([, , name]) => `${name}\0`);
  const characters = new TextEncoder().encode(names.join(""));
  const [leaps, indicators] = extras ? [2, types.length] : [0, 0];
  const size = 44 + transitions.length * (timeBytes + 1) + types.length * 6 + characters.length +
    leaps * (timeBytes + 4) + 2 * indicators;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("TZif"));
  view.setUint8(4, version);
  const counts = [
    indicators,
    indicators,
    leaps,
    transitions.length,
    types.length,
    characters.length,
  ];
  counts.forEach((count, i) => view.setUint32(20 + 4 * i, count));
  let at = 44;
  for (const [time] of transitions) {
    if (timeBytes === 4) view.setInt32(at, time);
    else view.setBigInt64(at, BigInt(time));
    at += timeBytes;
  }
  for (const [, index] of transitions) view.setUint8(at++, index);
  let nameAt = 0;
  types.forEach(([offset, isDst], i) => {
    view.setInt32(at, offset);
    view.setUint8(at + 4, isDst ? 1 : 0);
    view.setUint8(at + 5, nameAt);
    nameAt += names[i]?.length ?? 0;
    at += 6;
  });
  bytes.set(characters, at);
  return bytes;
}
