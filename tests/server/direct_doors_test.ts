import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import { createCertificate, readCertificate } from "../../lib/link/certificate.ts";
import type { AcceptedConn } from "../../lib/link/link.ts";
import {
  DirectDoors,
  type DirectDoorsOptions,
  DOORS_MAX,
  STUCK_MAX,
} from "../../server/direct_doors.ts";

const { certPem: cert, keyPem: key } = await createCertificate({ serverId: "test" });
const { names: [HOST = ""] } = await readCertificate(cert);

const LOOPBACK = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;

/** Whoever asks for a door. */
function asker(host = "127.0.0.1"): AcceptedConn {
  return {
    localAddr: LOOPBACK,
    remoteAddr: { ...LOOPBACK, hostname: host },
    read: () => Promise.resolve(null),
    write: (bytes) => Promise.resolve(bytes.length),
    close: () => {},
    [Symbol.dispose]: () => {},
  };
}

/** Doors, and who came through. */
class Fixture implements Disposable {
  readonly doors: DirectDoors;
  readonly came: AcceptedConn[] = [];
  shutCount = 0;

  constructor(options: Partial<DirectDoorsOptions> = {}) {
    this.doors = new DirectDoors({
      cert,
      key,
      onConnection: (conn) => this.came.push(conn),
      onShut: () => this.shutCount += 1,
      ...options,
    });
  }

  [Symbol.dispose](): void {
    this.doors.close();
    for (const conn of this.came) conn.close();
  }
}

function knock(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

async function shake(tcp: Deno.TcpConn): Promise<Deno.TlsConn> {
  const tls = await Deno.startTls(tcp, { hostname: HOST, caCerts: [cert] });
  await tls.handshake();
  return tls;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Nobody is let in; the system may still be about to close the door. */
async function assertShut(port: number): Promise<void> {
  const error = await assertRejects(() => knock(port));
  const { ConnectionRefused, ConnectionReset } = Deno.errors;
  assert(error instanceof ConnectionRefused || error instanceof ConnectionReset, String(error));
}

Deno.test("DirectDoors.open() lets one connection through, and no second one", async () => {
  using fixture = new Fixture();
  const port = fixture.doors.open(asker());
  using tls = await shake(await knock(port));
  while (fixture.came.length === 0) await turn();
  const [conn] = fixture.came;
  await conn?.write(Uint8Array.of(7));
  const byte = new Uint8Array(1);
  assertEquals([await tls.read(byte), byte[0]], [1, 7]);
  assertEquals(fixture.doors.openCount, 0);
  await assertShut(port);
});

Deno.test("DirectDoors.open() shuts a door that nobody comes through", async () => {
  using fixture = new Fixture({ openMs: 20 });
  const port = fixture.doors.open(asker());
  while (fixture.doors.openCount > 0) await turn();
  await assertShut(port);
  assertEquals(fixture.came, []);
});

Deno.test("DirectDoors.open() opens as many doors as the limit at once", () => {
  using fixture = new Fixture();
  for (let i = 0; i < DOORS_MAX; i++) fixture.doors.open(asker());
  const error = assertThrows(() => fixture.doors.open(asker()), TrivetError);
  assertEquals(error.code, "SERVER_BUSY");
});

Deno.test("DirectDoors.open() refuses who has no address", () => {
  using fixture = new Fixture();
  const { localAddr: _none, ...nowhere } = asker();
  assertEquals(assertThrows(() => fixture.doors.open(nowhere), TrivetError).code, "SERVER_BUSY");
});

Deno.test("DirectDoors.open() opens none after close()", () => {
  using fixture = new Fixture();
  const { doors } = fixture;
  doors.open(asker());
  doors.close();
  assertEquals(doors.openCount, 0);
  assertEquals(assertThrows(() => doors.open(asker()), TrivetError).code, "SERVER_BUSY");
});

for (
  const [what, host, ends] of [
    ["who is not the one that asked", "127.0.0.9", true],
    ["who never ends the handshake", "127.0.0.1", false],
  ] as const
) {
  Deno.test(`DirectDoors counts ${what}, and shuts for good at the limit`, async () => {
    using fixture = new Fixture({ handshakeMs: 20 });
    const strangers: Deno.Conn[] = [];
    for (let stuck = 0; stuck < STUCK_MAX; stuck++) {
      assertEquals(fixture.shutCount, 0);
      const tcp = await knock(fixture.doors.open(asker(host)));
      strangers.push(ends ? await shake(tcp) : tcp);
      while (fixture.doors.openCount > 0) await turn();
    }
    while (fixture.shutCount === 0) await turn();
    assertEquals(fixture.came, []);
    assertEquals(assertThrows(() => fixture.doors.open(asker()), TrivetError).code, "SERVER_BUSY");
    for (const stranger of strangers) stranger.close();
    // The handshakes fail now that their peers are gone, and with them what waits for them.
    await turn();
    assertEquals(fixture.shutCount, 1);
  });
}
