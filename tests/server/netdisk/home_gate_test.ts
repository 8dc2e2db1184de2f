import { assertEquals } from "@std/assert";
import { HomeGate } from "../../../server/netdisk/home_gate.ts";

Deno.test("HomeGate.alone() waits for those inside, and later ones wait for it", async () => {
  const gate = new HomeGate();
  const log: string[] = [];
  const first = await gate.share("ada");
  const second = await gate.share("ada");
  const leave = Promise.withResolvers<void>();
  const alone = gate.alone("ada", async () => {
    log.push("alone");
    await leave.promise;
    log.push("left");
  });
  const late = gate.share("ada").then((held) => {
    log.push("late");
    held[Symbol.dispose]();
  });
  await gate.alone("bob", () => Promise.resolve(log.push("bob")));
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await gate.alone("eve", () => Promise.resolve(log.push("eve")));
  second[Symbol.dispose]();
  leave.resolve();
  await Promise.all([alone, late]);
  assertEquals(log, ["bob", "eve", "alone", "left", "late"]);
});

Deno.test("HomeGate lets the next one in when work fails", async () => {
  const gate = new HomeGate();
  const failed = gate.alone("ada", () => Promise.reject(new Error("failed"))).catch(() => "failed");
  const after = gate.alone("ada", () => Promise.resolve("after"));
  assertEquals(await Promise.all([failed, after]), ["failed", "after"]);
  using _held = await gate.share("ada");
});
