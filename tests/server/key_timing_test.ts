import { assert, assertRejects } from "@std/assert";
import type { AuthResponse } from "../../lib/auth/exchange.ts";
import { deriveAuthKey, newMachineKey, parseMachineKey } from "../../lib/auth/machine_key.ts";
import { MachineKeyClient } from "../../lib/auth/machine_key_client.ts";
import { TrivetError } from "../../lib/errors.ts";
import { KeyGate } from "../../server/key_gate.ts";
import { KeySeal } from "../../server/key_seal.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";

const LINK = { service: "netdisk", mechanisms: ["machine-key-1"] };
const PAIRS = 200;

/** Milliseconds from the first message of somebody with this key to their refusal. */
async function refusalMs(gate: KeyGate, text: string): Promise<number> {
  const client = new MachineKeyClient({ ...LINK, key: parseMachineKey(text) });
  const hello = await client.first();
  const guest = {
    ...LINK,
    answer: (_: AuthResponse) => Promise.resolve(),
    receiveProof: () => Promise.resolve(new Uint8Array(32).toBase64()),
  };
  const startMs = performance.now();
  await assertRejects(() => gate.admit(guest, hello), TrivetError);
  return performance.now() - startMs;
}

/** How likely a number of the one list is above one of the other; 0.5 where nobody can tell them apart. */
function chanceAbove(ones: readonly number[], others: readonly number[]): number {
  let above = 0;
  for (const one of ones) {
    for (const other of others) above += one > other ? 1 : one === other ? 0.5 : 0;
  }
  return above / ones.length / others.length;
}

// Beside the comparison of the work, call by call, in key_gate_test.ts: this sees also what that does not
// count. A machine that does other things shifts single rounds, so the best of three counts.
Deno.test("the time of a refusal does not tell whether a machine key is known", async () => {
  const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
  const catalog = SqliteCatalog.open(`${folder}/trivet.db`);
  try {
    const seal = await KeySeal.open(folder);
    const now = () => performance.now();
    const gate = await KeyGate.open({ catalog, seal, isRequired: true, now });
    const known = newMachineKey();
    const key = parseMachineKey(known);
    const sealed = await seal.seal(key.id, await deriveAuthKey(key));
    await catalog.addKey({ id: key.id, name: "a", services: null, sealed, expiresAtMs: null });
    const unknown = newMachineKey();
    const chances: number[] = [];
    for (let round = 0; round < 3; round++) {
      const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] };
      for (let pair = 0; pair < PAIRS; pair++) {
        // Now one first, now the other.
        const order = pair % 2 === 0 ? [known, unknown] : [unknown, known];
        for (const text of order) {
          times[text === known ? "known" : "unknown"].push(await refusalMs(gate, text));
        }
      }
      chances.push(chanceAbove(times.known, times.unknown));
      if (Math.abs((chances.at(-1) ?? 0) - 0.5) < 0.15) return;
    }
    assert(false, `A guess is right with a chance of ${chances.join(", ")}`);
  } finally {
    await catalog.close();
    await Deno.remove(folder, { recursive: true });
  }
});
