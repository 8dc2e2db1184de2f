/**
 * One command that runs on a server: its streams, its signals and its end.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { StreamInbox } from "../../lib/exec/inbox.ts";
import {
  checkExecResponse,
  CommandEnd as CommandEndHead,
  type ExecRequest,
} from "../../lib/exec/messages.ts";
import type { CommandSignal } from "../../lib/exec/signals.ts";
import { recordsRoom, sealRecords } from "../../lib/exec/records.ts";
import { encodeTaken, readStreamRecord, SendWindow } from "../../lib/exec/stream.ts";
import type { DataPayload } from "../../lib/frame/decode.ts";
import type { ClientCall, RpcClient } from "../../lib/rpc/client.ts";
import { checkHead } from "../../lib/rpc/messages.ts";
import type { ByteWriter } from "../../lib/transfer/sink.ts";
import type { ByteReader } from "../../lib/transfer/source.ts";
import type { ExecOptions } from "../exec.ts";
import type { CommandEnd, CommandRequest } from "./exec_types.ts";

/** Most bytes of one read of stdin. */
const READ_BYTES = 128 * 1024;

/** See the module. */
export class RemoteCommand {
  /** How it ended, once all that it wrote has been passed on. */
  readonly ended: Promise<CommandEnd>;
  readonly #rpc: RpcClient;
  readonly #call: ClientCall;

  private constructor(rpc: RpcClient, call: ClientCall, ended: Promise<CommandEnd>) {
    this.#rpc = rpc;
    this.#call = call;
    this.ended = ended;
    // Whoever never asks how it ended must not end the process with an unhandled rejection.
    ended.catch(() => {});
  }

  /**
   * Starts a command.
   *
   * @param rpc A connection to the service.
   * @param request What is to run.
   * @param options Its streams.
   * @throws {TrivetError} Why it does not run.
   */
  static async start(
    rpc: RpcClient,
    request: CommandRequest,
    options: ExecOptions,
  ): Promise<RemoteCommand> {
    const streams = new Streams();
    const params: ExecRequest<"exec.run"> = request;
    const call = await rpc.open("exec.run", params, {
      signal: options.signal,
      onData: (data) => streams.take(data),
    });
    try {
      const { head } = await call.response;
      const { stdin } = checkExecResponse("exec.run", head);
      if (stdin) streams.send(call, options.stdin);
      return new RemoteCommand(rpc, call, streams.carry(rpc, call, options));
    } catch (error) {
      rpc.release(call);
      throw error;
    }
  }

  /**
   * Sends a signal to all processes of the command.
   *
   * @param signal Such as `SIGINT`.
   * @throws {TrivetError} `COMMAND_NOT_FOUND` when it has ended.
   */
  async signal(signal: CommandSignal): Promise<void> {
    await this.#rpc.call("exec.signal", { run: this.#call.id, signal });
  }
}

/** The streams of a command. */
class Streams {
  readonly #stdin = new SendWindow();
  readonly #stdout = new StreamInbox();
  readonly #stderr = new StreamInbox();
  #isEnded = false;

  /** Takes what the server sends. */
  take(data: DataPayload): void {
    const { kind, stream, offset, bytes } = readStreamRecord(data);
    if (kind === "taken" && stream === "stdin") return this.#stdin.take(offset);
    if (kind === "bytes" && stream === "stdout") return this.#stdout.push(offset, bytes);
    if (kind === "bytes" && stream === "stderr") return this.#stderr.push(offset, bytes);
    throw new TrivetError("PROTOCOL_ERROR", `A server does not send ${kind} of ${stream}`);
  }

  /** Sends stdin until its end, or the command's. */
  send(call: ClientCall, reader: ByteReader | undefined): void {
    // What breaks is the call, whose end tells why; a command need not read all.
    this.#send(call, reader).catch(() => {});
  }

  /** Passes the outputs on until the command has ended. */
  async carry(
    rpc: RpcClient,
    call: ClientCall,
    { stdout, stderr }: ExecOptions,
  ): Promise<CommandEnd> {
    try {
      // Carries the acknowledgement of the response, see StreamInbox.take().
      call.send(encodeTaken(call.id, "stdout", 0)).catch(() => {});
      const outputs = Promise.all([
        this.#receive(call, this.#stdout, { stream: "stdout", writer: stdout }),
        this.#receive(call, this.#stderr, { stream: "stderr", writer: stderr }),
      ]);
      // A writer that fails ends the command; else its end comes first.
      const ended = call.ended.finally(() => {
        this.#stdout.end();
        this.#stderr.end();
      });
      const [{ head }] = await Promise.all([
        ended.catch(async (error) => {
          // What was written before is not lost.
          await outputs;
          throw error;
        }),
        outputs,
      ]);
      return checkHead(CommandEndHead, head, "the end of a command");
    } finally {
      this.#isEnded = true;
      rpc.release(call);
    }
  }

  async #send(call: ClientCall, reader: ByteReader | undefined): Promise<void> {
    for (;;) {
      await this.#stdin.untilRoom();
      const room = recordsRoom(Math.min(this.#stdin.roomBytes, READ_BYTES));
      const count = await reader?.read(room) ?? 0;
      if (this.#isEnded) return;
      const place = { id: call.id, stream: "stdin", offset: this.#stdin.sentBytes } as const;
      const frames = sealRecords(room.subarray(0, count), place);
      this.#stdin.send(count);
      await call.send(frames);
      if (count === 0) return;
    }
  }

  async #receive(
    call: ClientCall,
    inbox: StreamInbox,
    { stream, writer }: {
      readonly stream: "stdout" | "stderr";
      readonly writer: ByteWriter | undefined;
    },
  ): Promise<void> {
    for (let bytes = await inbox.next(); bytes !== null; bytes = await inbox.next()) {
      for (let at = 0; writer !== undefined && at < bytes.length;) {
        at += await writer.write(bytes.subarray(at));
      }
      const total = inbox.take(bytes.length);
      // The call may have ended; then nobody needs to know.
      if (total !== null) await call.send(encodeTaken(call.id, stream, total)).catch(() => {});
    }
    // The same for the end of a stream: the command's own end comes right behind it.
    if (!this.#isEnded) {
      call.send(encodeTaken(call.id, stream, inbox.receivedBytes)).catch(() => {});
    }
  }
}
