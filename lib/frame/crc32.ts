/**
 * CRC-32, the one of zlib and Ethernet (polynomial 0xedb88320, ISO/IEC 3309). The runtime's is fast,
 * but its module takes 30 ms to load. So the first bytes of a process are summed here, with tables,
 * and the module is loaded once it is clear that there are many: a small file never pays for it, and
 * the first frame of a large one does not wait for it.
 *
 * @module
 */

/** Bytes that are summed here before the runtime's CRC-32 is loaded: the first few frames. */
const LOAD_AFTER_BYTES = 1024 * 1024;

const POLYNOMIAL = 0xedb88320;

/** Bytes that one step takes ("slicing by 8"), and so the number of tables. */
const STEP_BYTES = 8;

let native: ((bytes: Uint8Array) => number) | undefined;
let tables: Int32Array<ArrayBuffer> | undefined;
let summedBytes = 0;
let isLoading = false;

/** CRC-32 (the one of zlib and Ethernet) of some bytes, as an unsigned number. */
export function crc32(bytes: Uint8Array): number {
  if (native !== undefined) return native(bytes);
  summedBytes += bytes.length;
  if (summedBytes > LOAD_AFTER_BYTES && !isLoading) {
    isLoading = true;
    import("node:zlib").then(({ crc32 }) => {
      native = (bytes) => crc32(bytes);
    });
  }
  return tableCrc32(bytes);
}

/** The same without the runtime's, for tests and for the first bytes. */
export function tableCrc32(bytes: Uint8Array): number {
  const t = tables ??= makeTables();
  // `t[i]` is never missing: every index is below the tables' length. `| 0` says so to the checker.
  const at = (table: number, byte: number) => (t[table << 8 | byte] ?? 0) | 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stepsEnd = bytes.length - bytes.length % STEP_BYTES;
  let crc = -1;
  let i = 0;
  for (; i < stepsEnd; i += STEP_BYTES) {
    const low = crc ^ view.getInt32(i, true);
    const high = view.getInt32(i + 4, true);
    crc = at(7, low & 255) ^ at(6, low >>> 8 & 255) ^ at(5, low >>> 16 & 255) ^ at(4, low >>> 24) ^
      at(3, high & 255) ^ at(2, high >>> 8 & 255) ^ at(1, high >>> 16 & 255) ^ at(0, high >>> 24);
  }
  for (; i < bytes.length; i++) crc = crc >>> 8 ^ at(0, (crc ^ view.getUint8(i)) & 255);
  return ~crc >>> 0;
}

/** Table 0 takes one byte; table `n` takes one with `n` zero bytes behind it. */
function makeTables(): Int32Array<ArrayBuffer> {
  const made = new Int32Array(STEP_BYTES << 8);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    made[byte] = crc;
  }
  for (let i = 256; i < made.length; i++) {
    const before = made[i - 256] ?? 0;
    made[i] = before >>> 8 ^ (made[before & 255] ?? 0);
  }
  return made;
}
