import { assertEquals, assertInstanceOf } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import { ActiveUploads } from "../../server/netdisk/active_uploads.ts";

Deno.test("ActiveUploads.takeOver() waits until the session before has ended", {
  permissions: "none",
}, async () => {
  const uploads = new ActiveUploads();
  const ended = Promise.withResolvers<void>();
  const reasons: unknown[] = [];
  const first = {
    id: "u",
    end: (reason: TrivetError) => {
      reasons.push(reason);
      return ended.promise;
    },
  };
  uploads.add(first);
  let isTaken = false;
  const taken = uploads.takeOver("u").then(() => isTaken = true);
  await Promise.resolve();
  assertEquals(isTaken, false);
  ended.resolve();
  await taken;
  const [reason] = reasons;
  assertInstanceOf(reason, TrivetError);
  assertEquals(reason.code, "UPLOAD_TAKEN_OVER");
});

Deno.test("ActiveUploads.remove() leaves the session that took over alone", {
  permissions: "none",
}, async () => {
  const uploads = new ActiveUploads();
  const make = () => ({ id: "u", end: () => Promise.resolve() });
  const [first, second] = [make(), make()];
  uploads.add(first);
  await uploads.takeOver("u");
  uploads.add(second);
  uploads.remove(first);
  assertEquals(uploads.size, 1);
  uploads.remove(second);
  assertEquals(uploads.size, 0);
});
