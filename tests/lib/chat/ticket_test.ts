import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { ChatTicket, makeTicket, ticketOptions } from "../../../lib/chat/ticket.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { checkHead } from "../../../lib/rpc/messages.ts";

const none = { permissions: "none" } as const;
const PLACE = { port: 9001, resetToken: () => new Uint8Array(16).fill(7) };

Deno.test("ticketOptions() gives both sides the same secrets, one for each direction", none, () => {
  const ticket = makeTicket(PLACE);
  const client = ticketOptions(ticket, "client");
  const server = ticketOptions(ticket, "server");
  assertEquals(client.secrets.send, server.secrets.receive);
  assertEquals(client.secrets.receive, server.secrets.send);
  assertNotEquals(client.secrets.send, client.secrets.receive);
  assertEquals(client.connectionId, server.connectionId);
  assertEquals([client.resetToken, server.resetToken], [new Uint8Array(16).fill(7), undefined]);
});

Deno.test("makeTicket() makes each like no other", none, () => {
  const [a, b] = [makeTicket(PLACE), makeTicket(PLACE)];
  assertNotEquals(a.connectionId, b.connectionId);
  assertNotEquals(a.secret, b.secret);
});

Deno.test("ChatTicket takes what makeTicket() makes, and nothing else", none, () => {
  const ticket = makeTicket(PLACE);
  assertEquals(checkHead(ChatTicket, JSON.parse(JSON.stringify(ticket)), "it"), ticket);
  for (
    const wrong of [
      { port: 0 },
      { port: 65_536 },
      { connectionId: ticket.connectionId.slice(1) },
      { secret: `${ticket.secret}0` },
      { secret: ticket.secret.replace(/.$/, "G") },
      { resetToken: "" },
      { lifetimeMs: 0 },
    ]
  ) {
    assertThrows(() => checkHead(ChatTicket, { ...ticket, ...wrong }, "it"), TrivetError);
  }
});
