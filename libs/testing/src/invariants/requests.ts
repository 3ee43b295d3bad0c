import { whyBasisNotInForce } from './bases.ts';
import type { Fact } from './facts.ts';
import { basisStream, type AuthorityRequest, type Log, type Problem } from './log.ts';
import { checkChecker } from './orders.ts';

export type RequestFact = Fact<'AuthorityRequestRegistered' | 'AuthorityRequestAnswered'>;

const protocol = (detail: string): Problem => ({ invariant: 'protocol', detail });

/** A letter is registered once and answered once, by another person; what is granted rests on a basis in force. */
export function checkRequest(log: Log, fact: RequestFact): readonly Problem[] {
  const request = log.requests.get(fact.about);
  if (fact.type === 'AuthorityRequestRegistered') {
    const problems: Problem[] = [];
    if (request !== undefined) problems.push(protocol('the request is registered already'));
    const isActor = fact.data.registeredBy === fact.event.metadata.actor.id;
    return isActor ? problems : [...problems, protocol('registeredBy is not who acted')];
  }
  if (request === undefined) return [protocol('the request is not registered')];
  return checkAnswered(log, request, fact);
}

export function applyRequest(log: Log, fact: RequestFact): void {
  if (fact.type === 'AuthorityRequestRegistered') {
    log.requests.set(fact.about, { registered: fact, answered: undefined });
    return;
  }
  const request = log.requests.get(fact.about);
  if (request !== undefined) request.answered = fact;
}

function checkAnswered(
  log: Log,
  { registered, answered }: AuthorityRequest,
  fact: Fact<'AuthorityRequestAnswered'>,
): readonly Problem[] {
  const problems = [...checkChecker(fact, registered.data.registeredBy, fact.data.answeredBy)];
  if (answered !== undefined) problems.push(protocol('the request was answered before'));
  const why = whyNotFounded(log, fact);
  return why === undefined ? problems : [...problems, protocol(why)];
}

/** What an answer cites was in force as of the revision that it states, which stands in the log, and when it was given. */
function whyNotFounded(log: Log, { data, event }: Fact<'AuthorityRequestAnswered'>): string | undefined {
  const { outcome, basis, inForceAt } = data;
  if (basis === undefined || inForceAt === undefined) {
    if (basis !== undefined || inForceAt !== undefined) return 'a basis and where it was in force go together';
    return outcome === 'granted' ? 'granted without a basis' : undefined;
  }
  if (inForceAt.stream !== basisStream(basis)) return 'inForceAt is not on the stream of the basis';
  const revision = Number(inForceAt.revision);
  const seen = log.streams.get(inForceAt.stream)?.[revision];
  if (seen === undefined) return 'no such revision of the basis stands before it';
  const why = whyBasisNotInForce(log, inForceAt.stream, revision, event.metadata.recordedAt);
  return why === undefined ? undefined : `answered under a basis, though ${why}`;
}
