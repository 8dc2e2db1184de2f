import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChatClient } from "../../client/chat.ts";
import { TrivetError } from "../../lib/errors.ts";
import { TcpProxy } from "../e2e/tcp_proxy.ts";
import { TestServer } from "../server/testing.ts";

/** A server with a chat, and a client of somebody new. */
async function connect(server: TestServer, user: string, port = server.port): Promise<ChatClient> {
  const token = await server.addUser(user);
  return await ChatClient.connect({
    server: `127.0.0.1:${port}`,
    plain: true,
    credentials: { token },
  });
}

Deno.test("ChatClient sends, reads, searches and manages a room", async () => {
  await using server = await TestServer.start({ services: ["chat"] });
  await using ann = await connect(server, "ann");
  await using bob = await connect(server, "bob");
  await ann.create("lobby", { topic: "Tea" });
  assertEquals([await bob.join("lobby"), await bob.join("lobby")], [true, false]);
  const sent = await ann.send("lobby", "question");
  const reply = await bob.send("lobby", "answer", { replyTo: sent.id });
  assertEquals((await ann.history("lobby", { after: sent.id })).messages, [reply]);
  await bob.edit(reply.id, "a better answer");
  await ann.react(reply.id, "👍");
  assertEquals((await ann.search("better")).messages[0]?.reactions?.[0]?.users, ["ann"]);
  await bob.receipt("lobby", { read: sent.id });
  const members = await Array.fromAsync(ann.members("lobby"));
  assertEquals(members.map(({ user, read }) => [user, read]), [["ann", sent.id], [
    "bob",
    reply.id,
  ]]);
  await ann.kick("lobby", "bob", { ban: true });
  const banned = await assertRejects(() => bob.join("lobby"), TrivetError);
  assertEquals(banned.code, "BANNED");
});

Deno.test("ChatClient.follow() catches up with changes from where it is told", async () => {
  await using server = await TestServer.start({ services: ["chat"] });
  await using ann = await connect(server, "ann");
  await using bob = await connect(server, "bob");
  const first = await ann.send("@bob", "first");
  await ann.send("@bob", "second");
  await ann.edit(first.id, "changed");
  const stop = new AbortController();
  const texts: string[] = [];
  const follow = async () => {
    const events = bob.follow({ after: first.id, signal: stop.signal });
    for await (const event of events) {
      if (event.event !== "message") continue;
      texts.push(event.message.text);
      if (texts.length === 2) await ann.send("@bob", "live");
      if (texts.length === 3) break;
    }
  };
  await follow();
  assertEquals(texts, ["second", "changed", "live"]);
});

Deno.test("ChatClient goes on over cut connections, without gap or repeat", async () => {
  const count = 100;
  await using server = await TestServer.start({
    services: ["chat"],
    chat: { messagesPerSecond: 10_000 },
  });
  let [passed, cuts] = [0, 0];
  await using proxy = new TcpProxy(server.port, (bytes) => {
    passed += bytes.length;
    if (passed < 12_000 || cuts === 6) return;
    passed = 0;
    cuts += 1;
    throw new Error("Cut by the test");
  });
  await using ann = await connect(server, "ann", proxy.listener.addr.port);
  await using bob = await connect(server, "bob", proxy.listener.addr.port);
  const listening = Promise.withResolvers<void>();
  const heard = (async () => {
    const texts: string[] = [];
    for await (const event of bob.follow({ onListening: () => listening.resolve() })) {
      if (event.event === "message") texts.push(event.message.text);
      if (texts.length === count) break;
    }
    return texts;
  })();
  await listening.promise;
  const wanted = Array.from({ length: count }, (_, i) => `message ${i}`);
  for (const text of wanted) await ann.send("@bob", text);
  assertEquals(await heard, wanted);
  assertEquals((await Array.fromAsync(ann.messages("@bob"))).map(({ text }) => text), wanted);
  assert(cuts === 6, `${cuts} cuts`);
});

Deno.test("ChatClient.follow() ends with its signal, and fails where nothing can be mended", async () => {
  await using server = await TestServer.start({ services: ["chat"] });
  await using ann = await connect(server, "ann");
  const stop = new AbortController();
  const events = ann.follow({ signal: stop.signal, onListening: () => stop.abort("enough") });
  const reason = await events.next().catch((error) => error);
  assertEquals(reason, "enough");
  await using plain = await TestServer.start();
  const refused = await assertRejects(() => connect(plain, "ann"), TrivetError);
  assertEquals(refused.code, "UNKNOWN_SERVICE");
});
