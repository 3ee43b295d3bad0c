import type { Position } from '#kernel';

/** How far a position is from the beginning of its log, to show how much of a work is done. */
export function howFar(position: Position | undefined): number {
  return position === undefined ? 0 : Number(BigInt(`0x${position.slice(0, 16)}`));
}

/** What `howFar` counts: a file's positions number its events, a server's are places in its own files. */
export function unitOf(position: Position | undefined): 'events' | 'bytes' {
  return position?.includes('-') === true ? 'bytes' : 'events';
}
