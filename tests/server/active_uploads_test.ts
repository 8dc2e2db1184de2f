import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
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
    user: "ada",
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
  const make = () => ({ id: "u", user: "ada", end: () => Promise.resolve() });
  const [first, second] = [make(), make()];
  uploads.add(first);
  await uploads.takeOver("u");
  uploads.add(second);
  uploads.remove(first);
  assertEquals(uploads.size, 1);
  uploads.remove(second);
  assertEquals(uploads.size, 0);
});

Deno.test("ActiveUploads.holdPlace() gives an account its places and no more, and others theirs", {
  permissions: "none",
}, async () => {
  const uploads = new ActiveUploads({ accountUploadsMax: 2 });
  const upload = { id: "u", user: "ada", end: () => Promise.resolve() };
  const isFull = (user: string) => {
    const error = assertThrows(() => uploads.holdPlace(user), TrivetError);
    assertEquals(error.code, "TOO_MANY_UPLOADS");
  };
  // As an upload is opened: the place is held until the upload itself takes it.
  const place = uploads.holdPlace("ada");
  uploads.add(upload);
  place[Symbol.dispose]();
  const other = uploads.holdPlace("ada");
  isFull("ada");
  uploads.holdPlace("ben")[Symbol.dispose]();
  other[Symbol.dispose]();
  uploads.holdPlace("ada");
  isFull("ada");
  await uploads.takeOver("u");
  uploads.remove(upload);
  uploads.holdPlace("ada");
  isFull("ada");
});
