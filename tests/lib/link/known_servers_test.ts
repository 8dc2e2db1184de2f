import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import { formatFingerprint } from "../../../lib/link/fingerprint.ts";
import {
  KNOWN_SERVER_CHAIN_MAX,
  KNOWN_SERVERS_MAX_BYTES,
  type KnownServer,
  KnownServers,
} from "../../../lib/link/known_servers.ts";
import { readKnownServers, updateKnownServers } from "../../../lib/link/known_servers_file.ts";

const pure = { permissions: "none" } as const;
const windows = Deno.build.os === "windows";
const SHA256 = new Uint8Array(32).fill(7);
const DER = derOf(300);
const PIN = `${formatFingerprint(SHA256)} ${DER.toBase64()}`;

/** Bytes that look like a certificate as far as the list looks: one SEQUENCE of this length. */
function derOf(length: number): Uint8Array {
  const der = new Uint8Array(4 + length).fill(length & 0xff);
  der.set([0x30, 0x82, length >> 8, length & 0xff]);
  return der;
}

function pinned(address: string, chain: Uint8Array[] = [DER]): KnownServer {
  return { trust: "pinned", address, sha256: SHA256, chain };
}

Deno.test("KnownServers keeps comments, empty lines and order", pure, () => {
  const text = `# mine\n\ndisk:9000 ${PIN}\n  # more\nbig.example.com:9000 webpki\n`;
  const servers = KnownServers.parse(text);
  assertEquals(servers.toString(), text);
  assertEquals(servers.size, 2);
  assertEquals(servers.damaged, []);
  assertEquals(servers.lookup("disk:9000"), pinned("disk:9000"));
  assertEquals(servers.lookup("big.example.com:9000"), {
    trust: "webpki",
    address: "big.example.com:9000",
  });
  assertEquals(servers.lookup("disk:9001"), undefined);
  assertEquals(servers.lineOf("disk:9000"), 3);
  assertEquals(servers.lineOf("disk:9001"), undefined);
});

Deno.test("KnownServers.parse() takes lines as people write them", pure, () => {
  const servers = KnownServers.parse(`\tDISK  ${PIN.replace(" ", "\t ")}\r\n[::1]:9000 webpki`);
  assertEquals(servers.lookup("disk:9000"), pinned("disk:9000"));
  assertEquals(servers.lookup("[::1]:9000")?.trust, "webpki");
});

Deno.test(
  "KnownServers.remember() adds, replaces in place, and KnownServers.forget() removes",
  pure,
  () => {
    const servers = KnownServers.parse(`# a\na:1 webpki\nb:2 webpki\n`);
    servers.remember(pinned("a:1", [DER, derOf(500)]));
    servers.remember(pinned("c:3"));
    assertEquals(servers.lookup("a:1"), pinned("a:1", [DER, derOf(500)]));
    assertEquals(
      servers.toString(),
      `# a\na:1 ${PIN},${derOf(500).toBase64()}\nb:2 webpki\nc:3 ${PIN}\n`,
    );
    assertEquals(servers.forget("b:2"), true);
    assertEquals(servers.forget("b:2"), false);
    assertEquals(KnownServers.parse(servers.toString()).size, 2);
  },
);

const DAMAGED: [string, string][] = [
  ["ends after the address", "a:1"],
  ["ends after the address", "a:1 "],
  ["no fingerprint", "a:1 SHA256:abc " + DER.toBase64()],
  ["names no certificate", "a:1 " + formatFingerprint(SHA256)],
  ["follows the certificate", `a:1 ${PIN} more`],
  ['follows "webpki"', "a:1 webpki more"],
  ["certificate is damaged", `a:1 ${PIN.slice(0, -4)}`],
  ["certificate is damaged", `a:1 ${PIN.slice(0, -9)}`],
  ["certificate is damaged", `a:1 ${PIN},`],
  ["certificate is damaged", `a:1 ${formatFingerprint(SHA256)} ${new Uint8Array(300).toBase64()}`],
];

