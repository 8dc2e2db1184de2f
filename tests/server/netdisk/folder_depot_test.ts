import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { type ErrorCode, TrivetError } from "../../../lib/errors.ts";
import type { NameRules } from "../../../lib/netdisk/path.ts";
import { asDepotError } from "../../../server/netdisk/depot_errors.ts";
import { FolderDepot } from "../../../server/netdisk/folder_depot.ts";
import { assertCode, at, contentOf, makePart, namesIn, put, testDepot } from "./depot_contract.ts";

async function withFolder(
  work: (depot: FolderDepot, home: string, data: string) => Promise<void>,
  names: NameRules = "native",
): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "trivet-depot-" });
  try {
    const depot = FolderDepot.open(data, { names });
    await depot.createHome("ada");
    await work(depot, join(data, "homes", "ada"), data);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

testDepot("FolderDepot", (names, work) => withFolder(work, names));

/** Windows makes symbolic links only for administrators, so these tests are skipped there. */
function testLinks(
  name: string,
  work: (depot: FolderDepot, home: string, data: string) => Promise<void>,
): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn: () => withFolder(work) });
}

Deno.test("PartHandle.settle() tells that an early sync failed, for the commit's would not", () =>
  withFolder(async (depot) => {
    using part = await depot.createPart("p");
    const piece = new Uint8Array(1024 * 1024);
    const { syncData } = Deno.FsFile.prototype;
    Deno.FsFile.prototype.syncData = () => Promise.reject(new Error("The disk has lost it"));
    try {
      for (let at = 0; at < 63; at++) part.write(piece, at * piece.length);
      await part.settle();
      part.write(piece, 63 * piece.length);
      await assertRejects(() => part.settle(), Error, "lost it");
    } finally {
      Deno.FsFile.prototype.syncData = syncData;
    }
    await assertRejects(() => part.settle(), Error, "lost it");
  }));

testLinks("FolderDepot makes folders and files of the stated modes", async (depot, home, data) => {
  const mode = (path: string) => (Deno.lstatSync(path).mode ?? 0) & 0o777;
  for (const path of [join(data, "homes"), join(data, "parts"), join(data, "trash"), home]) {
    assertEquals(mode(path), 0o700, path);
  }
  await makePart(depot, "p", "x");
  assertEquals(mode(join(data, "parts", "p")), 0o600);
  await Deno.chmod(join(data, "parts"), 0o755);
  FolderDepot.open(data);
  assertEquals(mode(join(data, "parts")), 0o700);
});

testLinks("FolderDepot follows no link, at the leaf or on the way", async (depot, home, data) => {
  const outside = join(data, "outside");
  await Deno.mkdir(join(outside, "sub"), { recursive: true });
  await Deno.writeTextFile(join(outside, "secret"), "secret");
  await Deno.symlink(outside, join(home, "folder"));
  await Deno.symlink(join(outside, "secret"), join(home, "file"));
  await Deno.symlink(join(outside, "nothing"), join(home, "dangling"));
  const refused = (work: () => Promise<unknown>) => assertCode("SYMLINK_REFUSED", work);
  await makePart(depot, "p", "evil");
  for (const path of [["folder", "secret"], ["folder", "new"], ["folder", "sub", "x"]]) {
    await refused(() => depot.stat(at(...path)));
    await refused(() => depot.openRead(at(...path)));
    await refused(() => put(depot, path, "evil"));
    await refused(() => depot.mkdir(at(...path), { parents: true }));
    await refused(() => depot.commitPart("p", at(...path), { size: 4, overwrite: "replace" }));
  }
  for (const name of ["folder", "file", "dangling"]) {
    await refused(() => depot.stat(at(name)));
    await refused(() => depot.openRead(at(name)));
    await refused(() => depot.list(at(name), { limit: 1 }));
    await refused(() => depot.mkdir(at(name), { parents: true }));
    for (const overwrite of ["replace", "skip", "fail", "rename"] as const) {
      await refused(() => put(depot, [name], "evil", { overwrite }));
      await refused(() => depot.commitPart("p", at(name), { size: 4, overwrite }));
      await refused(() => depot.checkTarget(at(name), overwrite));
    }
  }
  assertEquals(await Deno.readTextFile(join(outside, "secret")), "secret");
  assertEquals([...Deno.readDirSync(outside)].map(({ name }) => name).sort(), ["secret", "sub"]);
  assertEquals([...Deno.readDirSync(join(outside, "sub"))], []);
  const { entries } = await depot.list(at(), { limit: 9 });
  assertEquals(entries.map(({ name, type }) => `${name} ${type}`), [
    "dangling other",
    "file other",
    "folder other",
  ]);
  assertEquals(await depot.listParts(), ["p"]);
});

testLinks("FolderDepot refuses a link planted between two calls", async (depot, home, data) => {
  const outside = join(data, "outside");
  await Deno.mkdir(outside);
  await depot.mkdir(at("d"));
  await put(depot, ["d", "f"], "x");
  await Deno.rename(join(home, "d"), join(home, "was"));
  await Deno.symlink(outside, join(home, "d"));
  await assertCode("SYMLINK_REFUSED", () => put(depot, ["d", "f"], "evil"));
  await assertCode("SYMLINK_REFUSED", () => depot.openRead(at("d", "f")));
  assertEquals([...Deno.readDirSync(outside)], []);
});

