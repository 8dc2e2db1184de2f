/** Dialogues without a server: two peers over a way that is listened to, and a tutorial's program. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { type Person, World } from "./testing.ts";

const HOST = "127.0.0.1";

/** What the tutorials have: a socket, texts, and `bye`. */
const PYTHON = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    text, peer = s.recvfrom(2048)
    print(text.decode(), flush=True)
    if text == b"bye": break
    s.sendto(b"You said " + text, peer)
`;

/** A running `trivet --json chat peer`. */
class Peer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #events: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;

  constructor(person: Person, options: readonly string[]) {
    this.#process = person.spawn(["--json", "chat", "peer", ...options], { stdin: "" });
    this.#stdin = this.#process.stdin.getWriter();
    this.#events = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    this.#stderr = new Response(this.#process.stderr).text();
  }

  async write(line: string): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode(`${line}\n`));
  }

  /** The next event of a kind. */
  async next(kind: string): Promise<Record<string, string>> {
    for (;;) {
      const { value } = await this.#events.read();
      if (value === undefined) throw new Error(`No "${kind}" came: ${await this.#stderr}`);
      const event = JSON.parse(value);
      if (event.event === kind) return event;
    }
  }

  async port(): Promise<number> {
    const { address = "" } = await this.next("listening");
    return Number(address.split(":").at(-1));
  }

  /** Ends stdin; how the program ended. */
  async end(): Promise<{ code: number; stderr: string }> {
    await this.#stdin.close();
    while (!(await this.#events.read()).done);
    const { code } = await this.#process.status;
    return { code, stderr: await this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#stdin.abort().catch(() => {});
    await this.#events.cancel().catch(() => {});
    await this.#process.status;
    await this.#stderr;
  }
}

/** Passes datagrams between two sides, and keeps all that it saw. */
class Tap implements AsyncDisposable {
  readonly port: number;
  readonly seen: Uint8Array[] = [];
  readonly #front = listen();
  readonly #back = listen();
  readonly #work: Promise<void>[] = [];
  #client: Deno.Addr | undefined;

  constructor(server: number) {
    this.port = portOf(this.#front);
    const to = { transport: "udp", hostname: HOST, port: server } as const;
    this.#work.push(this.#pass(this.#front, async (bytes, from) => {
      this.#client = from;
      await this.#back.send(bytes, to);
    }));
    this.#work.push(this.#pass(this.#back, async (bytes) => {
      if (this.#client !== undefined) await this.#front.send(bytes, this.#client);
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#front.close();
    this.#back.close();
    await Promise.all(this.#work);
  }

  async #pass(
    socket: Deno.DatagramConn,
    send: (bytes: Uint8Array, from: Deno.Addr) => Promise<void>,
  ): Promise<void> {
    for await (const [bytes, from] of socket) {
      this.seen.push(bytes.slice());
      // The other socket may be closed already.
      await send(bytes, from).catch(() => {});
    }
  }
}

function listen(): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
}

function portOf({ addr }: Deno.DatagramConn): number {
  return addr.transport === "udp" ? addr.port : 0;
}

/** Text of all bytes, for a search of what must not be there. */
function textOf(parts: readonly Uint8Array[]): string {
  return parts.map((part) => String.fromCharCode(...part)).join("");
}

