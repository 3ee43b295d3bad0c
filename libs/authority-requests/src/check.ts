import { basisStream, type Recorded } from '#kernel';
import type { AuthorityRequestAnswered, AuthorityRequestEvent } from './events.ts';
import type { AuthorityRequestState } from './state.ts';

/**
 * Says why this event should never be in this state, or undefined when it is legal. Whether a cited basis was in force
 * stands on another stream: replay looks there.
 */
export function checkAuthorityRequest(
  { registered, answer }: AuthorityRequestState,
  event: Recorded<AuthorityRequestEvent>,
): string | undefined {
  if (event.type === 'CommandRefused') return undefined;
  if (event.stream !== `authorityRequest-${event.data.requestId}`) {
    return 'the request is not the one that the stream is about';
  }
  const { id: actorId } = event.metadata.actor;
  if (event.type === 'AuthorityRequestRegistered') {
    if (registered !== undefined) return 'the request is registered already';
    return event.data.registeredBy === actorId ? undefined : 'the request was registered by another than who acted';
  }
  if (registered === undefined) return 'the request is not registered';
  if (answer !== null) return `the request is ${answer.outcome}: it was answered before`;
  const { answeredBy } = event.data;
  if (answeredBy !== actorId) return 'the request was answered by another than who acted';
  if (answeredBy === registered.registeredBy) return 'who registered the request also answered it';
  return checkCitation(event.data);
}

function checkCitation({ outcome, basis, inForceAt }: AuthorityRequestAnswered['data']): string | undefined {
  if (basis === undefined) {
    if (inForceAt !== undefined) return 'something was in force, and it does not say what';
    return outcome === 'granted' ? 'granted without a basis' : undefined;
  }
  if (inForceAt === undefined) return 'it does not say where the basis was in force';
  return inForceAt.stream === basisStream(basis) ? undefined : 'the basis was in force on the stream of another';
}
