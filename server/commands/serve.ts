/**
 * `trivetd serve`: starts the server, says how to reach it, and runs until a signal ends it.
 *
 * @module
 */

import { formatAddress } from "../../lib/link/address.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { VERSION } from "../../lib/version.ts";
import { SERVE_OPTIONS, toServeOptions } from "../config.ts";
import { startLog } from "../log.ts";
import { addressToType, type RunningServer, serve } from "../serve.ts";
import type { CommandContext } from "./context.ts";

/** Services that can be named; the netdisk is the only one so far. */
const SERVICES = ["netdisk"] as const;

/** See the module. */
export const serveCommand = defineCommand({
  name: "serve",
  summary: "Serve the netdisk until a signal ends it",
  description:
    "The first start makes the data folder, a key and a certificate. SIGINT or SIGTERM " +
    "lets requests in flight finish for up to 30 s; a second one ends at once.",
  examples: [
    { command: "trivetd serve", does: "Serve this machine on port 9000" },
    {
      command: "trivetd serve --listen 0.0.0.0 --data /srv/trivet --registration closed",
      does: "Serve the network, with accounts made by the administrator",
    },
  ],
  options: SERVE_OPTIONS,
  arguments: {
    service: {
      help: "Services to start; without names, all",
      optional: true,
      variadic: true,
      choices: SERVICES,
    },
  },
  run: async (context: CommandContext, { values }) => {
    startLog({
      level: values["log-level"],
      format: values["log-format"],
      write: (line) => context.output.draw(line),
    });
    await using server = await serve(toServeOptions(values, context.env));
    announce(server, context, values.plain);
    await context.untilInterrupted();
    context.output.note("Shutting down; a second signal ends at once");
    await server.shutdown();
  },
});

/** Prints what a person needs to connect. */
function announce(server: RunningServer, context: CommandContext, isPlain: boolean): void {
  const { output } = context;
  const addresses = server.addresses.map(formatAddress);
  const first = server.addresses[0];
  const target = first === undefined ? "" : addressToType(first);
  const words = [context.clientProgram, server.registration === "open" ? "register" : "login"];
  words.push("NAME");
  if (target !== "127.0.0.1:9000") words.push("--server", target);
  if (isPlain) words.push("--plain");
  else if (server.fingerprint !== undefined) words.push("--fingerprint", server.fingerprint);
  const next = words.join(" ");
  output.line(`Trivet ${VERSION} serves netdisk`);
  output.line(`  address      ${addresses.join(", ")}`);
  output.line(`  fingerprint  ${server.fingerprint ?? "none: connections are not encrypted"}`);
  output.line(`  next         ${next}`);
  output.json({
    addresses,
    fingerprint: server.fingerprint ?? null,
    registration: server.registration,
    next,
  });
}
