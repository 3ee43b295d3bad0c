import type { Recorded, Timestamp } from '#kernel';
import type { AuthorityRequestEvent, Letter } from './events.ts';
import type { AuthorityRequestView } from './views.ts';

/** What the stream of an authority request says. */
export interface AuthorityRequestState {
  /** Undefined until the letter is registered. */
  registered: { readonly letter: Letter; readonly registeredBy: string; readonly registeredAt: Timestamp } | undefined;
  answer: AuthorityRequestView['answer'];
}

export function initialAuthorityRequestState(): AuthorityRequestState {
  return { registered: undefined, answer: null };
}

export function evolveAuthorityRequest(
  state: AuthorityRequestState,
  event: Recorded<AuthorityRequestEvent>,
): AuthorityRequestState {
  switch (event.type) {
    case 'AuthorityRequestRegistered': {
      const { registeredBy, ...letter } = event.data;
      state.registered = { letter, registeredBy, registeredAt: event.metadata.recordedAt };
      return state;
    }
    case 'AuthorityRequestAnswered': {
      const { outcome, reason, basis = null, inForceAt = null, answeredBy } = event.data;
      const answeredAt = event.metadata.recordedAt;
      state.answer = { outcome, reason, basis, inForceAt, answeredBy, answeredAt };
      return state;
    }
    case 'CommandRefused':
      return state;
  }
}

/** The request as it is shown, or undefined when it is not registered. */
export function authorityRequestView({ registered, answer }: AuthorityRequestState): AuthorityRequestView | undefined {
  if (registered === undefined) return undefined;
  const { letter, registeredBy, registeredAt } = registered;
  return {
    ...letter,
    state: answer?.outcome ?? 'registered',
    registeredBy,
    answer,
    createdAt: registeredAt,
    updatedAt: answer?.answeredAt ?? registeredAt,
  };
}
