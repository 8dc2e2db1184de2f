/**
 * What `trivet` begins before its other modules are loaded, so that both happen at once. For the
 * program alone: the library does nothing when it is imported.
 *
 * @module
 */

import { prepareTls } from "../lib/link/prepare_tls.ts";

prepareTls();
