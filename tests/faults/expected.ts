/**
 * What may stand in a home after commands some of which never said how they ended: for each path the
 * contents that are possible, and moves of which exactly one end may hold the file.
 *
 * @module
 */

/** SHA-256 of a file in hex, or that there is none. */
export type Content = string | "absent";

/** A file that a move took along or left, but did not copy or lose. */
interface OneOf {
  readonly content: Content;
  readonly paths: readonly [from: string, to: string];
}

/** See the module. */
export class Expected {
  readonly #possible = new Map<string, Set<Content>>();
  #moves: OneOf[] = [];

  /** Something wrote here, or removed what was there. */
  write(path: string, content: Content, isAcknowledged: boolean): void {
    this.#moves = this.#moves.filter(({ paths }) => !paths.includes(path));
    const before = isAcknowledged ? [] : this.at(path);
    this.#possible.set(path, new Set([...before, content]));
  }

  /** A file was moved to a path that was free. */
  move(from: string, to: string, isAcknowledged: boolean): void {
    const contents = this.at(from);
    const [content] = contents;
    if (!isAcknowledged && contents.length === 1 && content !== undefined && content !== "absent") {
      this.#possible.set(from, new Set([content, "absent"]));
      this.#possible.set(to, new Set([content, "absent"]));
      this.#moves.push({ content, paths: [from, to] });
      return;
    }
    this.#possible.set(to, new Set([...contents, ...isAcknowledged ? [] : this.at(to)]));
    this.#possible.set(from, new Set(isAcknowledged ? ["absent"] : [...contents, "absent"]));
  }

  /** The contents that a path may have. */
  at(path: string): Content[] {
    return [...this.#possible.get(path) ?? ["absent" as const]];
  }

  /** Paths that something was done with. */
  get paths(): string[] {
    return [...this.#possible.keys()];
  }

  /**
   * Compares with what is there.
   *
   * @param found Contents by path.
   * @returns What is wrong, a sentence for each.
   */
  compare(found: ReadonlyMap<string, Content>): string[] {
    const wrong: string[] = [];
    for (const path of new Set([...found.keys(), ...this.#possible.keys()])) {
      const content = found.get(path) ?? "absent";
      const allowed = this.at(path);
      if (!allowed.includes(content)) {
        wrong.push(`${path} holds ${content}, not ${allowed.join(" or ")}`);
      }
    }
    for (const { content, paths } of this.#moves) {
      const holders = paths.filter((path) => found.get(path) === content);
      if (holders.length !== 1) {
        wrong.push(
          `${paths.join(" and ")}: ${holders.length} of them hold the file that was moved`,
        );
      }
    }
    return wrong;
  }
}
