/**
 * The work behind `trivet chat peer`.
 *
 * @module
 */

import { newMachineKey, parseMachineKey } from "../../lib/auth/machine_key.ts";
import { checkMessageText, MESSAGE_MAX_BYTES } from "../../lib/chat/names.ts";
import { PEER_HELP, type PeerInput, readPeerInput } from "../../lib/chat/peer_input.ts";
import { EXIT, TrivetError } from "../../lib/errors.ts";
import { isIpAddress } from "../../lib/link/address.ts";
import { renderTable } from "../../lib/term/table.ts";
import { safeText } from "../../lib/term/text.ts";
import { abortable } from "../abortable.ts";
import { ClassicDialogues } from "../chat_peer/classic.ts";
import { findAddresses, findPeers, readContactsFile } from "../chat_peer/contacts_file.ts";
import type { Dialogues, PeerEvent } from "../chat_peer/dialogues.ts";
import { EncryptedDialogues } from "../chat_peer/encrypted.ts";
import { configFiles } from "../config.ts";
import { localError, quoteLocal } from "../local_error.ts";
import { folderOf, inFolder } from "../local_path.ts";
import type { ClientContext } from "./context.ts";
import { readKeyFile, readMachineKeyFile } from "./key_file.ts";
import { readLines } from "./read_lines.ts";

const LISTEN = /^(?:(.+):)?(\d{1,5})$/;
const PORT_MAX = 65_535;
const EVERY_IPV4 = "0.0.0.0";
const OWNER_ONLY = 0o600;
/** A line has a name, too. */
const LINE_MAX_BYTES: number = MESSAGE_MAX_BYTES + 1024;

/** Options of {@linkcode talkToPeers}. */
export interface PeerValues {
  readonly listen: string;
  readonly contacts: string | undefined;
  readonly follow: boolean;
  readonly classic: boolean;
}

/**
 * Makes a key file that only its owner may read.
 *
 * @throws {TrivetError} `EXISTS`, or why it cannot be written.
 */
export async function newKey({ output }: ClientContext, path: string): Promise<void> {
  const text = newMachineKey();
  try {
    using file = await Deno.open(path, { createNew: true, write: true, mode: OWNER_ONLY });
    const bytes = new TextEncoder().encode(`${text}\n`);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new TrivetError("EXISTS", `${quoteLocal(path)} exists already`, { cause: error });
    }
    throw localError(error, "write", path);
  }
  const { id } = parseMachineKey(text);
  output.line(`Made ${quoteLocal(path)} with the key ${id}`);
  output.note("Copy it to the other side by a safe way, such as scp; whoever has it can be both");
  output.json({ file: path, key: id });
}

/** Talks until stdin ends, `/quit` or a signal. */
export async function talkToPeers(context: ClientContext, values: PeerValues): Promise<void> {
  const talk = new Talk(context);
  await using dialogues = await openDialogues(context, values, talk);
  talk.begin(dialogues);
  await talk.readAll(dialogues);
  if (values.follow && !talk.isLeft) await talk.wait(new Promise<never>(() => {}));
  await talk.wait(dialogues.drained());
  if (talk.failure !== undefined) throw talk.failure;
}

async function openDialogues(
  context: ClientContext,
  { listen, contacts: named, classic }: PeerValues,
  talk: Talk,
): Promise<Dialogues> {
  const { env, output, signal } = context;
  const { host, port } = readListen(listen);
  const path = named ?? inFolder(folderOf(configFiles(env).config), "contacts.toml");
  const contacts = await readContactsFile(path);
  talk.names = contacts.map(({ name }) => name);
  const isIPv6 = host.includes(":");
  const onProblem = ({ message }: TrivetError) => output.warn(message);
  const onEvent = (event: PeerEvent) => talk.tell(event);
  if (!classic) {
    const sharedKey = (await readKeyFile(context))?.key;
    const readKey = async (file: string) => (await readMachineKeyFile(file)).key;
    const options = { path, sharedKey, readKey, isIPv6, onProblem, signal };
    const peers = await findPeers(contacts, options);
    return new EncryptedDialogues({ host, port, peers, onEvent });
  }
  output.warn(
    "Nothing is encrypted: anybody on the network can read, change and forge what is said",
  );
  const peers = await Promise.all(contacts.map(async (contact) => ({
    name: contact.name,
    addresses: await findAddresses(contact, { isIPv6, onProblem, signal }),
  })));
  const unknown = peers.find(({ addresses }) => addresses.length === 0);
  if (unknown === undefined) return new ClassicDialogues({ host, port, peers, onEvent });
  throw new TrivetError(
    "USAGE",
    `The contact "${unknown.name}" has no address: --classic needs it`,
  );
}

