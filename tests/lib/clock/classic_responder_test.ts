import { assertEquals } from "@std/assert";
import {
  ClassicResponder,
  daytimeWriter,
  type TimeWriter,
  writeTime,
} from "../../../lib/clock/classic_responder.ts";
import { RateLimit } from "../../../lib/clock/rate_limit.ts";
import { fixedZone, UTC } from "../../../lib/clock/zone.ts";
import { bytesOf, CLIENT, FakeClock, noLimit, textOf } from "./testing.ts";

const permissions = "none";
const OWN_PORT = 9013;

Deno.test("daytimeWriter() writes the line of RFC 867", { permissions }, () => {
  const { epochNs } = new FakeClock("1982-02-23T01:37:43Z");
  const pacific = fixedZone("America/Los_Angeles", -8 * 3600, "PST");
  const line = textOf(daytimeWriter(pacific)(epochNs));
  // The RFC says Tuesday, but that day was a Monday.
  assertEquals(line, "Monday, February 22, 1982 17:37:43-PST\r\n");
  assertEquals(textOf(daytimeWriter(UTC)(0n)), "Thursday, January 1, 1970 00:00:00-UTC\r\n");
});

/** The examples of RFC 868, and the years that it did not think of. */
const TIMES: [date: string, seconds: number][] = [
  ["1900-01-01T00:00:01Z", 1],
  ["1970-01-01T00:00:00Z", 2_208_988_800],
  ["1976-01-01T00:00:00Z", 2_398_291_200],
  ["1980-01-01T00:00:00Z", 2_524_521_600],
  ["1983-05-01T00:00:00Z", 2_629_584_000],
  ["2036-02-07T06:28:15Z", 4_294_967_295],
  ["2036-02-07T06:28:16Z", 0],
];

for (const [date, seconds] of TIMES) {
  Deno.test(`writeTime() of ${date} is ${seconds}`, { permissions }, () => {
    const bytes = writeTime(new FakeClock(date).epochNs);
    assertEquals([...bytes], [24, 16, 8, 0].map((shift) => seconds / 2 ** shift & 255));
  });
}

const WRITERS: [name: string, write: TimeWriter][] = [["DAYTIME", daytimeWriter(UTC)], [
  "TIME",
  writeTime,
]];

for (const [name, write] of WRITERS) {
  const fake = new FakeClock();
  const responderOf = (limit: RateLimit) =>
    new ClassicResponder({ write, limit, ownPort: OWN_PORT, wallNs: () => fake.epochNs });
  const answer = write(fake.epochNs);

  Deno.test(`ClassicResponder answers an empty datagram with ${name}`, { permissions }, () => {
    for (const text of ["", "\n", "\r\n", "\n\n"]) {
      assertEquals(responderOf(noLimit()).respond(bytesOf(text), CLIENT), answer);
    }
  });

  Deno.test(`ClassicResponder of ${name} is silent about anything else`, { permissions }, () => {
    for (const request of [bytesOf("x"), bytesOf(" "), bytesOf("\n\n\n"), bytesOf("%Y"), answer]) {
      assertEquals(responderOf(noLimit()).respond(request, CLIENT), undefined);
    }
  });

  Deno.test(`ClassicResponder of ${name} answers clients' ports alone`, { permissions }, () => {
    for (const port of [0, 7, 13, 37, 1023, OWN_PORT]) {
      const source = { ...CLIENT, port };
      assertEquals(responderOf(noLimit()).respond(new Uint8Array(0), source), undefined);
    }
    const source = { ...CLIENT, port: 1024 };
    assertEquals(responderOf(noLimit()).respond(new Uint8Array(0), source), answer);
  });

  Deno.test(`ClassicResponder of ${name} keeps to the limit`, { permissions }, () => {
    const limit = new RateLimit({ perSecond: 0.001, burst: 2, random: () => 0.99 });
    const responder = responderOf(limit);
    const answers = [1, 2, 3].map(() => responder.respond(new Uint8Array(0), CLIENT));
    assertEquals(answers, [answer, answer, undefined]);
  });
}
