/**
 * The layering of the house: which folder may import which, who may open sockets, and that every folder
 * has its line in ARCHITECTURE.md.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/**
 * What each part may import besides itself and packages. A part is a folder below the root or, in lib,
 * a folder or file of its own; the longest name that fits a path counts.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "lib/errors.ts": [],
  "lib/after.ts": [],
  "lib/version.ts": [],
  "lib/turn.ts": [],
  "lib/private_file.ts": ["lib/errors.ts"],
  "lib/system_error.ts": ["lib/errors.ts"],
  "lib/frame": ["lib/errors.ts"],
  "lib/term": ["lib/errors.ts", "lib/system_error.ts"],
  "lib/datagram": ["lib/errors.ts", "lib/frame", "lib/term"],
  "lib/transfer": ["lib/errors.ts", "lib/turn.ts", "lib/frame"],
  "lib/link": ["lib/errors.ts", "lib/after.ts", "lib/private_file.ts", "lib/frame"],
  "lib/rpc": ["lib/errors.ts", "lib/after.ts", "lib/turn.ts", "lib/frame", "lib/link"],
  "lib/auth": ["lib/errors.ts", "lib/frame", "lib/link", "lib/rpc"],
  "lib/doctor": ["lib/errors.ts", "lib/turn.ts", "lib/frame", "lib/link", "lib/transfer"],
  "lib/netdisk": ["lib/errors.ts", "lib/frame", "lib/link", "lib/rpc", "lib/auth", "lib/transfer"],
  "lib/classic": ["lib/errors.ts", "lib/netdisk"],
  "lib/chat": ["lib/errors.ts", "lib/frame", "lib/link", "lib/rpc", "lib/auth", "lib/datagram"],
  "lib/clock": ["lib/errors.ts", "lib/frame", "lib/link", "lib/rpc", "lib/auth"],
  "lib/exec": ["lib/errors.ts", "lib/frame", "lib/link", "lib/rpc", "lib/auth"],
  "server": ["lib"],
  "client": ["lib"],
  "mod.ts": ["lib", "server", "client"],
};

/** Parts that never open a socket: they run in the simulator as they are. */
const SOCKETLESS = [
  "lib/frame",
  "lib/datagram",
  "lib/transfer",
  "lib/classic",
  "lib/clock",
  "lib/errors.ts",
  "lib/private_file.ts",
  "lib/system_error.ts",
  "lib/version.ts",
];

/** The one file of the datagram folder that touches a socket. */
const SOCKET_EDGE = "lib/datagram/socket.ts";

const SOCKET_CALL =
  /\bDeno\s*\.\s*(?:connect|connectTls|startTls|listen|listenTls|listenDatagram)\b/;
