import { assert, assertEquals, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { UTC } from "../../../lib/clock/zone.ts";
import { openZone, readZone, ZONE_FOLDERS } from "../../../lib/clock/zone_files.ts";
import { intlZone } from "../../../lib/clock/zone_intl.ts";
import { tzifBytes } from "./tzif_bytes.ts";

const HAS_FILES = readZone("Europe/Paris", ZONE_FOLDERS) !== undefined;

Deno.test("readZone() takes the first folder that has a file it can read", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/bad/Test`, { recursive: true });
    await Deno.mkdir(`${folder}/good/Test`, { recursive: true });
    await Deno.writeTextFile(`${folder}/bad/Test/Zone`, "no zone at all");
    await Deno.writeFile(`${folder}/good/Test/Zone`, tzifBytes({ types: [[60, false, "TST"]] }));
    const folders = ["none", "bad", "good"].map((name) => `${folder}/${name}`);
    assertEquals(readZone("Test/Zone", folders)?.at(0).abbreviation, "TST");
    assertEquals(readZone("Test/Zone", folders.slice(0, 2)), undefined);
    // A folder is no file.
    assertEquals(readZone("Test", folders), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openZone() serves without the permission to read", { permissions: "none" }, () => {
  const zone = openZone("America/Toronto");
  assert(zone === intlZone("America/Toronto"));
  assertEquals(zone.at(1_704_067_200).abbreviation, "EST");
  assertEquals(openZone("utc"), UTC);
});

Deno.test("openZone() keeps zones, and refuses a name that is none", () => {
  assert(openZone("Europe/Paris") === openZone("europe/paris"));
  const error = assertThrows(() => openZone("../../etc/passwd"), TrivetError);
  assertEquals(error.code, "USAGE");
});

Deno.test({
  name: "openZone() without a name is the zone of this machine, UTC where TZ is empty",
  // Windows has a zone of its own and no empty variables.
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const script = new URL("./zone_here.ts", import.meta.url).href;
    for (const [TZ, name] of [["", "UTC"], ["Europe/Paris", "Europe/Paris"]] as const) {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-prompt", "--allow-read", script],
        env: { TZ },
        stderr: "inherit",
      }).output();
      assertEquals(new TextDecoder().decode(stdout), name);
    }
  },
});

Deno.test({
  name: "openZone() has the offsets of the runtime in every zone" +
    (HAS_FILES ? "" : " (skipped: this system has no files of zones)"),
  ignore: !HAS_FILES,
  fn: () => {
    // Two databases of different age differ about the future, and about some of the past.
    const times = [0, 5e8, 1e9, 1.2e9, 1.4e9, 1.6e9];
    let equal = 0;
    let all = 0;
    for (const name of Intl.supportedValuesOf("timeZone")) {
      const zone = readZone(name, ZONE_FOLDERS);
      if (zone === undefined) continue;
      for (const time of times) {
        all += 1;
        equal += Number(zone.at(time).offsetSeconds === intlZone(name).at(time).offsetSeconds);
      }
    }
    assert(all > 1000 && equal >= 0.99 * all, `${equal} of ${all} offsets are equal`);
  },
});
