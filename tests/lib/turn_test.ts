import { assert, assertEquals } from "@std/assert";
import { CROWD_TURN_BYTES, FairTurns, framesBehind, LINK_TURN_BYTES } from "../../lib/turn.ts";

const FRAME_BYTES = 16 * 1024;

/** Bytes that pass until it is the others' turn. */
async function turnOf(turns: FairTurns): Promise<number> {
  for (let bytes = FRAME_BYTES;; bytes += FRAME_BYTES) {
    assert(bytes <= LINK_TURN_BYTES, "no turn in time");
    const turn = turns.pass(FRAME_BYTES);
    if (turn === undefined) continue;
    await turn;
    return bytes;
  }
}

// A frame costs as much as its bytes here.
const ALONE = LINK_TURN_BYTES / 2;
const CROWDED = CROWD_TURN_BYTES / 2;

Deno.test("FairTurns.pass() gives long turns to a connection that is alone", async () => {
  const turns = new FairTurns();
  for (let n = 0; n < 3; n++) assertEquals(await turnOf(turns), ALONE);
});

Deno.test("FairTurns.pass() gives short turns while other connections are in use", async () => {
  const turns = new FairTurns();
  const other = new FairTurns();
  await turnOf(turns);
  assertEquals(other.pass(1), undefined);
  assertEquals(await turnOf(turns), CROWDED);
  // Others may pause for a while.
  for (let n = 0; n < 63; n++) assertEquals(await turnOf(turns), CROWDED);
  assertEquals(await turnOf(turns), ALONE);
  other.pass(1);
  assertEquals(await turnOf(turns), CROWDED);
});

Deno.test("FairTurns.isCrowded says for a second that others were there", async () => {
  let nowMs = 0;
  const turns = new FairTurns(() => nowMs);
  const other = new FairTurns();
  turns.pass(CROWD_TURN_BYTES);
  assertEquals(turns.isCrowded, false);
  other.pass(1);
  assertEquals(turns.isCrowded, false);
  await turns.pass(CROWD_TURN_BYTES);
  assertEquals(turns.isCrowded, true);
  nowMs = 999;
  assertEquals(turns.isCrowded, true);
  nowMs = 1000;
  assertEquals(turns.isCrowded, false);
});

Deno.test("framesBehind() waits until a connection that gave others a turn has gone on, and not else", async () => {
  const order: string[] = [];
  await framesBehind();
  const turns = new FairTurns();
  let turn = turns.pass(FRAME_BYTES);
  while (turn === undefined) turn = turns.pass(FRAME_BYTES);
  const goesOn = (async () => {
    await turn;
    order.push("frames");
  })();
  await framesBehind();
  order.push("behind");
  await goesOn;
  assertEquals(order, ["frames", "behind"]);
  // With nobody to wait for it is a matter of microtasks, which come before any turn.
  let hasTurned = false;
  const next = new Promise<void>((resolve) => {
    setTimeout(() => {
      hasTurned = true;
      resolve();
    }, 0);
  });
  await framesBehind();
  assertEquals(hasTurned, false);
  await next;
});
