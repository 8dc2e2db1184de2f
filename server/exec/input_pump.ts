/**
 * Carries what the client sends to the stdin of a command, as fast as the command reads it.
 *
 * @module
 */

import { StreamInbox } from "../../lib/exec/inbox.ts";
import { encodeTaken } from "../../lib/exec/stream.ts";
import type { ServerCall } from "../../lib/rpc/server.ts";

/** See the module. */
export class InputPump {
  /** What has arrived. */
  readonly inbox = new StreamInbox();
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  /**
   * Begins to carry.
   *
   * @param target The command's stdin.
   * @param call Told what the command has read.
   */
  constructor(
    target: WritableStream<Uint8Array<ArrayBuffer>>,
    call: Pick<ServerCall, "id" | "send">,
  ) {
    this.#writer = target.getWriter();
    // A command need not read its stdin, and it may end before it has.
    this.#writer.closed.catch(() => {});
    this.#run(call).catch(() => {});
  }

  /** Stops; what was not written is dropped. */
  async close(): Promise<void> {
    this.inbox.end();
    await this.#writer.abort().catch(() => {});
  }

  async #run(call: Pick<ServerCall, "id" | "send">): Promise<void> {
    for (let bytes = await this.inbox.next(); bytes !== null; bytes = await this.inbox.next()) {
      await this.#writer.write(bytes);
      const total = this.inbox.take(bytes.length);
      if (total !== null) await call.send(encodeTaken(call.id, "stdin", total));
    }
    await this.#writer.close();
  }
}
