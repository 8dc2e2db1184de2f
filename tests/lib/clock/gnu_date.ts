/** GNU date as the oracle of strftime. */

/** Whether `date` is there and GNU's own. */
export const HAS_GNU_DATE: boolean = await new Deno.Command("date", {
  args: ["--version"],
  stdout: "piped",
  stderr: "null",
}).output().then(
  ({ success, stdout }) => success && /^date \(GNU coreutils\)/.test(textOf(stdout)),
  () => false,
);

/** What a comparison is named where there is no GNU date. */
export const WITHOUT_GNU_DATE: string = HAS_GNU_DATE ? "" : " (skipped: date is not GNU's)";

/** Options of {@linkcode gnuDate}. */
export interface GnuDateOptions {
  /** Value of `TZ`. */
  readonly zone: string;
  /** Value of `LC_ALL`; `C` by default. */
  readonly locale?: string;
  /** Value of `LOCPATH`, where locales were made. */
  readonly localePath?: string;
}

/** What GNU date writes for some instants, a line each; a format may have line ends of its own. */
export async function gnuDate(
  format: string,
  instants: readonly bigint[],
  { zone, locale = "C", localePath }: GnuDateOptions,
): Promise<string> {
  const env: Record<string, string> = { LC_ALL: locale, TZ: zone };
  if (localePath !== undefined) env.LOCPATH = localePath;
  const child = new Deno.Command("date", {
    args: ["-f", "-", `+${format}`],
    clearEnv: true,
    env: { ...env, PATH: Deno.env.get("PATH") ?? "" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(instants.map((ns) => `${atText(ns)}\n`).join("")));
  await input.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`date failed: ${textOf(stderr)}`);
  return textOf(stdout);
}

/** An instant as date takes it: `@-1.500000000`. */
function atText(epochNs: bigint): string {
  const all = epochNs < 0n ? -epochNs : epochNs;
  const fraction = String(all % 1_000_000_000n).padStart(9, "0");
  return `@${epochNs < 0n ? "-" : ""}${all / 1_000_000_000n}.${fraction}`;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