const SOCKET_MODULE = /^node:(?:net|tls|dgram|http|https|http2)$/;
/** Where the runtime's `node:` modules may only be imported when they are used. */
const NODELESS = ["lib", "client"];
const NODE_IMPORT = /^(?:import|export)\s+(?!type\b)[^;]*?from\s*["'](node:[^"']+)["']/m;
/** An import that a bundle makes part of the start: neither `import type` nor `import()`. */
const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^;"']*?from\s*)?["']([^"']+)["']/gm;
const MODULE_NAME = /(?:\bfrom|\bimport)\s*\(?\s*(["'])([^"'\n]+)\1/g;
const DEFAULT_EXPORT = /^\s*export\s+default\b|^\s*export\s*\{[^}]*\bas\s+default\b/m;

/** The sources of the house by their path from its root. */
type Sources = ReadonlyMap<string, string>;

/** Finds what goes against the rules; one line each. */
function violationsOf(sources: Sources): string[] {
  return [...sources].flatMap(([path, source]) => {
    const code = withoutComments(source);
    const imports = [...code.matchAll(MODULE_NAME)].map((match) => match[2] ?? "");
    return [
      ...imports.flatMap((name) => arrowViolations(path, name)),
      ...socketViolations(path, code, imports),
      ...nodeViolations(path, code),
      ...(DEFAULT_EXPORT.test(code) ? [`${path} has a default export`] : []),
    ];
  });
}

function arrowViolations(path: string, name: string): string[] {
  if (!name.startsWith(".")) return [];
  const target = new URL(name, new URL(path, "file:///")).pathname.slice(1);
  const part = partOf(path);
  if (part === undefined) return [`${path} is in no part of the house`];
  const allowed = [part, ...ARROWS[part] ?? []];
  const isAllowed = allowed.some((each) => target === each || target.startsWith(`${each}/`));
  return isAllowed ? [] : [`${path} must not import ${target}`];
}

function socketViolations(path: string, code: string, imports: readonly string[]): string[] {
  if (path === SOCKET_EDGE || !SOCKETLESS.some((part) => isIn(path, part))) return [];
  const opened = SOCKET_CALL.exec(code)?.[0] ?? imports.find((name) => SOCKET_MODULE.test(name));
  return opened === undefined ? [] : [`${path} must not open sockets: ${opened}`];
}

/** A bundle hoists its imports: one `node:` module at the top of any file is 10 to 30 ms of each command. */
function nodeViolations(path: string, code: string): string[] {
  const [, name] = NODE_IMPORT.exec(code) ?? [];
  if (name === undefined || !NODELESS.some((part) => isIn(path, part))) return [];
  return [`${path} must import ${name} where it is used`];
}

function partOf(path: string): string | undefined {
  return Object.keys(ARROWS)
    .filter((part) => isIn(path, part))
    .sort((a, b) => b.length - a.length)[0];
}

function isIn(path: string, part: string): boolean {
  return path === part || path.startsWith(`${part}/`);
}

/** Blanks comments; examples in them import as a user does. Strings stay, for they name modules. */
function withoutComments(source: string): string {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return source.replace(token, (text) => text.startsWith("/") ? " " : text);
}

async function sourcesOf(...parts: string[]): Promise<Sources> {
  const sources = new Map<string, string>();
  for (const part of parts) {
    for (const path of await filesBelow(part)) {
      sources.set(path, await Deno.readTextFile(new URL(path, ROOT)));
    }
  }
  return sources;
}

/** The TypeScript files at or below a path, from the root; none when there is no such path. */
async function filesBelow(path: string): Promise<string[]> {
  const info = await Deno.stat(new URL(path, ROOT)).catch(() => undefined);
  if (info === undefined) return [];
  if (info.isFile) return path.endsWith(".ts") ? [path] : [];
  const files: string[] = [];
  for await (const entry of Deno.readDir(new URL(path, ROOT))) {
    files.push(...await filesBelow(`${path}/${entry.name}`));
  }
  return files.sort();
}

/** What is loaded with a module, by ways from the root and by names of packages. */
function loadedWith(entry: string, sources: Sources): Set<string> {
  const loaded = new Set([entry]);
  for (const path of loaded) {
    const code = withoutComments(sources.get(path) ?? "");
    for (const [, name = ""] of code.matchAll(STATIC_IMPORT)) {
      const isOwn = name.startsWith(".");
      loaded.add(isOwn ? new URL(name, new URL(path, ROOT)).href.slice(ROOT.href.length) : name);
    }
  }
  return loaded;
}

Deno.test("trivet loads no library and no schema before it knows its command", async () => {
  const sources = await sourcesOf("lib", "client");
  const loaded = [...loadedWith("client/main.ts", sources)];
  assert(loaded.includes("lib/term/run_program.ts"), "its own modules are found");
  const packages = loaded.filter((path) => !path.endsWith(".ts") && !path.startsWith("@std/"));
  assertEquals(packages, []);
});

Deno.test("The house keeps its arrows, its sockets at the edge and its exports named", async () => {
  const sources = await sourcesOf("lib", "server", "client", "mod.ts");
  assert(sources.size > 0, "there are sources to look at");
  assertEquals(violationsOf(sources), []);
});

const PLANTED: [path: string, source: string, violation: string | undefined][] = [
  ["lib/frame/a.ts", `import { b } from "../link/b.ts";`, "must not import lib/link/b.ts"],
  ["lib/link/a.ts", `import { b } from "../rpc/b.ts";`, "must not import lib/rpc/b.ts"],
  ["lib/rpc/a.ts", `import { b } from "../netdisk/b.ts";`, "must not import lib/netdisk/b.ts"],
  ["lib/rpc/a.ts", `import { b } from "../link/b.ts";`, undefined],
  ["lib/rpc/a.ts", `export * from "../../server/b.ts";`, "must not import server/b.ts"],
  [
    "lib/netdisk/a.ts",
    `import type { B } from "../../client/b.ts";`,
    "must not import client/b.ts",
  ],
  ["lib/netdisk/a.ts", `import {\n  b,\n} from "../rpc/b.ts";`, undefined],
  ["lib/transfer/a.ts", `import { b } from "../link/b.ts";`, "must not import lib/link/b.ts"],
  ["lib/transfer/a.ts", `await Deno.connect({ port: 1 });`, "must not open sockets: Deno.connect"],
  ["lib/transfer/a.ts", `// Deno.connect() is elsewhere`, undefined],
  ["lib/transfer/a.ts", `const url = "x://y"; Deno.listen({ port });`, "must not open sockets"],
  ["lib/datagram/a.ts", `Deno.listenDatagram({ port });`, "must not open sockets"],
  [SOCKET_EDGE, `Deno.listenDatagram({ port });`, undefined],
  ["lib/frame/a.ts", `await import("node:net");`, "must not open sockets: node:net"],
  [
    "client/a.ts",
    `import {\n  join,\n} from "node:path";`,
    "must import node:path where it is used",
  ],
  ["client/a.ts", `import type { B } from "node:tls";\nimport { b } from "./b.ts";`, undefined],
  ["lib/rpc/a.ts", `const { b } = await import("node:os");`, undefined],
  ["server/a.ts", `import { b } from "node:os";`, undefined],
  ["lib/errors.ts", `import { b } from "./frame/b.ts";`, "must not import lib/frame/b.ts"],
  ["lib/version.ts", `import { b } from "./errors.ts";`, "must not import lib/errors.ts"],
  ["lib/link/a.ts", `import { b } from "../private_file.ts";`, undefined],
  ["lib/frame/a.ts", `import { b } from "../private_file.ts";`, "must not import"],
  ["lib/term/a.ts", `import { b } from "../auth/b.ts";`, "must not import lib/auth/b.ts"],
  ["lib/term/a.ts", `import { b } from "../errors.ts";`, undefined],
  ["server/a.ts", `import { b } from "../client/b.ts";`, "must not import client/b.ts"],
  ["client/a.ts", `await import("../server/b.ts");`, "must not import server/b.ts"],
  ["client/a.ts", `import "../server/b.ts";`, "must not import server/b.ts"],
  ["client/a.ts", `import { b } from '../lib/rpc/b.ts';`, undefined],
  ["server/a.ts", `import { b } from "../tools/b.ts";`, "must not import tools/b.ts"],
  ["server/a.ts", `/** import { b } from "../client/b.ts"; */`, undefined],
  ["mod.ts", `export { b } from "./client/b.ts";`, undefined],
  ["lib/new/a.ts", `import { b } from "../rpc/b.ts";`, "is in no part of the house"],
  ["client/a.ts", `export default function a() {}`, "has a default export"],
  ["client/a.ts", `export { a as default };`, "has a default export"],
];

for (const [path, source, violation] of PLANTED) {
  const verb = violation === undefined ? "accepts" : "finds";
  Deno.test(`violationsOf() ${verb} ${source} in ${path}`, { permissions: "none" }, () => {
    const found = violationsOf(new Map([[path, source]]));
    assertEquals(found.length, violation === undefined ? 0 : 1);
    assertStringIncludes(found.join(), violation ?? "");
  });
}

Deno.test("ARCHITECTURE.md names every folder", async (t) => {
  const page = await Deno.readTextFile(new URL("ARCHITECTURE.md", ROOT)).catch(() => undefined);
  await t.step({
    name: "each is there",
    ignore: page === undefined,
    fn: async () => {
      const paths = [...(await sourcesOf("lib", "server", "client", "tests", "bench", "tools"))];
      const folders = new Set(paths.map(([path]) => path.slice(0, path.lastIndexOf("/"))));
      const missing = [...folders]
        .filter((folder) => !/^tests\/.|jsr-offline\/./.test(folder))
        .filter((folder) => !page?.includes(`${folder.split("/").at(-1)}/`));
      assertEquals(missing, []);
    },
  });
});
