import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FrameType } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { ExecWorld, processesWith } from "./exec_testing.ts";

/** Whatever it is called with, it stays among the processes until somebody ends it. */
const STAY = `
[commands.stay]
executable = "FOLDER/stay"
users = ["ann"]
parameters = [{ name = "VERSION", pattern = "v[0-9]{1,3}", optional = true }]
concurrent = 256
time-limit = "10m"
`;

/** What a shell, an option parser or a sloppy pattern would take for more than one word. */
const TRICKS: readonly string[][] = [
  ...["ls; id", "$(id)", "`id`", "v1; id", "v1 && id", "v1 | id", "v1\nid", "v1\n", "\nv1", "v1\r"],
  ...["v1\0", "\0", "v1\u0085", "v1\u2028id", "--", "-v1", "--version=v1", "-", "", " v1", "v1 "],
  ...["v1234", "V1", "v١", "v1,v2", "../v1", "/bin/sh", "*", "~", "$HOME", "%s", "\ud800"],
].map((word) => [word])
  .concat([["--", "v1"], ["v1", "--"], ["v1", "v1"], ["-c", "id"], ["v1", ""]]);

Deno.test("nothing that is refused is among the processes, not for a moment", async () => {
  await using world = await ExecWorld.start(STAY, { stay: "sleep 600" });
  const { server } = world;
  const program = `${world.folder}/stay`;
  const ann = await world.client();
  const bob = await world.client(await server.addUser("bob"));

  using stranger = new Link(await server.connect());
  await greet(stranger, { service: "exec" });
  const params = { name: "stay", arguments: [] };
  await stranger.send(encodeControl(FrameType.REQUEST, 1, { method: "exec.run", params }));
  await assertRejects(() => expectFrame(stranger, FrameType.AUTH), TrivetError);

  const isStarted = async (start: Promise<unknown>) => await start.then(() => true, () => false);
  assertEquals(await isStarted(bob.start("stay")), false, "not for this account");
  for (const name of [program, "stay ", "stay;", "../stay", "sh", "$(stay)"]) {
    assertEquals(await isStarted(ann.start(name)), false, name);
  }
  for (const args of TRICKS) {
    assertEquals(await isStarted(ann.start("stay", args)), false, JSON.stringify(args));
  }
  // It would stay, had it been started.
  assertEquals(await processesWith(program), []);
  assertEquals(await isStarted(ann.start("stay", ["v1"])), true);
  assertEquals((await processesWith(program)).length, 1);
});