Deno.test("two peers talk by the names of their contacts, and the way between learns nothing", async () => {
  await using world = await World.create();
  const ann = await world.person("ann");
  const bob = await world.person("bob");
  const made = await ann.json(["chat", "peer", "--new-key", "both.key"]);
  assertEquals(((await Deno.stat(ann.path("both.key"))).mode ?? 0) & 0o777, 0o600);
  assertEquals((await ann.run(["chat", "peer", "--new-key", "both.key"])).code, 8);
  await Deno.copyFile(ann.path("both.key"), bob.path("both.key"));
  // Bob is only ever written to: he knows no address.
  await Deno.writeTextFile(bob.path("contacts.json"), '{"annie": {"key_file": "both.key"}}');
  await using atBob = new Peer(bob, ["--listen", `${HOST}:0`, "--contacts", "contacts.json"]);
  await using tap = new Tap(await atBob.port());
  const contacts = `[bob]\naddress = "${HOST}:${tap.port}"\nkey_file = "both.key"\n`;
  await Deno.writeTextFile(ann.path("contacts.toml"), contacts);
  await using atAnn = new Peer(ann, ["--listen", `${HOST}:0`, "--contacts", "contacts.toml"]);
  await atAnn.port();

  await atAnn.write("bob: the meeting is at three");
  assertEquals((await atAnn.next("connected")).contact, "bob");
  assertEquals((await atBob.next("connected")).contact, "annie");
  const heard = await atBob.next("message");
  assertEquals([heard.from, heard.text], ["annie", "the meeting is at three"]);
  await atBob.write("三点 🎉");
  const answer = await atAnn.next("message");
  assertEquals([answer.from, answer.text], ["bob", "三点 🎉"]);
  await atAnn.write("bye");
  assertEquals((await atAnn.next("ended")).reason, "you said bye");
  assertEquals((await atBob.next("ended")).reason, "they said bye");

  // A dialogue begins anew after its end; who leaves waits until all has arrived.
  await atAnn.write("one more thing");
  assertEquals(await atAnn.end(), { code: 0, stderr: "" });
  assertEquals((await atBob.next("message")).text, "one more thing");
  assertEquals(await atBob.end(), { code: 0, stderr: "" });

  assert(tap.seen.length > 5);
  const seen = textOf(tap.seen);
  const secret = await Deno.readTextFile(ann.path("both.key"));
  for (const word of ["meeting", "thing", "annie", "bob", secret.trim()]) {
    assertEquals(seen.includes(word), false, word);
  }
  assert(seen.includes(String.fromCharCode(...Uint8Array.fromHex(made.key))), "the id is public");
});

Deno.test("chat peer --classic talks with a tutorial's program", async () => {
  await using world = await World.create();
  const ann = await world.person("ann");
  const python = new Deno.Command("python3", { args: ["-c", PYTHON], stdout: "piped" }).spawn();
  const said = python.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  const { value: port } = await said.read();
  await Deno.writeTextFile(ann.path("contacts.toml"), `[bob]\naddress = "${HOST}:${port}"\n`);
  await using atAnn = new Peer(ann, [
    ...["--classic", "--listen", `${HOST}:0`, "--contacts", "contacts.toml"],
  ]);
  await atAnn.port();
  await atAnn.write("bob: 你好");
  assertEquals((await said.read()).value, "你好");
  assertEquals((await atAnn.next("message")).text, "You said 你好");
  await atAnn.write("bye");
  assertEquals((await said.read()).value, "bye");
  assertEquals((await python.status).code, 0);
  await said.cancel();
  const { code, stderr } = await atAnn.end();
  assertEquals(code, 0);
  assertStringIncludes(JSON.parse(stderr).warning.message, "Nothing is encrypted");
});

Deno.test("chat peer says who did not answer, and what is wrong with its contacts", async () => {
  await using world = await World.create();
  const ann = await world.person("ann");
  const run = async (contacts: string) => {
    await Deno.writeTextFile(ann.path("contacts.toml"), contacts);
    const options = ["--listen", `${HOST}:0`, "--contacts", "contacts.toml"];
    const { code, stderr } = await ann.run(["chat", "peer", ...options], { stdin: "bob: hi\n" });
    return { code, stderr };
  };
  await ann.ok(["chat", "peer", "--new-key", "a.key"]);
  // Taken by a socket that says nothing.
  const silent = listen();
  const address = `address = "${HOST}:${portOf(silent)}"`;
  const silence = await run(`[bob]\n${address}\nkey_file = "a.key"\n`);
  assertEquals(silence.code, 5);
  assertStringIncludes(silence.stderr, "nobody who has the key answered");
  const keyless = await run(`[bob]\n${address}\n`);
  assertEquals(keyless.code, 2);
  assertStringIncludes(keyless.stderr, 'The contact "bob" has no key');
  const misspelt = await run(`[bob]\nadress = "x"\n`);
  assertStringIncludes(misspelt.stderr, 'has the unknown key "adress"');
  silent.close();
});

