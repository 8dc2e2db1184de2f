/**
 * The server's certificate: making a self-signed one, and reading any.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";

/** Suffix of the private host name in a self-made certificate; no public authority issues for it. */
export const PRIVATE_NAME_SUFFIX = ".trivet.internal";

/** How long a self-made certificate is valid, unless told otherwise. */
export const CERTIFICATE_YEARS = 10;

/** Clocks of clients may be behind the server's by this much. */
const CLOCK_SKEW_MS = 24 * 60 * 60 * 1000;

const SERVER_ID = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const SERIAL_BYTES = 16;

const OID_COMMON_NAME = "2.5.4.3";
const OID_ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";

/** Options of {@linkcode createCertificate}. */
export interface CreateCertificateOptions {
  /** Identity of the server: one label of a host name, 1 to 63 of a–z, 0–9 and hyphen. */
  readonly serverId: string;
  /** First moment of validity (default: a day ago, for clients whose clock is behind). */
  readonly notBefore?: Date;
  /** Years of validity (default {@linkcode CERTIFICATE_YEARS}). */
  readonly years?: number;
}

/** A certificate with its private key, as `listen` takes them. */
export interface CertificateAndKey {
  /** The certificate in PEM. */
  readonly certPem: string;
  /** The private key, PKCS #8 in PEM; store it with mode 0600. */
  readonly keyPem: string;
}

/** What a client or an administrator wants to know of a certificate. */
export interface CertificateInfo {
  /** The certificate itself. */
  readonly der: Uint8Array<ArrayBuffer>;
  /** Its fingerprint. */
  readonly sha256: Uint8Array<ArrayBuffer>;
  /** DNS names and IP addresses of the subject alternative name, in their order. */
  readonly names: readonly string[];
  /** First moment of validity. */
  readonly notBefore: Date;
  /** Last moment of validity. */
  readonly notAfter: Date;
  /** Whether it is signed with its own key. */
  readonly selfSigned: boolean;
  /** Whether it is an authority's (CA:TRUE): TLS clients refuse those as a server's own. */
  readonly authority: boolean;
}

/**
 * Makes a key (ECDSA P-256) and a self-signed leaf certificate (CA:FALSE) for the private host name
 * `<serverId>.trivet.internal`.
 *
 * The encoder is imported here and not at the top: only a server's first start needs it.
 *
 * @param options The server's identity and the validity
 * @returns Both in PEM
 */
export async function createCertificate(
  options: CreateCertificateOptions,
): Promise<CertificateAndKey> {
  const { serverId, years = CERTIFICATE_YEARS } = options;
  if (!SERVER_ID.test(serverId)) {
    throw new RangeError(`Cannot create certificate: "${serverId}" is no label of a host name`);
  }
  const name = serverId + PRIVATE_NAME_SUFFIX;
  const notBefore = options.notBefore ?? new Date(Date.now() - CLOCK_SKEW_MS);
  const notAfter = new Date(notBefore);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + years);

  const { generateKeyPairSync, sign } = await import("node:crypto");
  const pair = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const spki = pair.publicKey.export({ type: "spki", format: "der" });
  const encoder = await encodeCertificate({ name, notBefore, notAfter, spki });
  const signature = sign("sha256", encoder.unsigned, pair.privateKey);
  return {
    certPem: toPem(encoder.signed(signature)),
    keyPem: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/**
 * Reads the first certificate of a PEM text, or one in DER.
 *
 * @param certificate PEM text (a chain is fine: the leaf stands first) or DER
 * @throws TrivetError `USAGE` when it is no certificate
 */
export async function readCertificate(certificate: string | Uint8Array): Promise<CertificateInfo> {
  const der = typeof certificate === "string" ? firstOfPem(certificate) : certificate;
  // Imported here: a client that has a pinned certificate in its file never needs it at start.
  const { X509Certificate } = await import("node:crypto");
  try {
    const parsed = new X509Certificate(der);
    const raw = Uint8Array.from(der);
    return {
      der: raw,
      sha256: new Uint8Array(await crypto.subtle.digest("SHA-256", raw)),
      names: namesOf(parsed.subjectAltName ?? ""),
      notBefore: new Date(parsed.validFrom),
      notAfter: new Date(parsed.validTo),
      selfSigned: parsed.subject === parsed.issuer && isSignedByItself(parsed),
      authority: parsed.ca,
    };
  } catch (cause) {
    if (cause instanceof TrivetError) throw cause;
    throw new TrivetError("USAGE", "Cannot read the certificate: it is no X.509 certificate", {
      cause,
    });
  }
}

/** Splits a PEM text into the DER of its certificates. */
export function pemToDer(pem: string): Uint8Array<ArrayBuffer>[] {
  const blocks = pem.match(PEM_BLOCK) ?? [];
  return blocks.map((block) => {
    const base64 = block.replace(/-----[A-Z ]+-----/g, "").replace(/\s+/g, "");
    try {
      return Uint8Array.fromBase64(base64);
    } catch (cause) {
      throw new TrivetError("USAGE", "Cannot read the certificate: its PEM is damaged", { cause });
    }
  });
}

/** Writes a certificate in PEM. */
export function toPem(der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

/** Fingerprint of a certificate in DER. */
export async function fingerprintOf(der: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(der)));
}

