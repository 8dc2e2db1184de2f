/** A client and a server of calls that talk to each other, for tests. */

import { RpcClient, type RpcClientOptions } from "../../lib/rpc/client.ts";
import { type CallHandler, serveCalls, type ServeCallsOptions } from "../../lib/rpc/server.ts";
import { decodeControl, FrameDecoder } from "../../lib/frame/decode.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { DATA_FRAME_BYTES_AT, sealDataFrame } from "../../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../lib/frame/frame.ts";
import type { Link } from "../../lib/link/link.ts";
import { linkPair, type MemoryTransport, type TransportPairOptions } from "./transport.ts";

/** Options of {@linkcode startCalls}. */
export interface StartCallsOptions extends TransportPairOptions {
  readonly client?: RpcClientOptions;
  readonly server?: ServeCallsOptions;
}

/** Both sides, over a pair in memory. */
export interface Calls extends AsyncDisposable {
  readonly client: RpcClient;
  readonly clientLink: Link;
  readonly serverLink: Link;
  readonly clientEnd: MemoryTransport;
  /** Settles when the server is done with the link. */
  readonly served: Promise<void>;
}

/** Starts a client and a server. */
export function startCalls(handle: CallHandler, options: StartCallsOptions = {}): Calls {
  const links = linkPair(options);
  const served = serveCalls(links.server, handle, options.server);
  const client = RpcClient.start(links.client, options.client);
  return {
    client,
    clientLink: links.client,
    serverLink: links.server,
    clientEnd: links.clientEnd,
    served,
    async [Symbol.asyncDispose]() {
      await client.close();
      await served;
    },
  };
}

/** A frame that a hand-made peer has read. */
export interface PeerFrame {
  readonly type: number;
  readonly id: number;
  /** The head of a control frame, else the payload. */
  readonly head: unknown;
}

/** A peer made by hand, which says what it likes. */
export class Peer {
  readonly #end: MemoryTransport;
  readonly #decoder = new FrameDecoder({ payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });

  constructor(end: MemoryTransport) {
    this.#end = end;
  }

  /** Sends bytes as they are. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.#end.writeAll(bytes);
  }

  /** Sends a control frame. */
  async say(type: FrameType, id: number, head: unknown = {}, body?: Uint8Array): Promise<void> {
    await this.send(encodeControl(type, id, head, body));
  }

  /** The next frame, or `null` at the end of the stream. */
  async hear(): Promise<PeerFrame | null> {
    for (;;) {
      const frame = this.#decoder.next();
      if (frame !== null) {
        const isControl = frame.payload.length >= 4 && frame.type !== FrameType.DATA &&
          frame.type !== FrameType.PING && frame.type !== FrameType.PONG;
        const head = isControl ? decodeControl(frame.payload).head : [...frame.payload];
        return { type: frame.type, id: frame.id, head };
      }
      const count = await this.#end.read(this.#decoder.space());
      if (count === null) return null;
      this.#decoder.advance(count);
    }
  }

  /** Closes its end. */
  close(): void {
    this.#end.close();
  }
}

/** A DATA frame with a CRC-32 of 0. */
export function dataFrame(id: number, offset: number, bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(DATA_FRAME_BYTES_AT + bytes.length);
  frame.set(bytes, DATA_FRAME_BYTES_AT);
  sealDataFrame(frame, id, offset, 0);
  return frame;
}
