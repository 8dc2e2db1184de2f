import { assert, assertEquals } from "@std/assert";
import type { PeerEvent } from "../../../client/chat_peer/dialogues.ts";
import { EncryptedDialogues } from "../../../client/chat_peer/encrypted.ts";
import { newMachineKey, parseMachineKey } from "../../../lib/auth/machine_key.ts";

const HOST = "127.0.0.1";
const KEY = parseMachineKey(newMachineKey());

/** A free port; somebody else could take it in between, but nobody does on this address. */
function freePort(): number {
  using closing = new DisposableStack();
  const socket = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
  closing.defer(() => socket.close());
  return socket.addr.transport === "udp" ? socket.addr.port : 0;
}

/** One side, which knows the other. */
class Side implements AsyncDisposable {
  readonly texts: string[] = [];
  readonly events: PeerEvent[] = [];
  readonly dialogues: EncryptedDialogues;
  #changed = Promise.withResolvers<void>();

  constructor(port: number, peer: { readonly name: string; readonly port: number }) {
    const peers = [{ name: peer.name, key: KEY, addresses: [`${HOST}:${peer.port}`] }];
    this.dialogues = new EncryptedDialogues({
      host: HOST,
      port,
      peers,
      onEvent: (event) => {
        this.events.push(event);
        if (event.event === "message") this.texts.push(event.text);
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      },
    });
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#changed.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dialogues[Symbol.asyncDispose]();
  }
}

/** Two sides. */
function pair(): [ann: Side, bob: Side] {
  const [first, second] = [freePort(), freePort()];
  return [
    new Side(first, { name: "bob", port: second }),
    new Side(second, { name: "ann", port: first }),
  ];
}

Deno.test("EncryptedDialogues come to one dialogue when both begin at once", async () => {
  for (let i = 0; i < 10; i++) {
    const [first, second] = pair();
    await using ann = first;
    await using bob = second;
    await Promise.all([
      ann.dialogues.send("bob", "from ann"),
      bob.dialogues.send("ann", "from bob"),
    ]);
    await ann.until(() => ann.texts.length > 0);
    await bob.until(() => bob.texts.length > 0);
    await Promise.all([ann.dialogues.drained(), bob.dialogues.drained()]);
    for (const side of [ann, bob]) {
      assertEquals(side.events.map(({ event }) => event), ["connected", "message"]);
    }
    assertEquals([ann.texts, bob.texts], [["from bob"], ["from ann"]]);
  }
});

Deno.test("EncryptedDialogues.send() keeps the order of many texts, and waits for room", async () => {
  const [first, second] = pair();
  await using ann = first;
  await using bob = second;
  const count = 1000;
  const texts = Array.from({ length: count }, (_, i) => `${i} ${"x".repeat(8000)}`);
  for (const text of texts) await ann.dialogues.send("bob", text);
  await ann.dialogues.drained();
  await bob.until(() => bob.texts.length === count);
  assert(bob.texts.every((text, i) => text === texts[i]));
});

Deno.test("EncryptedDialogues.bye() ends a dialogue once all has arrived", async () => {
  const [first, second] = pair();
  await using ann = first;
  await using bob = second;
  for (let i = 0; i < 100; i++) await ann.dialogues.send("bob", `${i}`);
  await ann.dialogues.bye("bob");
  assertEquals(ann.dialogues.isOpen("bob"), false);
  await bob.until(() => bob.events.at(-1)?.event === "ended");
  assertEquals(bob.texts.length, 100);
  assertEquals(bob.events.some(({ event }) => event === "failed"), false);
});
