/**
 * Which part of the way limits a transfer, by the speeds of all parts.
 *
 * @module
 */

import type { MachineSpeeds } from "./speeds.ts";

/** What a link moves. */
export interface LinkSpeeds {
  /** From this machine to the server, bytes per second. */
  readonly up: number;
  /** From the server to this machine, bytes per second. */
  readonly down: number;
}

/** All that was measured. */
export interface MeasuredWay {
  /** A small request and its answer, milliseconds, the median. */
  readonly roundTripMs: number;
  /** The link as transfers use it. */
  readonly link: LinkSpeeds;
  /** Whether the link is encrypted. */
  readonly isEncrypted: boolean;
  /** This machine. */
  readonly client: MachineSpeeds;
  /** The server's machine. */
  readonly server: MachineSpeeds;
}

/** A part of the way. */
export type TransferPart =
  | "link"
  | "client_processor"
  | "client_disk"
  | "server_processor"
  | "server_disk";

/** What limits a transfer. */
export interface TransferLimit {
  /** The slowest part. */
  readonly name: TransferPart;
  /** What a large file will move at most, bytes per second. */
  readonly bytesPerSecond: number;
  /** What to do about it, as a sentence. */
  readonly advice: string;
}

/** Where a transfer goes. */
export type Direction = "upload" | "download";

/**
 * A link is at fault when it moves less than this share of what the TLS of both ends could: what is
 * left to copy, to wake up and to share cores for takes the rest.
 */
const LINK_SHARE = 0.5;

const FILES = "-r sends many small files in few requests";
const DURABILITY = "--durability os does not wait for it";

/**
 * Finds what limits a large transfer.
 *
 * @param measured All speeds.
 * @param direction Where it goes.
 */
export function findLimit(measured: MeasuredWay, direction: Direction): TransferLimit {
  const { client, server, isEncrypted } = measured;
  const isUpload = direction === "upload";
  const link = isUpload ? measured.link.up : measured.link.down;
  const parts: [TransferPart, number][] = [
    ["client_processor", processorOf(client, isEncrypted)],
    ["server_processor", processorOf(server, isEncrypted)],
    ["client_disk", isUpload ? client.diskRead : client.diskWrite],
    ["server_disk", isUpload ? server.diskWrite : server.diskRead],
  ];
  const ends = Math.min(...[client, server].map(({ tls }) => isEncrypted ? tls : Infinity));
  if (!isEncrypted || link < ends * LINK_SHARE) parts.unshift(["link", link]);
  const [name, speed] = parts.reduce((slowest, part) => part[1] < slowest[1] ? part : slowest);
  return { name, bytesPerSecond: Math.min(speed, link), advice: adviceFor(name, isUpload) };
}

/** Digests and TLS take turns on one thread. */
function processorOf({ digest, tls }: MachineSpeeds, isEncrypted: boolean): number {
  return Math.round(1 / (1 / digest + (isEncrypted ? 1 / tls : 0)));
}

function adviceFor(name: TransferPart, isUpload: boolean): string {
  switch (name) {
    case "link":
      return `Nothing on either machine helps but a faster network; ${FILES}`;
    case "client_processor":
      return "Close other programs on this machine, or use one with a faster processor";
    case "server_processor":
      return "Let fewer transfers run at once, or give the server a faster processor";
    case "client_disk":
      return isUpload
        ? "Read from a faster disk"
        : `Write to a faster disk than this folder's; ${DURABILITY}`;
    case "server_disk":
      return isUpload
        ? `Give the server a faster disk; ${DURABILITY}`
        : "Give the server a faster disk";
  }
}
