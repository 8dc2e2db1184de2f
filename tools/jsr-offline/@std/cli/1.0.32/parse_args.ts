/**
 * Splits a command line into flags and positionals. Written for this project from the documented
 * behaviour of `@std/cli/parse-args`; `tests/std_contract_test.ts` holds both to it.
 *
 * @module
 */

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions<
  TBoolean extends string = string,
  TString extends string = string,
  TCollect extends string = string,
  TNegatable extends string = string,
  TDefault extends Record<string, unknown> = Record<string, unknown>,
  TRest extends boolean = boolean,
> {
  /** Keeps what follows the first `--` apart, in the key `--`. */
  "--"?: TRest;
  /** Other names of a flag; every name appears in the result. */
  alias?: Record<string, string | readonly string[]>;
  /** Flags without a value; `true` makes every flag without `=` one. */
  boolean?: boolean | TBoolean | readonly TBoolean[];
  /** Values of flags that are not given. */
  default?: TDefault;
  /** Leaves the first positional and all that follows it unparsed. */
  stopEarly?: boolean;
  /** Flags whose value stays a string; `_` means the positionals. */
  string?: TString | readonly TString[];
  /** Flags that may be repeated; their values become an array. */
  collect?: TCollect | readonly TCollect[];
  /** Flags that `--no-NAME` sets to `false`. */
  negatable?: TNegatable | readonly TNegatable[];
  /** Called for undeclared flags and for positionals; exactly `false` drops one. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

type Widen<T> = T extends string ? string
  : T extends number ? number
  : T extends boolean ? boolean
  : T;

type Single<K, TBoolean, TString> = K extends TBoolean ? boolean
  : K extends TString ? string
  : unknown;

type Optional<K, TBoolean, TCollect, TDefault> = K extends TBoolean | TCollect | keyof TDefault
  ? never
  : undefined;

type Value<K, TBoolean, TString, TCollect, TNegatable, TDefault> =
  | (K extends TCollect ? Single<K, TBoolean, TString>[] : Single<K, TBoolean, TString>)
  | (K extends TNegatable ? false : never)
  | (K extends keyof TDefault ? Widen<TDefault[K]> : never)
  | Optional<K, TBoolean, TCollect, TDefault>;

type Required<TBoolean extends string, TCollect extends string, TDefault> =
  | TBoolean
  | TCollect
  | Extract<keyof TDefault, string>;

/** What {@linkcode parseArgs} returns for the declared flags. */
export type Args<
  TBoolean extends string = never,
  TString extends string = never,
  TCollect extends string = never,
  TNegatable extends string = never,
  // deno-lint-ignore ban-types
  TDefault = {},
  TRest extends boolean = false,
> =
  & {
    [K in Required<TBoolean, TCollect, TDefault>]: Value<
      K,
      TBoolean,
      TString,
      TCollect,
      TNegatable,
      TDefault
    >;
  }
  & {
    [K in Exclude<TString, Required<TBoolean, TCollect, TDefault> | "_">]?: Value<
      K,
      TBoolean,
      TString,
      TCollect,
      TNegatable,
      TDefault
    >;
  }
  & { _: (string | number)[]; [flag: string]: unknown }
  & (TRest extends true ? { "--": string[] } : unknown);

type Tree = { [name: string]: unknown };

const FORBIDDEN_SEGMENTS: ReadonlySet<string> = new Set(["__proto__", "constructor"]);
const NUMBER_AT_END = /-?\d+(\.\d*)?(e-?\d+)?$/i;

/**
 * Splits a command line into flags and positionals. No input makes it throw; what a flag means, and
 * whether its value is good, is for the caller to say.
 *
 * @param args The arguments, without the program's name.
 * @param options Which flags there are.
 * @returns The flags by name, and the positionals in `_`.
 */
export function parseArgs<
  const TBoolean extends string = never,
  const TString extends string = never,
  const TCollect extends string = never,
  const TNegatable extends string = never,
  // deno-lint-ignore ban-types
  const TDefault extends Record<string, unknown> = {},
  const TRest extends boolean = false,
>(
  args: readonly string[],
  options: ParseOptions<TBoolean, TString, TCollect, TNegatable, TDefault, TRest> = {},
): Args<TBoolean, TString, TCollect, TNegatable, TDefault, TRest> {
  const parser = new Parser(options);
  return parser.parse(args) as Args<TBoolean, TString, TCollect, TNegatable, TDefault, TRest>;
}

class Parser {
  readonly #options: ParseOptions;
  readonly #names = new Map<string, string[]>();
  readonly #boolean: Set<string>;
  readonly #string: Set<string>;
  readonly #collect: Set<string>;
  readonly #negatable: Set<string>;
  readonly #allBoolean: boolean;
  readonly #result: Tree & { _: (string | number)[] } = { _: [] };
  readonly #given = new Set<string>();

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      if (others === undefined) throw new TypeError("Alias value must be defined");
      const group = [name, ...listOf(others)];
      for (const each of group) this.#names.set(each, group);
    }
    this.#allBoolean = options.boolean === true;
    this.#boolean = this.#withAliases(
      typeof options.boolean === "boolean" ? [] : listOf(options.boolean),
    );
    this.#string = this.#withAliases(listOf(options.string));
    this.#collect = this.#withAliases(listOf(options.collect));
    this.#negatable = this.#withAliases(listOf(options.negatable));
  }

  parse(args: readonly string[]): Tree {
    const end = args.indexOf("--");
    const flags = end === -1 ? args : args.slice(0, end);
    const rest = end === -1 ? [] : args.slice(end + 1);
    for (let at = 0; at < flags.length;) {
      const arg = flags[at] ?? "";
      const isFlag = arg.startsWith("-") && arg !== "-";
      if (!isFlag) {
        if (this.#options.stopEarly) {
          this.#positional(arg);
          this.#result._.push(...flags.slice(at + 1));
          break;
        }
        this.#positional(arg);
        at += 1;
      } else if (arg.startsWith("--")) {
        at += this.#long(arg, flags[at + 1]);
      } else {
        at += this.#group(arg, flags[at + 1]);
      }
    }
    this.#fill();
    if (this.#options["--"]) this.#result["--"] = [...rest];
    else this.#result._.push(...rest);
    return this.#result;
  }

  #withAliases(names: readonly string[]): Set<string> {
    return new Set(names.flatMap((name) => this.#names.get(name) ?? [name]));
  }

  #isBoolean(name: string): boolean {
    return this.#boolean.has(name);
  }

  #isDeclared(name: string): boolean {
    return this.#boolean.has(name) || this.#string.has(name) || this.#collect.has(name) ||
      this.#names.has(name);
  }

  #positional(arg: string): void {
    if (this.#options.unknown?.(arg) === false) return;
    this.#result._.push(this.#string.has("_") ? arg : numberOr(arg));
  }

  /** Takes `--name`, `--name=value` or `--no-name`; returns how many arguments that were. */
  #long(arg: string, next: string | undefined): number {
    const equals = arg.indexOf("=");
    if (equals > 2) {
      // With a value, --no-NAME is no negation: it names the flag without "no-".
      const name = arg.slice(2, equals).replace(/^no-/, "");
      const text = arg.slice(equals + 1);
      this.#set(
        name,
        this.#isBoolean(name) ? text !== "false" : this.#typed(name, text),
        arg,
        text,
      );
      return 1;
    }
    const name = arg.slice(2);
    const positive = this.#positive(name);
    if (positive !== name) {
      this.#set(positive, false, arg);
      return 1;
    }
    return this.#valueFrom(name, next, arg, this.#allBoolean);
  }

  /** The flag that `--no-NAME` negates, or the name itself. */
  #positive(name: string): string {
    const rest = name.startsWith("no-") ? name.slice(3) : name;
    return rest !== name && this.#negatable.has(rest) ? rest : name;
  }

  /** Takes `-abc`, `-p8080` or `-x=y`; returns how many arguments that were. */
  #group(arg: string, next: string | undefined): number {
    const letters = arg.slice(1);
    for (let at = 0; at < letters.length - 1; at++) {
      const name = letters.charAt(at);
      const tail = letters.slice(at + 1);
      if (tail === "-") {
        this.#set(name, tail, arg);
        continue;
      }
      const isLetter = /[A-Za-z]/.test(name);
      const equals = tail.indexOf("=");
      const text = isLetter && equals !== -1 ? tail.slice(equals + 1).split("=")[0] ?? "" : tail;
      if (text !== tail || (isLetter && NUMBER_AT_END.test(tail)) || /^\W/.test(tail)) {
        this.#set(name, this.#typed(name, text), arg, text);
        return 1;
      }
      this.#set(name, this.#string.has(name) ? "" : true, arg);
    }
    const last = letters.slice(-1);
    return last === "-" ? 1 : this.#valueFrom(last, next, arg, false);
  }

  /** Sets a flag that has no `=`, with the next argument where that is its value. */
  #valueFrom(name: string, next: string | undefined, arg: string, noValue: boolean): number {
    // A letter, unlike a long name, takes a hyphen alone as its value.
    const isValue = next && (!next.startsWith("-") || (next === "-" && !arg.startsWith("--")));
    if (isValue && !this.#isBoolean(name) && !noValue) {
      this.#set(name, this.#typed(name, next), arg, next);
      return 2;
    }
    if (next === "true" || next === "false") {
      this.#set(name, next === "true", arg);
      return 2;
    }
    this.#set(name, this.#string.has(name) ? "" : true, arg);
    return 1;
  }

  #typed(name: string, text: string): string | number {
    return this.#string.has(name) ? text : numberOr(text);
  }

  /** `raw` is the value as `unknown` sees it: before it became a number. */
  #set(name: string, value: unknown, arg: string, raw: unknown = value): void {
    if (this.#options.unknown && !this.#isDeclared(name)) {
      const isAny = this.#allBoolean && /^--[^=]+$/.test(arg);
      if (!isAny && this.#options.unknown(arg, name, raw) === false) return;
    }
    for (const each of this.#names.get(name) ?? [name]) this.#put(each, value);
  }

  #put(name: string, value: unknown): void {
    const isFirst = !this.#given.has(name);
    this.#given.add(name);
    if (!this.#collect.has(name)) return assign(this.#result, name, value);
    const before = isFirst ? [] : lookUp(this.#result, name);
    assign(this.#result, name, [...(Array.isArray(before) ? before : []), value]);
  }

  /** Gives the flags that were not there their defaults. */
  #fill(): void {
    for (const [name, value] of Object.entries(this.#options.default ?? {})) {
      for (const each of this.#names.get(name) ?? [name]) {
        if (!has(this.#result, each)) assign(this.#result, each, value);
      }
    }
    for (const name of this.#boolean) {
      if (has(this.#result, name)) continue;
      assign(this.#result, name, this.#collect.has(name) ? [] : false);
    }
    for (const name of this.#collect) {
      if (!has(this.#result, name)) assign(this.#result, name, []);
    }
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

function numberOr(text: string): string | number {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function assign(tree: Tree, name: string, value: unknown): void {
  const segments = name.split(".");
  if (segments.some((segment) => FORBIDDEN_SEGMENTS.has(segment))) return;
  const last = segments.pop() ?? name;
  let at = tree;
  for (const segment of segments) {
    const inner = at[segment];
    if (isTree(inner)) {
      at = inner;
    } else {
      const fresh: Tree = {};
      at[segment] = fresh;
      at = fresh;
    }
  }
  at[last] = value;
}

function lookUp(tree: Tree, name: string): unknown {
  let at: unknown = tree;
  for (const segment of name.split(".")) {
    if (!isTree(at) || !Object.hasOwn(at, segment)) return undefined;
    at = at[segment];
  }
  return at;
}

function has(tree: Tree, name: string): boolean {
  return lookUp(tree, name) !== undefined;
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null;
}
