import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import {
  type Address,
  DEFAULT_PORT,
  formatAddress,
  HOST_MAX_CHARACTERS,
  isIpAddress,
  isLoopback,
  parseAddress,
  UNIX_PATH_MAX_BYTES,
} from "../../../lib/link/address.ts";

const pure = { permissions: "none" } as const;

const VALID: [string, Address][] = [
  ["disk", { transport: "tcp", host: "disk", port: DEFAULT_PORT }],
  ["Disk.Example.ORG.", { transport: "tcp", host: "disk.example.org", port: DEFAULT_PORT }],
  ["disk:1", { transport: "tcp", host: "disk", port: 1 }],
  ["10.0.0.1:65535", { transport: "tcp", host: "10.0.0.1", port: 65535 }],
  ["[::1]", { transport: "tcp", host: "::1", port: DEFAULT_PORT }],
  ["[FE80::1]:9100", { transport: "tcp", host: "fe80::1", port: 9100 }],
  ["::ffff:10.0.0.1", { transport: "tcp", host: "::ffff:10.0.0.1", port: DEFAULT_PORT }],
  ["1:2:3:4:5:6:7:8", { transport: "tcp", host: "1:2:3:4:5:6:7:8", port: DEFAULT_PORT }],
  ["unix:/run/a b:c", { transport: "unix", path: "/run/a b:c" }],
];

Deno.test.each(VALID)("parseAddress() reads %s", pure, (text, address) => {
  assertEquals(parseAddress(text), address);
  assertEquals(parseAddress(formatAddress(address)), address);
});

const INVALID: [string, string][] = [
  ["", "names no host"],
  [":9000", "names no host"],
  ["disk:", "the port"],
  ["disk:0", "1 to 65535"],
  ["disk:65536", "1 to 65535"],
  ["disk:9e3", "1 to 65535"],
  ["disk:-1", "1 to 65535"],
  ["disk :9000", "no host name"],
  ["http://disk:9000/x", "without scheme or path"],
  ["user@disk", "no host name"],
  ["-disk", "no host name"],
  ["di..sk", "no host name"],
  ["1.2.3", "no host name"],
  ["1.2.3.256", "no host name"],
  ["01.2.3.4", "no host name"],
  ["127.0x1", "no host name"],
  ["[::1", "no IPv6 address"],
  ["[disk]:9000", "no IPv6 address"],
  ["[::1]9000", "no IPv6 address"],
  ["1:2:3:4:5:6:7", "no IPv6 address"],
  ["1:2:3:4:5:6:7:8:9", "no IPv6 address"],
  ["1::2::3", "no IPv6 address"],
  ["1:2:3:4::5:6:7:8", "no IPv6 address"],
  ["[fe80::1%eth0]", "no IPv6 address"],
  ["unix:", 'begins with "/"'],
  ["unix:run", 'begins with "/"'],
  ["unix:/run\0", 'begins with "/"'],
];

Deno.test.each(INVALID)("parseAddress() refuses %j", pure, (text, reason) => {
  assertEquals(assertThrows(() => parseAddress(text), TrivetError, reason).code, "USAGE");
});

Deno.test("parseAddress() limits host names and socket paths", pure, () => {
  const host = (length: number) => "a.".repeat(length).slice(0, length - 1) + "a";
  assertEquals(parseAddress(host(HOST_MAX_CHARACTERS)).transport, "tcp");
  assertThrows(() => parseAddress(host(HOST_MAX_CHARACTERS + 1)), TrivetError, "no host name");
  assertEquals(parseAddress("a".repeat(63)).transport, "tcp");
  assertThrows(() => parseAddress("a".repeat(64)), TrivetError, "no host name");
  const path = "/" + "ä".repeat((UNIX_PATH_MAX_BYTES - 1) / 2);
  assertEquals(parseAddress("unix:" + path), { transport: "unix", path });
  assertThrows(() => parseAddress(`unix:${path}a`), TrivetError, `${UNIX_PATH_MAX_BYTES}`);
});

Deno.test("parseAddress() takes another default port", pure, () => {
  assertEquals(parseAddress("disk", 9123), { transport: "tcp", host: "disk", port: 9123 });
  assertEquals(parseAddress("::1", 9123), { transport: "tcp", host: "::1", port: 9123 });
});

Deno.test(
  "parseAddress() reads what formatAddress() writes, and fails only with USAGE",
  pure,
  () => {
    const port = fc.integer({ min: 1, max: 65535 });
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    fc.assert(fc.property(host, port, (host, port) => {
      const address: Address = { transport: "tcp", host: host.toLowerCase(), port };
      assertEquals(parseAddress(formatAddress(address)), address);
    }));
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        const once = parseAddress(text);
        assertEquals(parseAddress(formatAddress(once)), once);
      } catch (error) {
        if (!(error instanceof TrivetError)) throw error;
        assertEquals(error.code, "USAGE");
      }
    }));
  },
);

const LOOPBACK: [string, boolean][] = [
  ["localhost", true],
  ["LOCALHOST", true],
  ["127.0.0.1", true],
  ["127.255.255.254", true],
  ["::1", true],
  ["0:0:0:0:0:0:0:1", true],
  ["::ffff:127.0.0.1", true],
  ["::ffff:7f00:1", true],
  ["126.255.255.255", false],
  ["128.0.0.1", false],
  ["0.0.0.0", false],
  ["::", false],
  ["::2", false],
  ["1::1", false],
  ["::ffff:10.0.0.1", false],
  ["127.0.0.1.example.org", false],
  ["127.evil", false],
  ["localhost.example.org", false],
  ["", false],
];

Deno.test.each(LOOPBACK)("isLoopback(%j) is %s", pure, (host, loopback) => {
  assertEquals(isLoopback(host), loopback);
});

Deno.test("isIpAddress() tells addresses from names", pure, () => {
  for (const host of ["127.0.0.1", "::", "fe80::1"]) assertEquals(isIpAddress(host), true, host);
  for (const host of ["disk", "1.2.3", "a:b"]) assertEquals(isIpAddress(host), false, host);
});
