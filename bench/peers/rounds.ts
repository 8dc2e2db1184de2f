/**
 * The rounds of the bench: what each contender is made to do, timed, and compared in the first round.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- tells how far a run of an hour is
import { join } from "node:path";
import { Ballast } from "./ballast.ts";
import type { Contender, Direction } from "./contender.ts";
import type { Run } from "./figures.ts";
import { makeHalf } from "./halves.ts";
import { compareMany, makeMany, MANY_FILE_BYTES, MANY_FILES } from "./many.ts";
import { MemoryWatch } from "./memory.ts";
import type { Options } from "./options.ts";
import { type Command, run } from "./processes.ts";

const MIB = 1024 * 1024;

/** Fills a file with noise, which nothing can compress. */
async function makeSource(path: string, sizeBytes: number): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  const piece = new Uint8Array(MIB);
  for (let left = sizeBytes; left > 0; left -= piece.length) {
    for (let at = 0; at < MIB; at += 65_536) {
      crypto.getRandomValues(piece.subarray(at, at + 65_536));
    }
    file.writeSync(left < MIB ? piece.subarray(0, left) : piece);
  }
}

/** One command, timed; what earlier ones left to be written to the disk is written before. */
async function measure(
  contender: Contender,
  command: Command,
  looksAtMemory: boolean,
): Promise<Pick<Run, "wallMs" | "cpuSeconds" | "memory">> {
  const { daemon } = contender;
  await run({ argv: ["sync"] });
  const before = await daemon.cpuSeconds();
  using stack = new DisposableStack();
  let watch: MemoryWatch | undefined;
  const { wallMs, cpuSeconds } = await run(command, (pid) => {
    if (looksAtMemory) watch = stack.use(new MemoryWatch(pid, daemon.pid));
  });
  await daemon.settle();
  const after = await daemon.cpuSeconds();
  const isKnown = cpuSeconds !== undefined && before !== undefined && after !== undefined;
  const cost = { wallMs, cpuSeconds: isKnown ? cpuSeconds + after - before : undefined };
  return watch === undefined ? cost : { ...cost, memory: watch.peaks };
}

/** A cell of a table, in one round. */
type Cell = Pick<Run, "scenario" | "direction" | "contender" | "round">;

/** All rounds of all contenders. */
export class Bench {
  readonly #options: Options;
  readonly #folder: string;
  readonly #source: string;
  readonly #ballast: Ballast;
  /** What was measured. */
  readonly runs: Run[] = [];

  /** Does nothing yet. */
  constructor(options: Options, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#source = join(folder, "source");
    this.#ballast = new Ballast(join(folder, "ballast"));
  }

