/** Files that messages carry: who gets them, and what becomes of them. */

import { assertEquals, assertRejects } from "@std/assert";
import { NETDISK_SERVICE } from "../../../lib/rpc/services.ts";
import type { RpcClient } from "../../../lib/rpc/client.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { ChatServer } from "./testing.ts";

/** Somebody's connection to the netdisk. */
async function disk(chat: ChatServer, name: string): Promise<RpcClient & AsyncDisposable> {
  return await chat.server.login(await chat.tokenOf(name), (conn) => conn, NETDISK_SERVICE);
}

async function refusal(rpc: RpcClient, message: number, path: string[] = []): Promise<TrivetError> {
  const error = await assertRejects(() => rpc.call("stat", { path, message }), TrivetError);
  for (const method of ["get.open"]) {
    const other = await assertRejects(() => rpc.call(method, { path, message }), TrivetError);
    assertEquals(other.code, error.code, method);
  }
  return error;
}

Deno.test("a message carries a file of its sender, and tells neither its path nor other files", async () => {
  await using chat = await ChatServer.start();
  const [ann, bob] = [await chat.enter("ann"), await chat.enter("bob")];
  await Deno.mkdir(chat.server.home("ann", "private"));
  const path = chat.server.home("ann", "private", "plan.txt");
  await Deno.writeTextFile(path, "the plan");
  const send = (file: string[]) => ({
    to: "@bob",
    text: "look",
    clientId: crypto.randomUUID(),
    file,
  });
  for (const file of [["private"], []]) await ann.refused("IS_FOLDER", "send", send(file));
  await ann.refused("NOT_FOUND", "send", send(["private", "none"]));
  const { message } = await ann.ask("send", send(["private", "plan.txt"]));
  assertEquals([message.file?.name, message.file?.size], ["plan.txt", 8]);
  const { messages: [seen] } = await bob.ask("history", { room: "@ann" });
  assertEquals(JSON.stringify(seen).includes("private"), false);
  await using rpc = await disk(chat, "bob");
  const { head } = await rpc.call("stat", { path: [], message: message.id });
  assertEquals((head as { entry: { size: number } }).entry.size, 8);
  assertEquals((await refusal(rpc, message.id, ["plan.txt"])).code, "INVALID_REQUEST");
  const plain = await ann.say("@bob", "no file");
  assertEquals((await refusal(rpc, plain.id)).code, "NOT_FOUND");

  await Deno.writeTextFile(path, "another plan");
  const changed = await refusal(rpc, message.id);
  assertEquals([changed.code, changed.message], [
    "NOT_FOUND",
    '"ann" has changed "plan.txt" since it was sent',
  ]);
  await Deno.remove(chat.server.home("ann", "private"), { recursive: true });
  const gone = await refusal(rpc, message.id);
  assertEquals([gone.code, gone.message], [
    "NOT_FOUND",
    '"plan.txt" is not in the netdisk of "ann" any more',
  ]);
});

Deno.test("a file is for those who may read its message now", async () => {
  await using chat = await ChatServer.start();
  const [ann, bob, cat] = [
    await chat.enter("ann"),
    await chat.enter("bob"),
    await chat.enter("cat"),
  ];
  await Deno.writeTextFile(chat.server.home("ann", "plan.txt"), "the plan");
  await ann.ask("room.create", { room: "lobby" });
  await bob.ask("room.join", { room: "lobby" });
  const request = { to: "lobby", text: "look", clientId: crypto.randomUUID(), file: ["plan.txt"] };
  const { message: { id } } = await ann.ask("send", request);
  await using bobs = await disk(chat, "bob");
  await using cats = await disk(chat, "cat");
  const none = await refusal(cats, id);
  assertEquals(none.code, "MESSAGE_NOT_FOUND");
  await cat.ask("room.join", { room: "lobby" });
  await cats.call("stat", { path: [], message: id });
  await ann.ask("room.kick", { room: "lobby", user: "cat" });
  assertEquals((await refusal(cats, id)).message, none.message);
  const token = await chat.server.addToken("bob", { pathPrefix: ["docs"] });
  await using confined = await chat.server.login(token, (conn) => conn, NETDISK_SERVICE);
  assertEquals((await refusal(confined, id)).code, "PERMISSION_DENIED");
  await bobs.call("stat", { path: [], message: id });
  await ann.ask("redact", { id });
  assertEquals((await bob.ask("history", { room: "lobby" })).messages[0]?.file, undefined);
  assertEquals((await refusal(bobs, id)).code, "NOT_FOUND");
});
