import { assertEquals } from "@std/assert";
import { LENT_MAX, Sharing } from "../../client/share/sharing.ts";
import { encodeFrame } from "../../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { readError } from "../../lib/rpc/messages.ts";
import { linkPair, transportPair } from "../testing/transport.ts";

/** A connection whose server sends everything back, until it hears BYE. */
function openEcho(): Promise<Link> {
  const { client, server } = linkPair();
  const echo = async () => {
    for (let frame = await server.receive(); frame; frame = await server.receive()) {
      if (frame.type === FrameType.BYE) break;
      await server.send(encodeFrame(frame.type, frame.id, frame.payload.slice()));
    }
    server.close();
  };
  echo().catch(() => server.close());
  return Promise.resolve(client);
}

/** Somebody who uses a connection of `sharing`. */
function use(sharing: Sharing): Link {
  const [end, lent] = transportPair();
  sharing.lend(lent);
  return new Link(end, { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
}

/** What comes back for one frame: its bytes, or the error's code. */
async function askedOf(user: Link, byte: number): Promise<unknown> {
  await user.send(encodeFrame(FrameType.PING, 0, Uint8Array.of(byte))).catch(() => {});
  const frame = await user.receive();
  if (frame?.type !== FrameType.ERROR) return frame?.payload[0];
  return readError(frame).code;
}

Deno.test(`Sharing lends ${LENT_MAX} connections at once, and one more when one came back`, async () => {
  await using sharing = new Sharing(openEcho);
  await sharing.prepare();
  const users = Array.from({ length: LENT_MAX }, () => use(sharing));
  const answers = await Promise.all(users.map((user, index) => askedOf(user, index)));
  assertEquals(answers, users.map((_, index) => index));
  assertEquals(await askedOf(use(sharing), 1), "SERVER_BUSY");
  users[0]?.close();
  while (sharing.count === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(await askedOf(use(sharing), 2), 2);
});
