/**
 * Readies the runtime's cryptography before the first connection needs it.
 *
 * @module
 */

/**
 * Begins what the runtime's cryptography does once in a process, such as gathering randomness: 70 ms,
 * which the first TLS connection would spend on the main thread. Making a key does the same on
 * another thread, while the program loads its modules; the key is thrown away.
 */
export function prepareTls(): void {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  // If this fails, so does the connection, and that one says why.
  crypto.subtle.generateKey(algorithm, false, ["sign"]).catch(() => {});
}
