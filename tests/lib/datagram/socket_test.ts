import { assertEquals, assertThrows } from "@std/assert";
import { DatagramSocket, formatRemote } from "../../../lib/datagram/socket.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { UdpClient } from "../../testing/udp_client.ts";

for (const host of ["127.0.0.1", "::1"]) {
  Deno.test(`DatagramSocket answers to where a datagram came from, on ${host}`, async () => {
    await using socket = new DatagramSocket(host, 0);
    let count = 0;
    socket.start(8, (datagram, from) => {
      count += 1;
      if (count === 1) throw new Error("A defect");
      void socket.send(datagram.slice(), from);
    });
    await using client = new UdpClient(host);
    await client.send("first", socket.port, host);
    assertEquals(await client.askText("second", socket.port, host), "second");
    // The system cuts what is longer.
    assertEquals(await client.askText("123456789", socket.port, host), "12345678");
    assertEquals(socket.host, host);
    await socket[Symbol.asyncDispose]();
  });
}

Deno.test("DatagramSocket says which port is in use", async () => {
  await using socket = new DatagramSocket("127.0.0.1", 0);
  const { port } = socket;
  const error = assertThrows(() => new DatagramSocket("127.0.0.1", port), TrivetError);
  assertEquals(error.code, "ADDRESS_IN_USE");
  assertEquals(error.message.includes(formatRemote({ hostname: "127.0.0.1", port })), true);
});
