/**
 * The chat under the same hand: the server dies, or connections are cut, while messages are on their
 * way; each that was acknowledged is in the history, once.
 *
 * @module
 */

import { RoughProxy } from "../rough_proxy.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";

const ROOM = "lobby";
const MESSAGES = 200;

/** What happens while messages are sent. */
interface Fault {
  /** By which way they go. */
  readonly way?: string;
  /** What is done meanwhile. */
  readonly happen?: () => Promise<void>;
}

/** Sends numbered lines through a fault. */
async function sendThrough(trial: Trial, { way, happen }: Fault): Promise<void> {
  const made = await trial.run(["chat", "create", ROOM]);
  if (made.code !== 0) trial.fail("cannot create a room before the fault");
  const mark = `m${trial.random.uint32()}-`;
  const lines = Array.from({ length: MESSAGES }, (_, number) => `${mark}${number}`);
  trial.reachBy(way);
  const sending = trial.start(["--json", "chat", "send", ROOM, "-", "--lines"], {
    stdin: `${lines.join("\n")}\n`,
  });
  await happen?.();
  const { code } = await sending.ended;
  trial.reachBy(undefined);
  await trial.whenServed();
  const history = await trial.run(["--json", "chat", "history", ROOM, "--all"]);
  if (history.code !== 0) trial.fail(`the history cannot be read: ${history.stderr}`);
  const texts = history.stdout.split("\n").filter((line) => line !== "")
    .map((line) => String(JSON.parse(line).text)).filter((text) => text.startsWith(mark));
  trial.tell(`${texts.length} of ${MESSAGES} messages are in the history`);
  if (new Set(texts).size !== texts.length) trial.fail("a message is in the history twice");
  const inOrder = lines.filter((line) => texts.includes(line));
  if (inOrder.join() !== texts.join()) trial.fail("messages are in another order than sent");
  if (code === 0 && texts.length !== MESSAGES) trial.fail("an acknowledged message is lost");
  // Of one sender the messages go out one after the other: what is missing is at the end.
  if (lines.slice(0, texts.length).join() !== texts.join()) trial.fail("there is a gap");
}

const KILLED: Scenario = {
  name: "chat: kill server",
  summary: "kill -9 of the server while messages are sent",
  run: (trial) =>
    sendThrough(trial, {
      happen: async () => {
        await trial.pause(1_200);
        await trial.killServer();
        await trial.restartServer();
      },
    }),
};

const CUT: Scenario = {
  name: "chat: reset",
  summary: "connections are reset while messages are sent",
  run: async (trial) => {
    const at = Math.floor(2 ** trial.random.between(8, 16));
    await using proxy = new RoughProxy(
      () => trial.server.port,
      (bytes, { connection, passedBytes }) =>
        connection < 3 && passedBytes + bytes.length > at * (connection + 1) ? null : [bytes],
    );
    await sendThrough(trial, { way: proxy.address });
  },
};

/** All of them. */
export const CHAT: readonly Scenario[] = [KILLED, CUT];
