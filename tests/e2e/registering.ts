/**
 * Registers people and logs them in without the work that makes passwords expensive to guess, half a
 * second each. The server makes the account as ever; the files are those that `trivet register` and
 * `trivet login` write.
 *
 * @module
 */

import { join } from "node:path";
import { askStep } from "../../client/auth_steps.ts";
import { configFiles, rememberConfig, storeCredential } from "../../client/config.ts";
import { Connector } from "../../client/connector.ts";
import { FileTrustStore } from "../../client/trust.ts";
import { hashToken, newToken } from "../../lib/auth/token.ts";
import { CHAT_SERVICE } from "../../lib/rpc/services.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FrameType } from "../../lib/frame/frame.ts";
import { parseAddress } from "../../lib/link/address.ts";
import { parseFingerprint } from "../../lib/link/fingerprint.ts";
import { SESSION_TOKEN_MS } from "../../server/authenticate.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";

/** What a client sends for `PASSWORD`. */
const VERIFIER = "SCRAM-SHA-256$600000:c2FsdCBvZiBhbnkgdGVzdA==$" +
  "n5rirBjOuMbt7pdMrdJcCyAZ3OdX1zN3l6F3YbO9qrI=:uasx8nXPxzVbBkOCqxqoXlzaJjU5d+DUvYfzpm6eVN8=";

/** Where somebody registers. */
export interface RegisterOptions {
  /** The server's data folder. */
  readonly data: string;
  /** The environment of the person's commands. */
  readonly env: Readonly<Record<string, string>>;
}

/** Makes an account whose password is `PASSWORD`, and logs in. */
export async function registerAndLogIn(
  name: string,
  { data, env }: RegisterOptions,
): Promise<void> {
  const { TRIVET_SERVER: server = "", TRIVET_FINGERPRINT: fingerprint } = env;
  const files = configFiles((name) => env[name]);
  const plain = fingerprint === undefined;
  const connector = new Connector({
    address: parseAddress(server),
    otherServices: [CHAT_SERVICE],
    plain,
    trust: new FileTrustStore(files.knownServers),
    ...(fingerprint === undefined ? {} : { fingerprint: parseFingerprint(fingerprint) }),
  });
  const { link } = await connector.open();
  using _closing = link;
  await askStep(link, { step: "register", user: name, verifier: VERIFIER }, "registered");
  await link.closeAfter(encodeControl(FrameType.BYE, 0, {}));
  const expiresAtMs = Date.now() + SESSION_TOKEN_MS;
  const token = await addSession(data, { user: name, expiresAtMs });
  await storeCredential(files.credentials, server, { user: name, token, expires_ms: expiresAtMs });
  await rememberConfig(files.config, { server, user: name, plain });
}

async function addSession(
  data: string,
  { user, expiresAtMs }: { readonly user: string; readonly expiresAtMs: number },
): Promise<string> {
  const catalog = SqliteCatalog.open(join(data, "trivet.db"));
  try {
    const token = newToken();
    const hash = Uint8Array.fromHex(await hashToken(token));
    const rights = { kind: "session", scope: "full", pathPrefix: [] } as const;
    await catalog.addToken({ hash, user, expiresAtMs, label: "trivet on test", ...rights });
    return token;
  } finally {
    await catalog.close();
  }
}
