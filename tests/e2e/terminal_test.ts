import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PASSWORD, type Person, sha256Of, World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;

const HAS_EXPECT = await new Deno.Command("expect", {
  args: ["-v"],
  stdout: "null",
  stderr: "null",
})
  .output().then(({ success }) => success, () => false);

/** What a person does at a terminal: wait for a text, then type. */
type Step = readonly [waitFor: string | RegExp, type: string];

/** Runs a command in a pseudo-terminal and answers what it asks; the screen and the exit code. */
async function atTerminal(
  person: Person,
  args: string[],
  steps: readonly Step[],
): Promise<{ screen: string; code: number }> {
  const { argv, env } = person.command(args, { TERM: "xterm" });
  const quote = (text: string) => `"${text.replace(/[\\"$[\]{}]/g, "\\$&")}"`;
  const script = [
    "set timeout 30",
    `cd ${quote(person.home)}`,
    `spawn -noecho ${argv.map(quote).join(" ")}`,
    // Without a wait, expect would type before the terminal is set to show nothing.
    ...steps.flatMap(([waitFor, type]) => [
      `expect {`,
      `  ${
        typeof waitFor === "string" ? `-ex ${quote(waitFor)}` : `-re {${waitFor.source}}`
      } { after 200; send ${quote(type)} }`,
      `  timeout { puts "TIMEOUT"; exit 99 }`,
      `  eof { puts "EOF"; exit 98 }`,
      `}`,
    ]),
    "expect eof",
    "lassign [wait] pid id failed code",
    "exit $code",
  ].join("\n");
  const file = person.path("script.exp");
  await Deno.writeTextFile(file, script);
  const { code, stdout } = await new Deno.Command("expect", { args: [file], env, clearEnv: true })
    .output();
  return { screen: new TextDecoder().decode(stdout), code };
}

Deno.test({
  name: "at a terminal: trust, passwords without echo, Ctrl-C, the question to continue" +
    (HAS_EXPECT ? "" : " (skipped: expect is not installed)"),
  ignore: !HAS_EXPECT,
  fn: async () => {
    await using world = await World.create();
    const server = await world.serve();
    const ada = await world.person("ada");
    const registered = await atTerminal(ada, ["register", "ada", "--server", server.address], [
      ["[y/N]?", "yes\r"],
      ["New password:", `${PASSWORD}\r`],
      ["The same again:", `${PASSWORD}\r`],
    ]);
    assertEquals(registered.code, 0, registered.screen);
    assertStringIncludes(registered.screen, server.fingerprint ?? "none");
    // Server, user and trust are remembered.
    const loggedIn = await atTerminal(ada, ["login"], [["Password:", `${PASSWORD}\r`]]);
    assertEquals(loggedIn.code, 0, loggedIn.screen);
    for (const { screen } of [registered, loggedIn]) assert(!screen.includes(PASSWORD), screen);

    writeNoise(ada.path("big.iso"), 60 * MIB);
    const put = ["put", "big.iso"];
    const ended = await atTerminal(ada, [...put, "--limit-rate", "12M"], [[/ 3\d%/, "\x03"]]);
    assertEquals(ended.code, 130, ended.screen);
    assertMatch(ended.screen, /Interrupted at 3\d %\. To go on: .*trivet put big\.iso/);
    const resumed = await atTerminal(ada, put, [["[Y/n]?", "y\r"]]);
    assertEquals(resumed.code, 0, resumed.screen);
    assertMatch(resumed.screen, /Continue "big\.iso" at (2[5-9]|3\d) % \[Y\/n\]\?/);
    assertMatch(resumed.screen, /were there/);
    assertMatch(await ada.ok(["ls", "-l"]), /62914560 .*big\.iso/);

    const get = ["get", "big.iso", "copy.iso"];
    const broken = await atTerminal(ada, [...get, "--limit-rate", "12M"], [[/ 3\d%/, "\x03"]]);
    assertEquals(broken.code, 130, broken.screen);
    // "n" begins anew.
    const anew = await atTerminal(ada, get, [["[Y/n]?", "n\r"]]);
    assertEquals(anew.code, 0, anew.screen);
    assertEquals(await sha256Of(ada.path("copy.iso")), await sha256Of(ada.path("big.iso")));
  },
});

Deno.test({
  name:
    "at a terminal: a server that is not trusted gets no password, a wrong repeat makes no account" +
    (HAS_EXPECT ? "" : " (skipped: expect is not installed)"),
  ignore: !HAS_EXPECT,
  fn: async () => {
    await using world = await World.create();
    const server = await world.serve();
    const ada = await world.person("ada");
    const register = ["register", "ada", "--server", server.address];
    const refused = await atTerminal(ada, register, [["[y/N]?", "n\r"]]);
    assertEquals(refused.code, 6, refused.screen);
    assert(!refused.screen.includes("password:"), refused.screen);
    const different = await atTerminal(ada, register, [
      ["[y/N]?", "y\r"],
      ["New password:", `${PASSWORD}\r`],
      ["The same again:", `${PASSWORD}x\r`],
    ]);
    assertEquals(different.code, 2, different.screen);
    const { code } = await ada.run(
      ["login", "ada", "--password-stdin", "--server", server.address],
      {
        stdin: `${PASSWORD}\n`,
      },
    );
    assertEquals(code, 4);
  },
});

Deno.test({
  name: "at a terminal: passwd asks for the old password, then twice for the new one" +
    (HAS_EXPECT ? "" : " (skipped: expect is not installed)"),
  ignore: !HAS_EXPECT,
  fn: async () => {
    await using world = await World.create();
    const ada = await world.person("ada", await world.serve());
    await ada.register("ada");
    const next = "another good password";
    const changed = await atTerminal(ada, ["passwd"], [
      ["Current password:", `${PASSWORD}\r`],
      ["New password:", `${next}\r`],
      ["The same again:", `${next}\r`],
    ]);
    assertEquals(changed.code, 0, changed.screen);
    for (const secret of [PASSWORD, next]) assert(!changed.screen.includes(secret));
    await ada.ok(["whoami"]);
    await ada.ok(["login", "ada", "--password-stdin"], { stdin: next });
  },
});
