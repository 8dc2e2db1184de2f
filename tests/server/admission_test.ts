import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import { Admission, type AdmittedGuest, REFUSALS_MAX } from "../../server/admission.ts";

function guestFrom(source: string, evicted: string[], name = source): AdmittedGuest {
  return { source, evict: () => evicted.push(name) };
}

function refuse(admission: Admission, source: string, code: string): void {
  const error = assertThrows(() => admission.enter(guestFrom(source, [])), TrivetError);
  assertEquals(error.code, code);
}

/** Somebody from `source` who has logged in. */
function memberFrom(admission: Admission, source: string): AdmittedGuest {
  const member = guestFrom(source, []);
  admission.enter(member);
  assert(admission.promote(member));
  return member;
}

Deno.test(
  "Admission.enter() evicts nobody up to the limit of guests",
  { permissions: "none" },
  () => {
    const evicted: string[] = [];
    const admission = new Admission({ guestsMax: 3 });
    for (let i = 0; i < 3; i++) admission.enter(guestFrom("a", evicted));
    assertEquals(evicted, []);
    assertEquals(admission.guestCount, 3);
  },
);

Deno.test("Admission.enter() evicts the oldest guest of the largest crowd above the limit", {
  permissions: "none",
}, () => {
  const evicted: string[] = [];
  const admission = new Admission({ guestsMax: 3 });
  admission.enter(guestFrom("b", evicted, "b1"));
  admission.enter(guestFrom("a", evicted, "a1"));
  admission.enter(guestFrom("a", evicted, "a2"));
  admission.enter(guestFrom("c", evicted, "c1"));
  assertEquals(evicted, ["a1"]);
  assertEquals(admission.guestCount, 3);
});

Deno.test("Admission.promote() keeps members out of the guests' limit, and refuses the evicted", {
  permissions: "none",
}, () => {
  const evicted: string[] = [];
  const admission = new Admission({ guestsMax: 1 });
  const member = guestFrom("a", evicted, "member");
  const slow = guestFrom("b", evicted, "slow");
  admission.enter(member);
  assert(admission.promote(member));
  admission.enter(slow);
  admission.enter(guestFrom("c", evicted, "next"));
  assertEquals(evicted, ["slow"]);
  assertFalse(admission.promote(slow));
  assertEquals(admission.memberCount, 1);
  admission.leaveMember(member);
  assertEquals(admission.memberCount, 0);
});

Deno.test("Admission.enter() refuses only when members take every place", {
  permissions: "none",
}, () => {
  const evicted: string[] = [];
  const admission = new Admission({ connectionsMax: 2, guestsMax: 2 });
  const first = guestFrom("a", evicted, "first");
  const second = guestFrom("a", evicted, "second");
  admission.enter(first);
  admission.promote(first);
  admission.enter(second);
  admission.enter(guestFrom("b", evicted, "third"));
  assertEquals(evicted, ["second"]);
  const fourth = guestFrom("c", evicted, "fourth");
  admission.enter(fourth);
  assert(admission.promote(fourth));
  refuse(admission, "d", "SERVER_BUSY");
});

Deno.test("Admission.enter() gives an address its places and no more, and others theirs", {
  permissions: "none",
}, () => {
  const admission = new Admission({ connectionsPerAddressMax: 2 });
  const first = memberFrom(admission, "2001:db8::1");
  memberFrom(admission, "2001:db8::2");
  refuse(admission, "2001:db8::3", "TOO_MANY_CONNECTIONS");
  memberFrom(admission, "2001:db8:0:1::1");
  admission.leaveMember(first);
  memberFrom(admission, "2001:db8::3");
  refuse(admission, "2001:db8::4", "TOO_MANY_CONNECTIONS");
});

Deno.test("Admission.enter() evicts the oldest guest of an address that has all its places", {
  permissions: "none",
}, () => {
  const evicted: string[] = [];
  const admission = new Admission({ connectionsPerAddressMax: 3 });
  memberFrom(admission, "a");
  for (const name of ["a1", "a2"]) admission.enter(guestFrom("a", evicted, name));
  admission.enter(guestFrom("b", evicted, "b1"));
  assertEquals(evicted, []);
  admission.enter(guestFrom("a", evicted, "a3"));
  assertEquals(evicted, ["a1"]);
  assertEquals([admission.guestCount, admission.memberCount], [3, 1]);
});

Deno.test("Admission.enter() counts addresses not at all at 0, and never those of a Unix socket", {
  permissions: "none",
}, () => {
  const unlimited = new Admission({ connectionsPerAddressMax: 0 });
  for (let count = 0; count < 10; count++) memberFrom(unlimited, "a");
  const admission = new Admission({ connectionsPerAddressMax: 1 });
  for (let count = 0; count < 10; count++) memberFrom(admission, "unix");
  assertEquals(admission.memberCount, 10);
});

Deno.test("Admission.beginRefusal() lets so many be told at once", { permissions: "none" }, () => {
  const admission = new Admission();
  for (let count = 0; count < REFUSALS_MAX; count++) assert(admission.beginRefusal());
  assertFalse(admission.beginRefusal());
  admission.endRefusal();
  assert(admission.beginRefusal());
});
