/**
 * Questions to the text service: a format or an instant in a datagram, the formatted time in another.
 *
 * @module
 */

import { TEXT_REQUEST_MAX_BYTES } from "../../lib/clock/text_responder.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { Question, Reading } from "./udp_try.ts";

/** Asks for the server's clock in a form that {@linkcode readClock} reads. */
const CLOCK_FORMAT = "%s.%N";

const CLOCK = /^(-?\d{1,18})\.(\d{9})$/;
const NS_PER_SECOND = 1_000_000_000n;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Asks what time it is in a format, or what an instant is in the service's own format.
 *
 * @param text A format, or seconds since 1970.
 * @throws {TrivetError} `USAGE` when it is too long for the service.
 */
export function textQuestion(text: string): Question<string> {
  return makeQuestion(text, (reply) => ({ value: reply }));
}

/** Asks for the server's clock: nanoseconds since 1970. */
export function clockQuestion(): Question<bigint> {
  return makeQuestion(CLOCK_FORMAT, readClock);
}

function makeQuestion<T>(text: string, read: (reply: string) => Reading<T>): Question<T> {
  const request = encoder.encode(text);
  if (request.length > TEXT_REQUEST_MAX_BYTES) {
    throw new TrivetError(
      "USAGE",
      `The format has ${request.length} bytes, the time service takes at most ${TEXT_REQUEST_MAX_BYTES}`,
    );
  }
  return { request, read: ({ bytes }) => read(decoder.decode(bytes)) };
}

function readClock(reply: string): Reading<bigint> {
  const parts = CLOCK.exec(reply);
  if (parts === null) return { ignored: `it does not answer "${CLOCK_FORMAT}"` };
  const [, seconds = "", nanoseconds = ""] = parts;
  // As in GNU date, the fraction counts upwards before 1970 too.
  return { value: BigInt(seconds) * NS_PER_SECOND + BigInt(nanoseconds) };
}
