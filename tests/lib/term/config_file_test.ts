import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../../lib/errors.ts";
import type { OptionTable } from "../../../lib/term/command.ts";
import { parseConfig, readConfigFile } from "../../../lib/term/config_file.ts";

const KEYS = {
  port: { kind: "integer", min: 0, max: 65535, help: "" },
  "default-quota": { kind: "bytes", help: "" },
  wait: { kind: "duration", help: "" },
  plain: { kind: "boolean", help: "" },
  names: { kind: "choice", choices: ["native", "portable"], help: "" },
  listen: { kind: "string", repeat: true, help: "" },
  data: { kind: "path", help: "" },
} as const satisfies OptionTable;

function textsOf(text: string, name: keyof typeof KEYS): readonly string[] | undefined {
  return parseConfig(text, { path: "a.toml", keys: KEYS })(name, KEYS[name])?.texts;
}

Deno.test("parseConfig() reads a value of each kind", { permissions: "none" }, () => {
  const cases: [string, keyof typeof KEYS, string[]][] = [
    ["port = 9_000", "port", ["9000"]],
    ['port = "9000"', "port", ["9000"]],
    ['default-quota = "1.5G"', "default-quota", ["1.5G"]],
    ["default-quota = 1048576", "default-quota", ["1048576"]],
    ['wait = "30d"', "wait", ["30d"]],
    ["plain = false", "plain", ["false"]],
    ['"names" = "portable"', "names", ["portable"]],
    ['listen = ["127.0.0.1", "::1"]', "listen", ["127.0.0.1", "::1"]],
    ['listen = "a,b"', "listen", ["a,b"]],
    ["listen = []", "listen", []],
    ["data = 'C:\\data'", "data", ["C:\\data"]],
  ];
  for (const [text, name, texts] of cases) assertEquals(textsOf(text, name), texts, text);
  assertEquals(textsOf("", "port"), undefined);
});

Deno.test("parseConfig() gives a key to the option that declares it and to no namesake", {
  permissions: "none",
}, () => {
  const find = parseConfig("# ports\n\nport = 1\n", { path: "a.toml", keys: KEYS });
  assertEquals(find("port", KEYS.port), { texts: ["1"], place: "a.toml:3" });
  assertEquals(find("port", { ...KEYS.port }), undefined);
});

Deno.test("parseConfig() refuses what is wrong and says where", { permissions: "none" }, () => {
  const cases: [string, string][] = [
    ["\nprot = 1", 'Unknown key "prot" (a.toml:2), did you mean "port"?'],
    ["default_quota = 1", 'Unknown key "default_quota" (a.toml:1), did you mean "default-quota"?'],
    ["[server]\nport = 1", 'Unknown key "server" (a.toml:1)'],
    ["time.port = 1", 'Unknown key "time" (a.toml:1)'],
    ["__proto__ = 1", 'Unknown key "__proto__" (a.toml:1)'],
    ["port = 65536", 'Key "port" (a.toml:1) needs a whole number from 0 to 65535, got "65536"'],
    ["port = 1.5", 'Key "port" (a.toml:1) needs a whole number from 0 to 65535, got "1.5"'],
    ["port = [1]", 'Key "port" (a.toml:1) needs a whole number, got a list'],
    ["[port]\na = 1", 'Key "port" (a.toml:1) needs a whole number, got a table'],
    ["port = 2026-11-21", 'Key "port" (a.toml:1) needs a whole number, got a date'],
    ['plain = "yes"', 'Key "plain" (a.toml:1) needs true or false without quotation marks, got "y'],
    ["data = true", 'Key "data" (a.toml:1) needs a path in quotation marks, got true'],
    ['listen = ["a", 5]', 'Key "listen" (a.toml:1) needs a value in quotation marks, got 5'],
    ['names = "posix"', 'Key "names" (a.toml:1) needs native or portable, got "posix"'],
    ["port = 1\nport = 2", "Cannot read config file (a.toml:2:1): "],
    ["port = \n", "Cannot read config file (a.toml:1:"],
  ];
  for (const [text, message] of cases) {
    const error = assertThrows(() => textsOf(text, "port"), TrivetError, message);
    assertEquals([error.code, error.message.includes("\n")], ["USAGE", false]);
  }
});

Deno.test("readConfigFile() reads a file, and names the one that it cannot read", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "a.toml");
    await Deno.writeTextFile(path, "port = 7");
    const find = await readConfigFile(path, KEYS);
    assertEquals(find("port", KEYS.port), { texts: ["7"], place: `${path}:1` });
    const none = join(folder, "none.toml");
    const error = await assertRejects(() => readConfigFile(none, KEYS), TrivetError, none);
    assertEquals(error.code, "LOCAL_NOT_FOUND");
    await assertRejects(() => readConfigFile(folder, KEYS), TrivetError, "Cannot read config file");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