testLinks(
  "FolderDepot refuses a link planted while its intent waits",
  async (depot, home, data) => {
    const outside = join(data, "outside");
    await Deno.mkdir(outside);
    await depot.mkdir(at("d"));
    await makePart(depot, "p", "evil");
    const intent = async () => {
      await Deno.remove(join(home, "d"));
      await Deno.symlink(outside, join(home, "d"));
    };
    const options = { size: 4, overwrite: "replace", intent } as const;
    await assertCode("SYMLINK_REFUSED", () => depot.commitPart("p", at("d", "f"), options));
    assertEquals([...Deno.readDirSync(outside)], []);
    assertEquals(await depot.traceCommit("p", at("d", "f"), 4), "pending");
  },
);

testLinks("FolderDepot refuses a home that is a link", async (depot, home, data) => {
  await Deno.rename(home, join(data, "elsewhere"));
  await Deno.symlink(join(data, "elsewhere"), home);
  await assertCode("SYMLINK_REFUSED", () => depot.stat(at()));
  await assertCode("SYMLINK_REFUSED", () => put(depot, ["f"], "x"));
  await assertCode("SYMLINK_REFUSED", () => depot.createHome("ada"));
});

testLinks("FolderDepot refuses special files", async (depot, home) => {
  const made = await new Deno.Command("mkfifo", { args: [join(home, "pipe")] }).output();
  assert(made.success);
  await assertCode("NOT_REGULAR", () => depot.openRead(at("pipe")));
  await assertCode("NOT_REGULAR", () => put(depot, ["pipe"], "x"));
  await assertCode("NOT_REGULAR", () => depot.checkTarget(at("pipe"), "skip"));
  await assertCode("EXISTS", () => put(depot, ["pipe"], "x", { overwrite: "fail" }));
  assertEquals((await depot.stat(at("pipe"))).type, "other");
});

Deno.test("FolderDepot finds a file that was put there under its NFD name", () =>
  withFolder(async (depot, home) => {
    if (Deno.build.os === "darwin") return;
    await depot.mkdir(at("d"));
    await Deno.writeTextFile(join(home, "d", "e\u0301"), "planted");
    assertEquals(await contentOf(depot, "d", "\u00e9"), "planted");
    assertEquals(await namesIn(depot, "d"), ["\u00e9"]);
    await assertCode("EXISTS", () => put(depot, ["d", "é"], "x", { overwrite: "fail" }));
    assertEquals((await put(depot, ["d", "é"], "replaced")).replacedBytes, 7);
    assertEquals([...Deno.readDirSync(join(home, "d"))].length, 1);
    assertEquals(await contentOf(depot, "d", "e\u0301"), "replaced");
    await Deno.writeTextFile(join(home, "d", "\u00e9"), "twin");
    assertEquals(await contentOf(depot, "d", "\u00e9"), "twin");
    assertEquals(await namesIn(depot, "d"), ["\u00e9"]);
  }));

Deno.test("FolderDepot leaves out of listings what no path can name", () =>
  withFolder(async (depot, home) => {
    if (Deno.build.os === "windows") return;
    for (const name of ["a\nb", "back\\slash", "fine"]) {
      await Deno.writeTextFile(join(home, name), "");
    }
    assertEquals(await namesIn(depot), ["fine"]);
  }));

Deno.test("FolderDepot with fail never replaces a file of another program", () =>
  withFolder(async (depot, home) => {
    let tries = 0;
    const intent = async () => {
      if (tries++ === 0) await Deno.writeTextFile(join(home, "f"), "theirs");
    };
    await assertCode("EXISTS", () => put(depot, ["f"], "ours", { overwrite: "fail", intent }));
    assertEquals(await contentOf(depot, "f"), "theirs");
  }));

Deno.test("FolderDepot with replace tells a new intent when another program changed the file", () =>
  withFolder(async (depot, home) => {
    await put(depot, ["f"], "old");
    const told: number[] = [];
    const { replacedBytes } = await put(depot, ["f"], "ours", {
      intent: async (intent) => {
        told.push(intent.replacedBytes);
        if (told.length === 1) await Deno.writeTextFile(join(home, "f"), "longer");
      },
    });
    assertEquals([told, replacedBytes], [[3, 6], 6]);
  }));

Deno.test("FolderDepot gives up on a file that keeps changing", () =>
  withFolder(async (depot, home) => {
    let size = 0;
    const intent = () => Deno.writeTextFile(join(home, "f"), "x".repeat(++size));
    await assertCode("CHANGED", () => put(depot, ["f"], "ours", { intent }));
    assert(size <= 16);
  }));

