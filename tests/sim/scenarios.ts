/**
 * The scenarios by name.
 *
 * @module
 */

import { chatOverDatagrams, chatOverStreams } from "./scenarios/chat.ts";
import { withstandStranger } from "./scenarios/fuzz.ts";
import { echoSmall } from "./scenarios/latency.ts";
import { fillLink } from "./scenarios/link.ts";
import { resumeTransfer } from "./scenarios/resume.ts";
import type { Scenario } from "./simulation.ts";

/** A scenario and what is said of it. */
export interface NamedScenario {
  readonly run: Scenario;
  readonly summary: string;
}

/** See the module. */
export const SCENARIOS: Readonly<Record<string, NamedScenario>> = {
  lossy: {
    run: chatOverDatagrams,
    summary: "the chat over datagrams: 20 % loss, restarts, a new address; exactly once, in order",
  },
  streams: {
    run: chatOverStreams,
    summary: "the same over connections as TCP makes them",
  },
  link: {
    run: fillLink,
    summary: "one flow fills a link of 1, 10 and 100 Mbit/s, two share one",
  },
  latency: {
    run: echoSmall,
    summary: "small messages to and fro over links that lose 5 % and 10 % each way",
  },
  fuzz: {
    run: withstandStranger,
    summary: "strange datagrams (--messages so many) from somebody who sees all others",
  },
  resume: {
    run: resumeTransfer,
    summary: "a file over connections that are cut, to a disk that is damaged meanwhile",
  },
};
