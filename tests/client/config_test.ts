import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import {
  configFiles,
  forgetCredential,
  readConfig,
  readCredential,
  rememberConfig,
  storeCredential,
} from "../../client/config.ts";
import {
  PRIVATE_FILE_MAX_BYTES,
  readPrivateFile,
  updatePrivateFile,
} from "../../client/private_file.ts";
import { TrivetError } from "../../lib/errors.ts";
import { withFolder } from "./testing.ts";

const POSIX = { ignore: Deno.build.os === "windows" };

Deno.test("configFiles() follows XDG, then the home folder, then the roaming profile", {
  permissions: "none",
}, () => {
  const files = (values: Record<string, string>, os: string) =>
    configFiles((name) => values[name], os).config;
  const end = Deno.build.os === "windows" ? "\\" : "/";
  const tail = `${end}trivet${end}config.json`;
  assertEquals(files({ XDG_CONFIG_HOME: "/x", HOME: "/h" }, "linux"), `/x${tail}`);
  assertEquals(files({ XDG_CONFIG_HOME: "", HOME: "/h" }, "linux"), `/h${end}.config${tail}`);
  assertEquals(files({ APPDATA: "/r", USERPROFILE: "/u" }, "windows"), `/r${tail}`);
  assertEquals(files({ APPDATA: "/r", HOME: "/h" }, "linux"), `/h${end}.config${tail}`);
  assertThrows(() => files({}, "linux"), TrivetError, "set HOME");
});

Deno.test("rememberConfig() keeps what it does not change, also keys of later versions", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "new", "config.json");
    assertEquals(await readConfig(path), {});
    await rememberConfig(path, { server: "a:1", user: "ann" });
    await Deno.writeTextFile(path, '{"server":"a:1","user":"ann","later":1}');
    await rememberConfig(path, { server: "b:2" });
    assertEquals(await readConfig(path), { server: "b:2", user: "ann" });
    assertEquals(JSON.parse(await Deno.readTextFile(path)).later, 1);
  });
});

Deno.test("storeCredential() makes file and folder private", POSIX, async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "new", "credentials.json");
    await storeCredential(path, "a:1", { user: "ann", token: "tvt_x" });
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    assertEquals(((await Deno.stat(join(folder, "new"))).mode ?? 0) & 0o777, 0o700);
    const names = Array.from(Deno.readDirSync(join(folder, "new")), ({ name }) => name).sort();
    assertEquals(names, ["credentials.json", "credentials.json.lock"]);
  });
});

Deno.test("readCredential() refuses a file that others can read", POSIX, async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "credentials.json");
    await storeCredential(path, "a:1", { user: "ann", token: "tvt_x" });
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      await Deno.chmod(path, mode);
      const error = await assertRejects(() => readCredential(path, "a:1"), TrivetError);
      assertEquals(error.code, "LOCAL_DENIED");
    }
    for (const mode of [0o600, 0o400, 0o700]) {
      await Deno.chmod(path, mode);
      assertEquals((await readCredential(path, "a:1"))?.token, "tvt_x");
    }
  });
});

Deno.test("readCredential() knows each server by itself", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "credentials.json");
    await storeCredential(path, "a:1", { user: "ann", token: "one" });
    await storeCredential(path, "b:2", { user: "bob", token: "two", expires_ms: 5 });
    assertEquals(await readCredential(path, "b:2"), { user: "bob", token: "two", expires_ms: 5 });
    assertEquals(await readCredential(path, "toString"), undefined);
    await forgetCredential(path, "a:1");
    assertEquals(await readCredential(path, "a:1"), undefined);
    assertEquals((await readCredential(path, "b:2"))?.user, "bob");
    await forgetCredential(join(folder, "absent.json"), "a:1");
  });
});

Deno.test("readCredential() tells of damage without showing the secret", async () => {
  const damages = [
    '{"servers":{"a:1":{"user":"ann","token":"tvt_secret"}',
    '{"servers":{"a:1":{"user":"ann","token":["tvt_secret"]}}}',
    '"tvt_secret"',
    "",
  ];
  await withFolder(async (folder) => {
    const path = join(folder, "credentials.json");
    for (const text of damages) {
      await Deno.writeTextFile(path, text, { mode: 0o600 });
      const error = await assertRejects(() => readCredential(path, "a:1"), TrivetError);
      assertEquals(error.code, "FAILED");
      assertEquals(error.message.includes("tvt_"), false);
    }
    await Deno.writeFile(path, Uint8Array.of(0xff, 0xfe), { mode: 0o600 });
    await assertRejects(() => readCredential(path, "a:1"), TrivetError, "not UTF-8");
  });
});

Deno.test("updatePrivateFile() keeps the changes of many writers", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "list");
    const writers = Array.from(
      { length: 20 },
      (_, number) => updatePrivateFile(path, (text = "") => `${text}${number}\n`),
    );
    await Promise.all(writers);
    const lines = (await Deno.readTextFile(path)).trim().split("\n").map(Number);
    assertEquals(lines.sort((a, b) => a - b), Array.from({ length: 20 }, (_, number) => number));
  });
});

Deno.test("updatePrivateFile() leaves the file as it was when the change fails", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "list");
    await updatePrivateFile(path, () => "good");
    const failing = () => {
      throw new TrivetError("FAILED", "No");
    };
    await assertRejects(() => updatePrivateFile(path, failing), TrivetError, "No");
    assertEquals(await readPrivateFile(path), "good");
    await updatePrivateFile(path, (text) => `${text} again`);
    assertEquals(await readPrivateFile(path), "good again");
  });
});

Deno.test("readPrivateFile() reads up to its limit", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "large");
    await Deno.writeFile(path, new Uint8Array(PRIVATE_FILE_MAX_BYTES).fill(97));
    assertEquals((await readPrivateFile(path))?.length, PRIVATE_FILE_MAX_BYTES);
    await Deno.writeFile(path, Uint8Array.of(97), { append: true });
    await assertRejects(() => readPrivateFile(path), TrivetError, "the limit is 1048576");
    assertEquals(await readPrivateFile(join(folder, "absent")), undefined);
  });
});
