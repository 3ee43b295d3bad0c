import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';
import { systemClock } from './clock.ts';

/** Ids of the caller's choosing: 1 to 64 of `A-Z a-z 0-9 . _ : -`, the first a letter or digit. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
export const ASSET_CODE_PATTERN = /^[A-Z0-9]{2,16}$/;
export const SHA256_PATTERN = /^[0-9a-f]{64}$/;
export const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Makes event ids. A port, so that tests and simulations can be deterministic. */
export type IdGenerator = () => string;

/** Random bytes are drawn for many ids at once: drawing them for each costs more than all the rest of it. */
const POOL = Buffer.alloc(16 * 256);
let drawn = POOL.length;
let lastMs = -Infinity;
let sequence = 0;

/** A new UUIDv7 (RFC 9562): unique, and rising within this process (section 6.2, method 1: a counter of 32 bits). */
export const uuidv7: IdGenerator = () => {
  if (drawn === POOL.length) {
    randomFillSync(POOL);
    drawn = 0;
  }
  const random = POOL.subarray(drawn, drawn + 16);
  drawn += 16;
  const nowMs = systemClock.now();
  if (nowMs > lastMs) {
    lastMs = nowMs;
    // The highest bit stays clear, so that the counter has room to rise within the millisecond.
    sequence = random.readUInt32BE(0) >>> 1;
  } else {
    sequence += 1;
  }
  return v7({ random, msecs: lastMs, seq: sequence });
};
