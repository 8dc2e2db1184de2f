/**
 * Reads the names of a certificate and nothing else of it. The runtime's reader takes 40 ms to load,
 * and whoever dials a server whose certificate is pinned needs only a name to ask for: that the
 * certificate is good was decided when it was pinned, and TLS checks it again.
 *
 * @module
 */

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const OCTET_STRING = 0x04;
/** `extensions [3]` of a TBSCertificate (RFC 5280 §4.1). */
const EXTENSIONS = 0xa3;
/** `dNSName [2]` of a GeneralName (RFC 5280 §4.2.1.6). */
const DNS_NAME = 0x82;

/** 2.5.29.17 in hex. */
const ID_CE_SUBJECT_ALT_NAME = "551d11";

/** The names that `readCertificate` takes. */
const PLAIN_NAME = /^[A-Za-z0-9.:*_-]+$/;

/** One element of DER (X.690 §8.1). */
interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/**
 * The DNS names of a certificate.
 *
 * @param der A certificate in DER.
 * @returns The names in their order and in lower case, or `undefined` when they are not to be had
 * this way: there are none, some are of another kind, or the certificate is damaged.
 */
export function dnsNamesOf(der: Uint8Array): string[] | undefined {
  try {
    const [certificate] = elementsOf(der);
    const [body] = elementsOf(contentOf(certificate, SEQUENCE));
    const tagged = elementsOf(contentOf(body, SEQUENCE)).find(({ tag }) => tag === EXTENSIONS);
    const [list] = elementsOf(contentOf(tagged, EXTENSIONS));
    for (const extension of elementsOf(contentOf(list, SEQUENCE))) {
      const parts = elementsOf(contentOf(extension, SEQUENCE));
      if (contentOf(parts[0], OBJECT_IDENTIFIER).toHex() !== ID_CE_SUBJECT_ALT_NAME) continue;
      const [names] = elementsOf(contentOf(parts.at(-1), OCTET_STRING));
      return elementsOf(contentOf(names, SEQUENCE)).map(dnsName);
    }
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function dnsName(element: Element): string {
  const name = String.fromCharCode(...contentOf(element, DNS_NAME));
  if (!PLAIN_NAME.test(name)) throw new RangeError("Cannot read certificate: a name is not plain");
  return name.toLowerCase();
}

function contentOf(element: Element | undefined, tag: number): Uint8Array {
  if (element?.tag === tag) return element.content;
  throw new RangeError(`Cannot read certificate: an element has not the tag ${tag}`);
}

/** Splits bytes into elements; their lengths take one, two or three bytes. */
function elementsOf(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const [tag = 0, form = 0, high = 0, low = 0] = bytes.subarray(at, at + 4);
    const [begin, length] = form < 0x80
      ? [at + 2, form]
      : form === 0x81
      ? [at + 3, high]
      : form === 0x82
      ? [at + 4, high << 8 | low]
      : [at, bytes.length + 1];
    if (begin + length > bytes.length) {
      throw new RangeError("Cannot read certificate: an element is longer than what holds it");
    }
    elements.push({ tag, content: bytes.subarray(begin, begin + length) });
    at = begin + length;
  }
  return elements;
}
