/**
 * What a program does when it is told to end: the first signal asks its work to stop, the second one
 * ends it at once.
 *
 * @module
 */

import { EXIT, TrivetError } from "../errors.ts";

/** The signals that ask a program to end. */
export type EndSignal = "SIGINT" | "SIGTERM";

/** Exit code of a program that SIGTERM ended: 128 + 15. */
const EXIT_TERMINATED = 143;

/** Delivers signals and ends the program. */
export interface SignalSource {
  /** The signals that this system can deliver. */
  readonly signals: readonly EndSignal[];
  /** Calls `listener` at every such signal, instead of the system's own reaction. */
  addListener(signal: EndSignal, listener: () => void): void;
  /** Ends what `addListener` began. */
  removeListener(signal: EndSignal, listener: () => void): void;
  /** Ends the program at once. */
  exit(code: number): void;
}

/** Options of {@linkcode Interrupt}. */
export interface InterruptOptions {
  /** Called at the first signal, to say what is being done about it. */
  readonly onFirst?: (signal: EndSignal) => void;
  /** Called at the second signal, to leave the terminal as it was. */
  readonly onSecond?: (signal: EndSignal) => void;
}

/** Turns SIGINT and SIGTERM into an `AbortSignal` until it is disposed of. */
export class Interrupt implements Disposable {
  readonly #source: SignalSource;
  readonly #options: InterruptOptions;
  readonly #controller = new AbortController();
  readonly #listeners: readonly (readonly [EndSignal, () => void])[];

  /**
   * Begins to listen.
   *
   * @param source Where signals come from.
   * @param options What to do besides.
   */
  constructor(source: SignalSource, options: InterruptOptions = {}) {
    this.#source = source;
    this.#options = options;
    this.#listeners = source.signals.map((signal) =>
      [signal, () => this.#receive(signal)] as const
    );
    for (const [signal, listener] of this.#listeners) source.addListener(signal, listener);
  }

  /** Aborts at the first signal, with an INTERRUPTED error as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Stops listening: from here on the system's own reaction applies. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) this.#source.removeListener(signal, listener);
  }

  #receive(signal: EndSignal): void {
    if (this.signal.aborted) {
      this.#options.onSecond?.(signal);
      this.#source.exit(signal === "SIGTERM" ? EXIT_TERMINATED : EXIT.INTERRUPTED);
      return;
    }
    const error = new TrivetError("INTERRUPTED", "Interrupted", { details: { signal } });
    this.#controller.abort(error);
    this.#options.onFirst?.(signal);
  }
}