  /** Makes the files that are moved. */
  async prepare(): Promise<void> {
    const { sizeBytes, scenarios } = this.#options;
    await makeSource(this.#source, sizeBytes);
    if (!scenarios.includes("many")) return;
    const fileBytes = Math.min(MANY_FILE_BYTES, Math.ceil(sizeBytes / MANY_FILES));
    await makeMany(this.#source, this.#manySource, fileBytes);
  }

  /** One round of everything; who goes first changes from round to round. */
  async round(number: number, contenders: readonly Contender[]): Promise<void> {
    const first = number % contenders.length;
    const turns = [...contenders.slice(first), ...contenders.slice(0, first)];
    const { scenarios } = this.#options;
    const both = ["up", "down"] as const;
    for (const scenario of ["fresh", "over"].filter((name) => scenarios.includes(name))) {
      for (const direction of both) {
        for (const contender of turns) await this.#whole(scenario, direction, contender, number);
      }
    }
    if (scenarios.includes("nowhere")) {
      for (const contender of turns) await this.#whole("nowhere", "nowhere", contender, number);
    }
    if (scenarios.includes("resume")) {
      for (const direction of both) {
        for (const contender of turns) await this.#rest(direction, contender, number);
      }
    }
    for (const contender of contenders) {
      await remove(join(contender.folder, "file"));
      await remove(this.#target(contender));
    }
    if (scenarios.includes("many")) await this.#allMany(turns, number);
  }

  /** The whole file. */
  async #whole(
    scenario: string,
    direction: Direction,
    contender: Contender,
    round: number,
  ): Promise<void> {
    const target = this.#target(contender);
    const stored = join(contender.folder, "file");
    const command = contender.command(direction, this.#local(direction, contender), "file");
    if (command === undefined) return;
    // Contenders that share a server share its files: what a fresh one needs is made or removed first.
    if (scenario === "fresh") await remove(direction === "up" ? stored : target);
    if (direction !== "up") await this.#store(contender);
    await this.#ballast.fill(direction === "up" ? this.#source : stored);
    const cost = await measure(contender, command, round === 0);
    this.#add({ scenario, direction, contender: contender.name, round }, {
      bytes: this.#options.sizeBytes,
      ...cost,
    });
    if (round === 0 && direction !== "nowhere") await this.#compare(direction, contender);
  }

  /** What is missing of the file when half of it is there. */
  async #rest(direction: "up" | "down", contender: Contender, round: number): Promise<void> {
    const local = this.#local(direction, contender);
    const command = contender.resume?.(direction, local, "file");
    if (command === undefined) return;
    const stored = join(contender.folder, "file");
    await remove(direction === "up" ? stored : local);
    if (direction === "down") await this.#store(contender);
    const { sizeBytes } = this.#options;
    const half = { direction, source: this.#source, sizeBytes, local, name: "file" };
    const bytes = sizeBytes - await makeHalf(contender, half);
    // Whoever was too quick to be stopped has nothing to go on with.
    if (bytes <= 0 || bytes === sizeBytes) return;
    await this.#ballast.fill(direction === "up" ? this.#source : stored);
    const cost = await measure(contender, command, round === 0);
    const cell = { scenario: "resume", direction, contender: contender.name, round };
    this.#add(cell, { bytes, ...cost });
    if (round === 0) await this.#compare(direction, contender);
  }

  /** Many files, always to a new place. */
  async #allMany(turns: readonly Contender[], round: number): Promise<void> {
    const made: string[] = [];
    for (const direction of ["up", "down"] as const) {
      for (const contender of turns) {
        const name = `many-${contender.name.replaceAll(/\W+/g, "-")}-${round}`;
        const target = join(this.#folder, `down-${name}`);
        const local = direction === "up" ? this.#manySource : target;
        const command = contender.tree(direction, local, name);
        if (command === undefined) continue;
        await this.#ballast.fill(this.#source);
        const cost = await measure(contender, command, round === 0);
        const bytes = await bytesIn(this.#manySource);
        const cell = { scenario: "many", direction, contender: contender.name, round };
        this.#add(cell, { bytes, ...cost });
        const there = direction === "up" ? join(contender.folder, name) : target;
        made.push(there);
        if (round === 0) await compareMany(this.#manySource, there);
      }
    }
    for (const folder of made) await Deno.remove(folder, { recursive: true });
  }

  /** Makes sure that the server has the file. */
  async #store(contender: Contender): Promise<void> {
    const stored = join(contender.folder, "file");
    const size = await Deno.stat(stored).then((info) => info.size, () => undefined);
    if (size === this.#options.sizeBytes) return;
    const command = contender.command("up", this.#source, "file");
    if (command !== undefined) await run(command);
  }

  async #compare(direction: "up" | "down", contender: Contender): Promise<void> {
    const stored = join(contender.folder, "file");
    const other = direction === "up" ? stored : this.#target(contender);
    await run({ argv: ["cmp", this.#source, other] });
  }

  #add(cell: Cell, cost: Omit<Run, keyof Cell>): void {
    this.runs.push({ ...cell, ...cost });
    const rate = (cost.bytes / 1e3 / cost.wallMs).toFixed(0);
    const { round, scenario, direction, contender } = cell;
    console.error(`round ${round + 1} ${scenario} ${direction}: ${contender} ${rate} MB/s`);
  }

  #local(direction: Direction, contender: Contender): string {
    return direction === "up" ? this.#source : this.#target(contender);
  }

  #target(contender: Contender): string {
    return join(this.#folder, `down-${contender.name.replaceAll(/\W+/g, "-")}`);
  }

  get #manySource(): string {
    return join(this.#folder, "source-many");
  }
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name } of Deno.readDir(folder)) {
    bytes += (await Deno.stat(join(folder, name))).size;
  }
  return bytes;
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
