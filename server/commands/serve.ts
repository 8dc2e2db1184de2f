/**
 * `trivetd serve`: starts the server, says how to reach it, and runs until a signal ends it.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { formatAddress } from "../../lib/link/address.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { VERSION } from "../../lib/version.ts";
import { SERVE_OPTIONS, toServeOptions } from "../config.ts";
import { startLog } from "../log.ts";
import { openLogWriter } from "../log_file.ts";
import type { TimeAddress } from "../clock/service.ts";
import {
  addressToType,
  DEFAULT_SERVICES,
  hasMembers,
  type RunningServer,
  serve,
  type ServiceName,
  SERVICES,
} from "../serve.ts";
import type { CommandContext } from "./context.ts";

const log = getLogger(["trivet", "server"]);

/** See the module. */
export const serveCommand = defineCommand({
  name: "serve",
  summary: "Serve the netdisk, the chat and the time until a signal ends it",
  description:
    "The first start makes the data folder, a key and a certificate; the time services alone " +
    "need none of them. Remote commands are served only where exec is named. SIGINT or SIGTERM " +
    "lets requests in flight finish for up to 30 s; a second one ends at once.",
  examples: [
    { command: "trivetd serve", does: "Serve this machine on port 9000" },
    {
      command: "trivetd serve --listen 0.0.0.0 --data /srv/trivet --registration closed",
      does: "Serve the network, with accounts made by the administrator",
    },
    {
      command: "trivetd serve time --listen 0.0.0.0 --sntp-port 123",
      does: "Be the time server of the network and nothing else",
    },
    {
      command: "trivetd serve netdisk exec --commands /etc/trivet/commands.toml",
      does: "Let people run the commands of a file, and use the netdisk",
    },
  ],
  options: SERVE_OPTIONS,
  arguments: {
    service: {
      help: "Services to start; without names, netdisk, chat and time",
      optional: true,
      variadic: true,
      choices: SERVICES,
    },
  },
  run: async (context: CommandContext, { values, arguments: { service } }) => {
    using writer = openLogWriter(values, (line) => context.output.draw(line));
    startLog({
      level: values["log-level"],
      format: values["log-format"],
      write: (line) => writer.write(line),
    });
    const asked = service.length === 0 ? DEFAULT_SERVICES : service;
    const services = SERVICES.filter((name) => asked.includes(name));
    // For good: whatever goes wrong later, this process starts no program.
    if (!services.includes("exec")) await Deno.permissions.revoke({ name: "run" });
    await using server = await serve(toServeOptions(values, { env: context.env, services }));
    announce(server, context, { services, isPlain: values.plain });
    log.info("Started trivetd {version} with {services}", {
      version: VERSION,
      services: listOf(services),
    });
    await context.untilInterrupted();
    context.output.note("Shutting down; a second signal ends at once");
    await server.shutdown();
    log.info("Ended");
  },
});

/** What was asked for, as far as it decides what is announced. */
interface Announced {
  readonly services: readonly ServiceName[];
  readonly isPlain: boolean;
}

/** Prints what a person needs to connect. */
function announce(server: RunningServer, context: CommandContext, asked: Announced): void {
  const { output } = context;
  const { services } = asked;
  const next = hasMembers(services) ? nextCommand(server, context, asked) : null;
  output.line(`Trivet ${VERSION} serves ${listOf(services)}`);
  if (next !== null) {
    output.line(`  address      ${server.addresses.map(formatAddress).join(", ")}`);
    output.line(`  fingerprint  ${server.fingerprint ?? "none: connections are not encrypted"}`);
  }
  if (server.classic.length > 0) {
    const places = server.classic.map(formatAddress).join(", ");
    output.line(`  classic      ${places}: passwords and files in the clear`);
  }
  if (server.chatUdp.length > 0) {
    output.line(`  chat         ${server.chatUdp.map(formatPlace).join(", ")} UDP`);
  }
  for (const [name, text] of timeLines(server.time)) output.line(`  ${name.padEnd(11)}  ${text}`);
  if (next !== null) output.line(`  next         ${next}`);
  output.json({
    services,
    addresses: server.addresses.map(formatAddress),
    classic: server.classic.map(formatAddress),
    chat_udp: server.chatUdp.map(formatPlace),
    fingerprint: server.fingerprint ?? null,
    registration: next === null ? null : server.registration,
    time: server.time.map((address) => ({
      service: address.service,
      transport: address.transport,
      address: formatPlace(address),
    })),
    next,
  });
}

/** `a`, `a and b`, `a, b and c`. */
function listOf(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** The command that a new user types first. */
function nextCommand(
  server: RunningServer,
  context: CommandContext,
  { isPlain }: Announced,
): string {
  const first = server.addresses[0];
  const target = first === undefined ? "" : addressToType(first);
  const words = [context.clientProgram, server.registration === "open" ? "register" : "login"];
  words.push("NAME");
  if (target !== "127.0.0.1:9000") words.push("--server", target);
  if (isPlain) words.push("--plain");
  else if (server.fingerprint !== undefined) words.push("--fingerprint", server.fingerprint);
  return words.join(" ");
}

/** One line for each time service: its addresses, once for both transports. */
function timeLines(addresses: readonly TimeAddress[]): [name: string, text: string][] {
  const lines = new Map<string, Map<string, string[]>>();
  for (const address of addresses) {
    const line = lines.get(address.service) ?? new Map<string, string[]>();
    lines.set(address.service, line);
    const text = formatPlace(address);
    line.set(text, [...line.get(text) ?? [], address.transport.toUpperCase()]);
  }
  return [...lines].map(([name, line]) => [
    name,
    [...line].map(([text, transports]) => `${text} ${transports.join(" and ")}`).join(", "),
  ]);
}

function formatPlace({ host, port }: Pick<TimeAddress, "host" | "port">): string {
  return formatAddress({ transport: "tcp", host, port });
}
