/**
 * The measure of the clock's bench: the least that a UDP server in Deno can do. It receives into one
 * buffer and sends that back. The argument `2` makes it do so twice at once.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own
if (import.meta.main) {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { addr } = socket;
  console.log(`port ${addr.transport === "udp" ? addr.port : 0}`);
  const echo = async () => {
    const buffer = new Uint8Array(2048);
    for (;;) {
      const [bytes, source] = await socket.receive(buffer);
      await socket.send(bytes, source);
    }
  };
  await Promise.all(Array.from({ length: Number(Deno.args[0] ?? 1) }, echo));
}
