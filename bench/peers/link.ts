/**
 * A slow link on one machine: the bench runs itself again in a network namespace of its own, whose
 * loopback delays and loses packets. Everything it starts is in there with it.
 *
 * @module
 */

import { findProgram } from "./processes.ts";

/** As large as packets are on a real link; loopback's own would make each loss cost 64 KiB. */
const LINK_MTU = 1500;

/** Packets that the link holds: more than its delay and rate need. */
const LINK_PACKETS = 100_000;

/** Set for the program inside, so that it does not go deeper. */
const INSIDE = "TRIVET_BENCH_INSIDE_LINK";

/** Whether this program runs inside already. */
export function isInsideLink(): boolean {
  return Deno.env.get(INSIDE) !== undefined;
}

/**
 * Runs this program again, inside.
 *
 * @param shape What `tc qdisc add … netem` takes.
 * @param script The program.
 * @returns Its exit code, or why there is no such link.
 */
export async function runInsideLink(shape: string, script: string): Promise<number | string> {
  const [unshare, ip, tc] = await Promise.all(["unshare", "ip", "tc"].map(findProgram));
  if (unshare === undefined || ip === undefined || tc === undefined) {
    return "the link: unshare, ip or tc is not installed";
  }
  const words = shape.split(/\s+/).filter((word) => word !== "");
  const netem = [tc, ..."qdisc add dev lo root netem".split(" "), "limit", `${LINK_PACKETS}`];
  const setup = [
    `${ip} link set lo up mtu ${LINK_MTU} gso_max_segs 1`,
    `${netem.join(" ")} "$@"`,
  ].join(" && ");
  const probe = await new Deno.Command(unshare, {
    args: ["--net", "sh", "-c", setup, "sh", ...words],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!probe.success) return `the link: ${new TextDecoder().decode(probe.stderr).trim()}`;
  const flags = ["run", "--quiet", "--no-prompt", "-P=bench", script, ...Deno.args];
  const inside = `${setup} && exec "$TRIVET_BENCH_DENO" ${flags.map(quoted).join(" ")}`;
  const child = new Deno.Command(unshare, {
    args: ["--net", "sh", "-c", inside, "sh", ...words],
    env: { [INSIDE]: "1", TRIVET_BENCH_DENO: Deno.execPath() },
  }).spawn();
  return (await child.status).code;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
