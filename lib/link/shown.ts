/**
 * What a server showed of itself: whether TLS can use it, and what to say when it is not what was
 * expected.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import type { CertificateInfo } from "./certificate.ts";
import { formatFingerprint } from "./fingerprint.ts";

/** The server in question, for messages. */
export interface Subject {
  /** Its address as `formatAddress` writes it. */
  readonly name: string;
  /** Where the list of known servers speaks of it. */
  readonly knownAt: string;
}

/** A certificate, and its issuers' as the server sent them. */
export interface Shown {
  /** The server's certificate. */
  readonly certificate: CertificateInfo;
  /** The same in DER, then those of its issuers. */
  readonly chain: readonly Uint8Array[];
}

/** The dialed host where the certificate covers it, else any name that the certificate has. */
export function nameToAskFor(names: readonly string[], host: string): string {
  const wildcard = `*${host.slice(host.indexOf("."))}`;
  if (names.includes(host) || (host.includes(".") && names.includes(wildcard))) return host;
  return (names[0] ?? host).replace(/^\*/, "pinned");
}

/** Refuses certificates that TLS would refuse anyway, with words that help. */
export function checkUsable(subject: Subject, shown: Shown): void {
  const { authority, names, notAfter, notBefore, selfSigned } = shown.certificate;
  const now = Date.now();
  const reason = notAfter.getTime() < now
    ? `it expired at ${notAfter.toISOString()}`
    : notBefore.getTime() > now
    ? `it begins at ${notBefore.toISOString()}, and this clock says ${new Date(now).toISOString()}`
    : authority
    ? "it is an authority's (CA:TRUE), not a server's own (CA:FALSE)"
    : names.length === 0
    ? "it has no subject alternative name"
    : !selfSigned && shown.chain.length === 1
    ? "its issuer's certificate is missing; the file of --cert needs the whole chain"
    : undefined;
  if (reason === undefined) return;
  throw new TrivetError(
    "CERTIFICATE_INVALID",
    `Cannot use the certificate of "${subject.name}": ${reason}`,
    { details: { address: subject.name, fingerprint: fingerprintText(shown) } },
  );
}

/** The certificate is the right one, and TLS refuses it all the same. */
export function refusedByTls(subject: Subject, shown: Shown, cause: Error): TrivetError {
  checkUsable(subject, shown);
  return new TrivetError(
    "CERTIFICATE_INVALID",
    `Cannot use the certificate of "${subject.name}": ${cause.message}`,
    { cause },
  );
}

/** Another certificate than the one that `--fingerprint` asks for. */
export function fingerprintDiffers(
  subject: Subject,
  expected: Uint8Array,
  shown: Shown,
): TrivetError {
  return new TrivetError(
    "PIN_MISMATCH",
    `The server at "${subject.name}" has the fingerprint ${fingerprintText(shown)}, not ` +
      `${formatFingerprint(expected)} as --fingerprint or TRIVET_FINGERPRINT asks for; ` +
      `compare both with what trivetd printed at its start`,
    { details: pinDetails(subject, expected, shown) },
  );
}

/** Another certificate than the pinned one. */
export function pinChanged(subject: Subject, pinned: Uint8Array, shown: Shown): TrivetError {
  const now = fingerprintText(shown);
  return new TrivetError(
    "PIN_MISMATCH",
    `The certificate of "${subject.name}" has changed: its fingerprint is ${now}, and ` +
      `${subject.knownAt} has ${formatFingerprint(pinned)}. Somebody may be listening, or the ` +
      `server was set up anew. Ask its administrator for the fingerprint; only if it is the first ` +
      `one, remove ${subject.knownAt} or run: ` +
      `trivet login --server ${subject.name} --fingerprint ${now}`,
    { details: pinDetails(subject, pinned, shown) },
  );
}

/** A public authority vouched for the server, and none does now. */
export function authorityGone(subject: Subject, shown: Shown): TrivetError {
  const now = fingerprintText(shown);
  return new TrivetError(
    "PIN_MISMATCH",
    `The certificate of "${subject.name}" has changed: a public authority vouched for it, now none ` +
      `does, and its fingerprint is ${now}. Ask the server's administrator; only if this ` +
      `is the fingerprint, remove ${subject.knownAt} or run: ` +
      `trivet login --server ${subject.name} --fingerprint ${now}`,
    { details: { address: subject.name, fingerprint: now } },
  );
}

function pinDetails(subject: Subject, expected: Uint8Array, shown: Shown): Record<string, string> {
  return {
    address: subject.name,
    fingerprint: fingerprintText(shown),
    expected_fingerprint: formatFingerprint(expected),
  };
}

/** The fingerprint of what was shown, for people. */
export function fingerprintText(shown: Shown): string {
  return formatFingerprint(shown.certificate.sha256);
}
