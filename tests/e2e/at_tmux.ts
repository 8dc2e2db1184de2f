/**
 * A person at a terminal that `tmux` plays: keys go in, and what the screen shows comes out.
 *
 * @module
 */

import { join } from "node:path/posix";
import { type Person, until } from "./testing.ts";

/** Whether `tmux`, which these tests type with, is installed. */
export const HAS_TMUX = await new Deno.Command("tmux", {
  args: ["-V"],
  stdout: "null",
  stderr: "null",
}).output().then(({ success }) => success, () => false);

/** See the module. */
export class TmuxScreen implements AsyncDisposable {
  readonly #socket: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#socket = join(folder, "socket");
  }

  /**
   * Opens a terminal with a shell in it, for a person.
   *
   * @param person Whose home and environment it has.
   * @param size Columns and rows.
   * @param env Further environment variables.
   */
  static async open(
    person: Person,
    size: { readonly columns: number; readonly rows: number },
    env: Record<string, string> = {},
  ): Promise<TmuxScreen> {
    // Paths of sockets are short; that of a home may not be.
    const screen = new TmuxScreen(await Deno.makeTempDir({ prefix: "tmux-" }));
    const base = person.command([], { LC_ALL: "C.UTF-8", TZ: "UTC", PS1: "$ ", ...env }).env;
    const variables = Object.entries(base).map(([name, value]) => `${name}=${value}`);
    await screen.#tmux([
      ...["new-session", "-d", "-x", String(size.columns), "-y", String(size.rows)],
      ...["-c", person.home, "env", ...variables, "sh"],
    ]);
    await screen.#tmux(["set-option", "-g", "status", "off"]);
    await screen.#tmux(["set-option", "-g", "escape-time", "0"]);
    await screen.resize(size);
    return screen;
  }

  /** Types a command of the person's into the shell, which then tells how it ended. */
  async run(person: Person, args: readonly string[], env = ""): Promise<void> {
    const { argv } = person.command(args);
    const quoted = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    const script = [
      `${env} sh -c 'echo $$ > pid; exec "$@"' sh ${quoted}`,
      'echo "ended with $?"',
      // "-echo" and "-icanon" where it was left in raw mode.
      "stty -a | grep -ow -e '-\\?echo' -e '-\\?icanon' | sort | xargs",
    ].join("\n");
    await Deno.writeTextFile(person.path("command.sh"), `${script}\n`);
    await this.line("clear; sh command.sh");
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux(["send-keys", "-l", "--", text]);
  }

  /** Presses keys by tmux's names for them, such as `Enter`, `PPage`, `M-Up`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux(["send-keys", ...keys]);
  }

  /** Types a line. */
  async line(text: string): Promise<void> {
    await this.type(text);
    await this.press("Enter");
  }

  /** Pastes text, between brackets where the program wants them. */
  async paste(text: string): Promise<void> {
    await this.#tmux(["set-buffer", "--", text]);
    await this.#tmux(["paste-buffer", "-p"]);
  }

  /** Gives the window another size. */
  async resize({ columns, rows }: { columns: number; rows: number }): Promise<void> {
    await this.#tmux(["resize-window", "-x", String(columns), "-y", String(rows)]);
  }

  /** What the screen shows, with the sequences that colour it. */
  async coloured(): Promise<string> {
    return await this.#tmux(["capture-pane", "-p", "-e"]);
  }

  /** What the screen shows. */
  async text(): Promise<string> {
    return (await this.#tmux(["capture-pane", "-p"])).split("\n").map((line) => line.trimEnd())
      .join("\n").trimEnd();
  }

  /** Waits until the screen shows something, twice the same; what it shows. */
  async shows(what: string | RegExp): Promise<string> {
    let last = "";
    await until(
      async () => {
        const before = last;
        last = await this.text();
        const isThere = typeof what === "string" ? last.includes(what) : what.test(last);
        return isThere && before === last;
      },
      String(what),
    ).catch((error) => {
      throw new Error(`${error.message}; the screen:\n${last}`);
    });
    return last;
  }

  /** Ends the terminal and what runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux(["kill-server"]).catch(() => {});
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #tmux(args: readonly string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-u", "-f", "/dev/null", "-S", this.#socket, ...args],
      env: {
        PATH: "/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin",
        LC_ALL: "C.UTF-8",
        HOME: this.#folder,
      },
      clearEnv: true,
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`tmux ${args.join(" ")}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }
}