/** Reads what `--listen` says. */
function readListen(text: string): { readonly host: string; readonly port: number } {
  const [, place = EVERY_IPV4, digits = ""] = LISTEN.exec(text) ?? [];
  const host = place.replace(/^\[(.*)\]$/, "$1");
  const port = Number(digits);
  if (digits !== "" && port <= PORT_MAX && isIpAddress(host)) return { host, port };
  const needs = `it needs a port from 0 to ${PORT_MAX}, or an IP address and a port`;
  throw new TrivetError("USAGE", `--listen is ${JSON.stringify(text)}: ${needs}`);
}

/** What was typed, said and shown. */
class Talk {
  /** All contacts. */
  names: readonly string[] = [];
  /** Whether somebody wrote `/quit`. */
  isLeft = false;
  /** The first text that did not arrive. */
  failure: TrivetError | undefined;
  readonly #context: ClientContext;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #current: string | undefined;

  constructor(context: ClientContext) {
    this.#context = context;
    this.#signal = AbortSignal.any([context.signal, this.#stop.signal]);
  }

  /** Says where it listens. */
  begin({ address }: Dialogues): void {
    const { output } = this.#context;
    if (this.names.length === 1) this.#current = this.names[0];
    output.note(
      `Listening on UDP ${address} for ${this.names.join(", ")}; /help shows how to write`,
    );
    output.jsonLine({ event: "listening", address, contacts: this.names });
  }

  /** Waits; ends when this program is to end. */
  wait<T>(work: Promise<T>): Promise<T> {
    return abortable(work, this.#signal);
  }

  /** Does what stdin says. */
  async readAll(dialogues: Dialogues): Promise<void> {
    for await (const line of readLines(this.#context.stdin, this.#signal, LINE_MAX_BYTES)) {
      const input = readPeerInput(line, { names: this.names, current: this.#current });
      await this.wait(this.#obey(input, dialogues));
      if (this.isLeft) return;
    }
  }

  /** Shows what happened; called from where nobody could take an error. */
  tell(event: PeerEvent): void {
    try {
      this.#show(event);
    } catch (error) {
      this.#stop.abort(error);
    }
  }

  async #obey(input: PeerInput, dialogues: Dialogues): Promise<void> {
    const { output } = this.#context;
    switch (input.kind) {
      case "nothing":
        return;
      case "wrong":
        return output.warn(input.problem);
      case "to":
        this.#current = input.to;
        return;
      case "text":
        this.#current = input.to;
        return await this.#say(input, dialogues);
      case "bye":
        this.#current = this.names.length === 1 ? input.to : undefined;
        if (dialogues.isOpen(input.to)) return await dialogues.bye(input.to);
        await dialogues.drained();
        if (dialogues.isOpen(input.to)) return await dialogues.bye(input.to);
        return output.note(`There is no dialogue with ${input.to}`);
      case "help":
        for (const line of PEER_HELP) output.line(line);
        return;
      case "who":
        return this.#showContacts(dialogues);
      case "quit":
        this.isLeft = true;
    }
  }

  async #say(
    { to, text }: { readonly to: string; readonly text: string },
    dialogues: Dialogues,
  ): Promise<void> {
    try {
      checkMessageText(text);
    } catch (error) {
      if (!(error instanceof TrivetError) || error.exitCode !== EXIT.USAGE) throw error;
      // One line that cannot be sent ends no dialogue.
      this.failure ??= error;
      return this.#context.output.warn(error.message);
    }
    await dialogues.send(to, text);
  }

  #showContacts(dialogues: Dialogues): void {
    const { output } = this.#context;
    const rows = this.names.map((name) => [name, dialogues.isOpen(name) ? "open" : "-"]);
    for (const line of renderTable([{}, {}], rows)) output.line(line);
    const contacts = this.names.map((name) => ({ name, open: dialogues.isOpen(name) }));
    output.jsonLine({ event: "contacts", contacts });
  }

  #show(event: PeerEvent): void {
    const { output } = this.#context;
    const time = Temporal.Now.instant().toString({ smallestUnit: "millisecond" });
    switch (event.event) {
      case "message":
        output.jsonLine({ ...event, time });
        // In a pipe, too: one message is one line, so that none can pass for somebody else's.
        return output.line(`${event.from}: ${safeText(event.text)}`);
      case "connected":
        output.jsonLine({ ...event, time });
        return output.note(`${event.contact} is here, at ${event.address}`);
      case "ended":
        output.jsonLine({ ...event, time });
        return output.note(`The dialogue with ${event.contact} has ended: ${event.reason}`);
      case "failed": {
        const { contact, error } = event;
        this.failure ??= error;
        output.jsonLine({ event: "failed", contact, error: error.toMessage(), time });
        return output.warn(error.message);
      }
      case "ignored":
        output.jsonLine({ ...event, time });
        return output.note(`Somebody at ${event.address} writes, who is no contact: ignored`);
    }
  }
}
