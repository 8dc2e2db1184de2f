import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import type { AuthResponse } from "../../lib/auth/exchange.ts";
import { deriveAuthKey, newMachineKey, parseMachineKey } from "../../lib/auth/machine_key.ts";
import { MachineKeyClient } from "../../lib/auth/machine_key_client.ts";
import type { MachineKeyChallenge } from "../../lib/auth/machine_key_messages.ts";
import { TrivetError } from "../../lib/errors.ts";
import { KeyGate } from "../../server/key_gate.ts";
import { KeySeal } from "../../server/key_seal.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";

const LINK = { service: "netdisk", mechanisms: ["machine-key-1"] };

/** Methods that cost something. */
const METHODS = [
  "importKey",
  "exportKey",
  "deriveBits",
  "digest",
  "sign",
  "encrypt",
  "decrypt",
] as const;

/** What a gate was made to do: each call of the cryptography with the sizes of what it was given. */
class Work implements Disposable {
  readonly calls: string[] = [];

  constructor() {
    for (const method of METHODS) {
      const original = crypto.subtle[method];
      const value = (...args: unknown[]) => {
        const sizes = args.map((arg) => ArrayBuffer.isView(arg) ? arg.byteLength : typeof arg);
        this.calls.push(`${method} ${sizes.join(" ")}`);
        return Reflect.apply(original, crypto.subtle, args);
      };
      Object.defineProperty(crypto.subtle, method, { value, configurable: true });
    }
  }

  [Symbol.dispose](): void {
    for (const method of METHODS) Reflect.deleteProperty(crypto.subtle, method);
  }
}

interface Opened {
  readonly gate: KeyGate;
  readonly catalog: SqliteCatalog;
  readonly queries: string[];
  /** Adds a key and answers its text. */
  add(name: string, change?: { services?: string[]; expiresAtMs?: number }): Promise<string>;
}

async function open(stack: AsyncDisposableStack): Promise<Opened> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const catalog = SqliteCatalog.open(`${folder}/trivet.db`);
  stack.defer(() => catalog.close());
  const seal = await KeySeal.open(folder);
  const queries: string[] = [];
  const gate = await KeyGate.open({
    catalog: {
      findKey: (id, service) => {
        queries.push(service);
        return catalog.findKey(id, service);
      },
      noteKeyUse: (id) => catalog.noteKeyUse(id),
    },
    seal,
    isRequired: true,
    now: () => performance.now(),
  });
  const add: Opened["add"] = async (name, change = {}) => {
    const text = newMachineKey();
    const key = parseMachineKey(text);
    const sealed = await seal.seal(key.id, await deriveAuthKey(key));
    const { services = null, expiresAtMs = null } = change;
    await catalog.addKey({ id: key.id, name, services, sealed, expiresAtMs });
    return text;
  };
  return { gate, catalog, queries, add };
}

/** How one exchange went. */
interface Outcome {
  /** Steps that the server sent. */
  readonly answers: string[];
  /** The server's refusal. */
  readonly error: [code: string, message: string] | null;
  /** What the server did up to its challenge, and after the client's proof. */
  readonly work: string[];
}

/** Sends a proof of somebody who does not care what the server proves. */
async function attempt(gate: KeyGate, text: string, proof?: "wrong" | "gone"): Promise<Outcome> {
  const client = new MachineKeyClient({ ...LINK, key: parseMachineKey(text) });
  const hello = await client.first();
  const answers: AuthResponse[] = [];
  const work: string[] = [];
  let watching = new Work();
  const pause = () => {
    work.push(...watching.calls);
    watching[Symbol.dispose]();
  };
  const guest = {
    ...LINK,
    answer: (response: AuthResponse) => {
      answers.push(response);
      return Promise.resolve();
    },
    receiveProof: async () => {
      pause();
      try {
        if (proof === "gone") throw new TrivetError("CONNECTION_LOST", "The connection was lost");
        if (proof === "wrong") return new Uint8Array(32).toBase64();
        return await client.prove(answers[0] as MachineKeyChallenge & AuthResponse);
      } finally {
        watching = new Work();
      }
    },
  };
  const error = await gate.admit(guest, hello).then(() => null, (error: TrivetError) => error);
  pause();
  return {
    answers: answers.map((answer) => answer.step),
    error: error === null ? null : [error.code, error.message],
    work,
  };
}

