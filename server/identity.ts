/**
 * Who the server is: its id, its key and certificate, and the secret behind fake salts. Made at the
 * first start, kept for ever.
 *
 * @module
 */

import { hkdfSync } from "node:crypto";
import { join } from "node:path";
import { TrivetError } from "../lib/errors.ts";
import {
  type CertificateInfo,
  createCertificate,
  readCertificate,
} from "../lib/link/certificate.ts";
import { replaceFile } from "../lib/private_file.ts";
import type { DataFolder } from "./data_folder.ts";
import { syncFolder } from "./netdisk/depot_sync.ts";
import type { Catalog } from "./store/catalog.ts";

const SERVER_ID_BYTES = 8;
const SECRET_BYTES = 32;

/** What a server is known by. */
export interface Identity {
  readonly serverId: string;
  /** Secret behind the salts of unknown names. */
  readonly fakeSecret: Uint8Array<ArrayBuffer>;
  /** Secret by which clients over UDP learn that the server was started anew. */
  readonly resetSecret: Uint8Array<ArrayBuffer>;
}

/** A certificate and its key, ready for a TLS listener. */
export interface TlsIdentity {
  /** The certificate, with its chain if any, in PEM. */
  readonly cert: string;
  /** The private key in PEM. */
  readonly key: string;
  readonly info: CertificateInfo;
}

/** Reads who the server is, or decides it at the first start. */
export async function openIdentity(catalog: Catalog): Promise<Identity> {
  const id = await catalog.setting("server_id", () => randomBytes(SERVER_ID_BYTES));
  const secret = await catalog.setting("fake_salt_secret", () => randomBytes(SECRET_BYTES));
  const resetSecret = hkdfSync("sha256", secret, "", "trivet datagram-1 resets", SECRET_BYTES);
  return {
    serverId: id.toHex(),
    fakeSecret: new Uint8Array(secret),
    resetSecret: new Uint8Array(resetSecret),
  };
}

/**
 * The server's own key and self-signed certificate, made at the first start.
 *
 * @param folder Where keys lie.
 * @param serverId Part of the certificate's name.
 */
export async function openOwnCertificate(
  folder: DataFolder,
  serverId: string,
): Promise<TlsIdentity> {
  const certFile = join(folder.keys, "cert.pem");
  const keyFile = join(folder.keys, "key.pem");
  if (!await exists(certFile) || !await exists(keyFile)) {
    const made = await createCertificate({ serverId });
    await replaceFile(keyFile, made.keyPem);
    await replaceFile(certFile, made.certPem);
    // Before anybody pins it: a certificate that is gone after a power cut would be replaced.
    await syncFolder(folder.keys);
  }
  return await readTlsIdentity(certFile, keyFile);
}

/**
 * Reads a certificate and its key.
 *
 * @throws {TrivetError} `USAGE` when one of them cannot be read.
 */
export async function readTlsIdentity(certFile: string, keyFile: string): Promise<TlsIdentity> {
  const cert = await readPem(certFile, "certificate");
  const key = await readPem(keyFile, "key");
  return { cert, key, info: await readCertificate(cert) };
}

async function readPem(file: string, what: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TrivetError("USAGE", `Cannot read the ${what} "${file}": ${reason}`, { cause });
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await Deno.lstat(file);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(count));
}