Deno.test.each(DAMAGED)(
  "KnownServers keeps and reports a damaged line: %s",
  pure,
  (reason, line) => {
    const servers = KnownServers.parse(`#\n${line}\nb:2 webpki\n`);
    assertEquals(servers.damaged.map((damage) => damage.line), [2]);
    assertStringIncludes(servers.damaged[0]?.reason ?? "", reason);
    const error = assertThrows(() => servers.lookup("a:1"), TrivetError, "line 2");
    assertEquals(error.code, "PIN_UNKNOWN");
    assertEquals(servers.lookup("b:2")?.trust, "webpki");
    servers.remember({ trust: "webpki", address: "c:3" });
    assertEquals(servers.toString(), `#\n${line}\nb:2 webpki\nc:3 webpki\n`);
    servers.remember(pinned("a:1"));
    assertEquals(servers.damaged, []);
    assertEquals(servers.lookup("a:1"), pinned("a:1"));
  },
);

Deno.test("KnownServers reports lines without an address and repeated ones", pure, () => {
  const text = `!! webpki\na:1 ${PIN}\nA:1 webpki\n`;
  const servers = KnownServers.parse(text);
  assertEquals(servers.damaged, [
    { line: 1, reason: "it does not begin with an address" },
    { line: 3, reason: "it repeats the address of line 2" },
  ]);
  assertEquals(servers.lookup("a:1")?.trust, "pinned");
  assertEquals(servers.toString(), text);
});

Deno.test("KnownServers limits the chain and the file", pure, () => {
  const line = (count: number) =>
    `a:1 ${formatFingerprint(SHA256)} ${new Array(count).fill(DER.toBase64()).join(",")}`;
  assertEquals(KnownServers.parse(line(KNOWN_SERVER_CHAIN_MAX)).damaged.length, 0);
  assertEquals(KnownServers.parse(line(KNOWN_SERVER_CHAIN_MAX + 1)).damaged.length, 1);
  assertEquals(KnownServers.parse("#".repeat(KNOWN_SERVERS_MAX_BYTES)).size, 0);
  assertThrows(
    () => KnownServers.parse("#".repeat(KNOWN_SERVERS_MAX_BYTES + 1)),
    TrivetError,
    `${KNOWN_SERVERS_MAX_BYTES}`,
  );
});

Deno.test("KnownServers.parse() never throws and never loses a line", pure, () => {
  const word = fc.constantFrom("a:1", "b", "webpki", "#", " ", "\t", "\n", "\r\n", PIN, "SHA256:x");
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(word).map((words) => words.join(" ")),
  );
  fc.assert(fc.property(text, (text) => {
    const whole = text === "" || text.endsWith("\n") ? text : text + "\n";
    assertEquals(KnownServers.parse(text).toString(), whole);
  }));
});

Deno.test("updateKnownServers() makes a private file, in a folder it makes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/config/trivet/known_servers`;
    assertEquals((await readKnownServers(path)).size, 0);
    await updateKnownServers(path, (servers) => servers.remember(pinned("a:1")));
    assertEquals((await readKnownServers(path)).lookup("a:1"), pinned("a:1"));
    if (!windows) assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    const names = [...Deno.readDirSync(`${folder}/config/trivet`)].map((entry) => entry.name);
    assertEquals(names.toSorted(), ["known_servers", "known_servers.lock"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("updateKnownServers() loses no line of writers at the same time", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/known_servers`;
    const addresses = Array.from({ length: 20 }, (_, index) => `host-${index}:9000`);
    await Promise.all(
      addresses.map((address) =>
        updateKnownServers(path, (servers) => servers.remember(pinned(address)))
      ),
    );
    const servers = await readKnownServers(path);
    assertEquals(servers.size, addresses.length);
    for (const address of addresses) assert(servers.lookup(address) !== undefined, address);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("updateKnownServers() leaves the file as it was when the change throws", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/known_servers`;
    await Deno.writeTextFile(path, "a:1 webpki\n");
    let thrown: unknown;
    await updateKnownServers(path, (servers) => {
      servers.forget("a:1");
      throw new RangeError("no");
    }).catch((error) => thrown = error);
    assert(thrown instanceof RangeError);
    assertEquals(await Deno.readTextFile(path), "a:1 webpki\n");
    await updateKnownServers(path, (servers) => servers.remember(pinned("b:2")));
    assertEquals((await readKnownServers(path)).size, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "updateKnownServers() keeps a symbolic link and changes what it points to",
  ignore: windows,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/real`, "");
      await Deno.symlink(`${folder}/real`, `${folder}/known_servers`);
      await updateKnownServers(
        `${folder}/known_servers`,
        (servers) => servers.remember(pinned("a:1")),
      );
      assertEquals((await Deno.lstat(`${folder}/known_servers`)).isSymlink, true);
      assertEquals((await readKnownServers(`${folder}/real`)).size, 1);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
