import { systemClock, uuidv7, type Clock, type IdGenerator } from '#kernel';
import { setTimeout as delay } from 'node:timers/promises';

/** What command handling asks of the machine: replaced in simulations and interleaving tests. */
export interface Machine {
  readonly clock: Clock;
  readonly newId: IdGenerator;
  /** Waits; resolves early never. */
  readonly sleep: (ms: number) => Promise<void>;
}

export const realMachine: Machine = {
  clock: systemClock,
  newId: uuidv7,
  sleep: (ms) => delay(ms, undefined, { ref: false }),
};

/** A clock may be this far behind what is recorded; beyond it nothing is decided (503 `clock-unreliable`). */
export const MAX_CLOCK_LAG_MS = 5_000;

/** Limits of command handling: every queue, loop and wait has one. */
export interface Limits {
  /** Movements of funds waiting for one stream. */
  readonly queuedPerStream: number;
  /** Tasks waiting in all, whatever they are. */
  readonly queuedInAll: number;
  /** How many more may wait for one stream, and in all, of those that go ahead of movements: freezes, lifts, supervision. */
  readonly reservedPerStream: number;
  readonly reservedInAll: number;
  /** How long a movement of funds may wait for its turn, in milliseconds: by then whoever sent it has given up. */
  readonly waitMs: number;
  /** Commands decided together and appended as one. */
  readonly batch: number;
  /** How long a command may go on being decided again after conflicts, in milliseconds. */
  readonly retryMs: number;
  /** How long an append whose outcome is unknown is sent again, in milliseconds. */
  readonly resendMs: number;
  /** Streams kept in memory: about 2 KB each without their names. */
  readonly cachedStreams: number;
  /** Named entries of one stream kept in memory before the index is asked for older ones. */
  readonly cachedEntries: number;
  /** Those of all streams together: about 200 bytes each. */
  readonly cachedEntriesInAll: number;
  /** Recorded refusals of one stream within a minute; 0 for no limit. */
  readonly refusalsPerMinute: number;
}

export const DEFAULT_LIMITS: Limits = {
  queuedPerStream: 1_000,
  queuedInAll: 10_000,
  reservedPerStream: 1_000,
  reservedInAll: 1_000,
  waitMs: 15_000,
  batch: 64,
  retryMs: 5_000,
  resendMs: 5_000,
  cachedStreams: 10_000,
  cachedEntries: 10_000,
  cachedEntriesInAll: 50_000,
  refusalsPerMinute: 60,
};
