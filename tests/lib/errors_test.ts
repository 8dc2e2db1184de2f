import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  ERROR_REGISTRY,
  type ErrorCode,
  EXIT,
  isErrorCode,
  TrivetError,
} from "../../lib/errors.ts";

const permissions = "none";
const CODES = Object.keys(ERROR_REGISTRY) as ErrorCode[];

Deno.test("EXIT has the documented codes", { permissions }, () => {
  assertEquals(Object.values(EXIT), [0, 1, 2, 3, 4, 5, 6, 7, 8, 130]);
});

for (const code of CODES) {
  Deno.test(`ERROR_REGISTRY.${code} is well formed`, { permissions }, () => {
    const { exitCode, hint, retry } = ERROR_REGISTRY[code];
    assertMatch(code, /^[A-Z]+(_[A-Z0-9]+)*$/);
    // No error ends a command as if it had worked.
    assert(exitCode !== EXIT.OK && Object.values<number>(EXIT).includes(exitCode));
    assertMatch(hint, /^[A-Z]/);
    assert(!hint.endsWith("."), "a full stop");
    assert(!/n't\b|'re\b|'ll\b/.test(hint), "a contraction");
    assertEquals(typeof retry, "boolean");
  });

  Deno.test(`TrivetError ${code} survives the wire`, { permissions }, () => {
    const sent = new TrivetError(code, "Something happened", { details: { a: 1, b: null } });
    const read = TrivetError.fromMessage(JSON.parse(JSON.stringify(sent.toMessage())));
    assertEquals(read.toMessage(), sent.toMessage());
    assertEquals([read.code, read.message, read.details], [code, "Something happened", {
      a: 1,
      b: null,
    }]);
    const { exitCode, hint, retry } = ERROR_REGISTRY[code];
    assertEquals([read.exitCode, read.hint, read.retry], [exitCode, hint, retry]);
  });
}

Deno.test("ERROR_REGISTRY never calls a wrong call worth another try", { permissions }, () => {
  for (const code of CODES) {
    const { exitCode, retry } = ERROR_REGISTRY[code];
    if (exitCode === EXIT.USAGE || exitCode === EXIT.SPACE) assertEquals(retry, false, code);
  }
});

Deno.test("TrivetError.toMessage() leaves empty details out", { permissions }, () => {
  const message = new TrivetError("NOT_FOUND", "Gone").toMessage();
  assertEquals(Object.keys(message), ["code", "message", "retry", "hint"]);
});

Deno.test("TrivetError keeps its cause and name", { permissions }, () => {
  const cause = new Error("below");
  const error = new TrivetError("INTERNAL", "Above", { cause });
  assertEquals([error.name, error.cause], ["TrivetError", cause]);
  assertEquals("cause" in new TrivetError("INTERNAL", "Above"), false);
  // What led to it is for the log at home, not for the peer.
  assertEquals(JSON.stringify(error.toMessage()).includes("below"), false);
});

for (const code of ["FROM_THE_FUTURE", "toString", "__proto__", "constructor", "", "not_found"]) {
  Deno.test(`TrivetError.fromMessage() turns "${code}" into FAILED`, { permissions }, () => {
    const error = TrivetError.fromMessage({ code, message: "New", retry: true, hint: "" });
    assertEquals([error.code, error.message], ["FAILED", `${code}: New`]);
    assertEquals([error.exitCode, error.retry], [EXIT.FAILED, false]);
    assertEquals(isErrorCode(code), false);
  });
}
