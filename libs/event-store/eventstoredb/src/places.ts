import type { Position } from '#kernel';

const POSITION = /^([0-9a-f]{16})-([0-9a-f]{16})$/;
/** Positions are signed on the server's disk: what is beyond stands for "none". */
const FIRST_IMPOSSIBLE = 1n << 63n;

/** A place in $all, as the wire has it: decimal numbers. */
export interface Place {
  readonly commit: string;
  readonly prepare: string;
}

/** @returns undefined for what stands for no position: servers before 22.6 give none when a stream is read */
export function positionAt(commit: string, prepare: string): Position | undefined {
  const [first, second] = [BigInt(commit), BigInt(prepare)];
  if (first >= FIRST_IMPOSSIBLE || second >= FIRST_IMPOSSIBLE) return undefined;
  return `${hex(first)}-${hex(second)}`;
}

/** True for what can be a position of such a store, however far its log goes: nothing is prepared after its commit. */
export function isPlace(text: string): boolean {
  const [, commit = '', prepare = ''] = POSITION.exec(text) ?? [];
  return commit !== '' && prepare <= commit;
}

/** @throws RangeError for a text that is no position of such a store */
export function placeOf(position: Position): Place {
  const match = POSITION.exec(position);
  if (match === null) throw new RangeError('not a position of this store');
  const [, commit = '', prepare = ''] = match;
  return { commit: possible(commit), prepare: possible(prepare) };
}

/** What is beyond comes after every event there can be, as the last possible place does. */
function possible(digits: string): string {
  const value = BigInt(`0x${digits}`);
  return (value < FIRST_IMPOSSIBLE ? value : FIRST_IMPOSSIBLE - 1n).toString();
}

function hex(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}
