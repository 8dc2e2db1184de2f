/** The words of other languages against those of the C library. */

import { assert, assertEquals } from "@std/assert";
import { TimeFormat } from "../../../lib/clock/strftime.ts";
import { gnuDate, HAS_GNU_DATE } from "./gnu_date.ts";

/** What may differ, with a reason in docs/time.md: locale, conversion, ours, the C library's. */
const KNOWN: ReadonlySet<string> = new Set([
  ...[..."日一二三四五六"].map((day) => `zh_CN %a 周${day} ${day}`),
  ...["%b", "%h", "%Ob"].map((conversion) => `fr_FR ${conversion} avr. avril`),
  ...["de_DE", "fr_FR"].flatMap((name) => [
    `${name} %p AM `,
    `${name} %p PM `,
    `${name} %P am `,
    `${name} %P pm `,
  ]),
  // The C library takes upper case byte by byte.
  "de_DE %^B MÄRZ MäRZ",
  "fr_FR %^B FÉVRIER FéVRIER",
  "fr_FR %^B AOÛT AOûT",
  "fr_FR %^B DÉCEMBRE DéCEMBRE",
]);

const CONVERSIONS = [
  "%A",
  "%a",
  "%B",
  "%b",
  "%h",
  "%OB",
  "%Ob",
  "%p",
  "%P",
  "%^A",
  "%^B",
  "%30A",
  "%030B",
  "%-30B",
  "%EY",
  "%Ey",
  "%Od",
  "%U",
  "%V",
];

/** Two instants a day for a year: every weekday, month and half of a day. */
const INSTANTS = Array.from({ length: 730 }, (_, i) => BigInt(i) * 43_200_000_000_000n);

const LOCALES = ["zh_CN", "de_DE", "fr_FR"] as const;

/** Where the C library keeps what locales are made from. */
const SOURCES = "/usr/share/i18n/locales";

const CAN_MAKE_LOCALES = HAS_GNU_DATE && await isThere(`${SOURCES}/zh_CN`) &&
  await isThere("/usr/bin/localedef");

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Makes the locales in a folder, so that nothing depends on which this system has. */
async function makeLocales(folder: string): Promise<void> {
  for (const name of LOCALES) {
    const args = ["-i", name, "-f", "UTF-8", `${folder}/${name}.UTF-8`];
    const { success, stderr } = await new Deno.Command("localedef", { args }).output();
    assert(success, new TextDecoder().decode(stderr));
  }
}

Deno.test({
  name: "strftime() has the words of the C library in Chinese, German and French" +
    (CAN_MAKE_LOCALES ? "" : " (skipped: locales of glibc cannot be made here)"),
  ignore: !CAN_MAKE_LOCALES,
  fn: async () => {
    const localePath = await Deno.makeTempDir();
    try {
      await makeLocales(localePath);
      const unknown = new Set<string>();
      let equal = 0;
      for (const name of LOCALES) {
        for (const conversion of CONVERSIONS) {
          const options = { zone: "UTC", locale: `${name}.UTF-8`, localePath };
          const theirs = (await gnuDate(conversion, INSTANTS, options)).split("\n");
          const format = new TimeFormat(conversion, { locale: `${name}.UTF-8` });
          for (const [i, ns] of INSTANTS.entries()) {
            const here = format.format(ns);
            if (here === theirs[i]) equal += 1;
            else unknown.add(`${name} ${conversion} ${here} ${theirs[i]}`);
          }
        }
      }
      assertEquals([...unknown].filter((line) => !KNOWN.has(line)), []);
      assert(equal > 0.9 * LOCALES.length * CONVERSIONS.length * INSTANTS.length, `${equal} equal`);
    } finally {
      await Deno.remove(localePath, { recursive: true });
    }
  },
});

Deno.test("strftime() has the words where Trivet differs from the C library", {
  permissions: "none",
}, () => {
  const cases: [locale: string, format: string, day: string, text: string][] = [
    ["zh-CN", "%a", "2023-03-11", "周六"],
    ["fr-FR", "%b", "2023-04-11", "avr."],
    ["de-DE", "%I %p", "2023-04-11", "12 PM"],
    ["de-DE", "%^B", "2023-03-11", "MÄRZ"],
    ["zh-CN", "%x %X", "2023-03-11", "2023/03/11 12:00:00"],
    ["zh-CN", "%c", "2023-03-11", "2023年3月11日周六 12:00:00"],
    ["de-DE", "%c", "2023-03-11", "Sa, 11. Mär 2023, 12:00:00"],
    ["fr-FR", "%r", "2023-03-11", "12:00:00 PM"],
  ];
  for (const [locale, format, day, text] of cases) {
    const ns = BigInt(Date.parse(`${day}T12:00:00Z`)) * 1_000_000n;
    assertEquals(new TimeFormat(format, { locale }).format(ns), text, `${locale} ${format}`);
  }
});
