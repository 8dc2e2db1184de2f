/**
 * Ports of the time services when nobody says otherwise.
 *
 * @module
 */

/** UDP port of the text service: the number of the TCP listener, which takes no datagrams. */
export const TIME_PORT = 9000;

/** UDP port of the SNTP service; NTP's own, 123, needs privileges and is often taken. */
export const SNTP_PORT = 9123;

/** UDP port of NTP (RFC 5905 §7.2). */
export const NTP_PORT = 123;

/** Ports below this one belong to services of the system, many of which answer whatever comes. */
export const UNPRIVILEGED_PORT_MIN = 1024;
