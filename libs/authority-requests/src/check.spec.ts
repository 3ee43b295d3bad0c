import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Basis } from '#kernel';
import {
  answeredRequest,
  at,
  registeredRequest,
  SAMPLE_CHECKER,
  SAMPLE_MAKER,
  SAMPLE_REQUEST_STREAM,
  SPEC_NOW,
  specFor,
  type Placed,
} from '#testing';
import {
  authorityRequestEvents,
  authorityRequestView,
  checkAuthorityRequest,
  decideAuthorityRequest,
  evolveAuthorityRequest,
  initialAuthorityRequestState,
  type AuthorityRequestEvent,
} from './index.ts';

const { given } = specFor({
  initialState: initialAuthorityRequestState,
  evolve: evolveAuthorityRequest,
  check: checkAuthorityRequest,
  decide: decideAuthorityRequest,
  events: authorityRequestEvents,
  stream: SAMPLE_REQUEST_STREAM,
  context: { now: SPEC_NOW, actor: { id: SAMPLE_CHECKER, roles: ['approver'] } },
});

const other = { id: 'other', roles: [] };
const basis: Basis = { kind: 'legal-order', id: 'ord-1' };
const inForceAt = { stream: 'legalOrder-ord-1', revision: '1' };

/** The last event is the illegal one. */
const illegal: [string, RegExp, Placed<AuthorityRequestEvent>[]][] = [
  ['a second registration', /registered already/, [registeredRequest(), registeredRequest()]],
  [
    'a registration after the answer',
    /registered already/,
    [registeredRequest(), answeredRequest(), registeredRequest()],
  ],
  ['a request on the stream of another', /stream/, [registeredRequest({ requestId: 'req-2' })]],
  ['an answer to another request', /stream/, [registeredRequest(), answeredRequest({ requestId: 'req-2' })]],
  [
    'a registration in the name of another',
    /another than who acted/,
    [at(registeredRequest().event, { actor: other })],
  ],
  [
    'an answer in the name of another',
    /another than who acted/,
    [registeredRequest(), at(answeredRequest().event, { actor: other })],
  ],
  ['an answer to nothing', /not registered/, [answeredRequest()]],
  ['a second answer', /answered before/, [registeredRequest(), answeredRequest(), answeredRequest()]],
  [
    'an answer by who registered it',
    /who registered/,
    [registeredRequest(), answeredRequest({ answeredBy: SAMPLE_MAKER })],
  ],
  ['a grant without a basis', /without a basis/, [registeredRequest(), answeredRequest({ outcome: 'granted' })]],
  [
    'a basis without where it was in force',
    /does not say where/,
    [registeredRequest(), answeredRequest({ outcome: 'granted', basis })],
  ],
  ['a place without a basis', /does not say what/, [registeredRequest(), answeredRequest({ inForceAt })]],
  [
    'a basis in force on the stream of another',
    /of another/,
    [
      registeredRequest(),
      answeredRequest({ outcome: 'granted', basis, inForceAt: { ...inForceAt, stream: 'legalOrder-ord-2' } }),
    ],
  ],
  [
    'a letter as the basis of an answer',
    /of another/,
    [
      registeredRequest(),
      answeredRequest({ outcome: 'granted', basis, inForceAt: { ...inForceAt, stream: SAMPLE_REQUEST_STREAM } }),
    ],
  ],
];

describe('checkAuthorityRequest', () => {
  it.each(illegal)('finds %s', (_, reason, events) => {
    const last = events.length - 1;
    expect(() => given(...events.slice(0, last)).state()).not.toThrow();
    const found = new RegExp(`at revision ${String(last)} is illegal: .*${reason.source}`);
    expect(() => given(...events).state()).toThrow(found);
  });
});

describe('evolveAuthorityRequest', () => {
  it('shows what was asked and answered', () => {
    expect(authorityRequestView(given(registeredRequest()).state())).toMatchObject({
      state: 'registered',
      answer: null,
    });
    const answered = given(registeredRequest(), answeredRequest({ outcome: 'granted', basis, inForceAt })).state();
    expect(authorityRequestView(answered)).toMatchObject({
      state: 'granted',
      registeredBy: SAMPLE_MAKER,
      answer: { outcome: 'granted', basis, inForceAt, answeredBy: SAMPLE_CHECKER },
    });
    expect(authorityRequestView(initialAuthorityRequestState())).toBeUndefined();
  });

  it('never throws, in whatever order well-formed events come', () => {
    const anyEvents = fc.constantFrom(registeredRequest().event, answeredRequest().event);
    fc.assert(
      fc.property(fc.array(anyEvents, { maxLength: 6 }), (events) => {
        let state = initialAuthorityRequestState();
        for (const event of events) {
          const metadata = { recordedAt: SPEC_NOW };
          state = evolveAuthorityRequest(state, { ...event, metadata } as Parameters<typeof evolveAuthorityRequest>[1]);
        }
        expect(authorityRequestView(state) === undefined).toBe(
          !events.some(({ type }) => type === 'AuthorityRequestRegistered'),
        );
      }),
    );
  });
});
