/**
 * Drives datagram connections on a host of the simulator, as a program with a socket and one timer does.
 *
 * @module
 */

import type { DatagramMachine } from "../../lib/datagram/types.ts";
import type { Host } from "./network.ts";
import type { Planned, VirtualClock } from "./virtual_clock.ts";

/** What a driver needs. */
export interface DatagramDriverOptions {
  readonly clock: VirtualClock;
  readonly host: Host;
  /** Told after everything that may have changed something: reads what came, writes what there is room for. */
  readonly onProgress?: () => void;
}

/** See the module. */
export class DatagramDriver {
  readonly #machine: DatagramMachine;
  readonly #clock: VirtualClock;
  readonly #host: Host;
  readonly #onProgress: () => void;
  #timer: Planned | undefined;
  #isPumping = false;

  /** Takes the host's datagrams from now on. */
  constructor(machine: DatagramMachine, options: DatagramDriverOptions) {
    this.#machine = machine;
    this.#clock = options.clock;
    this.#host = options.host;
    this.#onProgress = options.onProgress ?? (() => {});
    this.#host.onDatagram = (bytes, from) => {
      machine.receive(bytes, from, this.#clock.nowMs);
      this.pump();
    };
  }

  /** Sends what there is to send and waits for what is due; call it after a change from outside. */
  pump(): void {
    // What is told of progress may write, and so come here again.
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#onProgress();
    const { nowMs } = this.#clock;
    for (let out = this.#machine.poll(nowMs); out !== undefined; out = this.#machine.poll(nowMs)) {
      this.#host.send(out.bytes, out.to);
    }
    this.#isPumping = false;
    this.#timer?.cancel();
    const dueMs = this.#machine.nextTimeout();
    if (dueMs === undefined) return;
    // The runtime's timers know whole milliseconds only, and are never early.
    this.#timer = this.#clock.at(Math.ceil(dueMs), () => {
      this.#machine.timeout(this.#clock.nowMs);
      this.pump();
    });
  }

  /** Takes nothing more, and sends nothing. */
  stop(): void {
    this.#timer?.cancel();
    this.#host.onDatagram = undefined;
    this.#isPumping = true;
  }
}
