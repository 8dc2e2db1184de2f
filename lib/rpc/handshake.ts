/**
 * The first two frames of a link: HELLO names the service, WELCOME the limits.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { encodeControl } from "../frame/encode.ts";
import { type Frame, FrameType } from "../frame/frame.ts";
import type { Link } from "../link/link.ts";
import { checkHead, Hello, PROTOCOL_VERSION, readError, readMessage, Welcome } from "./messages.ts";

/**
 * Says HELLO and waits for WELCOME.
 *
 * @param link A fresh link.
 * @param hello What the client wants; the version is filled in.
 * @throws {TrivetError} What the server answered, `VERSION_MISMATCH`, or why the link failed.
 */
export async function greet(link: Link, hello: Omit<Hello, "version">): Promise<Welcome> {
  await link.send(encodeControl(FrameType.HELLO, 0, { version: PROTOCOL_VERSION, ...hello }));
  const frame = await expectFrame(link, FrameType.WELCOME);
  const welcome = checkHead(Welcome, readMessage(frame).head, "WELCOME");
  requireVersion(welcome.version, "server");
  return welcome;
}

/**
 * Waits for HELLO.
 *
 * @param link A fresh link.
 * @throws {TrivetError} `VERSION_MISMATCH`, `PROTOCOL_ERROR`, or why the link failed.
 */
export async function awaitHello(link: Link): Promise<Hello> {
  const frame = await expectFrame(link, FrameType.HELLO);
  const hello = checkHead(Hello, readMessage(frame).head, "HELLO");
  requireVersion(hello.version, "client");
  return hello;
}

/** Answers HELLO. */
export async function sayWelcome(link: Link, welcome: Omit<Welcome, "version">): Promise<void> {
  await link.send(encodeControl(FrameType.WELCOME, 0, { version: PROTOCOL_VERSION, ...welcome }));
}

/**
 * The next frame, which must be of `type`; an ERROR is thrown.
 *
 * @throws {TrivetError} What the peer answered, `PROTOCOL_ERROR`, or `CONNECTION_LOST`.
 */
export async function expectFrame(link: Link, type: FrameType): Promise<Frame> {
  const frame = await link.receive();
  if (frame === null) {
    throw new TrivetError("CONNECTION_LOST", "The peer closed the connection before the login");
  }
  if (frame.type === FrameType.ERROR) throw readError(frame);
  if (frame.type === FrameType.BYE) {
    throw new TrivetError("SHUTTING_DOWN", "The peer ended the connection");
  }
  if (frame.type !== type || frame.id !== 0) {
    throw new TrivetError(
      "PROTOCOL_ERROR",
      `A frame of type ${frame.type}, number ${frame.id}, came where type ${type}, number 0, belongs`,
    );
  }
  return frame;
}

function requireVersion(version: number, peer: "client" | "server"): void {
  if (version === PROTOCOL_VERSION) return;
  throw new TrivetError(
    "VERSION_MISMATCH",
    `The ${peer} speaks version ${version} of the protocol, this program version ${PROTOCOL_VERSION}`,
  );
}
