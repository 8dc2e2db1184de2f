/**
 * A program and all that it has started: they share a process group, so they can be told to end
 * together, also what runs in the background.
 *
 * @module
 */

import process from "node:process";
import type { CommandSignal } from "../../lib/exec/signals.ts";
import type { CommandRule } from "./rules.ts";

/** From SIGTERM to SIGKILL, in milliseconds. */
export const TERMINATE_GRACE_MS = 2000;

/** How often it is looked whether a group is gone, in milliseconds. */
const LOOK_MS = 25;

/** How a program ended; one of both is `null`. */
export interface LeaderEnd {
  /** Exit code. */
  readonly code: number | null;
  /** Name of the signal; one that has no name is `SIG` and its number. */
  readonly signal: string | null;
}

/** What a request adds to its command's rule. */
export interface GivenByClient {
  /** Further arguments. */
  readonly args: readonly string[];
  /** Further variables. */
  readonly variables: Readonly<Record<string, string>>;
}

/** See the module. A process that has begun a session of its own has left the group. */
export class ProcessGroup {
  /** The program that was started, the group's leader. */
  readonly leader: Deno.ChildProcess;
  #isGone = false;
  #ending: Promise<void> | undefined;

  private constructor(leader: Deno.ChildProcess) {
    this.leader = leader;
  }

  /**
   * Starts a command: its program by its absolute path, without a shell and with nothing of the
   * server's environment.
   *
   * @param rule The command.
   * @param given Its further arguments and variables, which were checked.
   * @throws What the system says when it cannot be started.
   */
  static start(rule: CommandRule, { args, variables }: GivenByClient): ProcessGroup {
    const { executable, fixedArguments, environment, directory, stdin, runAs } = rule;
    const command = new Deno.Command(executable, {
      args: [...fixedArguments, ...args],
      clearEnv: true,
      env: { ...variables, ...environment },
      cwd: directory,
      // A session of its own, and with it a process group whose number is the leader's.
      detached: true,
      stdin: stdin ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
      ...runAs,
    });
    return new ProcessGroup(command.spawn());
  }

  /**
   * Sends a signal to all of the group.
   *
   * @returns Whether there was anybody left.
   */
  signal(signal: CommandSignal): boolean {
    if (this.#isGone) return false;
    try {
      Deno.kill(-this.leader.pid, signal);
      return true;
    } catch (error) {
      // Once nobody is left, the number may be given to somebody else.
      if (error instanceof Deno.errors.NotFound) this.#isGone = true;
      return false;
    }
  }

  /**
   * Waits for the program that was started, not for the rest of its group.
   *
   * @returns Its exit code, or the name of the signal that ended it.
   */
  async leaderEnded(): Promise<LeaderEnd> {
    try {
      const { code, signal } = await this.leader.status;
      return signal === null ? { code, signal } : { code: null, signal };
    } catch (error) {
      // Deno has no names for real-time signals, and rejects.
      const [, number] =
        /^Invalid signal: (\d+)$/.exec(error instanceof Error ? error.message : "") ?? [];
      if (number === undefined) throw error;
      return { code: null, signal: `SIG${number}` };
    }
  }

  /** Ends all of the group: SIGTERM, and SIGKILL for those who are still there after a while. */
  end(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    if (!this.signal("SIGTERM")) return;
    const endMs = performance.now() + TERMINATE_GRACE_MS;
    while (performance.now() < endMs) {
      if (this.#look()) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    this.signal("SIGKILL");
  }

  /** Whether nobody is left. */
  #look(): boolean {
    try {
      process.kill(-this.leader.pid, 0);
    } catch (error) {
      this.#isGone = error instanceof Error && "code" in error && error.code === "ESRCH";
    }
    return this.#isGone;
  }
}
