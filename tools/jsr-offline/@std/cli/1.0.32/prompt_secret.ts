/**
 * Asks for a secret on a terminal without showing it. Written for this project from the documented
 * behaviour of `@std/cli/prompt-secret`.
 *
 * @module
 */

/** Options of {@linkcode promptSecret}. */
export type PromptSecretOptions = {
  /** What is shown for each byte; the empty string shows nothing. `*` by default. */
  mask?: string;
  /** Wipes the line afterwards instead of ending it. */
  clear?: boolean;
};

const LF = 0x0a;
const CR = 0x0d;
const BACKSPACE = 0x08;
const DELETE = 0x7f;

/**
 * Asks for a secret and waits for the answer; nothing else runs meanwhile.
 *
 * @param message What to ask.
 * @param options How it looks.
 * @returns What was typed, or `null` when standard input is not a terminal.
 */
export function promptSecret(
  message = "Secret",
  options: PromptSecretOptions = {},
): string | null {
  if (!Deno.stdin.isTerminal()) return null;
  const { mask = "*", clear = false } = options;
  write(`${message} `);
  // With cbreak, Ctrl+C still raises SIGINT; Windows knows no cbreak.
  Deno.stdin.setRaw(true, { cbreak: Deno.build.os !== "windows" });
  try {
    return readLine(mask);
  } finally {
    Deno.stdin.setRaw(false);
    write(clear ? "\r\x1b[K" : "\n");
  }
}

function readLine(mask: string): string {
  const typed: number[] = [];
  const byte = new Uint8Array(1);
  while (Deno.stdin.readSync(byte)) {
    const value = byte[0] ?? 0;
    if (value === LF || value === CR) break;
    if (value === BACKSPACE || value === DELETE) {
      if (typed.pop() !== undefined && mask !== "") write("\b \b".repeat(mask.length));
    } else {
      typed.push(value);
      write(mask);
    }
  }
  return new TextDecoder().decode(Uint8Array.from(typed));
}

function write(text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}
