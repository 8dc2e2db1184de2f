/**
 * All scenarios of the fault suite.
 *
 * @module
 */

import type { Scenario } from "./scenario.ts";
import { CHAT } from "./scenarios/chat.ts";
import { CLOCK } from "./scenarios/clock.ts";
import { HOSTILE } from "./scenarios/hostile.ts";
import { KILLS } from "./scenarios/kill.ts";
import { LOAD } from "./scenarios/load.ts";
import { NETWORK } from "./scenarios/network.ts";
import { POWER } from "./scenarios/power.ts";
import { STORAGE } from "./scenarios/storage.ts";

/** See the module. */
export const SCENARIOS: readonly Scenario[] = [
  ...KILLS,
  ...NETWORK,
  ...STORAGE,
  ...LOAD,
  ...CHAT,
  ...HOSTILE,
  ...POWER,
  ...CLOCK,
];
