import type { AuthorityRequestAnswered, AuthorityRequestEvent, Letter } from '#authority-requests';
import { SAMPLE_CHECKER, SAMPLE_MAKER } from './legal-order-samples.ts';
import { at, type Placed } from './decider-spec.ts';

type Registered = Extract<AuthorityRequestEvent, { readonly type: 'AuthorityRequestRegistered' }>;

const requestId = 'req-1';
export const SAMPLE_REQUEST_STREAM = `authorityRequest-${requestId}`;

/** A ministry's letter of 27 February 2022 that asks for freezes. */
export const sampleLetter: Letter = {
  requestId,
  kind: 'freeze',
  authority: { name: 'Ministry of Digital Transformation', jurisdiction: 'UA' },
  reference: '27-02/1',
  subject: 'all accounts of users from one country',
  receivedAt: '2022-02-27T15:00:00.000Z',
  documentSha256: 'e'.repeat(64),
};

export function registeredRequest(changes: Partial<Letter> = {}, registeredBy = SAMPLE_MAKER): Placed<Registered> {
  const event: Registered = {
    type: 'AuthorityRequestRegistered',
    data: { ...sampleLetter, ...changes, registeredBy },
  };
  return at(event, { actor: { id: registeredBy, roles: ['ops'] } });
}

/** Refused for want of an instrument, unless the changes say otherwise. */
export function answeredRequest(
  changes: Partial<AuthorityRequestAnswered['data']> = {},
): Placed<AuthorityRequestAnswered> {
  const answeredBy = changes.answeredBy ?? SAMPLE_CHECKER;
  const data = { requestId, outcome: 'refused', reason: 'no instrument', ...changes, answeredBy } as const;
  return at({ type: 'AuthorityRequestAnswered', data }, { actor: { id: answeredBy, roles: ['approver'] } });
}
