/**
 * Measures everything on the way of a transfer, one after the other, and says which part limits it.
 *
 * @module
 */

import { noiseFrames } from "../../lib/doctor/noise.ts";
import { measureMachine, perSecond } from "../../lib/doctor/speeds.ts";
import { findLimit, type MeasuredWay, type TransferLimit } from "../../lib/doctor/verdict.ts";
import { checkNetdiskResponse } from "../../lib/netdisk/messages.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import type { Connections } from "../connections.ts";
import { localError } from "../local_error.ts";
import { inFolder } from "../local_path.ts";

/** What is measured at the moment. */
export type DoctorStep = "client" | "round trip" | "link" | "server";

/** Options of `NetdiskClient.doctor`. */
export interface DoctorOptions {
  /** A folder of this machine, on the disk that is tried. */
  readonly folder: string;
  /** For how long each direction of the link is measured, milliseconds. */
  readonly linkMs?: number;
  /** Told what is measured next. */
  readonly onStep?: (step: DoctorStep) => void;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/** What was found. */
export interface DoctorReport extends MeasuredWay {
  /** What limits the upload of a large file. */
  readonly upload: TransferLimit;
  /** What limits its download. */
  readonly download: TransferLimit;
}

const ROUND_TRIPS = 21;
const LINK_MS = 1_000;
/** A connection is slow at first, as TCP looks for the rate that the network bears: not counted. */
const WARM_UP_SHARE = 0.25;

/**
 * Examines the way to a server; see `NetdiskClient.doctor`.
 *
 * @param connections Of the client.
 * @param options See there.
 */
export async function examine(
  connections: Connections,
  options: DoctorOptions & { readonly isEncrypted: boolean },
): Promise<DoctorReport> {
  const { folder, isEncrypted, linkMs = LINK_MS, onStep, signal } = options;
  const warmUpMs = Math.ceil(linkMs * WARM_UP_SHARE);
  onStep?.("client");
  const path = inFolder(folder, `.trivet-doctor-${crypto.randomUUID()}`);
  const client = await measureMachine({ path, signal }).catch((error) => {
    throw localError(error, "measure the disk of", folder);
  });
  onStep?.("round trip");
  const roundTripMs = await connections.use((rpc) => measureRoundTrip(rpc, signal), signal);
  onStep?.("link");
  const rpc = await connections.borrow(signal);
  const link = { up: 0, down: 0 };
  try {
    await measureUp(rpc, warmUpMs, signal);
    link.up = await measureUp(rpc, linkMs, signal);
    await measureDown(rpc, warmUpMs, signal);
    link.down = await measureDown(rpc, linkMs, signal);
  } finally {
    await connections.giveBack(rpc);
  }
  onStep?.("server");
  const server = await connections.use(async (rpc) => {
    const { head } = await rpc.call("doctor.server", {}, { signal });
    return checkNetdiskResponse("doctor.server", head);
  }, signal);
  const measured = { roundTripMs, link, isEncrypted, client, server };
  return {
    ...measured,
    upload: findLimit(measured, "upload"),
    download: findLimit(measured, "download"),
  };
}

/** The median of some small requests, one at a time. */
async function measureRoundTrip(
  rpc: RpcClient,
  signal: AbortSignal | undefined,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const startMs = performance.now();
    await rpc.call("whoami", {}, { signal });
    times.push(performance.now() - startMs);
  }
  return times.sort((a, b) => a - b)[ROUND_TRIPS >> 1] ?? 0;
}

async function measureUp(
  rpc: RpcClient,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const startMs = performance.now();
  const call = await rpc.open("doctor.up", {}, { signal });
  try {
    for (const frame of noiseFrames(call.id, ms)) await call.send(frame);
    await call.end({});
    const { bytes } = checkNetdiskResponse("doctor.up", (await call.response).head);
    return perSecond(bytes, performance.now() - startMs);
  } finally {
    rpc.release(call);
  }
}

async function measureDown(
  rpc: RpcClient,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const startMs = performance.now();
  let received = 0;
  const onData = ({ bytes }: { readonly bytes: Uint8Array }): undefined => {
    received += bytes.length;
  };
  const call = await rpc.open("doctor.down", { ms }, { signal, onData });
  try {
    await call.ended;
    return perSecond(received, performance.now() - startMs);
  } finally {
    rpc.release(call);
  }
}
