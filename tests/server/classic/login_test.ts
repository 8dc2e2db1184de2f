import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { LoginThrottle } from "../../../lib/auth/throttle.ts";
import { Places } from "../../../lib/rpc/places.ts";
import type { AuthAttempt, Authority } from "../../../server/authenticate.ts";
import { loginClassic, registerClassic } from "../../../server/classic/login.ts";
import { FolderDepot } from "../../../server/netdisk/folder_depot.ts";
import { SqliteCatalog } from "../../../server/store/sqlite_catalog.ts";
import { PASSWORD } from "../../e2e/testing.ts";

/** An authority on a folder of its own, and what it was told. */
async function open(
  stack: AsyncDisposableStack,
): Promise<{ authority: Authority; attempts: AuthAttempt[] }> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const catalog = SqliteCatalog.open(`${folder}/trivet.db`);
  stack.defer(() => catalog.close());
  const attempts: AuthAttempt[] = [];
  const authority: Authority = {
    catalog,
    depot: await FolderDepot.open(folder, { names: "native" }),
    throttle: new LoginThrottle(),
    fakeSecret: crypto.getRandomValues(new Uint8Array(32)),
    registration: "open",
    defaultQuotaBytes: 1000,
    now: () => performance.now(),
    onAttempt: (attempt) => attempts.push(attempt),
  };
  return { authority, attempts };
}

Deno.test("registerClassic() and loginClassic() wait for their turn, and give up when told to", async () => {
  await using stack = new AsyncDisposableStack();
  const { authority, attempts } = await open(stack);
  const turns = new Places(1);
  const gone = new AbortController();
  const ada = { user: "ada", password: PASSWORD, source: "127.0.0.1", turns, signal: gone.signal };
  await turns.take(gone.signal);
  const waiting = registerClassic(authority, ada);
  gone.abort(new TrivetError("CONNECTION_LOST", "The connection was lost"));
  await assertRejects(() => waiting, TrivetError, "The connection was lost");
  assertEquals(await authority.catalog.findUser("ada"), null);
  turns.release();

  const { signal } = new AbortController();
  await registerClassic(authority, { ...ada, signal });
  await loginClassic(authority, { ...ada, signal });
  const refused = await assertRejects(() => registerClassic(authority, { ...ada, signal }));
  assertEquals(refused instanceof TrivetError && refused.code, "USER_EXISTS");
  assertEquals(
    attempts.map(({ kind, user, error }) => [kind, user, error?.code]),
    [["register", "ada", undefined], ["password", "ada", undefined], [
      "register",
      "ada",
      "USER_EXISTS",
    ]],
  );
});

Deno.test("loginClassic() tells the log no name that is none: it may be a password", async () => {
  await using stack = new AsyncDisposableStack();
  const { authority, attempts } = await open(stack);
  const { signal } = new AbortController();
  const rest = { source: "127.0.0.1", turns: new Places(1), signal };
  const credentials = { ...rest, user: "Correct Horse", password: "ada" };
  await assertRejects(() => loginClassic(authority, credentials), TrivetError);
  assertEquals(attempts.map(({ user, error }) => [user, error?.code]), [[
    null,
    "USER_NAME_INVALID",
  ]]);
});
