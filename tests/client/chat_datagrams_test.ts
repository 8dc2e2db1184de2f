/** The chat over UDP: real sockets, bad networks, and the way back to TCP. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChatClient, type ChatClientOptions } from "../../client/chat.ts";
import { openDatagrams } from "../../client/chat_datagrams.ts";
import { connectorFor } from "../../client/connect_options.ts";
import { openSession } from "../../client/session.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { CHAT_SERVICE } from "../../lib/rpc/services.ts";
import type { ServeOptions } from "../../server/serve.ts";
import { TcpProxy } from "../e2e/tcp_proxy.ts";
import { SlowUdpProxy } from "../e2e/udp_proxy.ts";
import { until } from "../e2e/testing.ts";
import { steadyPort } from "../testing/steady_port.ts";
import { TestServer } from "../server/testing.ts";

const AT_ONCE = { thereMs: 0, backMs: 0 };

/** A server with a chat over UDP. */
async function start(options: Partial<ServeOptions> = {}): Promise<TestServer> {
  const chat = { messagesPerSecond: 10_000, udpPort: 0, ...options.chat };
  return await TestServer.start({ services: ["chat"], ...options, chat });
}

function udpPortOf(server: TestServer): number {
  return server.running.chatUdp[0]?.port ?? 0;
}

/** A client of somebody new. */
async function connect(
  server: TestServer,
  user: string,
  options: Partial<ChatClientOptions> = {},
): Promise<ChatClient> {
  const token = await server.addUser(user);
  const place = { server: `127.0.0.1:${server.port}`, plain: true };
  return await ChatClient.connect({ ...place, credentials: { token }, ...options });
}

/** Follows from now on, and keeps the texts of messages. */
class Follower implements AsyncDisposable {
  readonly texts: string[] = [];
  /** How often events began to come. */
  listened = 0;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  readonly #listening = Promise.withResolvers<void>();

