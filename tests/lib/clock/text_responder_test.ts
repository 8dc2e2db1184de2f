import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import { RateLimit } from "../../../lib/clock/rate_limit.ts";
import { LOOP_WINDOW_MS } from "../../../lib/clock/sent_replies.ts";
import { FORMATS_MAX, TextRequests } from "../../../lib/clock/text_formats.ts";
import { TextResponder, type TextResponderOptions } from "../../../lib/clock/text_responder.ts";
import { bytesOf, CLIENT, FakeClock, noLimit, requests, textOf } from "./testing.ts";

const permissions = "none";
const OWN_PORT = 9000;

function responderOf(
  fake = new FakeClock(),
  options: Partial<TextResponderOptions> = {},
): TextResponder {
  return new TextResponder({
    limit: noLimit(),
    ownPort: OWN_PORT,
    ...fake.wall(),
    ...options,
  });
}

function ask(responder: TextResponder, text: string, source = CLIENT): string | undefined {
  return textOf(responder.respond(bytesOf(text), source));
}

const ANSWERS: [request: string, answer: string | undefined][] = [
  ["%Y %m %d", "2026 11 21"],
  ["", "2026-11-21 02:45:00"],
  ["\n", "2026-11-21 02:45:00"],
  ["\r\n\r\n", "2026-11-21 02:45:00"],
  ["%H:%M\r\n", "02:45"],
  ["%H\n%M\n", "02\n45"],
  ["现在是%Y年%m月%d日。", "现在是2026年11月21日。"],
  ["%s.%N", "1795229100.123456789"],
  ["%s", "1795229100"],
  ["0", "1970-01-01 00:00:00"],
  ["-1", "1969-12-31 23:59:59"],
  ["1700000000", "2023-11-14 22:13:20"],
  ["1700000000.999\n", "2023-11-14 22:13:20"],
  ["-0.5", "1969-12-31 23:59:59"],
  ["253402300800", "10000-01-01 00:00:00"],
  // No instant: more digits than any calendar has years, or no plain number.
  ["99999999999999999999", "99999999999999999999"],
  ["1e3", "1e3"],
  ["0x10", "0x10"],
  // A bad format is answered like any other text.
  ["%", "%"],
  ["%Q", "%Q"],
  ["hello", "hello"],
  ["100%% %Y", "100% 2026"],
  ["%64d", "21".padStart(64, "0")],
  ["%65d", "21".padStart(64, "0")],
  ["%999999999999d", "21".padStart(64, "0")],
  // What only a server sends.
  ["2026-11-21 02:45:00", undefined],
  ["-0001-11-21 02:45:00", undefined],
  ["12026-11-21 02:45:00", undefined],
  // Answers that another server would answer with something that is answered in turn.
  ["%%Y", "2026-11-21 02:45:00"],
  ["%%%%d", "2026-11-21 02:45:00"],
  ["%n", "2026-11-21 02:45:00"],
  ["%n%n", "2026-11-21 02:45:00"],
];

for (const [request, answer] of ANSWERS) {
  const words = answer === undefined ? "not at all" : JSON.stringify(answer);
  Deno.test(`TextResponder answers ${JSON.stringify(request)} with ${words}`, {
    permissions,
  }, () => {
    const responder = responderOf();
    assertEquals(ask(responder, request), answer);
    // A second client asks for what is known already.
    assertEquals(ask(responder, request, { ...CLIENT, port: 40_001 }), answer);
  });
}

Deno.test("TextResponder writes in its zone and language", { permissions }, () => {
  const responder = responderOf(new FakeClock(), { zone: "Asia/Shanghai", locale: "zh-CN" });
  assertEquals(ask(responder, "%A %H:%M"), "星期六 10:45");
  assertEquals(ask(responder, "0"), "1970-01-01 08:00:00");
});

for (const options of [{ zone: "Mars/Base" }, { locale: "xx-Nowhere" }]) {
  Deno.test(`TextResponder refuses ${JSON.stringify(options)} at once`, { permissions }, () => {
    assertEquals(assertThrows(() => responderOf(undefined, options), TrivetError).code, "USAGE");
  });
}

Deno.test("TextResponder answers each second anew, and each nanosecond where asked", {
  permissions,
}, () => {
  const fake = new FakeClock("2026-11-21T02:45:59.5Z");
  const responder = responderOf(fake);
  const both = () => [ask(responder, "%H:%M:%S"), ask(responder, "%S.%N"), ask(responder, "%3N")];
  assertEquals(both(), ["02:45:59", "59.500000000", "500"]);
  fake.pass(250);
  assertEquals(both(), ["02:45:59", "59.750000000", "750"]);
  fake.pass(250);
  assertEquals(both(), ["02:46:00", "00.000000000", "000"]);
  // The clock was set back.
  fake.epochNs -= 1_000_000_000n;
  assertEquals(both(), ["02:45:59", "59.000000000", "000"]);
});

Deno.test("TextResponder takes 512 bytes and not one more", { permissions }, () => {
  const responder = responderOf();
  assertEquals(ask(responder, "x".repeat(512)), "x".repeat(512));
  assertEquals(ask(responder, "x".repeat(513)), undefined);
});

