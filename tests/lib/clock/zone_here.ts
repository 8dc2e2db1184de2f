/** Writes the name of the zone that openZone() takes for the machine's, for a test of `TZ`. */

import { openZone } from "../../../lib/clock/zone_files.ts";

Deno.stdout.writeSync(new TextEncoder().encode(openZone().name));
