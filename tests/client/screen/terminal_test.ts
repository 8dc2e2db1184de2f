import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Frame } from "../../../client/screen/frame.ts";
import { Terminal, type TerminalPort } from "../../../client/screen/terminal.ts";

/** A terminal that a test types into. */
class FakePort implements TerminalPort {
  readonly raw: boolean[] = [];
  text = "";
  listeners: { readonly onResize: () => void; readonly onEnd: () => void } | undefined;
  isBroken = false;
  #typed = Promise.withResolvers<Uint8Array | null>();

  type(text: string | null): void {
    this.#typed.resolve(text === null ? null : new TextEncoder().encode(text));
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const bytes = await this.#typed.promise;
    this.#typed = Promise.withResolvers();
    if (bytes === null) return null;
    buffer.set(bytes);
    return bytes.length;
  }

  setRaw(isRaw: boolean): void {
    this.raw.push(isRaw);
  }

  writeSync(bytes: Uint8Array): number {
    if (this.isBroken) throw new Deno.errors.BrokenPipe("gone");
    // Takes a part, as a terminal may.
    const part = bytes.subarray(0, 5);
    this.text += new TextDecoder().decode(part);
    return part.length;
  }

  size(): { columns: number; rows: number } {
    return { columns: 10, rows: 2 };
  }

  watch(listeners: FakePort["listeners"] & object): () => void {
    this.listeners = listeners;
    return () => this.listeners = undefined;
  }
}

const ENTER = "\x1b[?1049h\x1b[?2004h\x1b[?7l";
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?2004l\x1b[?25h\x1b[?1049l";
const options = { isColoured: false, onResize: () => {} };

Deno.test("Terminal leaves the terminal as it was, once", { permissions: "none" }, () => {
  const port = new FakePort();
  const terminal = new Terminal(port, options);
  assertEquals([port.text, port.raw], [ENTER, [true]]);
  terminal[Symbol.dispose]();
  terminal[Symbol.dispose]();
  terminal.show(new Frame(port.size()));
  assertEquals([port.text, port.raw, port.listeners], [ENTER + LEAVE, [true, false], undefined]);
});

Deno.test("Terminal leaves the terminal as it was when the program ends otherwise", {
  permissions: "none",
}, () => {
  const port = new FakePort();
  using _terminal = new Terminal(port, options);
  port.listeners?.onEnd();
  assertEquals([port.text, port.raw], [ENTER + LEAVE, [true, false]]);
});

Deno.test("Terminal leaves raw mode where the screen is gone", { permissions: "none" }, () => {
  const port = new FakePort();
  port.isBroken = true;
  assertThrows(() => new Terminal(port, options), Deno.errors.BrokenPipe);
  assertEquals(port.raw.at(-1), false);
});

Deno.test("Terminal.keys() takes Escape for a key when nothing follows", async () => {
  const port = new FakePort();
  using terminal = new Terminal(port, options);
  const keys = terminal.keys(new AbortController().signal);
  port.type("a\x1b");
  assertEquals((await keys.next()).value, { kind: "text", text: "a" });
  assertEquals((await keys.next()).value, { kind: "key", name: "escape" });
  port.type("\x1b[A");
  assertEquals((await keys.next()).value, { kind: "key", name: "up" });
  port.type(null);
  assertEquals((await keys.next()).done, true);
});

Deno.test("Terminal.keys() ends with its signal", async () => {
  const port = new FakePort();
  using terminal = new Terminal(port, options);
  const stop = new AbortController();
  const next = terminal.keys(stop.signal).next();
  stop.abort(new RangeError("enough"));
  await assertRejects(() => next, RangeError, "enough");
});
