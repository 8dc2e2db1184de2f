/**
 * The chat's screen at work: keys and events go into the state, and what that wants is done over the
 * connection and drawn.
 *
 * @module
 */

import type { ChatClient } from "../chat.ts";
import { isMendable, sleep } from "../retry.ts";
import { Terminal, type TerminalPort } from "../screen/terminal.ts";
import type { Action } from "./actions.ts";
import { pressKey } from "./chat_keys.ts";
import { ChatState } from "./chat_state.ts";
import { Outbox } from "./outbox.ts";
import { perform } from "./perform.ts";
import { Receipts } from "./receipts.ts";
import { viewChat } from "./view.ts";

/** Options of {@linkcode runChatScreen}. */
export interface ChatScreenOptions {
  /** The terminal that it takes. */
  readonly terminal: TerminalPort;
  /** Whether colours may be used. */
  readonly isColoured: boolean;
  /** Ends it from outside. */
  readonly signal: AbortSignal;
  /** What is shown first: a room, or `@` and a person. */
  readonly room?: string;
}

/** Changes within this time are drawn together. */
const DRAW_AFTER_MS = 10;

/** How often the status is drawn while nothing happens: it shows seconds. */
const TICK_MS = 1000;

/** The wait before a message is sent again while events do come. */
const SEND_AGAIN_MS = 1000;

/** Why everything ends when somebody leaves. */
const LEFT = Symbol("left");

/**
 * Runs the screen until somebody leaves it.
 *
 * @param chat The connection.
 * @param options The terminal, and when to end.
 * @throws What no other connection mends; the signal's reason.
 */
export async function runChatScreen(chat: ChatClient, options: ChatScreenOptions): Promise<void> {
  // First: what comes while rooms are read is followed, too.
  const after = await chat.head(options.signal);
  const rooms = await Array.fromAsync(chat.rooms(options.signal));
  const run = new Run(chat, options);
  const { signal, state } = run;
  using terminal = new Terminal(options.terminal, {
    isColoured: options.isColoured,
    onResize: () => run.schedule(),
  });
  run.drawOn(terminal);
  run.apply(() => state.setRooms(rooms));
  if (options.room !== undefined) run.do({ kind: "join", room: options.room });
  const tick = setInterval(() => run.schedule(), TICK_MS);
  const parts = [typed(run, terminal), followed(run, after), run.outbox.run(signal)];
  try {
    await Promise.race(parts);
  } catch (error) {
    if (error !== LEFT) throw error;
  } finally {
    clearInterval(tick);
    run.end();
    await Promise.allSettled(parts);
  }
}

/** What the parts of the screen share. */
class Run {
  readonly state: ChatState;
  /** Ends everything, from inside or outside. */
  readonly signal: AbortSignal;
  readonly outbox: Outbox;
  readonly #chat: ChatClient;
  readonly #stop = new AbortController();
  readonly #receipts: Receipts;
  #terminal: Terminal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(chat: ChatClient, { signal }: ChatScreenOptions) {
    this.#chat = chat;
    this.signal = AbortSignal.any([signal, this.#stop.signal]);
    this.state = new ChatState({
      user: chat.user,
      server: chat.server,
      now: Date.now,
      makeId: () => crypto.randomUUID(),
    });
    this.#receipts = new Receipts((room, read) => chat.receipt(room, { read }, this.signal));
    this.outbox = new Outbox({
      send: ({ room, text, ...rest }) => chat.send(room, text, { ...rest, signal: this.signal }),
      onSent: (clientId, message) => this.apply(() => this.state.sent(clientId, message)),
      onRefused: (clientId, reason) => this.apply(() => this.state.refused(clientId, reason)),
      canSendAgain: isMendable,
      wait: (signal) => sleep(SEND_AGAIN_MS, signal),
    });
  }

  /** The chat, for what follows it. */
  get chat(): ChatClient {
    return this.#chat;
  }

  /** Shows the state from here on. */
  drawOn(terminal: Terminal): void {
    this.#terminal = terminal;
    this.state.size = terminal.size;
    this.#draw();
  }

  /** Changes the state, does what it wants, and draws it. */
  apply(change: () => readonly Action[] | void): void {
    if (this.signal.aborted) return;
    for (const action of change() ?? []) this.do(action);
    this.schedule();
  }

  /** Does something, and tells in the room what goes wrong. */
  do(action: Action): void {
    switch (action.kind) {
      case "quit":
        return this.#stop.abort(LEFT);
      case "redraw":
        return this.#terminal?.forget();
      case "send":
        return this.outbox.push(action.message);
      case "receipt":
        return this.#receipts.note(action.room, action.read);
    }
    const { state } = this;
    const room = state.current;
    perform(this.#chat, action, this.signal).then(
      (change) => this.apply(() => change(state)),
      (error) => {
        if (this.signal.aborted) return;
        if (action.kind === "load") state.pageFailed(action.room);
        // Nobody has asked for these.
        const isQuiet = action.kind === "typing" ||
          isMendable(error) && (action.kind === "members" || action.kind === "refresh");
        const text = error instanceof Error ? error.message : String(error);
        if (!isQuiet) this.apply(() => state.note(text, { room, isError: true }));
      },
    );
  }

  /** Draws soon. */
  schedule(): void {
    if (this.signal.aborted) return;
    this.#timer ??= setTimeout(() => this.#draw(), DRAW_AFTER_MS);
  }

  /** Ends what is left. */
  end(): void {
    this.#stop.abort(LEFT);
    clearTimeout(this.#timer);
    this.#receipts.end();
  }

  #draw(): void {
    this.#timer = undefined;
    if (this.#terminal === undefined) return;
    this.state.size = this.#terminal.size;
    this.#terminal.show(viewChat(this.state, this.state.size));
  }
}

/** Keys, until somebody leaves or the terminal is gone. */
async function typed(run: Run, terminal: Terminal): Promise<void> {
  for await (const key of terminal.keys(run.signal)) run.apply(() => pressKey(run.state, key));
}

/** Events, over connections that come and go. */
async function followed(run: Run, after: number): Promise<void> {
  const { chat, signal, state } = run;
  const events = chat.follow({
    after,
    signal,
    onListening: () => run.apply(() => state.setConnection({ kind: "connected" })),
    onRetry: ({ message }) =>
      run.apply(() => state.setConnection({ kind: "lost", sinceMs: Date.now(), reason: message })),
  });
  for await (const event of events) run.apply(() => state.receive(event));
}
