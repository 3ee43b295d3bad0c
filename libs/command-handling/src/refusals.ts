import { isRecorded, reject, type Bound, type DecidedOn, type Rejection } from '#kernel';
import type { FreezeAllNamed, LedgerCommand } from './ledger-api.ts';
import type { Draft } from './plan.ts';

const WINDOW_MS = 60_000;
/** Streams whose recent refusals are remembered. */
const MAX_STREAMS = 10_000;

/** Bounds how fast recorded refusals make a stream grow: a retry loop is told to wait, and leaves no trace. */
export class RefusalLimiter {
  readonly #perMinute: number;
  readonly #recent = new Map<string, number[]>();

  /** @param perMinute refusals of one stream within a minute; 0 for no limit */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  get bound(): Bound {
    return { what: 'streams-with-refusals', most: MAX_STREAMS, inUse: () => this.#recent.size };
  }

  /**
   * @param unstored refusals of the stream that are decided and not noted yet: each is, once it is stored
   * @returns the rejection to answer instead when the stream has had its share
   */
  overLimit(stream: string, nowMs: number, unstored: number): Rejection | undefined {
    if (this.#perMinute === 0) return undefined;
    const recent = (this.#recent.get(stream) ?? []).filter((ms) => ms > nowMs - WINDOW_MS);
    if (recent.length + unstored < this.#perMinute) return undefined;
    const oldest = recent[0] ?? nowMs;
    const retryAfterSeconds = Math.max(1, Math.ceil((oldest + WINDOW_MS - nowMs) / 1000));
    return reject('rate-limited', 'too many refused commands within a minute; not recorded', { retryAfterSeconds });
  }

  /** Counts a refusal that is stored. */
  note(stream: string, nowMs: number): void {
    if (this.#perMinute === 0) return;
    const recent = (this.#recent.get(stream) ?? []).filter((ms) => ms > nowMs - WINDOW_MS);
    this.#recent.delete(stream);
    this.#recent.set(stream, [...recent, nowMs]);
    const oldest = this.#recent.keys().next();
    if (this.#recent.size > MAX_STREAMS && oldest.done !== true) this.#recent.delete(oldest.value);
  }
}

const REFUSAL = 'CommandRefused';

/** How many of these are refusals. */
export function refusalsIn(events: readonly Pick<Draft, 'type'>[]): number {
  return events.filter(({ type }) => type === REFUSAL).length;
}

/** The fact that a command was turned down, with all that its answer and a report need. */
export function refusalDraft(
  command: LedgerCommand | FreezeAllNamed,
  rejection: Rejection,
  decidedOn: DecidedOn | null,
): Draft {
  if (!isRecorded(rejection.code)) throw new Error(`${rejection.code} is not recorded`);
  const { type, ...asGiven } = command;
  // As JSON: what is undefined is absent, as it will be when the event is read again.
  const request = JSON.parse(JSON.stringify(asGiven)) as Record<string, unknown>;
  const { code, detail, extra } = rejection;
  return { type: REFUSAL, data: { command: type, code, detail, extra, request, decidedOn } };
}
