import { describe, expect, it } from '@jest/globals';
import type { Actor, Basis, CommandRefused } from '#kernel';
import {
  answeredRequest,
  registeredRequest,
  SAMPLE_CHECKER,
  SAMPLE_MAKER,
  SAMPLE_REQUEST_STREAM,
  sampleLetter,
  SPEC_NOW,
  specFor,
} from '#testing';
import {
  authorityRequestEvents,
  checkAuthorityRequest,
  decideAuthorityRequest,
  evolveAuthorityRequest,
  initialAuthorityRequestState,
  type AnswerAuthorityRequest,
  type AuthorityRequestContext,
  type RegisterAuthorityRequest,
} from './index.ts';

const maker: Actor = { id: SAMPLE_MAKER, roles: ['ops'] };
const checker: Actor = { id: SAMPLE_CHECKER, roles: ['approver'] };

const context: AuthorityRequestContext = { now: SPEC_NOW, actor: checker };
const { given } = specFor({
  initialState: initialAuthorityRequestState,
  evolve: evolveAuthorityRequest,
  check: checkAuthorityRequest,
  decide: decideAuthorityRequest,
  events: authorityRequestEvents,
  stream: SAMPLE_REQUEST_STREAM,
  context,
});

const requestId = 'req-1';
const order: Basis = { kind: 'legal-order', id: 'ord-1' };
const inForceAt = { stream: 'legalOrder-ord-1', revision: '1' };
const inForce = { basis: { inForceAt } };
const notInForce = { basis: { code: 'basis-not-in-force', detail: 'the legal order has expired' } } as const;
const unknown = { basis: { code: 'basis-not-found', detail: 'there is no such legal order' } } as const;

const register: RegisterAuthorityRequest = { type: 'RegisterAuthorityRequest', requestId, letter: sampleLetter };
const refuse: AnswerAuthorityRequest = {
  type: 'AnswerAuthorityRequest',
  requestId,
  outcome: 'refused',
  reason: 'no instrument',
};
const withdraw = { ...refuse, outcome: 'withdrawn', reason: 'the ministry took it back' } as const;
const grant = { ...refuse, outcome: 'granted', reason: 'the order demands it', basis: order } as const;

const refused: CommandRefused = {
  type: 'CommandRefused',
  data: {
    command: 'AnswerAuthorityRequest',
    code: 'maker-is-checker',
    detail: 'n',
    extra: {},
    request: {},
    decidedOn: null,
  },
};
const granted = answeredRequest({ outcome: 'granted', reason: grant.reason, basis: order, inForceAt });
const withdrawn = answeredRequest({ outcome: 'withdrawn', reason: withdraw.reason });

/** A history for each state that a request can be in, once it is registered and answered. */
const open = { registered: [registeredRequest()], 'registered, with a refusal': [registeredRequest(), refused] };
const answered = {
  refused: [registeredRequest(), answeredRequest()],
  granted: [registeredRequest(), granted],
  withdrawn: [registeredRequest(), withdrawn],
};

describe('registering a letter', () => {
  it('is recorded with who registered it', () => {
    given().when(register, { actor: maker }).then(registeredRequest().event);
  });

  it.each(['freeze', 'disclosure', 'information'] as const)('that asks for a %s', (kind) => {
    given()
      .when({ ...register, letter: { ...sampleLetter, kind } }, { actor: maker })
      .then(registeredRequest({ kind }).event);
  });

  it.each(Object.entries({ ...open, ...answered }))('happens once: %s', (_, history) => {
    given(...history)
      .when(register, { actor: maker })
      .thenRejected('already-exists', { requestId });
  });
});

describe('answering a letter', () => {
  it.each(Object.entries(open))('refuses it, grants it or takes its withdrawal: %s', (_, history) => {
    given(...history)
      .when(refuse)
      .then(answeredRequest().event);
    given(...history)
      .when(withdraw)
      .then(withdrawn.event);
    given(...history)
      .when(grant, inForce)
      .then(granted.event);
  });

  it('may cite a basis whatever the answer is, and records where it was in force', () => {
    for (const outcome of ['refused', 'withdrawn'] as const) {
      given(registeredRequest())
        .when({ ...refuse, outcome, basis: order }, inForce)
        .then(answeredRequest({ outcome, basis: order, inForceAt }).event);
    }
  });

  it('grants nothing without a basis, before anything else is looked at', () => {
    const { basis: _, ...bare } = grant;
    for (const history of [[], ...Object.values(open), ...Object.values(answered)]) {
      given(...history)
        .when(bare)
        .thenRejected('malformed-request', {
          errors: [{ field: 'basis', message: 'is missing: nothing is granted without one' }],
        });
    }
  });

  it('is for a letter that there is', () => {
    given().when(refuse).thenRejected('authority-request-not-found');
    given(refused).when(grant, unknown).thenRejected('authority-request-not-found');
  });

  it.each(Object.entries(answered))('happens once: %s', (state, history) => {
    for (const [command, context] of [
      [refuse, {}],
      [withdraw, {}],
      [grant, inForce],
      [grant, notInForce],
    ] as const) {
      given(...history)
        .when(command, context)
        .thenRejected('invalid-transition', { state });
      given(...history)
        .when(command, { ...context, actor: maker })
        .thenRejected('invalid-transition', { state });
    }
  });

  it('is not for who registered it, whatever the answer', () => {
    for (const [command, context] of [
      [refuse, {}],
      [withdraw, {}],
      [grant, inForce],
      [grant, unknown],
    ] as const) {
      given(registeredRequest())
        .when(command, { ...context, actor: maker })
        .thenRejected('maker-is-checker');
    }
  });

  it('is turned down for a basis that there is not, or that is not in force', () => {
    given(registeredRequest())
      .when(grant, unknown)
      .thenRejected('basis-not-found', {}, /no such legal order/);
    given(registeredRequest())
      .when(grant, notInForce)
      .thenRejected('basis-not-in-force', {}, /expired/);
    given(registeredRequest())
      .when({ ...refuse, basis: order }, notInForce)
      .thenRejected('basis-not-in-force');
  });

  it('demands that the basis was looked at', () => {
    expect(() => given(registeredRequest()).when(grant)).toThrow('not looked at');
  });
});