Deno.test("KeyGate.admit() takes a key and notes its use", async () => {
  await using stack = new AsyncDisposableStack();
  const { gate, catalog, add } = await open(stack);
  const { answers, error } = await attempt(gate, await add("backup"));
  assertEquals([answers, error], [["machine-key-challenge", "machine-key-accepted"], null]);
  const [key] = await catalog.listKeys({ limit: 1 });
  assertGreater(key?.lastUsedAtMs ?? 0, 0);
});

// It would take: a lookup that opens nothing, derives nothing or answers early for a key that it lacks.
// What is compared is the work, call by call, and not a clock.
Deno.test("KeyGate.admit() does the same for a key that it does not know as for a wrong one", async () => {
  await using stack = new AsyncDisposableStack();
  const { gate, catalog, queries, add } = await open(stack);
  const known = await add("known");
  const elsewhere = await add("elsewhere", { services: ["exec"] });
  const ended = await add("ended", { expiresAtMs: 1 });
  const revoked = await add("revoked");
  await catalog.revokeKey("revoked");
  for (const text of [newMachineKey(), elsewhere, ended, revoked]) {
    assertEquals((await attempt(gate, text)).error?.[0], "KEY_NOT_PROVEN");
  }
  for (const proof of ["wrong", "gone"] as const) {
    const expected = await attempt(gate, known, proof);
    assertEquals(expected.answers, ["machine-key-challenge"]);
    assertEquals(expected.error?.[0], "KEY_INVALID");
    assertGreater(expected.work.filter((call) => call.startsWith("decrypt")).length, 0);
    for (const text of [newMachineKey(), elsewhere, ended, revoked]) {
      queries.length = 0;
      assertEquals(await attempt(gate, text, proof), expected);
      assertEquals(queries, ["netdisk"]);
    }
  }
});

Deno.test("KeyGate.admit() proves nothing that a client of an unknown key believes", async () => {
  await using stack = new AsyncDisposableStack();
  const { gate } = await open(stack);
  const client = new MachineKeyClient({ ...LINK, key: parseMachineKey(newMachineKey()) });
  let challenge: MachineKeyChallenge | undefined;
  const admitted = gate.admit({
    ...LINK,
    answer: (response) => {
      if (response.step === "machine-key-challenge") challenge = response;
      return Promise.resolve();
    },
    receiveProof: () => Promise.reject(new TrivetError("CONNECTION_LOST", "Gone")),
  }, await client.first());
  await assertRejects(() => admitted, TrivetError);
  assertEquals(challenge === undefined, false);
  const error = await assertRejects(
    async () => await client.prove(challenge ?? { nonce: "", ephemeral: "", proof: "" }),
    TrivetError,
  );
  assertEquals(error.code, "KEY_NOT_PROVEN");
});

Deno.test("KeyGate.admit() refuses a key whose seal was replaced", async () => {
  await using stack = new AsyncDisposableStack();
  const [one, two] = [await open(stack), await open(stack)];
  const text = await one.add("moved");
  const [record] = await one.catalog.listKeys({ limit: 1 });
  const sealed = await one.catalog.findKey(record?.id ?? "", "netdisk");
  await two.catalog.addKey({
    ...{ id: record?.id ?? "", name: "moved", services: null, expiresAtMs: null },
    sealed: sealed ?? new Uint8Array(),
  });
  assertEquals((await attempt(two.gate, text, "wrong")).error?.[0], "KEY_INVALID");
});
