import { type AppendOutcome } from '../log/event-log.ts';
import { type ExpectedRevision } from '../log/commit-check.ts';
import { type ProposedEvent } from '../log/log-event.ts';
import { type FaultKind } from '../options.ts';
import { appendSizeBytes } from '../wire/messages.ts';
import { type Call, requiresLeader, type ServiceContext } from './context.ts';

export interface AppendRequest {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly ProposedEvent[];
}

/** What becomes of an append, before either call puts it in its own form. */
export type AppendVerdict =
  | AppendOutcome
  | { readonly kind: 'access-denied' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'not-ready' }
  | { readonly kind: 'not-leader' }
  | { readonly kind: 'end-call'; readonly as: 'cancelled' | 'in-order' };

/**
 * Serves one append, whichever call brought it; at once, unless a fault has it otherwise. A follower passes it on to the
 * leader, as a real one does, unless the client asked for the leader.
 * @param answer is called once; twice or never when a fault says so
 */
export function serveAppend(
  context: ServiceContext,
  call: Call,
  request: AppendRequest,
  answer: (verdict: AppendVerdict) => void,
): void {
  const refusal = refusalOf(context, call, request);
  if (refusal !== undefined) {
    answer(refusal);
    return;
  }
  const fault = context.faults.take('append', request.stream, context.node);
  if (fault === undefined) answer(commit(context, request));
  else serveFaulty(context, call, request, fault, answer);
}

function refusalOf(context: ServiceContext, call: Call, request: AppendRequest): AppendVerdict | undefined {
  if (!context.mayDo(context.caller(call), 'write', request.stream)) return { kind: 'access-denied' };
  if (appendSizeBytes(request.events) > context.maxAppendSizeBytes) return { kind: 'too-large' };
  if (requiresLeader(call) && !context.isLeader()) return { kind: 'not-leader' };
  return undefined;
}

function serveFaulty(
  context: ServiceContext,
  call: Call,
  request: AppendRequest,
  fault: FaultKind,
  answer: (verdict: AppendVerdict) => void,
): void {
  switch (fault.kind) {
    case 'drop-before-commit':
      context.dropConnection(call);
      return;
    case 'drop-after-commit':
      commit(context, request);
      context.dropConnection(call);
      return;
    case 'delay': {
      const verdict = commit(context, request);
      setTimeout(() => answer(verdict), fault.delayMs);
      return;
    }
    case 'hold':
      context.faults.hold(fault, () => answer(commit(context, request)));
      return;
    case 'answer-twice': {
      const verdict = commit(context, request);
      answer(verdict);
      answer(verdict);
      return;
    }
    case 'no-answer':
      if (fault.commit) commit(context, request);
      return;
    case 'end-call':
      if (fault.commit) commit(context, request);
      answer({ kind: 'end-call', as: fault.as ?? 'in-order' });
      return;
    case 'deny':
      answer({ kind: 'access-denied' });
      return;
    case 'not-leader':
    case 'not-ready':
      answer({ kind: fault.kind });
      return;
    case 'drop-subscription':
      throw new Error('no append is a subscription');
    default:
      throw new Error(`unknown fault ${JSON.stringify(fault satisfies never)}`);
  }
}

function commit(context: ServiceContext, { stream, expected, events }: AppendRequest): AppendOutcome {
  const outcome = context.log.append(stream, expected, events);
  if (outcome.kind === 'stored' && events.length > 0) {
    context.counts.add('storedAppends');
    context.counts.add('storedEvents', events.length);
  } else if (outcome.kind === 'replayed') {
    context.counts.add('replayedAppends');
  } else if (outcome.kind === 'wrong') {
    context.counts.add('wrongExpectedRevisions');
  }
  return outcome;
}
