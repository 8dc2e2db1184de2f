import { assertEquals, assertRejects } from "@std/assert";
import type { Outgoing } from "../../../client/chat_screen/actions.ts";
import { Outbox } from "../../../client/chat_screen/outbox.ts";
import { message } from "./testing.ts";

/** An outbox over a connection that answers as the test says. */
class Sending {
  readonly log: string[] = [];
  readonly stop = new AbortController();
  readonly outbox: Outbox;
  readonly done: Promise<unknown>;

  constructor(answers: ("stored" | "lost" | "refused")[], count: number) {
    let told = 0;
    const tell = (line: string) => {
      this.log.push(line);
      told += 1;
      if (told === count) this.stop.abort(new RangeError("enough"));
    };
    this.outbox = new Outbox({
      send: async ({ clientId, text }) => {
        this.log.push(`send ${clientId}`);
        await Promise.resolve();
        const answer = answers.shift();
        if (answer === "stored") return message(1, text, { clientId });
        throw new Error(answer);
      },
      onSent: (clientId) => tell(`sent ${clientId}`),
      onRefused: (clientId, reason) => tell(`${reason} ${clientId}`),
      canSendAgain: (error) => error instanceof Error && error.message === "lost",
      wait: async () => {
        this.log.push("wait");
        await Promise.resolve();
      },
    });
    this.done = this.outbox.run(this.stop.signal);
  }
}

function outgoing(clientId: string): Outgoing {
  return { clientId, room: "lobby", text: "x" };
}

Deno.test("Outbox sends in order, again under the same name after a lost connection", async () => {
  const sending = new Sending(["lost", "lost", "stored", "refused", "stored"], 3);
  for (const id of ["a", "b", "c"]) sending.outbox.push(outgoing(id));
  await assertRejects(() => sending.done, RangeError, "enough");
  assertEquals(sending.log, [
    ...["send a", "wait", "send a", "wait", "send a", "sent a"],
    ...["send b", "refused b"],
    ...["send c", "sent c"],
  ]);
});

Deno.test("Outbox wakes up for what comes later", async () => {
  const sending = new Sending(["stored", "stored"], 2);
  await Promise.resolve();
  sending.outbox.push(outgoing("a"));
  sending.outbox.push(outgoing("b"));
  await assertRejects(() => sending.done, RangeError, "enough");
  assertEquals(sending.log, ["send a", "sent a", "send b", "sent b"]);
});