Deno.test("TextResponder is silent about what is not UTF-8", { permissions }, () => {
  for (const hex of ["ff", "2559c3", "c080", "eda080", "f4908080", "cfd6d4da254d"]) {
    assertEquals(responderOf().respond(Uint8Array.fromHex(hex), CLIENT), undefined, hex);
  }
});

for (
  const [port, isAnswered] of [
    [0, false],
    [7, false],
    [123, false],
    [1023, false],
    [1024, true],
    [OWN_PORT - 1, true],
    [OWN_PORT, false],
    [OWN_PORT + 1, true],
    [65_535, true],
  ] as const
) {
  Deno.test(
    `TextResponder ${isAnswered ? "answers" : "drops"} port ${port}`,
    { permissions },
    () => {
      assertEquals(ask(responderOf(), "%Y", { ...CLIENT, port }), isAnswered ? "2026" : undefined);
    },
  );
}

const LONG: [request: string, bytes: number][] = [
  ["%c", 64],
  ["%64d%64d", 64],
  [`${"%c".repeat(11)}`, 66],
  [`${"%c".repeat(256)}`, 1536],
  [`${"%64d".repeat(128)}`, 1536],
  [`${"%64d".repeat(5)} `, 64],
];

for (const [request, most] of LONG) {
  Deno.test(`TextResponder's answer to ${request.slice(0, 24)} has at most ${most} bytes`, {
    permissions,
  }, () => {
    const reply = responderOf().respond(bytesOf(request), CLIENT);
    assert(reply !== undefined);
    assertLessOrEqual(reply.length, most);
    // The limit, and not something far below it, is what ends a long answer.
    if (request.length > 2) assert(reply.length > most - 4, `${reply.length} bytes`);
  });
}

Deno.test("TextResponder cuts an answer between two characters", { permissions }, () => {
  const responder = responderOf(new FakeClock(), { locale: "zh-CN" });
  const reply = ask(responder, "%A".repeat(50));
  assert(reply !== undefined);
  assertEquals(reply, "星期六".repeat(40).slice(0, reply.length));
  assertLessOrEqual(bytesOf(reply).length, 300);
  assert(bytesOf(reply).length > 296);
});

for (const locale of ["C", "zh-CN"]) {
  Deno.test(
    `TextResponder never answers with more than it may (${locale})`,
    { permissions },
    () => {
      const responder = responderOf(new FakeClock(), { locale });
      fc.assert(
        fc.property(requests, (request) => {
          const before = request.slice();
          const reply = responder.respond(request, CLIENT);
          assertEquals(request, before, "the request stays as it is");
          if (reply === undefined) return;
          assertLessOrEqual(reply.length, Math.max(64, 3 * request.length));
          assert(textOf(reply) !== undefined, "it is UTF-8");
        }),
        { numRuns: 1000 },
      );
    },
  );
}

Deno.test("TextResponder gives a text without conversions back once a second", {
  permissions,
}, () => {
  const fake = new FakeClock();
  const responder = responderOf(fake);
  const asked = (port: number, hostname = CLIENT.hostname) =>
    ask(responder, "hello", { hostname, port });
  assertEquals(asked(40_000), "hello");
  assertEquals(asked(40_000), undefined, "as a server that answers would send it");
  assertEquals(asked(40_001), "hello");
  assertEquals(asked(40_000, "192.0.2.8"), "hello");
  fake.pass(LOOP_WINDOW_MS - 1);
  assertEquals(asked(40_001), undefined);
  fake.pass(1);
  assertEquals(asked(40_001), "hello");
  // The end of a line does not make it another text.
  assertEquals(ask(responder, "%H%n", { ...CLIENT, port: 5000 }), "02\n");
  assertEquals(ask(responder, "02", { ...CLIENT, port: 5000 }), "1970-01-01 00:00:02");
  assertEquals(ask(responder, "%H:%n", { ...CLIENT, port: 5000 }), "02:\n");
  assertEquals(ask(responder, "02:\n", { ...CLIENT, port: 5000 }), undefined);
});

Deno.test("TextResponder answers one in four beyond the limit, and cannot refuse", {
  permissions,
}, () => {
  const chances = [0.1, 0.4, 0.9];
  const random = () => chances.shift() ?? 1;
  const limit = new RateLimit({ perSecond: 1, burst: 1, random });
  const responder = responderOf(new FakeClock(), { limit });
  const answers = Array.from({ length: 4 }, () => ask(responder, "%Y"));
  assertEquals(answers, ["2026", "2026", undefined, undefined]);
  assertEquals(ask(responder, "%Y", { hostname: "192.0.2.8", port: 40_000 }), "2026");
});

Deno.test("TextRequests remembers no more requests than it may", { permissions }, () => {
  const requests = new TextRequests({});
  for (let i = 0; i < 20 * FORMATS_MAX; i++) {
    const bytes = bytesOf(`%Y ${i}`);
    const request = requests.find(bytes);
    assertEquals(requests.find(bytesOf(`%Y ${i}`)), request, "it is found again");
    bytes.fill(0);
    assertEquals(textOf(request.bytes), `%Y ${i}`, "it does not keep the buffer");
  }
  assertEquals(requests.size, FORMATS_MAX);
});
