import { assertEquals, assertThrows } from "@std/assert";
import { CONTACTS_MAX, PEER_PORT, readContacts } from "../../../lib/chat/peer_contacts.ts";
import { TrivetError } from "../../../lib/errors.ts";

const none = { permissions: "none" } as const;

Deno.test("readContacts() reads names, addresses and key files", none, () => {
  const tables = {
    bob: { address: "192.168.1.7:7000", key_file: "bob.key" },
    "小明": { address: "[::1]" },
    cat: {},
  };
  assertEquals(readContacts(tables, "c.toml"), [
    { name: "bob", address: { host: "192.168.1.7", port: 7000 }, keyFile: "bob.key" },
    { name: "小明", address: { host: "::1", port: PEER_PORT }, keyFile: undefined },
    { name: "cat", address: undefined, keyFile: undefined },
  ]);
});

Deno.test("readContacts() takes the most contacts, and not one more", none, () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, {}]));
  assertEquals(readContacts(many(CONTACTS_MAX), "c.toml").length, CONTACTS_MAX);
  assertThrows(() => readContacts(many(CONTACTS_MAX + 1), "c.toml"), TrivetError, "the limit is");
});

const WRONG: [tables: unknown, problem: string][] = [
  [[], "no table of contacts"],
  [{}, "names nobody"],
  [{ "a b": {} }, "is no name"],
  [{ "a:b": {} }, "is no name"],
  [{ ["a".repeat(33)]: {} }, "is no name"],
  [{ bob: "x" }, "is no table"],
  [{ bob: { adress: "x" } }, 'unknown key "adress"'],
  [{ bob: { address: 7 } }, "is no text"],
  [{ bob: { key_file: 7 } }, "is no text"],
  [{ bob: { address: "unix:/a" } }, "Unix socket"],
  [{ bob: { address: "a:b:c" } }, "Cannot read the address"],
];

for (const [tables, problem] of WRONG) {
  Deno.test(`readContacts() refuses ${JSON.stringify(tables).slice(0, 40)}`, none, () => {
    const error = assertThrows(() => readContacts(tables, "c.toml"), TrivetError, problem);
    assertEquals(error.code, "USAGE");
  });
}
