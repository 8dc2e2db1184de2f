import { assertEquals } from "@std/assert";
import { after } from "../../lib/after.ts";

Deno.test("after() runs what it is given, once", async () => {
  let runs = 0;
  await new Promise<void>((resolve) => {
    after(1, () => {
      runs += 1;
      resolve();
    });
  });
  assertEquals(runs, 1);
});

Deno.test("after() takes a while that is over already", async () => {
  await new Promise<void>((resolve) => void after(-1, resolve));
});

Deno.test("after() runs nothing once it is disposed of", async () => {
  const ran: string[] = [];
  after(5, () => ran.push("disposed"))[Symbol.dispose]();
  await new Promise<void>((resolve) => void after(20, resolve));
  assertEquals(ran, []);
});
