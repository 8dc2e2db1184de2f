import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { atTerminal, HAS_EXPECT } from "./at_terminal.ts";
import { FROM_SOURCE, PASSWORD, Person, sha256Of, World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;

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
  name: "at a terminal: trivetd asks for a new password twice, and before it removes an account",
  ignore: !HAS_EXPECT,
  fn: async () => {
    await using world = await World.create();
    await world.serve();
    const { home } = await world.person("root");
    const programs = { ...FROM_SOURCE, trivet: FROM_SOURCE.trivetd };
    const admin = new Person(programs, home, { TRIVETD_DATA: world.data });
    const added = await atTerminal(admin, ["user", "add", "ann"], [
      ["New password:", `${PASSWORD}\r`],
      ["The same again:", `${PASSWORD}\r`],
    ]);
    assertEquals(added.code, 0, added.screen);
    assertEquals(added.screen.includes(PASSWORD), false);
    const differing = await atTerminal(admin, ["user", "passwd", "ann"], [
      ["New password:", `${PASSWORD}\r`],
      ["The same again:", `${PASSWORD}.\r`],
    ]);
    assertEquals(differing.code, 2, differing.screen);
    const remove = async (answer: string) =>
      (await atTerminal(admin, ["user", "remove", "ann"], [["[y/N]?", answer]])).code;
    assertEquals(await remove("n\r"), 130);
    assertEquals((await admin.json(["user", "list"])).users.length, 1);
    assertEquals(await remove("y\r"), 0);
    assertEquals((await admin.json(["user", "list"])).users, []);
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
