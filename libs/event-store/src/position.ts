import type { Position } from '#kernel';

const POSITION = /^[0-9a-f]{16}$/;
/** Positions are signed where they are kept: what is beyond comes after every event there can be, as this one does. */
const LAST = (1n << 63n) - 1n;

/** True for what can be a position of a memory or SQLite store, however far its log goes. */
export function isLogPosition(text: string): boolean {
  return POSITION.test(text);
}

/** The position of the `order`-th event of a log, counting from 1: 16 hexadecimal digits, which compare as strings. */
export function formatPosition(order: bigint): Position {
  return order.toString(16).padStart(16, '0');
}

/** @throws RangeError for a text that is no position of a memory or SQLite store */
export function parsePosition(position: Position): bigint {
  if (!isLogPosition(position)) throw new RangeError('not a position of this store');
  const order = BigInt(`0x${position}`);
  return order < LAST ? order : LAST;
}
