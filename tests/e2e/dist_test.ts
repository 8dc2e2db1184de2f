import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { firstSession } from "./first_session.ts";
import { type Programs, ROOT } from "./testing.ts";

/** Builds both programs as users do. */
async function compile(output: string): Promise<{ programs: Programs; said: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "compile", "--output", output],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  const ending = Deno.build.os === "windows" ? ".exe" : "";
  const programs = {
    trivet: [`${output}/trivet${ending}`],
    trivetd: [`${output}/trivetd${ending}`],
  };
  return { programs, said: decoder.decode(stdout) };
}

Deno.test("deno task compile makes two executables that do a first session", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "trivet-dist-" });
  try {
    const { programs, said } = await compile(`${folder}/dist`);
    await t.step("one line says what was built", () => {
      assertEquals(said.trim().split("\n").length, 1);
      assertStringIncludes(said, `${folder}/dist/trivetd`);
    });
    await t.step("they run from an empty folder with nothing else in PATH", async () => {
      await Deno.mkdir(`${folder}/empty`);
      for (const [name, [program = ""]] of Object.entries(programs)) {
        const { code, stdout } = await new Deno.Command(program, {
          args: ["--version"],
          cwd: `${folder}/empty`,
          clearEnv: true,
          env: { PATH: "/usr/bin:/bin", HOME: `${folder}/empty` },
        }).output();
        assertEquals(code, 0);
        assertEquals(new TextDecoder().decode(stdout).split(" ")[0], name);
      }
    });
    await t.step("a first session works with them", async () => {
      await firstSession(programs);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
