/**
 * One step of AUTH from the client's side: what is said, and the answer that must come.
 *
 * @module
 */

import { type AuthRequest, AuthResponse } from "../lib/auth/exchange.ts";
import { TrivetError } from "../lib/errors.ts";
import { encodeControl } from "../lib/frame/encode.ts";
import { FrameType } from "../lib/frame/frame.ts";
import type { Link } from "../lib/link/link.ts";
import { expectFrame } from "../lib/rpc/handshake.ts";
import { checkHead, readMessage } from "../lib/rpc/messages.ts";

/**
 * Takes one step.
 *
 * @param link A link whose hello is done.
 * @param request What is said.
 * @param step The answer's kind.
 * @throws {TrivetError} What the server answers instead, `PROTOCOL_ERROR`, or why the link failed.
 */
export async function askStep<S extends AuthResponse["step"]>(
  link: Link,
  request: AuthRequest,
  step: S,
): Promise<Extract<AuthResponse, { step: S }>> {
  await link.send(encodeControl(FrameType.AUTH, 0, request));
  const frame = await expectFrame(link, FrameType.AUTH);
  const answer = checkHead(AuthResponse, readMessage(frame).head, "AUTH");
  if (answer.step !== step) {
    throw new TrivetError("PROTOCOL_ERROR", `The step "${answer.step}" is not expected here`);
  }
  return answer as Extract<AuthResponse, { step: S }>;
}