interface CertificateFields {
  readonly name: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly spki: Uint8Array;
}

/** The part of a certificate that is signed (RFC 5280 §4.1), and the whole once it is. */
interface CertificateEncoder {
  readonly unsigned: Uint8Array;
  signed(signature: Uint8Array): Uint8Array;
}

async function encodeCertificate(fields: CertificateFields): Promise<CertificateEncoder> {
  const { AsnConvert, OctetString } = await import("@peculiar/asn1-schema");
  const x509 = await import("@peculiar/asn1-x509");

  const algorithm = new x509.AlgorithmIdentifier({ algorithm: OID_ECDSA_WITH_SHA256 });
  const subject = new x509.Name([
    new x509.RelativeDistinguishedName([
      new x509.AttributeTypeAndValue({
        type: OID_COMMON_NAME,
        value: new x509.AttributeValue({ utf8String: fields.name }),
      }),
    ]),
  ]);
  const extension = (extnID: string, critical: boolean, value: unknown) =>
    new x509.Extension({
      extnID,
      critical,
      extnValue: new OctetString(AsnConvert.serialize(value)),
    });
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: randomSerial().buffer,
    signature: algorithm,
    issuer: subject,
    validity: new x509.Validity({ notBefore: fields.notBefore, notAfter: fields.notAfter }),
    subject,
    subjectPublicKeyInfo: AsnConvert.parse(fields.spki, x509.SubjectPublicKeyInfo),
    extensions: new x509.Extensions([
      extension(x509.id_ce_basicConstraints, true, new x509.BasicConstraints({ cA: false })),
      extension(
        x509.id_ce_keyUsage,
        true,
        new x509.KeyUsage(x509.KeyUsageFlags.digitalSignature),
      ),
      extension(
        x509.id_ce_extKeyUsage,
        false,
        new x509.ExtendedKeyUsage([x509.id_kp_serverAuth]),
      ),
      extension(
        x509.id_ce_subjectAltName,
        false,
        new x509.SubjectAlternativeName([new x509.GeneralName({ dNSName: fields.name })]),
      ),
    ]),
  });
  return {
    unsigned: new Uint8Array(AsnConvert.serialize(tbsCertificate)),
    signed: (signature) => {
      const certificate = new x509.Certificate({
        tbsCertificate,
        signatureAlgorithm: algorithm,
        signatureValue: Uint8Array.from(signature).buffer,
      });
      return new Uint8Array(AsnConvert.serialize(certificate));
    },
  };
}

/** A positive integer without a leading zero byte, as DER wants it. */
function randomSerial(): Uint8Array<ArrayBuffer> {
  const serial = crypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  serial[0] = (serial[0] ?? 0) & 0x3f | 0x40;
  return serial;
}

function firstOfPem(pem: string): Uint8Array<ArrayBuffer> {
  const [first] = pemToDer(pem);
  if (first !== undefined) return first;
  throw new TrivetError("USAGE", "Cannot read the certificate: the PEM text holds none");
}

function isSignedByItself(certificate: import("node:crypto").X509Certificate): boolean {
  try {
    return certificate.verify(certificate.publicKey);
  } catch {
    return false;
  }
}

/** Reads `DNS:a, IP Address:b` as node:crypto prints it; names with odd characters are left out. */
function namesOf(subjectAltName: string): string[] {
  const names: string[] = [];
  for (const part of subjectAltName.split(", ")) {
    const name = /^(?:DNS|IP Address):([A-Za-z0-9.:*_-]+)$/.exec(part)?.[1];
    if (name !== undefined) names.push(name.toLowerCase());
  }
  return names;
}
