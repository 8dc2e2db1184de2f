/**
 * Asks a UDP service: one datagram there, one back. What gets lost is asked again until a deadline,
 * and only the service's own address is listened to.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { formatAddress, isIpAddress, type TcpAddress } from "../../lib/link/address.ts";
import { connectError } from "../../lib/link/connect.ts";
import { formatDuration } from "../../lib/term/format.ts";
import { canonicalAddress, resolveHost } from "./resolve.ts";
import { askOnce, Ignored, type Question } from "./udp_try.ts";

/** Longest wait for the answer to the first datagram; each next one gets twice as long. */
const FIRST_WAIT_MAX_MS = 1000;

/** The first wait is this part of the deadline, so that three datagrams fit. */
const FIRST_WAIT_PART = 1 / 5;

/** Timers do no less: what is left below that is no try. */
const WAIT_MIN_MS = 1;

/** Options of {@linkcode UdpPeer.ask}. */
export interface AskOptions {
  /** Time for all tries together, in milliseconds. */
  readonly timeoutMs: number;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** Finds the addresses of a name. */
export type Resolver = typeof resolveHost;

/** See the module. */
export class UdpPeer {
  /** Where the service is, as people write it. */
  readonly name: string;
  readonly #target: TcpAddress;
  readonly #resolver: Resolver;
  #addresses: readonly string[] = [];

  /**
   * Sends nothing yet.
   *
   * @param host Name or IP address.
   * @param port UDP port.
   * @param resolver Finds the addresses of a name; the system's by default.
   */
  constructor(host: string, port: number, resolver: Resolver = resolveHost) {
    this.#resolver = resolver;
    this.#target = { transport: "tcp", host, port };
    this.name = formatAddress(this.#target);
  }

  /**
   * Asks until there is an answer. Each datagram leaves from a port of its own, so that nobody off the
   * path can guess where to send a false answer, and a late one is not taken for that to a later question.
   *
   * @param makeQuestion Makes each datagram.
   * @param options The deadline.
   * @returns The answer. From here on only the address that gave it is asked.
   * @throws {TrivetError} `UNREACHABLE`, `TIMEOUT`, the signal's reason, or what the question threw.
   */
  async ask<T>(makeQuestion: () => Question<T>, options: AskOptions): Promise<T> {
    const { timeoutMs } = options;
    const endMs = performance.now() + timeoutMs;
    const addresses = [...await this.#resolve(options)];
    this.#addresses = [];
    const ignored = new Ignored();
    let waitMs = Math.min(FIRST_WAIT_MAX_MS, timeoutMs * FIRST_WAIT_PART);
    let tries = 0;
    while (true) {
      const address = addresses.shift();
      const leftMs = endMs - performance.now();
      if (address === undefined || leftMs < WAIT_MIN_MS) break;
      const to = { address, port: this.#target.port, waitMs: Math.min(waitMs, leftMs) };
      const outcome = await askOnce(makeQuestion(), to, { ignored, signal: options.signal });
      if (outcome.kind === "answer") {
        this.#addresses = [address];
        return outcome.value;
      }
      if (outcome.kind === "refused") {
        if (addresses.length === 0) throw this.#refusal(outcome.error);
        continue;
      }
      tries += 1;
      waitMs *= 2;
      addresses.push(address);
    }
    throw this.#silence(tries, ignored, timeoutMs);
  }

  async #resolve(options: AskOptions): Promise<readonly string[]> {
    if (this.#addresses.length > 0) return this.#addresses;
    const { host } = this.#target;
    if (isIpAddress(host)) return [canonicalAddress(host)];
    const deadline = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
    try {
      return await this.#resolver(this.#target, deadline);
    } catch (error) {
      options.signal.throwIfAborted();
      if (!deadline.aborted) throw error;
      const text = `Cannot reach "${this.name}": its name was not resolved within ` +
        formatDuration(options.timeoutMs);
      throw new TrivetError("TIMEOUT", text, { cause: error });
    }
  }

  #refusal(error: unknown): unknown {
    if (!(error instanceof Deno.errors.ConnectionRefused)) return connectError(this.#target, error);
    const text = `Cannot reach "${this.name}" over UDP: nobody listens there`;
    return new TrivetError("UNREACHABLE", text, { cause: error });
  }

  #silence(tries: number, ignored: Ignored, timeoutMs: number): TrivetError {
    const { port } = this.#target;
    const { count, last } = ignored;
    const sent = tries === 1 ? "1 datagram" : `${tries} datagrams`;
    const reason = count === 0
      ? `check that the service runs there and that no firewall drops UDP port ${port}`
      : `${
        count === 1 ? "1 reply was" : `${count} replies were`
      } ignored, the last because ${last}`;
    return new TrivetError(
      "TIMEOUT",
      `Cannot get an answer from "${this.name}" over UDP: ${sent} in ` +
        `${formatDuration(timeoutMs)}, none answered; ${reason}`,
      { details: { address: this.name, tries, ignored: count } },
    );
  }
}
