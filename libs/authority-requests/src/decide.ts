import { type AsOf, assertNever, reject, rejectField, type Actor, type Rejection, type Timestamp } from '#kernel';
import type { AnswerAuthorityRequest, AuthorityRequestCommand, RegisterAuthorityRequest } from './commands.ts';
import type { AuthorityRequestEvent } from './events.ts';
import { authorityRequestView, type AuthorityRequestState } from './state.ts';

/**
 * What the stream of a cited basis said in its turn, at the time of the decision. It may say otherwise a moment later: so
 * an answer records as of where it was looked at, which stays true.
 */
export type BasisSeen =
  { readonly inForceAt: AsOf } | { readonly code: 'basis-not-found' | 'basis-not-in-force'; readonly detail: string };

export interface AuthorityRequestContext {
  readonly now: Timestamp;
  readonly actor: Actor;
  /** For an answer that cites a basis. */
  readonly basis?: BasisSeen | undefined;
}

type Decision = readonly AuthorityRequestEvent[] | Rejection;

/** Decides a command about one authority request. None of its events is one that a freeze could cite. */
export function decideAuthorityRequest(
  command: AuthorityRequestCommand,
  state: AuthorityRequestState,
  context: AuthorityRequestContext,
): Decision {
  switch (command.type) {
    case 'RegisterAuthorityRequest':
      return register(command, state, context);
    case 'AnswerAuthorityRequest':
      return answer(command, state, context);
    default:
      return assertNever(command);
  }
}

function register(
  { requestId, letter }: RegisterAuthorityRequest,
  state: AuthorityRequestState,
  { actor }: AuthorityRequestContext,
): Decision {
  if (state.registered !== undefined) {
    return reject('already-exists', 'the authority request is registered already', { requestId });
  }
  return [{ type: 'AuthorityRequestRegistered', data: { ...letter, requestId, registeredBy: actor.id } }];
}

/**
 * As where orders are checked: what was answered already, then whether this person may answer, then the basis; so a refusal
 * is recorded only where another person, or another basis, could have made the difference.
 * @throws Error when a basis is cited and the context does not tell of it: a bug
 */
function answer(
  { requestId, outcome, reason, basis }: AnswerAuthorityRequest,
  state: AuthorityRequestState,
  { actor, basis: seen }: AuthorityRequestContext,
): Decision {
  if (outcome === 'granted' && basis === undefined) {
    return rejectField('basis', 'is missing: nothing is granted without one');
  }
  const view = authorityRequestView(state);
  if (view === undefined) return reject('authority-request-not-found', 'the authority request is not registered');
  if (view.answer !== null) {
    return reject('invalid-transition', `the authority request is ${view.state}`, { state: view.state });
  }
  if (view.registeredBy === actor.id) {
    return reject('maker-is-checker', 'who registered an authority request can not answer it');
  }
  const given = { requestId, outcome, reason };
  const answeredBy = actor.id;
  if (basis === undefined) return [{ type: 'AuthorityRequestAnswered', data: { ...given, answeredBy } }];
  if (seen === undefined) throw new Error('the basis was not looked at');
  if ('code' in seen) return reject(seen.code, seen.detail);
  const { inForceAt } = seen;
  return [{ type: 'AuthorityRequestAnswered', data: { ...given, basis, inForceAt, answeredBy } }];
}
