import { assertEquals, assertRejects } from "@std/assert";
import { confirm, type Finding, type Suspect } from "../../../server/care/finding.ts";

function finding(where: string, countedBytes = 0): Finding {
  return { kind: "quota", user: "ada", where, detail: "", countedBytes };
}

/** Suspects whose second look says something else; the order of the looks is noted. */
async function* suspects(
  seconds: readonly (Finding | null)[],
  looks: string[] = [],
): AsyncGenerator<Suspect> {
  for (const [index, second] of seconds.entries()) {
    const first = finding(String(index));
    looks.push(`first ${index}`);
    const look = () => {
      looks.push(`second ${index}`);
      return Promise.resolve(second);
    };
    yield await Promise.resolve({ finding: first, look });
  }
}

Deno.test("confirm() keeps what is the same at the second look and nothing else", async () => {
  const seconds = [finding("0"), null, finding("2", 1), finding("3")];
  const kept = await Array.fromAsync(confirm(suspects(seconds), 1));
  assertEquals(kept.map(({ where }) => where), ["0", "3"]);
});

Deno.test("confirm() looks again after all first looks, at 256 together", async () => {
  const looks: string[] = [];
  const seconds = Array.from({ length: 257 }, (_, index) => finding(String(index)));
  assertEquals((await Array.fromAsync(confirm(suspects(seconds, looks), 1))).length, 257);
  assertEquals([looks[255], looks[256], looks[511], looks[512], looks[513]], [
    "first 255",
    "second 0",
    "second 255",
    "first 256",
    "second 256",
  ]);
});

Deno.test("confirm() without a pause looks once, and hands over at once", async () => {
  const looks: string[] = [];
  const findings = confirm(suspects([null, null], looks), 0);
  assertEquals((await findings.next()).value?.where, "0");
  assertEquals(looks, ["first 0"]);
  await findings.return();
});

Deno.test("confirm() ends its wait when it is told to", async () => {
  const signal = AbortSignal.abort();
  await assertRejects(() => Array.fromAsync(confirm(suspects([null]), 60_000, signal)));
});
