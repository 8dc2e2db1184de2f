import { firstSession } from "./first_session.ts";
import { FROM_SOURCE } from "./testing.ts";

Deno.test("a first session from source: put, interrupt, resume, get elsewhere", async () => {
  await firstSession(FROM_SOURCE);
});
