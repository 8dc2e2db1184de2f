/**
 * What travels in AUTH frames, one schema for each step. The SCRAM messages inside are those of
 * RFC 5802; everything around them is JSON.
 *
 * @module
 */

import * as v from "valibot";

const Text = v.pipe(v.string(), v.maxLength(2048));

/**
 * A registration: the server learns the verifier (its text form), never the password. `invite` is a
 * code that counts where registration is closed.
 */
const RegisterStep = v.strictObject({
  step: v.literal("register"),
  user: Text,
  verifier: Text,
  invite: v.optional(Text),
});

/** The first SCRAM message; `session` asks for a token that replaces the password later. */
const ScramFirstStep = v.strictObject({
  step: v.literal("scram-first"),
  mechanism: v.picklist(["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]),
  message: Text,
  session: v.optional(v.strictObject({ label: v.pipe(v.string(), v.maxLength(128)) })),
});

/** The second SCRAM message, with the client's proof. */
const ScramFinalStep = v.strictObject({ step: v.literal("scram-final"), message: Text });

/** A login by token. */
const TokenStep = v.strictObject({ step: v.literal("token"), token: Text });

/** The first message of a machine key's exchange; the only one that some servers take at first. */
export const MachineKeyStep = v.strictObject({
  step: v.literal("machine-key"),
  mechanism: Text,
  keyId: Text,
  nonce: Text,
  ephemeral: Text,
});

/** The client's proof that it holds the machine key. */
const MachineKeyProofStep = v.strictObject({ step: v.literal("machine-key-proof"), proof: Text });

/** A login by the machine key that has admitted the connection, with no account: for remote commands. */
const KeyLoginStep = v.strictObject({ step: v.literal("machine-key-login") });

/** What the client sends in AUTH. */
export const AuthRequest = v.variant("step", [
  RegisterStep,
  ScramFirstStep,
  ScramFinalStep,
  TokenStep,
  MachineKeyStep,
  MachineKeyProofStep,
  KeyLoginStep,
]);
/** See {@linkcode AuthRequest}. */
export type AuthRequest = v.InferOutput<typeof AuthRequest>;

/** What the server answers in AUTH; a refusal is an ERROR and ends the link. */
export const AuthResponse = v.variant("step", [
  v.object({ step: v.literal("registered"), user: v.string() }),
  v.object({ step: v.literal("scram-challenge"), message: v.string() }),
  v.object({
    step: v.literal("machine-key-challenge"),
    nonce: v.string(),
    ephemeral: v.string(),
    /** The server's proof that it holds the machine key. */
    proof: v.string(),
  }),
  v.object({ step: v.literal("machine-key-accepted") }),
  v.object({
    step: v.literal("authenticated"),
    user: v.string(),
    /** `read`, `write` or `full`. */
    scope: v.string(),
    /** SCRAM's server-final-message: the server's proof. */
    message: v.optional(v.string()),
    /** The token that was asked for with `session`. */
    token: v.optional(v.string()),
    /** When that token ends, in milliseconds since 1970. */
    tokenExpiresMs: v.optional(v.number()),
  }),
]);
/** See {@linkcode AuthResponse}. */
export type AuthResponse = v.InferOutput<typeof AuthResponse>;
