import type { Position } from '#kernel';

/** Positions are signed where they are kept. */
const POSITION = /^[0-7][0-9a-f]{15}$/;

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
  return BigInt(`0x${position}`);
}
