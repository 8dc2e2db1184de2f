import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { encodeControl, encodeFrame } from "../../../lib/frame/encode.ts";
import { FrameType } from "../../../lib/frame/frame.ts";
import { Link } from "../../../lib/link/link.ts";
import { awaitHello, expectFrame, greet, sayWelcome } from "../../../lib/rpc/handshake.ts";
import { PROTOCOL_VERSION, type Welcome } from "../../../lib/rpc/messages.ts";
import { linkPair, transportPair } from "../../testing/transport.ts";

const permissions = "none";

const WELCOME: Omit<Welcome, "version"> = {
  server: "trivetd/0.1.0",
  serverId: "abc",
  guestPayloadMaxBytes: 4096,
  payloadMaxBytes: 1048640,
  requestsInFlightMax: 64,
  mechanisms: ["token"],
  registration: "open",
};

async function assertCode(promise: Promise<unknown>, code: string): Promise<TrivetError> {
  const error = await assertRejects(() => promise, TrivetError);
  assertEquals(error.code, code);
  return error;
}

Deno.test("greet() and awaitHello() meet", { permissions }, async () => {
  const { client, server } = linkPair({ readMaxBytes: 3 });
  const greeting = greet(client, { service: "netdisk", client: "trivet/0.1.0" });
  assertEquals(await awaitHello(server), {
    version: PROTOCOL_VERSION,
    service: "netdisk",
    client: "trivet/0.1.0",
  });
  await sayWelcome(server, WELCOME);
  assertEquals(await greeting, { version: PROTOCOL_VERSION, ...WELCOME });
});

const refusal = new TrivetError("SERVER_BUSY", "Too many guests");
const { version: _, ...noVersion } = { version: PROTOCOL_VERSION, ...WELCOME };
const answers: [what: string, frame: Uint8Array | null, code: string][] = [
  ["ERROR", encodeControl(FrameType.ERROR, 0, refusal.toMessage()), "SERVER_BUSY"],
  ["BYE", encodeControl(FrameType.BYE, 0, {}), "SHUTTING_DOWN"],
  ["the end", null, "CONNECTION_LOST"],
  ["another frame", encodeControl(FrameType.RESPONSE, 0, {}), "PROTOCOL_ERROR"],
  ["a number", encodeControl(FrameType.WELCOME, 1, { version: 1, ...WELCOME }), "PROTOCOL_ERROR"],
  ["no version", encodeControl(FrameType.WELCOME, 0, noVersion), "PROTOCOL_ERROR"],
  ["no head", encodeFrame(FrameType.WELCOME, 0), "PROTOCOL_ERROR"],
  ["a bad ERROR", encodeControl(FrameType.ERROR, 0, { code: 1 }), "PROTOCOL_ERROR"],
  [
    "another version",
    encodeControl(FrameType.WELCOME, 0, { ...WELCOME, version: 2 }),
    "VERSION_MISMATCH",
  ],
  [
    "a limit of 0",
    encodeControl(FrameType.WELCOME, 0, { ...WELCOME, version: 1, payloadMaxBytes: 0 }),
    "PROTOCOL_ERROR",
  ],
];

for (const [what, frame, code] of answers) {
  Deno.test(`greet() says ${code} when the answer is ${what}`, { permissions }, async () => {
    const [ours, theirs] = transportPair();
    using link = new Link(ours);
    const greeting = greet(link, { service: "netdisk" });
    if (frame === null) theirs.closeWrite();
    else await theirs.writeAll(frame);
    await assertCode(greeting, code);
  });
}

const hellos: [what: string, frame: Uint8Array | null, code: string][] = [
  [
    "another version",
    encodeControl(FrameType.HELLO, 0, { version: 0, service: "a" }),
    "VERSION_MISMATCH",
  ],
  [
    "a version of the future",
    encodeControl(FrameType.HELLO, 0, { version: 2, service: "a" }),
    "VERSION_MISMATCH",
  ],
  [
    "a fraction",
    encodeControl(FrameType.HELLO, 0, { version: 1.5, service: "a" }),
    "PROTOCOL_ERROR",
  ],
  ["no service", encodeControl(FrameType.HELLO, 0, { version: 1 }), "PROTOCOL_ERROR"],
  [
    "a long service",
    encodeControl(FrameType.HELLO, 0, { version: 1, service: "a".repeat(257) }),
    "PROTOCOL_ERROR",
  ],
  ["a REQUEST", encodeControl(FrameType.REQUEST, 1, { method: "ls" }), "PROTOCOL_ERROR"],
  ["DATA", encodeFrame(FrameType.DATA, 0, new Uint8Array(12)), "PROTOCOL_ERROR"],
  ["the end", null, "CONNECTION_LOST"],
];

for (const [what, frame, code] of hellos) {
  Deno.test(`awaitHello() says ${code} when it gets ${what}`, { permissions }, async () => {
    const [ours, theirs] = transportPair();
    using link = new Link(ours);
    if (frame === null) theirs.close();
    else await theirs.writeAll(frame);
    await assertCode(awaitHello(link), code);
  });
}

Deno.test("awaitHello() takes a service of 256 characters", { permissions }, async () => {
  const { client, server } = linkPair();
  const service = "a".repeat(256);
  await client.send(encodeControl(FrameType.HELLO, 0, { version: 1, service }));
  assertEquals((await awaitHello(server)).service, service);
});

Deno.test(
  "expectFrame() throws the peer's ERROR with code, text and details",
  { permissions },
  async () => {
    const { client, server } = linkPair();
    const details = { need_bytes: 5, isFinal: true, name: null };
    const sent = new TrivetError("QUOTA_EXCEEDED", "Too much", { details });
    await client.send(encodeControl(FrameType.ERROR, 0, sent.toMessage()));
    const error = await assertCode(expectFrame(server, FrameType.AUTH), "QUOTA_EXCEEDED");
    assertEquals([error.message, error.details], ["Too much", details]);
  },
);
