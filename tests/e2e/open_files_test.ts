import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { BATCH_ITEMS_MAX, checkNetdiskResponse } from "../../lib/netdisk/messages.ts";
import { RpcClient } from "../../lib/rpc/client.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { FROM_SOURCE, tokenOf, World } from "./testing.ts";

/** Requests that one connection may have in flight. */
const REQUESTS = 64;

Deno.test({
  name: "as many batches of small files as one connection may send do not use up the open files",
  // The shell's own limit is what the test needs.
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const limited = ["/bin/sh", "-c", 'ulimit -n 3000 && exec "$@"', "sh", ...FROM_SOURCE.trivetd];
    await using world = await World.create({ ...FROM_SOURCE, trivetd: limited });
    const server = await world.serve(["--plain"]);
    const ada = await world.person("ada", server);
    await ada.register("ada");
    const link = new Link(await Deno.connect({ hostname: "127.0.0.1", port: server.port }));
    await greet(link, { service: "netdisk" });
    const token = await tokenOf(ada);
    await link.send(encodeControl(FrameType.AUTH, 0, { step: "token", token }));
    await expectFrame(link, FrameType.AUTH);
    link.setPayloadMaxBytes(FRAME_PAYLOAD_MAX_BYTES);
    await using rpc = RpcClient.start(link);
    const digest = toHex(digestOf(await createDigester(), new Uint8Array(0)));
    const answers = await Promise.all(Array.from({ length: REQUESTS }, async (_, batch) => {
      const files = Array.from({ length: BATCH_ITEMS_MAX }, (_, index) => {
        return { path: [`b${batch}-${index}`], size: 0, digest };
      });
      const request = { files, overwrite: "replace", durability: "commit" };
      const { head } = await rpc.call("put.files", request, { body: new Uint8Array(0) });
      return checkNetdiskResponse("put.files", head);
    }));
    for (const { failed } of answers) assertEquals(failed, []);
    const names = Array.from(Deno.readDirSync(join(world.data, "homes", "ada")));
    assertEquals(names.length, REQUESTS * BATCH_ITEMS_MAX);
  },
});
