import type { EventReader } from '#event-store';
import { isRecorded, isRejection, toTimestamp, type DecidedOn, type Rejection, type Timestamp } from '#kernel';
import { asked, originOf, precedesIfMatch, revisionMismatch, seen, type Asked } from './asked.ts';
import type { CommandRequest, LedgerCommand, Outcome } from './ledger-api.ts';
import { outcomeOf, recordedOutcome } from './outcome.ts';
import type { Draft, Plan, Turn, View } from './plan.ts';
import { refusalDraft, type RefusalLimiter } from './refusals.ts';
import type { Streams } from './streams.ts';

/** What a home stream decided before anything is awaited. */
export type Settled =
  | { readonly kind: 'outcome'; readonly outcome: Outcome | Promise<Outcome> }
  | { readonly kind: 'replay'; readonly revision: number };

/** What the rule made of a command, at which time, and on which other stream it turned the command down, if on one. */
export interface Decided {
  readonly outcome: readonly Draft[] | Rejection;
  readonly nowMs: number;
  readonly decidedOn: DecidedOn | null;
}

/** Runs commands that concern one stream: replay, the checks in their order, the rule, the append. */
export class OneStream {
  readonly #streams: Streams;
  readonly #reader: EventReader;
  readonly #limiter: RefusalLimiter;

  constructor(streams: Streams, reader: EventReader, limiter: RefusalLimiter) {
    this.#streams = streams;
    this.#reader = reader;
    this.#limiter = limiter;
  }

  /**
   * @param decide the rule of the domain, on the stream's exact end at the time given
   */
  run(
    request: CommandRequest,
    stream: string,
    decide: (view: View, now: Timestamp) => readonly Draft[] | Rejection,
  ): Promise<Outcome> {
    return this.runLooking(request, stream, (view) => {
      const nowMs = view.time();
      return { outcome: decide(view, toTimestamp(nowMs)), nowMs, decidedOn: null };
    });
  }

  /** As `run`, for a rule that may look at other streams, in the turn of its own. */
  runLooking(
    request: CommandRequest,
    stream: string,
    decide: (view: View) => Decided | Promise<Decided>,
  ): Promise<Outcome> {
    const command = asked(request, stream);
    return this.#streams
      .decide<Settled>(stream, (view) => this.#plan(view, command, decide), turnOf(request.command))
      .then((settled) => {
        if (settled.kind === 'outcome') return settled.outcome;
        return recordedOutcome(this.#reader, stream, settled.revision, true);
      });
  }

  #plan(
    view: View,
    command: Asked,
    decide: (view: View) => Decided | Promise<Decided>,
  ): Plan<Settled> | Promise<Plan<Settled>> {
    const known = seen(view, command);
    if (isRejection(known)) return rejected(known);
    if (known !== undefined) return { result: { kind: 'replay', revision: known.revision } };
    const decided = decide(view);
    return decided instanceof Promise
      ? decided.then((found) => this.#conclude(view, command, found))
      : this.#conclude(view, command, decided);
  }

  #conclude(view: View, command: Asked, { outcome, nowMs, decidedOn }: Decided): Plan<Settled> {
    if (isRejection(outcome) && precedesIfMatch(outcome)) return rejected(outcome);
    const mismatch = revisionMismatch(view, command.request);
    if (mismatch !== undefined) return rejected(mismatch);
    if (isRejection(outcome)) return this.refuse(view, command, outcome, decidedOn, nowMs);
    return {
      append: outcome,
      origin: originOf(command),
      nowMs,
      answer: (events) => ({ kind: 'outcome', outcome: outcomeOf(this.#reader, events, false) }),
    };
  }

  /** Turns a command down: for a recorded code as a fact on its home stream, otherwise without a trace. */
  refuse(view: View, command: Asked, rejection: Rejection, decidedOn: DecidedOn | null, nowMs: number): Plan<Settled> {
    if (!isRecorded(rejection.code)) return rejected(rejection);
    const overLimit = this.#limiter.overLimit(view.stream, nowMs, view.unstoredRefusals);
    if (overLimit !== undefined) return rejected(overLimit);
    return {
      append: [refusalDraft(command.request.command, rejection, decidedOn)],
      origin: originOf(command),
      nowMs,
      answer: (events) => {
        this.#limiter.note(view.stream, nowMs);
        return { kind: 'outcome', outcome: outcomeOf(this.#reader, events, false) };
      },
    };
  }
}

/** What services send, and may send in any number, waits in line. */
const IN_LINE: ReadonlySet<LedgerCommand['type']> = new Set([
  'RegisterParty',
  'IdentifyParty',
  'LinkAddress',
  'Deposit',
  'ReverseDeposit',
  'ReserveWithdrawal',
  'DispatchWithdrawal',
  'SettleWithdrawal',
  'CancelWithdrawal',
  'SendTransfer',
  'CloseAccount',
]);

function turnOf({ type }: CommandRequest['command']): Turn {
  return IN_LINE.has(type) ? 'in-line' : 'ahead';
}

export function rejectedOutcome(rejection: Rejection): Extract<Outcome, { readonly status: 'rejected' }> {
  return { status: 'rejected', replayed: false, rejection };
}

function rejected(rejection: Rejection): { readonly result: Settled } {
  return { result: { kind: 'outcome', outcome: rejectedOutcome(rejection) } };
}
