/**
 * The scenarios by name.
 *
 * @module
 */

import { chatOverStreams } from "./scenarios/chat.ts";
import type { Scenario } from "./simulation.ts";

/** A scenario and what is said of it. */
export interface NamedScenario {
  readonly run: Scenario;
  readonly summary: string;
}

/** See the module. */
export const SCENARIOS: Readonly<Record<string, NamedScenario>> = {
  streams: {
    run: chatOverStreams,
    summary: "the chat over TCP: 20 % loss, restarts, a new address; exactly once, in order",
  },
};
