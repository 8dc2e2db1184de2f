/**
 * `trivet logout`: ends the session on the server and forgets it here.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** See the module. */
export const logoutCommand = defineCommand({
  name: "logout",
  summary: "End the session on the server and forget it here",
  options: {},
  arguments: {},
  run: async (context: ClientContext) => {
    const { logoutUser } = await import("./account.ts");
    await logoutUser(context);
  },
});
