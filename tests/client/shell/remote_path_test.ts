import { assertEquals } from "@std/assert";
import { resolveRemote } from "../../../client/shell/remote_path.ts";

const PATHS: readonly (readonly [folder: string, typed: string, path: string])[] = [
  ["/", "", "/"],
  ["/", "a", "/a"],
  ["/", "..", "/"],
  ["/a", "", "/a/"],
  ["/a", ".", "/a/"],
  ["/a", "./b", "/a/b"],
  ["/a", "b//c/", "/a/b/c/"],
  ["/a/b", "..", "/a/"],
  ["/a/b", "../c", "/a/c"],
  ["/a/b", "../../../../c", "/c"],
  ["/a/b", "/", "/"],
  ["/a/b", "/c/../d", "/d"],
  ["/a", "...", "/a/..."],
  ["/a", " ", "/a/ "],
];

for (const [folder, typed, path] of PATHS) {
  Deno.test(`resolveRemote() reads "${typed}" in ${folder}`, { permissions: "none" }, () => {
    assertEquals(resolveRemote(folder, typed), path);
  });
}
