/** The chat over UDP with real processes: bad networks, a killed server, and the way back to TCP. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { onSteadyPort, steadyPort } from "../testing/steady_port.ts";
import { type Person, type ServerProcess, World } from "./testing.ts";
import { SlowUdpProxy } from "./udp_proxy.ts";

const AT_ONCE = { thereMs: 0, backMs: 0 };

/** Somebody who is logged in. */
async function join(world: World, server: ServerProcess, name: string): Promise<Person> {
  const person = await world.person(name, server);
  await person.register(name);
  return person;
}

/** Follows a room in a process of its own. */
class Tail implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #notes: ReadableStreamDefaultReader<string>;

  constructor(person: Person, args: readonly string[]) {
    this.#process = person.spawn(["chat", "tail", "lobby", "--follow", ...args]);
    this.#lines = linesOf(this.#process.stdout);
    this.#notes = linesOf(this.#process.stderr);
  }

  /** Waits until events come. */
  async listening(): Promise<void> {
    const { value = "" } = await this.#notes.read();
    assertStringIncludes(value, "Listening");
    // What else it says must not stop it.
    (async () => {
      while (!(await this.#notes.read()).done);
    })();
  }

  /** The texts of the next messages. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) {
      const { value, done } = await this.#lines.read();
      assert(!done, `It ended after ${texts.length} messages`);
      texts.push(value.split("ann: ").at(-1) ?? "");
    }
    return texts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGINT");
    await this.#process.status;
    while (!(await this.#lines.read()).done);
  }
}

function linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStreamDefaultReader<string> {
  return stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
}

function numbers(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(first + i));
}

Deno.test("the chat over UDP loses and repeats nothing on a bad network, and when the server is killed", async () => {
  const count = 40;
  await using world = await World.create();
  const bad = ["--netem", "loss=20,dup=10,reorder=5,delay=5ms"];
  const served = ["--chat-rate", "1000", ...bad];
  const udp = ["--chat-udp-port", String(steadyPort())];
  const server = await world.serve([...udp, ...onSteadyPort(), ...served]);
  const ann = await join(world, server, "ann");
  const bob = await join(world, server, "bob");
  await ann.ok(["chat", "create", "lobby"]);
  await bob.ok(["chat", "join", "lobby"]);
  const way = ["--transport", "udp", ...bad];
  await using tail = new Tail(bob, way);
  await tail.listening();
  const send = (first: number) => {
    const stdin = numbers(first, count).join("\n");
    return ann.ok(["chat", "send", "lobby", "--lines", ...way], { stdin });
  };
  await send(0);
  assertEquals(await tail.texts(count), numbers(0, count));
  await server.stop("SIGKILL");
  await world.serve([...udp, "--port", String(server.port), ...served]);
  await send(count);
  assertEquals(await tail.texts(count), numbers(count, count));
});

Deno.test("the chat goes over UDP where that passes, and over TCP where it does not", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ann = await join(world, server, "ann");
  await ann.ok(["chat", "create", "lobby"]);
  await using proxy = new SlowUdpProxy(server.chatUdpPort, AT_ONCE);
  const port = ["--udp-port", String(proxy.port)];
  {
    await using tail = new Tail(ann, port);
    await tail.listening();
    assert(proxy.count > 0);
    await ann.ok(["chat", "send", "lobby", "over UDP", "--transport", "udp", ...port]);
    assertEquals(await tail.texts(1), ["over UDP"]);
  }
  const before = proxy.count;
  {
    await using tail = new Tail(ann, ["--transport", "tcp", ...port]);
    await tail.listening();
    assertEquals(await tail.texts(1), ["over UDP"]);
    assertEquals(proxy.count, before);
  }
  proxy.isBlocked = true;
  await using tail = new Tail(ann, port);
  await tail.listening();
  assert(proxy.count > before);
  await ann.ok(["chat", "send", "lobby", "over TCP"]);
  assertEquals(await tail.texts(2), ["over UDP", "over TCP"]);
});

Deno.test("a server without the chat's UDP port refuses who wants it, and serves all others", async () => {
  await using world = await World.create();
  const server = await world.serve(["--chat-udp", "off"]);
  assertEquals(server.chatUdpPort, 0);
  const ann = await join(world, server, "ann");
  await ann.ok(["chat", "create", "lobby"]);
  await ann.ok(["chat", "send", "lobby", "hello"]);
  const { code, stderr } = await ann.run(["chat", "send", "lobby", "hello", "--transport", "udp"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "UDP");
});

Deno.test("--netem says what is wrong with it", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ann = await join(world, server, "ann");
  const { code, stderr } = await ann.run(["chat", "tail", "lobby", "--netem", "loss=101"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "loss=");
});
