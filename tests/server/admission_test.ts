import { assert, assertEquals, assertFalse } from "@std/assert";
import { Admission, type AdmittedGuest } from "../../server/admission.ts";

function guestFrom(source: string, evicted: string[], name = source): AdmittedGuest {
  return { source, evict: () => evicted.push(name) };
}

Deno.test(
  "Admission.enter() evicts nobody up to the limit of guests",
  { permissions: "none" },
  () => {
    const evicted: string[] = [];
    const admission = new Admission({ guestsMax: 3 });
    for (let i = 0; i < 3; i++) assert(admission.enter(guestFrom("a", evicted)));
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
  assert(admission.enter(guestFrom("c", evicted, "c1")));
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
  admission.leaveMember();
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
  assert(admission.enter(second));
  assert(admission.enter(guestFrom("b", evicted, "third")));
  assertEquals(evicted, ["second"]);
  const fourth = guestFrom("c", evicted, "fourth");
  assert(admission.enter(fourth));
  assert(admission.promote(fourth));
  assertFalse(admission.enter(guestFrom("d", evicted, "fifth")));
});
