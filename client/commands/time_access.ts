/**
 * From the options of the `time` commands to the clock that they ask and the zone that they show.
 *
 * @module
 */

import { NTP_PORT, SNTP_PORT } from "../../lib/clock/ports.ts";
import { TrivetError } from "../../lib/errors.ts";
import { type Address, parseAddress } from "../../lib/link/address.ts";
import type { ValueSource } from "../../lib/term/command.ts";
import { ClockClient, type ClockFormatOptions } from "../clock.ts";
import type { ClientContext } from "./context.ts";
import { findServerName } from "./server_name.ts";
import type { SyncValues, TimeValues } from "./time_options.ts";

/** Stands for a port that was not typed. */
const NO_PORT = 0;

/** Where each option's value came from. */
export type Sources = Readonly<Record<string, ValueSource>>;

/** The text service of the command's server. */
export async function openTextClock(
  context: ClientContext,
  values: Pick<TimeValues, "time-port" | "timeout">,
): Promise<ClockClient> {
  return new ClockClient({
    host: hostOf(parseAddress(await findServerName(context))),
    timePort: values["time-port"],
    timeoutMs: values.timeout,
  });
}

/**
 * The NTP server to measure against. One that is named on the command line is any NTP server, with the
 * port that stands there; else it is the SNTP service of the command's Trivet server, whose own port says
 * nothing about that.
 */
export async function openNtpClock(
  context: ClientContext,
  values: Pick<SyncValues, "sntp-port" | "timeout">,
  sources: Sources,
): Promise<ClockClient> {
  const address = parseAddress(await findServerName(context), NO_PORT);
  const isNamed = context.globalSources["server"] === "flag" && address.transport === "tcp";
  const typed = isNamed && address.port !== NO_PORT ? address.port : undefined;
  const port = values["sntp-port"];
  const chosen = sources["sntp-port"] === "flag" ? port : typed ?? port;
  return new ClockClient({
    host: hostOf(address),
    sntpPort: chosen ?? (isNamed ? NTP_PORT : SNTP_PORT),
    timeoutMs: values.timeout,
  });
}

/** A Unix socket belongs to a server on this machine. */
function hostOf(address: Address): string {
  return address.transport === "unix" ? "127.0.0.1" : address.host;
}

/**
 * Zone and locale that the options ask for.
 *
 * @throws {TrivetError} `USAGE` when two zones are asked for in one place.
 */
export function zoneOptions(
  { tz, utc, locale }: Pick<TimeValues, "tz" | "utc" | "locale">,
  sources: Sources,
): Pick<ClockFormatOptions, "zone" | "locale"> {
  if (utc && tz !== undefined && sources["utc"] === sources["tz"]) {
    throw new TrivetError("USAGE", "Options --tz and --utc exclude each other");
  }
  const zone = utc && sources["tz"] !== "flag" ? "UTC" : tz;
  return {
    ...(zone === undefined ? {} : { zone }),
    ...(locale === undefined ? {} : { locale }),
  };
}
