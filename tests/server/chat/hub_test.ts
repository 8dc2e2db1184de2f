import { assertEquals } from "@std/assert";
import type { ChatOptions } from "../../../server/chat/hub.ts";
import { TestServer } from "../testing.ts";
import { ChatServer, Chatter } from "./testing.ts";

const KEPT: [what: string, options: ChatOptions, kept: string[]][] = [
  ["a count", { keepCount: 2 }, ["m1", "m2"]],
  ["an age that has passed", { keepMs: -60_000 }, []],
];

for (const [what, options, kept] of KEPT) {
  Deno.test(`openChatHub() deletes messages beyond ${what}`, async () => {
    await using first = await ChatServer.start();
    const ann = await first.enter("ann");
    await ann.ask("room.create", { room: "lobby" });
    for (let i = 0; i < 3; i++) await ann.say("lobby", `m${i}`);
    assertEquals(await ann.read("lobby"), ["m0", "m1", "m2"]);
    await first.server.stop();
    const second = await TestServer.start({
      data: first.server.data,
      services: ["chat"],
      chat: options,
    });
    const token = await first.tokenOf("ann");
    await using again = new Chatter(await second.login(token, (conn) => conn, "chat"));
    let left = await again.read("lobby");
    for (let tries = 0; tries < 100 && left.length > kept.length; tries++) {
      left = await again.read("lobby");
    }
    assertEquals(left, kept);
    await second.stop();
  });
}
