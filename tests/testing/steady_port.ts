/**
 * Ports for servers that end and come back on the port that they had.
 *
 * @module
 */

/**
 * Below the ports that Linux, macOS and Windows give to whoever asks for any: none of these goes to
 * another test, or to a connection, while the server is away.
 */
const FIRST = 20_000;
const LAST = 32_767;

const TRIES_MAX = 100;

/** A port that is free for TCP and UDP, and that nobody gets who asks for any. */
export function steadyPort(): number {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    try {
      using _tcp = Deno.listen({ hostname: "127.0.0.1", port });
      using _udp = listenUdp(port);
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`No port from ${FIRST} to ${LAST} is free`);
}

/** Datagram sockets cannot be disposed of. */
function listenUdp(port: number): Disposable {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
  return { [Symbol.dispose]: () => socket.close() };
}

/** The option of `trivetd serve` for it. */
export function onSteadyPort(): string[] {
  return ["--port", String(steadyPort())];
}
