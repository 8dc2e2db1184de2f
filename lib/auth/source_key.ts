/**
 * Which addresses count as one source of logins: an IPv4 address, an IPv6 network of 64 bits, since a single
 * household or virtual machine is given at least that (RFC 6177 §2).
 *
 * @module
 */

/** Longest text that is looked at as an address; IPv6 with a mapped IPv4 and a zone stays below. */
const ADDRESS_CHARS_MAX = 100;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const GROUP = /^[0-9a-f]{1,4}$/;

/**
 * The key under which logins from `address` are counted.
 *
 * - IPv4: the address; an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is that IPv4 address;
 * - IPv6: the first 64 bits, except link-local ones (`fe80::/10`), which all share those bits: the whole address;
 * - anything else, such as the name of a Unix socket: the text, at most 100 characters of it.
 *
 * @param address What the socket says, without a port; a zone (`%eth0`) is ignored.
 * @returns A short text.
 */
export function sourceKey(address: string): string {
  const text = address.slice(0, ADDRESS_CHARS_MAX).toLowerCase();
  const groups = parseIpv6(text.replace(/%.*$/s, ""));
  if (groups === undefined) return text;
  const hex = groups.map((group) => group.toString(16));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6);
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
  }
  const isLinkLocal = ((groups[0] ?? 0) & 0xffc0) === 0xfe80;
  return isLinkLocal ? hex.join(":") : `${hex.slice(0, 4).join(":")}::/64`;
}

/** The eight groups of an IPv6 address (RFC 4291 §2.2), or `undefined` if `text` is none. */
function parseIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (!text.includes(":") || halves.length > 2) return undefined;
  const [head, tail] = halves.map(parseGroups);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** Groups of one side of `::`; the last may be an IPv4 address. */
function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const octets = index === parts.length - 1 ? IPV4.exec(part)?.slice(1).map(Number) : undefined;
    if (octets !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = octets;
      if (Math.max(a, b, c, d) > 255) return undefined;
      groups.push(a << 8 | b, c << 8 | d);
    } else if (GROUP.test(part)) {
      groups.push(parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}