Deno.test("FolderDepot traces a commit that died between link and unlink", () =>
  withFolder(async (depot, home, data) => {
    await makePart(depot, "p", "abc");
    await Deno.link(join(data, "parts", "p"), join(home, "f"));
    assertEquals(await depot.traceCommit("p", at("f"), 3), "published");
    await Deno.remove(join(home, "f"));
    await Deno.writeTextFile(join(home, "f"), "abc");
    assertEquals(await depot.traceCommit("p", at("f"), 3), "pending");
  }));

Deno.test("FolderDepot notices that an open file is changed in place", () =>
  withFolder(async (depot, home) => {
    await put(depot, ["f"], "old", { mtimeMs: 1000 });
    using file = await depot.openRead(at("f"));
    assert(file.isUnchanged());
    await Deno.writeTextFile(join(home, "f"), "new");
    assert(!file.isUnchanged());
  }));

Deno.test("FolderDepot readers see a whole file at all times", () =>
  withFolder(async (depot) => {
    const contents = ["a".repeat(100), "b".repeat(700)];
    await put(depot, ["f"], contents[0] ?? "");
    let writing = true;
    const writer = (async () => {
      for (let i = 0; i < 200; i++) {
        await put(depot, ["f"], contents[i % 2] ?? "", {
          durability: i % 20 === 0 ? "commit" : "os",
        });
      }
      writing = false;
    })();
    while (writing) {
      assert(contents.includes(await contentOf(depot, "f")));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await writer;
  }));

Deno.test("asDepotError() names what the file system said, without its paths", () => {
  const failure = (code: string) => Object.assign(new Error("/srv/data/homes/ada"), { code });
  const codes: [errno: string, code: ErrorCode][] = [
    ["ENOSPC", "DISK_FULL"],
    ["EDQUOT", "DISK_FULL"],
    ["EFBIG", "FILE_TOO_LARGE"],
    ["EACCES", "PERMISSION_DENIED"],
    ["EROFS", "PERMISSION_DENIED"],
    ["ELOOP", "SYMLINK_REFUSED"],
    ["ENAMETOOLONG", "PATH_TOO_LONG"],
    ["EMFILE", "SERVER_BUSY"],
    ["EIO", "INTERNAL"],
  ];
  for (const [errno, code] of codes) {
    const error = asDepotError(failure(errno), 'write "/f"');
    assertEquals(error.code, code, errno);
    assert(!error.message.includes("/srv"), error.message);
    assert(error.cause instanceof Error);
  }
  const known = new TrivetError("EXISTS", "Cannot create");
  assertEquals(asDepotError(known, "write"), known);
});

testLinks("FolderDepot removes and moves no link and follows none", async (depot, home, data) => {
  const outside = join(data, "outside");
  await Deno.mkdir(join(outside, "empty"), { recursive: true });
  await Deno.writeTextFile(join(outside, "secret"), "secret");
  await Deno.symlink(outside, join(home, "folder"));
  await Deno.symlink(join(outside, "secret"), join(home, "file"));
  await put(depot, ["f"], "mine");
  const refused = (work: () => Promise<unknown>) => assertCode("SYMLINK_REFUSED", work);
  for (const path of [["folder"], ["file"], ["folder", "secret"], ["folder", "empty"]]) {
    await refused(() => depot.removeFolder(at(...path)));
    await refused(() => depot.moveToTrash("t", at(...path), { recursive: true }));
    await refused(() => depot.move(at(...path), at("x"), { overwrite: "replace" }));
    await refused(() => depot.move(at("f"), at(...path), { overwrite: "replace" }));
  }
  await depot.moveToTrash("t", at("f"));
  // The folder that it stood in may be a link by now.
  await refused(() => depot.restoreTrash("t", at("folder", "f"), { overwrite: "rename" }));
  assertEquals(await Deno.readTextFile(join(outside, "secret")), "secret");
  assertEquals((await Array.fromAsync(Deno.readDir(outside))).length, 2);
});

testLinks(
  "FolderDepot deletes links in the trash, not what they lead to",
  async (depot, home, data) => {
    const outside = join(data, "outside");
    await Deno.mkdir(outside);
    await Deno.writeTextFile(join(outside, "secret"), "secret");
    await depot.mkdir(at("d"));
    await Deno.symlink(outside, join(home, "d", "folder"));
    await Deno.symlink(join(outside, "secret"), join(home, "d", "file"));
    await depot.moveToTrash("t", at("d"), { recursive: true });
    assertEquals(await depot.measureTrash("t", at("d")), { bytes: 0, files: 0, entries: 3 });
    assertEquals(await depot.removeTrash("t", "ada"), true);
    assertEquals(await Deno.readTextFile(join(outside, "secret")), "secret");
  },
);

Deno.test("FolderDepot.removeSetAside() leaves nothing on the disk, also after a crash", () =>
  withFolder(async (depot, home, data) => {
    await put(depot, ["f"], "x");
    await depot.setAsideHome("ada");
    assertEquals([...Deno.readDirSync(join(home, ".."))], []);
    assertEquals([...Deno.readDirSync(join(data, "trash"))].length, 1);
    await FolderDepot.open(data).removeSetAside();
    assertEquals([...Deno.readDirSync(join(data, "trash"))], []);
  }));