  constructor(chat: ChatClient) {
    this.#done = this.#follow(chat).catch((error) => {
      if (!this.#stop.signal.aborted) throw error;
    });
  }

  /** Waits until events come. */
  async ready(): Promise<this> {
    await this.#listening.promise;
    return this;
  }

  async until(count: number, timeoutMs?: number): Promise<void> {
    await until(() => this.texts.length >= count, `${count} messages`, timeoutMs);
  }

  async #follow(chat: ChatClient): Promise<void> {
    const onListening = () => {
      this.listened += 1;
      this.#listening.resolve();
    };
    for await (const event of chat.follow({ signal: this.#stop.signal, onListening })) {
      if (event.event === "message") this.texts.push(event.message.text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

/** Sends numbers, one after another. */
const DATAGRAMS = { host: "127.0.0.1", waitMs: 5000, requestsInFlightMax: 4 };

/** A connection over TCP that may ask for one over UDP. */
async function openControl(server: TestServer): Promise<RpcClient> {
  const token = await server.addUser("ann");
  const place = { server: `127.0.0.1:${server.port}`, plain: true };
  const connector = await connectorFor(place, CHAT_SERVICE);
  return (await openSession(connector, { token })).rpc;
}

async function sendNumbers(chat: ChatClient, to: string, range: readonly number[]): Promise<void> {
  for (const number of range) await chat.send(to, String(number));
}

function numbers(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

Deno.test("ChatClient over UDP gets every message once and in order where a fifth is lost", async () => {
  const count = 60;
  await using server = await start({
    chat: { netem: { lossPercent: 20, duplicatePercent: 10, reorderPercent: 10, seed: 1 } },
  });
  const bad = { lossPercent: 20, duplicatePercent: 10, reorderPercent: 10 };
  const options = { transport: "udp" } as const;
  await using ann = await connect(server, "ann", { ...options, netem: { ...bad, seed: 2 } });
  await using bob = await connect(server, "bob", { ...options, netem: { ...bad, seed: 3 } });
  await using follower = await new Follower(bob).ready();
  await sendNumbers(ann, "@bob", numbers(0, count));
  await follower.until(count);
  assertEquals(follower.texts, numbers(0, count).map(String));
  const { messages } = await bob.history("@ann", { limit: 200 });
  assertEquals(messages.map(({ text }) => text), numbers(0, count).map(String));
});

Deno.test("ChatClient over UDP carries answers that are longer than a message of the datagrams", async () => {
  await using server = await start();
  await using ann = await connect(server, "ann", { transport: "udp" });
  await using _bob = await connect(server, "bob", { transport: "tcp" });
  const text = "長".repeat(5000);
  for (let i = 0; i < 20; i++) await ann.send("@bob", `${i}${text}`);
  const { messages } = await ann.history("@bob", { limit: 20 });
  assertEquals(messages.map((message) => message.text), numbers(0, 20).map((i) => `${i}${text}`));
});

Deno.test("ChatClient follows over UDP by itself, and then sends there, too", async () => {
  await using server = await start();
  await using proxy = new SlowUdpProxy(udpPortOf(server), AT_ONCE);
  let tcpBytes = 0;
  await using tcp = new TcpProxy(server.port, (bytes) => tcpBytes += bytes.length);
  const options = { server: tcp.address, udpPort: proxy.port };
  await using ann = await connect(server, "ann", options);
  await ann.create("den");
  await ann.send("den", "over TCP");
  assertEquals(proxy.count, 0);
  await using follower = await new Follower(ann).ready();
  assert(proxy.count > 0);
  let sent = 0;
  await until(async () => {
    const before = tcpBytes;
    await ann.send("den", String(sent));
    sent += 1;
    return tcpBytes === before;
  }, "a message that nothing of went over TCP");
  await follower.until(sent);
  assertEquals(follower.texts, numbers(0, sent).map(String));
});

Deno.test("ChatClient goes over TCP where UDP does not pass, or where the server has none", async () => {
  for (const chat of [{ udpPort: 0 }, {}]) {
    await using server = await TestServer.start({ services: ["chat"], chat });
    await using ann = await connect(server, "ann", { netem: { lossPercent: 100 } });
    await ann.create("den");
    await using follower = await new Follower(ann).ready();
    await ann.send("den", "all the same");
    await follower.until(1);
    assertEquals(follower.texts, ["all the same"]);
  }
});

Deno.test("ChatClient with the transport udp says why it cannot be", async () => {
  await using server = await TestServer.start({ services: ["chat"] });
  const options = { transport: "udp" } as const;
  const error = await assertRejects(() => connect(server, "ann", options), TrivetError);
  assertEquals(error.code, "UNKNOWN_SERVICE");
});

Deno.test("ChatClient keeps its connection when the router gives it another port", async () => {
  const count = 30;
  await using server = await start();
  await using proxy = new SlowUdpProxy(udpPortOf(server), { thereMs: 3, backMs: 3 });
  const options = { transport: "udp", udpPort: proxy.port } as const;
  await using ann = await connect(server, "ann", options);
  await using bob = await connect(server, "bob", options);
  await using follower = await new Follower(bob).ready();
  for (const first of [0, count, 2 * count]) {
    await sendNumbers(ann, "@bob", numbers(first, count));
    proxy.moveClients();
    // A word from bob tells the server where he is now.
    await bob.typing("@ann");
  }
  await follower.until(3 * count);
  assertEquals(follower.texts, numbers(0, 3 * count).map(String));
  assertEquals(follower.listened, 1);
});

Deno.test("ChatClient goes from UDP to TCP without gap or repeat when UDP is blocked", async () => {
  const count = 20;
  await using server = await start();
  await using proxy = new SlowUdpProxy(udpPortOf(server), AT_ONCE);
  await using ann = await connect(server, "ann", { transport: "tcp" });
  await using bob = await connect(server, "bob", { udpPort: proxy.port });
  await using follower = await new Follower(bob).ready();
  await sendNumbers(ann, "@bob", numbers(0, count));
  proxy.isBlocked = true;
  await sendNumbers(ann, "@bob", numbers(count, count));
  await follower.until(2 * count, 40_000);
  assertEquals(follower.texts, numbers(0, 2 * count).map(String));
  assertEquals(follower.listened, 2);
});

Deno.test("a server that is started anew is noticed over UDP, and nothing is left out", async () => {
  const place = { port: steadyPort(), chat: { udpPort: steadyPort() } };
  const server = await start(place);
  const again = { data: server.data, ...place };
  const ann = await connect(server, "ann", { transport: "udp" });
  const bob = await connect(server, "bob", { transport: "udp" });
  const follower = await new Follower(bob).ready();
  await ann.send("@bob", "before");
  await follower.until(1);
  await server.running.shutdown(0);
  const next = await start(again);
  await ann.send("@bob", "after");
  await follower.until(2);
  assertEquals(follower.texts, ["before", "after"]);
  await follower[Symbol.asyncDispose]();
  await ann.close();
  await bob.close();
  await next[Symbol.asyncDispose]();
});

Deno.test("a connection over UDP ends with its login", async () => {
  await using server = await start();
  const control = await openControl(server);
  const { rpc, closed } = await openDatagrams(control, DATAGRAMS);
  const ended = new Promise((resolve) => rpc.failed.addEventListener("abort", resolve));
  await control.call("logout", {});
  await ended;
  assertEquals(rpc.failure?.code, "TOKEN_INVALID");
  await closed;
  await control.close();
});

Deno.test("a ticket takes a place, also before it is used, and gives it back", async () => {
  await using server = await start({ connectionsMax: 2 });
  const control = await openControl(server);
  const { rpc, closed } = await openDatagrams(control, DATAGRAMS);
  const full = await assertRejects(() => openDatagrams(control, DATAGRAMS), TrivetError);
  assertEquals(full.code, "SERVER_BUSY");
  await rpc.close();
  await closed;
  await until(async () => {
    try {
      const third = await openDatagrams(control, DATAGRAMS);
      await third.rpc.close();
      await third.closed;
      return true;
    } catch {
      return false;
    }
  }, "a place");
  await control.close();
});
