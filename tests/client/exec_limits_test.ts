import { assert, assertEquals, assertRejects } from "@std/assert";
import { ARGUMENT_CHARS_MAX, ARGUMENTS_MAX } from "../../lib/exec/messages.ts";
import { TrivetError } from "../../lib/errors.ts";
import { STRAY_OUTPUT_MS } from "../../server/exec/run_command.ts";
import { TERMINATE_GRACE_MS } from "../../server/exec/process_group.ts";
import { ExecWorld, processesWith, run, SHELL, TextWriter } from "./exec_testing.ts";

async function codeOf(action: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => action, TrivetError)).code;
}

Deno.test("a request has as many and as long arguments as the limits and not more", async () => {
  const long = "x".repeat(ARGUMENT_CHARS_MAX);
  await using world = await ExecWorld.start(`
    [commands.count]
    executable = "/bin/sh"
    arguments = ["-c", 'echo $#', "sh"]
    users = ["ann"]
    parameters = [{ name = "WORD", choices = ["a", "${long}"], repeat = ${ARGUMENTS_MAX} }]
  `);
  const client = await world.client();
  const most = Array.from({ length: ARGUMENTS_MAX }, () => "a");
  assertEquals((await run(client, "count", most)).stdout, `${ARGUMENTS_MAX}\n`);
  assertEquals((await run(client, "count", [long])).stdout, "1\n");
  assertEquals(await codeOf(client.start("count", [...most, "a"])), "INVALID_REQUEST");
  assertEquals(await codeOf(client.start("count", [`${long}x`])), "INVALID_REQUEST");
});

Deno.test("a process that has left the group holds its command's end back for a while only", async () => {
  await using world = await ExecWorld.start(SHELL);
  const client = await world.client();
  const stdout = new TextWriter();
  const startedMs = performance.now();
  const script = "setsid sh -c 'echo $$; exec sleep 600' & sleep 0.3; exit 3";
  const command = await client.start("sh", [script], { stdout });
  const { code } = await command.ended;
  const tookMs = performance.now() - startedMs;
  Deno.kill(Number(stdout.text), "SIGKILL");
  assertEquals(code, 3);
  assert(tookMs >= STRAY_OUTPUT_MS, `${tookMs}`);
});

Deno.test("a command may end by itself after SIGTERM, for as long as the grace", async () => {
  // Long enough for a shell to set its trap, also where others use the machine.
  await using world = await ExecWorld.start(`${SHELL}time-limit = "1s"`);
  const client = await world.client();
  const endAfter = async (seconds: number) => {
    const stdout = new TextWriter();
    const script = `trap 'sleep ${seconds}; echo done; exit' TERM; while :; do sleep 0.05; done`;
    const command = await client.start("sh", [script], { stdout });
    assertEquals(await codeOf(command.ended), "TIME_LIMIT");
    return stdout.text;
  };
  const graceSeconds = TERMINATE_GRACE_MS / 1000;
  assertEquals(await endAfter(graceSeconds / 4), "done\n");
  // Without SIGKILL this would take its ten minutes.
  assertEquals(await endAfter(600), "");
  assertEquals(await processesWith("echo done; exit' TERM"), []);
});
