import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { createHash, X509Certificate } from "node:crypto";
import { TrivetError } from "../../../lib/errors.ts";
import {
  createCertificate,
  fingerprintOf,
  pemToDer,
  readCertificate,
  toPem,
} from "../../../lib/link/certificate.ts";
import { makeAuthority } from "./authority.ts";

const NOT_BEFORE = new Date("2026-01-02T03:04:05Z");

Deno.test("createCertificate() makes a leaf for the private name of the server", async () => {
  const { certPem, keyPem } = await createCertificate({ serverId: "abc", notBefore: NOT_BEFORE });
  const parsed = new X509Certificate(certPem);
  assertEquals(parsed.subjectAltName, "DNS:abc.trivet.internal");
  assertEquals(parsed.ca, false);
  assert(parsed.verify(parsed.publicKey));
  assertEquals(parsed.publicKey.asymmetricKeyType, "ec");
  assertEquals(parsed.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  assertMatch(keyPem, /^-----BEGIN PRIVATE KEY-----\n/);

  const info = await readCertificate(certPem);
  assertEquals(info.names, ["abc.trivet.internal"]);
  assertEquals(info.selfSigned, true);
  assertEquals(info.authority, false);
  assertEquals(info.notBefore, NOT_BEFORE);
  assertEquals(info.notAfter, new Date("2036-01-02T03:04:05Z"));
  assertEquals(info.sha256.toHex(), createHash("sha256").update(info.der).digest("hex"));
  assertEquals(await fingerprintOf(info.der), info.sha256);
  assertEquals((await readCertificate(info.der)).names, info.names);
});

Deno.test("createCertificate() begins a day ago, and crosses the year 2050", async () => {
  const { certPem } = await createCertificate({ serverId: "a", years: 40 });
  const info = await readCertificate(certPem);
  const ageMs = Date.now() - info.notBefore.getTime();
  assert(ageMs >= 86_400_000 && ageMs < 86_400_000 + 60_000, `${ageMs}`);
  assertEquals(info.notAfter.getUTCFullYear(), info.notBefore.getUTCFullYear() + 40);
});

Deno.test("createCertificate() makes other keys and serial numbers each time", async () => {
  const one = new X509Certificate((await createCertificate({ serverId: "a" })).certPem);
  const two = new X509Certificate((await createCertificate({ serverId: "a" })).certPem);
  assertNotEquals(one.serialNumber, two.serialNumber);
  assertEquals(one.serialNumber.length, 32);
  assert(!one.verify(two.publicKey));
});

Deno.test("createCertificate() takes a label of 1 to 63 characters", async () => {
  await createCertificate({ serverId: "a".repeat(63) });
  for (const serverId of ["", "a".repeat(64), "a.b", "A", "-a", "a-", "*"]) {
    await assertRejects(() => createCertificate({ serverId }), RangeError, "no label");
  }
});

Deno.test("readCertificate() tells an authority and what it issued apart", async () => {
  const authority = await makeAuthority(
    "DNS:disk.example.org,DNS:*.example.net,IP:127.0.0.1,IP:::1",
  );
  const leaf = await readCertificate(authority.chainPem);
  assertEquals(leaf.names.slice(0, 3), ["disk.example.org", "*.example.net", "127.0.0.1"]);
  assertEquals(leaf.names.length, 4);
  assertEquals([leaf.selfSigned, leaf.authority], [false, false]);
  const issuer = await readCertificate(authority.authorityPem);
  assertEquals([issuer.selfSigned, issuer.authority], [true, true]);
  assertEquals(pemToDer(authority.chainPem).length, 2);
});

Deno.test("readCertificate() refuses what is no certificate", async () => {
  const { certPem, keyPem } = await createCertificate({ serverId: "a" });
  const cut = certPem.split("\n").toSpliced(3, 1).join("\n");
  for (const wrong of ["", keyPem, cut, certPem.replace("M", "!"), new Uint8Array(9)]) {
    const error = await assertRejects(() => readCertificate(wrong), TrivetError);
    assertEquals(error.code, "USAGE");
  }
});

Deno.test("toPem() writes what pemToDer() reads", async () => {
  const { certPem } = await createCertificate({ serverId: "a" });
  const [der = new Uint8Array()] = pemToDer(certPem);
  assertEquals(toPem(der), certPem);
  assertEquals(pemToDer(certPem.replaceAll("\n", "\r\n")), [der]);
});
