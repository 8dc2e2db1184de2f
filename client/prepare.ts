/**
 * What `trivet` begins before its other modules are loaded, so that both happen at once. For the
 * program alone: the library does nothing when it is imported.
 *
 * @module
 */

import { prepareTls } from "../lib/link/prepare_tls.ts";
import { mayBeShared } from "./share/meeting_place.ts";

// Where connections are shared it is most likely not needed, and it takes a processor for 30 ms.
if (!mayBeShared((name) => Deno.env.get(name))) prepareTls();
