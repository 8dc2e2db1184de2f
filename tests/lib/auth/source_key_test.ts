import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { sourceKey } from "../../../lib/auth/source_key.ts";

const permissions = "none";

for (
  const [address, key] of [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:C000:0201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002:ffff::", "2001:db8:1:2::/64"],
    ["2001:db8:1:3::1", "2001:db8:1:3::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0:0:0:0:1"],
    ["fe80::2", "fe80:0:0:0:0:0:0:2"],
    ["febf::2", "febf:0:0:0:0:0:0:2"],
    ["fec0::2", "fec0:0:0:0::/64"],
    ["unix", "unix"],
    ["", ""],
    ["1:2:3", "1:2:3"],
    ["1::2::3", "1::2::3"],
    ["1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:9"],
    ["1:2:3:4:5:6:7::8", "1:2:3:4:5:6:7::8"],
    ["1:2:3:4:5:6::8", "1:2:3:4::/64"],
    ["1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:8::"],
    ["12345::", "12345::"],
    ["::256.0.0.1", "::256.0.0.1"],
    ["x".repeat(101), "x".repeat(100)],
  ] as const
) {
  Deno.test(`sourceKey() of "${address}"`, { permissions }, () => {
    assertEquals(sourceKey(address), key);
  });
}

Deno.test("sourceKey() is one key for one network of 64 bits", { permissions }, () => {
  const group = fc.nat(0xffff).map((value) => value.toString(16));
  const half = fc.tuple(group, group, group, group).map((groups) => groups.join(":"));
  fc.assert(fc.property(half, half, half, (network, one, two) => {
    fc.pre(!network.startsWith("fe") && !network.startsWith("0:"));
    assertEquals(sourceKey(`${network}:${one}`), sourceKey(`${network}:${two}`));
  }));
});

Deno.test("sourceKey() throws at nothing", { permissions }, () => {
  const text = fc.array(fc.constantFrom(":", "::", "f", "0", ".", "%", "255", "\n"), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(text, (pieces) => sourceKey(pieces.join("")).length <= 100),
    { numRuns: 5000 },
  );
});
