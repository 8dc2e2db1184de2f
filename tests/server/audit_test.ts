import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { hashToken } from "../../lib/auth/token.ts";
import { formatVerifier, makeVerifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import { NETDISK_REQUESTS, NETDISK_UNRECORDED } from "../../lib/netdisk/messages.ts";
import { type CallHandler, ServerCall } from "../../lib/rpc/server.ts";
import { Audit, AUDIT_ITEMS_MAX, auditCalls } from "../../server/audit.ts";
import { startLog } from "../../server/log.ts";
import { ask, TestServer } from "./testing.ts";

type Line = Record<string, unknown>;

const ROTATION = { maxBytes: 1024 ** 2, olderFiles: 1 };

async function linesOf(path: string): Promise<Line[]> {
  const text = await Deno.readTextFile(path);
  assert(text === "" || text.endsWith("\n"));
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

type Asked = Pick<ServerCall, "method" | "params"> & { readonly body?: Uint8Array };

/** A call as far as the audit log looks at it. */
function callOf({ method, params, body = new Uint8Array(0) }: Asked): ServerCall {
  return Object.create(ServerCall.prototype, {
    method: { value: method },
    params: { value: params },
    body: { value: body },
  });
}

/** What the audit log says of one call, without time and duration. */
async function recorded(
  call: Asked,
  handle: CallHandler,
): Promise<Line[]> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
  try {
    using audit = await Audit.open(folder, ROTATION);
    const caller = { user: "ada", source: "192.0.2.1" };
    await auditCalls(handle, audit, caller)(callOf(call)).catch(() => {});
    return (await linesOf(join(folder, "log", "audit.jsonl"))).map((line) => {
      const { time, duration_ms, prev, ...rest } = line;
      assert(!Number.isNaN(Date.parse(String(time))) && Number(duration_ms) >= 0);
      assertEquals(prev, null);
      return rest;
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const KNOWN = { user: "ada", source: "192.0.2.1", result: "OK" };

Deno.test("auditCalls() takes paths, ids and bytes from request and answer, and nothing else", async () => {
  const cases: [Asked, unknown, Line][] = [
    [
      { method: "put.file", params: { path: ["a", "b"], secret: "x" }, body: new Uint8Array(3) },
      { path: ["a", "b (2)"], token: "y" },
      { paths: ["/a/b", "/a/b (2)"], bytes: 3 },
    ],
    [
      { method: "put.commit", params: { uploadId: "u", size: 9 } },
      { path: ["a"], size: 9, skipped: true },
      { paths: ["/a"], ids: ["u"], bytes: 9, skipped: true },
    ],
    [{ method: "mv", params: { from: ["a"], to: ["b"] } }, {}, { paths: ["/a", "/b"] }],
    [{ method: "trash.empty", params: { ids: ["1", "2"] } }, { bytes: 5 }, {
      ids: ["1", "2"],
      bytes: 5,
    }],
    [{ method: "logout", params: undefined }, { revoked: true }, {}],
    [{ method: "rm", params: { path: "no list", ids: [1] } }, null, {}],
  ];
  for (const [call, head, facts] of cases) {
    const lines = await recorded(call, () => Promise.resolve({ head }));
    assertEquals(lines, [{ method: call.method, ...KNOWN, ...facts }]);
  }
});

Deno.test("auditCalls() writes down what failed, and no line of requests that only read", async () => {
  const refuse = () => Promise.reject(new TrivetError("NOT_FOUND", "No"));
  const rm = await recorded({ method: "rm", params: { path: ["a"] } }, refuse);
  assertEquals(rm, [{ ...KNOWN, method: "rm", result: "NOT_FOUND", paths: ["/a"] }]);
  const crash = () => Promise.reject(new RangeError("A defect"));
  assertEquals((await recorded({ method: "future", params: {} }, crash))[0]?.result, "INTERNAL");
  for (const method of NETDISK_UNRECORDED) {
    assertEquals(await recorded({ method, params: {} }, refuse), []);
    assert(method in NETDISK_REQUESTS, method);
  }
});

Deno.test("the audit log has no secret of the calls about passwords, tokens and invites", async () => {
  await using server = await TestServer.start({ audit: { ...ROTATION } });
  const verifier = formatVerifier(await makeVerifier("another password"));
  const login = await server.addUser("ada");
  await using rpc = await server.login(login);
  const keep = await hashToken(login);
  await rpc.call("account.passwd", { verifier, keep }).catch(() => {});
  const made = await ask(rpc, "token.create", { scope: "read", path: ["in"], label: "a label" });
  await ask(rpc, "token.list", {});
  // The token itself in place of its id.
  await rpc.call("token.revoke", { ids: [made.token] }).catch(() => {});
  await ask(rpc, "token.revoke", { ids: [made.id] });
  const path = join(server.data, "log", "audit.jsonl");
  const lines = await linesOf(path);
  assertEquals(
    lines.slice(1).map(({ method, result, ids, paths }) => [method, result, ids, paths]),
    [
      ["account.passwd", "AUTH_REQUIRED", undefined, undefined],
      ["token.create", "OK", undefined, ["/in"]],
      ["token.revoke", "INVALID_REQUEST", undefined, undefined],
      ["token.revoke", "OK", [made.id], undefined],
    ],
  );
  const text = await Deno.readTextFile(path);
  const [, keys = verifier] = verifier.split("$", 2);
  for (const secret of [login, made.token, verifier, keys, keep, "a label"]) {
    assertEquals(text.includes(secret), false);
  }
});

Deno.test("auditCalls() cuts what a request that nobody has checked may carry", async () => {
  const params = {
    path: ["p".repeat(5000)],
    ids: Array.from({ length: AUDIT_ITEMS_MAX + 1 }, (_, index) => `${index}`.padEnd(200, "i")),
  };
  const [line] = await recorded({ method: "x", params }, () => Promise.resolve());
  assertEquals(line?.paths, [`/${"p".repeat(4095)}`]);
  const { ids } = line as { ids: string[] };
  assertEquals([ids.length, ids[0]?.length], [AUDIT_ITEMS_MAX, 128]);
});

Deno.test("Audit.note() loses lines on a full disk, and says how many once it can", async () => {
  const lines: Line[] = [];
  let isFull = false;
  using audit = new Audit({
    write: (line) => {
      if (isFull) throw new Error("No space left on device");
      lines.push(JSON.parse(line));
    },
    [Symbol.dispose]: () => {},
  });
  const warnings: string[] = [];
  startLog({ level: "warning", format: "text", write: (line) => warnings.push(line) });
  const handle = auditCalls(() => Promise.resolve({ head: {} }), audit, KNOWN);
  const call = (method: string) => handle(callOf({ method, params: {} }));
  await call("first");
  isFull = true;
  for (let lost = 0; lost < 3; lost++) assertEquals(await call("lost"), { head: {} });
  isFull = false;
  await call("last");
  assertEquals(lines.map(({ method, lines }) => [method, lines]), [
    ["first", undefined],
    ["audit.lost", 3],
    ["last", undefined],
  ]);
  assertEquals(warnings.map((line) => line.replace(/^\S+ /, "")), [
    "warning The audit log loses lines: Error: No space left on device\n",
    "warning The audit log is written again; 3 lines are missing\n",
  ]);
});

Deno.test("the server has written a change down before it answers", async () => {
  const audit = { ...ROTATION };
  await using server = await TestServer.start({ audit });
  const path = join(server.data, "log", "audit.jsonl");
  await using rpc = await server.login(await server.addUser("ada"));
  for (let folder = 0; folder < 20; folder++) {
    await ask(rpc, "mkdir", { path: [`${folder}`] });
    const last = (await linesOf(path)).at(-1);
    assertEquals([last?.method, last?.paths], ["mkdir", [`/${folder}`]]);
  }
  await rpc.call("mkdir", { path: ["0"] }).catch(() => {});
  await rpc.call("no.such.method", {}).catch(() => {});
  const lines = await linesOf(path);
  assertEquals(lines.slice(-2).map(({ method, result }) => [method, result]), [
    ["mkdir", "EXISTS"],
    ["no.such.method", "UNKNOWN_METHOD"],
  ]);
  assertEquals([lines[0]?.method, lines[0]?.user], ["auth.token", "ada"]);
});
