import { assert, assertEquals, assertThrows } from "@std/assert";
import type { DatagramConnection } from "../../../lib/datagram/connection.ts";
import { DatagramPump } from "../../../lib/datagram/pump.ts";
import { formatRemote } from "../../../lib/datagram/socket.ts";
import { TrivetError } from "../../../lib/errors.ts";
import {
  CLIENT_SECRET,
  CONNECTION_ID,
  numbered,
  numberOf,
  SERVER_SECRET,
} from "../../testing/datagram_pair.ts";

const HOST = "127.0.0.1";
const RESET_SECRET = new Uint8Array(32).fill(5);

/** A pump that shows what happens to its connections. */
class WatchedPump implements AsyncDisposable {
  readonly pump: DatagramPump;
  #changed = Promise.withResolvers<void>();

  constructor(port = 0) {
    this.pump = new DatagramPump({
      host: HOST,
      port,
      resetSecret: RESET_SECRET,
      onChanged: () => {
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      },
    });
  }

  /** Waits until something holds of a connection. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#changed.promise;
  }

  open(role: "client" | "server", port?: number): DatagramConnection {
    const isClient = role === "client";
    return this.pump.open({
      role,
      secrets: isClient
        ? { send: CLIENT_SECRET, receive: SERVER_SECRET }
        : { send: SERVER_SECRET, receive: CLIENT_SECRET },
      connectionId: CONNECTION_ID,
      remote: port === undefined ? undefined : formatRemote({ hostname: HOST, port }),
      resetToken: this.pump.resetToken(CONNECTION_ID),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.pump[Symbol.asyncDispose]();
  }
}

Deno.test("DatagramPump carries messages both ways over real sockets", async () => {
  await using server = new WatchedPump();
  await using client = new WatchedPump();
  const atServer = server.open("server");
  const atClient = client.open("client", server.pump.port);
  const count = 2000;
  const send = async () => {
    for (let i = 0; i < count; i++) {
      await client.until(() => atClient.writableBytes >= 1000);
      atClient.send(i % 2, numbered(i, 1000));
    }
  };
  const sending = send();
  let received = 0;
  await server.until(() => {
    for (let got = atServer.read(); got; got = atServer.read()) {
      assertEquals(numberOf(got.message) % 2, got.stream);
      received += 1;
    }
    return received === count;
  });
  await sending;
  atServer.send(7, numbered(1));
  await client.until(() => atClient.read()?.stream === 7);
});

Deno.test("DatagramPump tells the peers when it is closed", async () => {
  await using server = new WatchedPump();
  const atServer = server.open("server");
  {
    await using client = new WatchedPump();
    const atClient = client.open("client", server.pump.port);
    await client.until(() => atClient.isConfirmed);
    await server.until(() => atServer.isProven);
  }
  await server.until(() => atServer.state !== "open");
  assertEquals(atServer.end, { by: "peer", code: 0, reason: "" });
  await server.until(() => atServer.state === "closed");
  assertEquals(server.pump.size, 0);
});

Deno.test("DatagramPump resets what it does not know", async () => {
  await using client = new WatchedPump();
  await using server = new WatchedPump();
  const atClient = client.open("client", server.pump.port);
  await client.until(() => atClient.state === "closed");
  assertEquals(atClient.end?.by, "reset");
});

Deno.test("DatagramPump follows a client whose port changes", async () => {
  await using server = new WatchedPump();
  await using client = new WatchedPump();
  await using relay = new Relay(server.pump.port);
  const atServer = server.open("server");
  const atClient = client.open("client", relay.port);
  await server.until(() => atServer.isProven);
  const before = atServer.remote;
  await relay.move();
  atClient.send(0, numbered(1));
  await server.until(() => atServer.read() !== undefined);
  await server.until(() => atServer.isProven);
  assert(atServer.remote !== before);
  atServer.send(0, numbered(2));
  await client.until(() => atClient.read() !== undefined);
});

Deno.test("DatagramPump says which port is in use", async () => {
  await using first = new WatchedPump();
  const error = assertThrows(() => new WatchedPump(first.pump.port), TrivetError);
  assertEquals(error.code, "ADDRESS_IN_USE");
});

Deno.test("DatagramPump keeps what is taken from its connections, and sends what is of none", async () => {
  const taken = Promise.withResolvers<[bytes: Uint8Array, from: string]>();
  await using server = new DatagramPump({
    host: HOST,
    resetSecret: RESET_SECRET,
    onChanged: () => {},
    take: (datagram, from) => {
      if (datagram[0] === 0xd3) taken.resolve([datagram.slice(), from]);
      return datagram[0] === 0xd3;
    },
  });
  await using client = new WatchedPump();
  const to = formatRemote({ hostname: HOST, port: server.port });
  await client.pump.send({ to, bytes: new Uint8Array([0xd3, 1]) });
  const from = formatRemote({ hostname: HOST, port: client.pump.port });
  assertEquals(await taken.promise, [new Uint8Array([0xd3, 1]), from]);
  // What is not taken goes its way.
  const atClient = client.open("client", server.port);
  await client.until(() => atClient.end?.by === "reset");
});

/** A router between a client and a server, which can give the client another port. */
class Relay implements AsyncDisposable {
  readonly port: number;
  readonly #inside: Deno.DatagramConn;
  #outside: Deno.DatagramConn;
  readonly #server: Deno.NetAddr;
  #client: Deno.Addr | undefined;
  readonly #loops: Promise<void>[] = [];

  constructor(serverPort: number) {
    this.#server = { transport: "udp", hostname: HOST, port: serverPort };
    this.#inside = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
    this.#outside = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
    this.port = (this.#inside.addr as Deno.NetAddr).port;
    this.#loops.push(this.#outwards(), this.#inwards(this.#outside));
  }

  async move(): Promise<void> {
    const before = this.#outside;
    this.#outside = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
    this.#loops.push(this.#inwards(this.#outside));
    before.close();
    await this.#loops[1];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#inside.close();
    this.#outside.close();
    await Promise.all(this.#loops);
  }

  async #outwards(): Promise<void> {
    for await (const [bytes, from] of this.#inside) {
      this.#client = from;
      await this.#outside.send(bytes, this.#server);
    }
  }

  async #inwards(socket: Deno.DatagramConn): Promise<void> {
    for await (const [bytes] of socket) {
      if (this.#client !== undefined) await this.#inside.send(bytes, this.#client);
    }
  }
}
