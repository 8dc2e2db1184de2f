import { assertEquals } from "@std/assert";
import { OpenFiles } from "../../../server/netdisk/open_files.ts";

Deno.test("OpenFiles.take() lets in as many as there may be, in order", {
  permissions: "none",
}, async () => {
  const open = new OpenFiles(10);
  const entered: string[] = [];
  const enter = async (name: string, count: number) => {
    const held = await open.take(count);
    entered.push(name);
    return held;
  };
  const six = await enter("six", 6);
  const four = await enter("four", 4);
  // Five could not enter before six is back; one waits behind it all the same.
  const waiting = [enter("five", 5), enter("one", 1), enter("many", 99)];
  four[Symbol.dispose]();
  four[Symbol.dispose]();
  await Promise.resolve();
  assertEquals(entered, ["six", "four"]);
  six[Symbol.dispose]();
  const [five, one] = await Promise.all(waiting.slice(0, 2));
  assertEquals(entered, ["six", "four", "five", "one"]);
  five?.[Symbol.dispose]();
  one?.[Symbol.dispose]();
  // More than there may be at all enters alone.
  (await waiting[2])?.[Symbol.dispose]();
  assertEquals(entered.at(-1), "many");
});
