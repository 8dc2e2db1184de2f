import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createCertificate, pemToDer, readCertificate } from "../../../lib/link/certificate.ts";
import { dnsNamesOf } from "../../../lib/link/subject_names.ts";
import { makeAuthority } from "./authority.ts";

Deno.test("dnsNamesOf() reads the names of a self-made certificate", async () => {
  const { certPem } = await createCertificate({ serverId: "abc" });
  const { der, names } = await readCertificate(certPem);
  assertEquals([dnsNamesOf(der), names], [["abc.trivet.internal"], names]);
});

Deno.test("dnsNamesOf() reads what an authority issued as readCertificate() does", async () => {
  const long = `${"a".repeat(60)}.${"b".repeat(60)}.example.org`;
  const many = Array.from({ length: 30 }, (_, i) => `DNS:host${i}.example.org`).join(",");
  for (const text of ["DNS:Disk.Example.Org,DNS:*.example.org", `DNS:${long}`, many]) {
    const { leafPem } = await makeAuthority(text);
    const { der, names } = await readCertificate(leafPem);
    assertEquals(dnsNamesOf(der), [...names]);
  }
});

Deno.test("dnsNamesOf() leaves what else there is to readCertificate()", async () => {
  const { leafPem, authorityPem } = await makeAuthority("DNS:disk.example.org,IP:127.0.0.1");
  assertEquals(dnsNamesOf((await readCertificate(leafPem)).der), undefined);
  assertEquals(dnsNamesOf((await readCertificate(authorityPem)).der), undefined);
});

Deno.test("dnsNamesOf() takes any damage without failing", async () => {
  const { certPem } = await createCertificate({ serverId: "abc" });
  const [der = new Uint8Array(0)] = pemToDer(certPem);
  for (let length = 0; length < der.length; length++) {
    assertEquals(dnsNamesOf(der.subarray(0, length)), undefined);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    dnsNamesOf(bytes);
  }));
  const place = fc.nat({ max: der.length - 1 });
  fc.assert(fc.property(place, fc.nat({ max: 255 }), (at, byte) => {
    dnsNamesOf(der.with(at, byte));
  }));
});
