/**
 * The zones of this system: from its files of the IANA database where there are some, else from the
 * runtime. The one module of the clock that reads files.
 *
 * @module
 */

import { checkZone, type Zone, zoneWithoutRules } from "./zone.ts";
import { intlZone } from "./zone_intl.ts";
import { tzifZone } from "./zone_tzif.ts";

/** Where systems keep their files (tzset(3); Debian, macOS, the BSDs, Solaris). */
export const ZONE_FOLDERS: readonly string[] = [
  "/usr/share/zoneinfo",
  "/usr/share/lib/zoneinfo",
  "/usr/lib/zoneinfo",
];

/** Opened zones are kept: everybody has the same few. */
const KEPT_MAX = 64;

const kept = new Map<string, Zone>();

/**
 * Opens a time zone. It never fails because of files: without them, or without the permission to
 * read them, the runtime's rules serve.
 *
 * @param name As for {@linkcode checkZone}; the zone of this machine without it.
 * @returns The zone.
 * @throws {TrivetError} `USAGE` If there is no such zone.
 */
export function openZone(name: string = localZoneName()): Zone {
  const known = checkZone(name);
  const found = kept.get(known);
  if (found !== undefined) return found;
  const zone = zoneWithoutRules(known) ?? readZone(known, ZONE_FOLDERS) ?? intlZone(known);
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(known, zone);
  return zone;
}

/** An empty `TZ` is UTC to the C library, and nothing that the runtime knows. */
function localZoneName(): string {
  const name = Temporal.Now.timeZoneId();
  return name === "Etc/Unknown" ? "UTC" : name;
}

/**
 * Reads a zone from its file.
 *
 * @param name What {@linkcode checkZone} returned.
 * @param folders Where to look, in this order.
 * @returns The zone, `undefined` if no folder has a file that can be read.
 */
export function readZone(name: string, folders: readonly string[]): Zone | undefined {
  for (const folder of folders) {
    try {
      const zone = tzifZone(name, Deno.readFileSync(`${folder}/${name}`));
      if (zone !== undefined) return zone;
    } catch {
      // Not there, or not to be read: the next folder, and in the end the runtime.
    }
  }
  return undefined;
}
