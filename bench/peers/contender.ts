/**
 * What the bench compares: something that moves a file up to a server on this machine and down again.
 *
 * @module
 */

import type { Command, Daemon } from "./processes.ts";

/** Where a download goes; `nowhere` takes the disk out of the figure. */
export type Direction = "up" | "down" | "nowhere";

/** One way to move a file. */
export interface Contender {
  /** Short name, a column of the tables. */
  readonly name: string;
  /** Whether it waits for the disk before it ends. */
  readonly syncs: boolean;
  /** The server whose CPU time counts. */
  readonly daemon: Daemon;
  /** The folder on the disk that uploads go to. */
  readonly folder: string;
  /** The command that uploads `local` as `name`; downloads `name` to `local`; or throws it away. */
  command(direction: Direction, local: string, name: string): Command | undefined;
  /** The command that does it with a folder and all in it, where it can. */
  tree(direction: "up" | "down", local: string, name: string): Command | undefined;
  /** The command that goes on with a transfer of which the other side has the first half. */
  resume?(direction: "up" | "down", local: string, name: string): Command | undefined;
  /**
   * Where the first half of a transfer stands when it is not simply the first half of the file: the
   * path, or the folder in which it is the only file. It then takes an interrupted transfer.
   */
  partOf?(direction: "up" | "down", local: string): { path: string } | { folder: string };
}
