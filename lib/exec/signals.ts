/**
 * The signals of remote commands.
 *
 * @module
 */

/** Signals that a client may send to its command. */
export const COMMAND_SIGNALS = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGKILL",
  "SIGUSR1",
  "SIGUSR2",
] as const;

/** See {@linkcode COMMAND_SIGNALS}. */
export type CommandSignal = typeof COMMAND_SIGNALS[number];