Deno.test("chat peer keeps several dialogues apart, and goes on with who was started again", async () => {
  await using world = await World.create();
  const people = await Promise.all(["ann", "bob", "cat"].map((name) => world.person(name)));
  const [ann, bob, cat] = people;
  assert(ann !== undefined && bob !== undefined && cat !== undefined);
  for (const key of ["bob.key", "cat.key"]) await ann.ok(["chat", "peer", "--new-key", key]);
  await Deno.writeTextFile(
    ann.path("contacts.toml"),
    '[bob]\nkey_file = "bob.key"\n[cat]\nkey_file = "cat.key"\n',
  );
  const options = ["--listen", `${HOST}:0`, "--contacts", "contacts.toml"];
  await using atAnn = new Peer(ann, options);
  const port = await atAnn.port();
  // One key for everybody they know.
  for (const [person, key] of [[bob, "bob.key"], [cat, "cat.key"]] as const) {
    await Deno.copyFile(ann.path(key), person.path(key));
    await Deno.writeTextFile(person.path("contacts.toml"), `[ann]\naddress = "${HOST}:${port}"\n`);
  }
  await using atCat = new Peer(cat, ["--key-file", "cat.key", ...options]);
  const longest = "x".repeat(16 * 1024);
  {
    await using atBob = new Peer(bob, ["--key-file", "bob.key", ...options]);
    await Promise.all([atBob.write(longest), atCat.write("from cat"), atBob.write("from bob")]);
    const heard = new Map<string | undefined, string[]>();
    for (let i = 0; i < 3; i++) {
      const { from, text = "" } = await atAnn.next("message");
      heard.set(from, [...heard.get(from) ?? [], text]);
    }
    assertEquals(heard.get("bob"), [longest, "from bob"]);
    assertEquals(heard.get("cat"), ["from cat"]);
    await atAnn.write("cat: to cat");
    await atAnn.write("bob: to bob");
    assertEquals((await atCat.next("message")).text, "to cat");
    assertEquals((await atBob.next("message")).text, "to bob");
    // Bob is killed here, and cannot say bye.
  }
  await using atBob = new Peer(bob, ["--key-file", "bob.key", ...options]);
  await atBob.write(`${longest}x`);
  await atBob.write("here again");
  assertEquals((await atAnn.next("message")).text, "here again");
  await atAnn.write("welcome back");
  assertEquals((await atBob.next("message")).text, "welcome back");
});

Deno.test("chat peer shows each message as one line without control characters", async () => {
  await using world = await World.create();
  const ann = await world.person("ann");
  const stranger = listen();
  await Deno.writeTextFile(
    ann.path("contacts.toml"),
    `[bob]\naddress = "${HOST}:${portOf(stranger)}"\n`,
  );
  const options = ["--classic", "--listen", `${HOST}:0`, "--contacts", "contacts.toml"];
  const shown = ann.run(["chat", "peer", ...options], { stdin: "hello\n/help\n" });
  const [hello] = await stranger.receive();
  assertEquals(new TextDecoder().decode(hello), "hello");
  assertEquals((await shown).code, 0);

  const process = ann.spawn(["chat", "peer", "--follow", ...options], { stdin: "" });
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode("hello\n"));
  const [, from] = await stranger.receive();
  await stranger.send(new TextEncoder().encode("\x1b[2Ja\ncarol: b"), from);
  const lines = process.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  assertEquals((await lines.read()).value, "bob: \\x1b[2Ja\\x0acarol: b");
  await writer.close();
  process.kill("SIGTERM");
  await lines.cancel();
  await process.stderr.cancel();
  assertEquals((await process.status).code, 130);
  stranger.close();
});
