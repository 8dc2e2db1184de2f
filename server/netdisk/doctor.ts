/**
 * Answers the methods of `trivet doctor`: noise over the link both ways, and how fast this machine is.
 * None of it is kept.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { noiseFrames } from "../../lib/doctor/noise.ts";
import type { NetdiskRequest, NetdiskResponse } from "../../lib/netdisk/messages.ts";
import type { ServerCall } from "../../lib/rpc/server.ts";
import { type NetdiskContext, requireWriter } from "./context.ts";
import type { Depot } from "./depot.ts";

/** Depots that are being measured: two at once would measure each other. */
const measured = new WeakSet<Depot>();

/** Answers `doctor.down`. */
export async function sendNoise(
  { ms }: NetdiskRequest<"doctor.down">,
  call: ServerCall,
): Promise<void> {
  await call.respond({});
  for (const frame of noiseFrames(call.id, ms)) await call.send(frame);
  await call.end({});
}

/** Answers `doctor.up`. */
export async function receiveNoise(call: ServerCall): Promise<NetdiskResponse<"doctor.up">> {
  let bytes = 0;
  await call.receive((data) => {
    bytes += data.bytes.length;
    return undefined;
  });
  return { bytes };
}

/** Answers `doctor.server`; whoever may not write makes the disk write nothing, either. */
export async function measureServer(
  context: NetdiskContext,
  signal: AbortSignal,
): Promise<NetdiskResponse<"doctor.server">> {
  requireWriter(context);
  const { depot } = context;
  if (measured.has(depot)) {
    throw new TrivetError("SERVER_BUSY", "Somebody else is measuring the server");
  }
  measured.add(depot);
  try {
    return await depot.measure(signal);
  } finally {
    measured.delete(depot);
  }
}
