/**
 * What a scenario of the fault suite is.
 *
 * @module
 */

import type { Trial, TrialOptions } from "./trial.ts";

/** A fault and the work that it hits. */
export interface Scenario {
  /** Short, and the same as in the report. */
  readonly name: string;
  /** What is done, as part of a sentence. */
  readonly summary: string;
  /** How its server is set up. */
  readonly setUp?: Omit<TrialOptions, "seed">;
  /** Why it cannot run here; `undefined` when it can. */
  readonly skip?: () => Promise<string | undefined>;
  /** Only in the long mode, since it takes minutes. */
  readonly isLong?: boolean;
  /** Does the work and the fault; the check follows by itself. */
  readonly run: (trial: Trial) => Promise<void>;
}
