/**
 * Loaded in front of a server: when the server is told to end, it tries to start a program, and says on
 * stderr whether it may.
 *
 * @module
 */

Deno.addSignalListener("SIGTERM", () => {
  let outcome = "may run programs";
  try {
    new Deno.Command("/bin/true").outputSync();
  } catch (error) {
    outcome = `may not run programs: ${error instanceof Error ? error.name : error}`;
  }
  Deno.stderr.writeSync(new TextEncoder().encode(`This server ${outcome}\n`));
});
