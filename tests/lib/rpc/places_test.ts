import { assertEquals, assertRejects } from "@std/assert";
import { Places } from "../../../lib/rpc/places.ts";

const permissions = "none";
const never = new AbortController().signal;

Deno.test(
  "Places.take() gives what there is and makes the next wait in turn",
  { permissions },
  async () => {
    const places = new Places(2);
    const order: string[] = [];
    await places.take(never);
    await places.take(never);
    const waiting = ["a", "b"].map((name) => places.take(never).then(() => order.push(name)));
    places.release();
    // Comes when a place has just been given away.
    const late = places.take(never).then(() => order.push("late"));
    await waiting[0];
    places.release();
    places.release();
    await Promise.all([...waiting, late]);
    assertEquals(order, ["a", "b", "late"]);
  },
);

Deno.test(
  "Places.take() that is aborted leaves its turn to the next",
  { permissions },
  async () => {
    const places = new Places(1);
    await places.take(never);
    const abort = new AbortController();
    const gone = places.take(abort.signal);
    const next = places.take(never);
    abort.abort(new Error("Enough"));
    await assertRejects(() => gone, Error, "Enough");
    places.release();
    await next;
    await assertRejects(() => places.take(abort.signal), Error, "Enough");
  },
);

Deno.test(
  "Places.take() keeps a place that was given before the abort",
  { permissions },
  async () => {
    const places = new Places(1);
    await places.take(never);
    const abort = new AbortController();
    const taken = places.take(abort.signal);
    places.release();
    abort.abort();
    await taken;
    // It is the taker who gives it back.
    const next = places.take(never);
    places.release();
    await next;
  },
);
