/**
 * The scenarios by name.
 *
 * @module
 */

import { chatOverStreams } from "./scenarios/chat.ts";
import { echoSmall } from "./scenarios/latency.ts";
import { fillLink } from "./scenarios/link.ts";
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
  link: {
    run: fillLink,
    summary: "one flow fills a link of 1, 10 and 100 Mbit/s, two share one",
  },
  latency: {
    run: echoSmall,
    summary: "small messages to and fro over links that lose 5 % and 10 % each way",
  },
};
