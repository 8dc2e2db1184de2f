import { assertEquals } from "@std/assert";
import { type Person, until, World } from "./testing.ts";

/** The code of a command's error; "OK" when there is none. */
async function codeOf(person: Person, args: readonly string[], stdin?: string): Promise<string> {
  const options = stdin === undefined ? {} : { stdin };
  const { code, stderr } = await person.run(["--json", ...args], options);
  if (code === 0) return "OK";
  return JSON.parse(stderr.trim().split("\n").at(-1) ?? "").error.code;
}

Deno.test("--login-attempts says how many failed logins cost no wait", async () => {
  await using world = await World.create();
  const ada = await world.person("ada", await world.serve(["--login-attempts", "2"]));
  await ada.register("ada");
  const codes = [];
  for (let tries = 0; tries < 3; tries++) {
    codes.push(await codeOf(ada, ["login", "ada", "--password-stdin"], "a wrong password\n"));
  }
  assertEquals(codes, ["AUTH_FAILED", "AUTH_FAILED", "AUTH_THROTTLED"]);
});

/** Begins an upload that waits for its source; the writer's end is its end. */
async function beginUpload(
  person: Person,
): Promise<{ end(): Promise<boolean> }> {
  const process = person.spawn(["put", "-", "slow"], { stdin: "" });
  const writer = process.stdin.getWriter();
  // More than a request holds, or it would not be sent before its end is known.
  await writer.write(new Uint8Array(1_000_000));
  const end = async () => {
    await writer.close();
    return (await process.output()).success;
  };
  return { end };
}

Deno.test("limits of connections are told to whoever comes too late", async () => {
  await using world = await World.create();
  for (
    const [option, code] of [
      ["--connections-per-address", "TOO_MANY_CONNECTIONS"],
      ["--connections", "SERVER_BUSY"],
    ] as const
  ) {
    const server = await world.serve([option, "2", "--registration", "open"]);
    const ada = await world.person(code, server);
    await ada.register(code.toLowerCase().slice(0, 8));
    // An upload that waits for its source holds two connections: one to ask, one for the data.
    const upload = await beginUpload(ada);
    let last = "";
    await until(async () => (last = await codeOf(ada, ["ls"])) !== "OK", `${code}, not ${last}`);
    assertEquals(last, code);
    assertEquals([await upload.end(), await codeOf(ada, ["stat", "slow"])], [true, "OK"]);
    await server.stop();
  }
});

Deno.test("--uploads-per-account counts the uploads on all connections", async () => {
  await using world = await World.create();
  const server = await world.serve(["--uploads-per-account", "1"]);
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const upload = await beginUpload(ada);
  let last = "";
  const isFull = async () => {
    last = await codeOf(ada, ["put", "-", "next"], "next");
    return last !== "OK";
  };
  await until(isFull, "the first upload to hold the place");
  assertEquals(last, "TOO_MANY_UPLOADS");
  assertEquals(await upload.end(), true);
  assertEquals(await codeOf(ada, ["put", "-", "next"], "next"), "OK");
});
