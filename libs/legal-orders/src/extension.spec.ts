import type { Actor, Scope, Timestamp } from '#kernel';
import {
  at,
  authorisedFreeze,
  endedOrder,
  expiredOrder,
  proposedEnding,
  registeredOrder,
  rejectedChange,
  SAMPLE_CHECKER,
  SAMPLE_MAKER,
  SAMPLE_ORDER_STREAM,
  sampleRegistration,
  SPEC_NOW,
  specFor,
  verifiedOrder,
  type Placed,
} from '#testing';
import { describe, expect, it } from '@jest/globals';
import {
  checkLegalOrder,
  decideLegalOrder,
  evolveLegalOrder,
  initialLegalOrderState,
  legalOrderEvents,
  legalOrderView,
  type LegalOrderContext,
  type LegalOrderEvent,
} from './index.ts';

const maker: Actor = { id: SAMPLE_MAKER, roles: ['ops'] };
const checker: Actor = { id: SAMPLE_CHECKER, roles: ['approver'] };
const context: LegalOrderContext = { now: SPEC_NOW, actor: checker };

const { given } = specFor({
  initialState: initialLegalOrderState,
  evolve: evolveLegalOrder,
  check: checkLegalOrder,
  decide: decideLegalOrder,
  events: legalOrderEvents,
  stream: SAMPLE_ORDER_STREAM,
  context,
});

/** The order of the specs runs until here; the extension asks for `LATER`. */
const UNTIL: Timestamp = '2022-04-06T13:00:00.000Z';
const JUST_BEFORE = '2022-04-06T12:59:59.999Z';
const LATER = '2022-05-06T13:00:00.000Z';
/** 72 hours after `UNTIL`. */
const DEFERRED = '2022-04-09T13:00:00.000Z';
const JUST_BEFORE_DEFERRED = '2022-04-09T12:59:59.999Z';

const orderId = 'ord-1';
const document = {
  documentSha256: 'd'.repeat(64),
  issuedAt: '2022-04-05T00:00:00.000Z',
  reference: 'CL-2022-000123/3',
};
type Of<Type> = Extract<LegalOrderEvent, { type: Type }>;

function proposedExtension(expiresAt = LATER, changeId = 'ext-1'): Of<'LegalOrderChangeProposed'> {
  const data = { orderId, changeId, kind: 'extension', expiresAt, ...document, proposedBy: SAMPLE_MAKER } as const;
  return { type: 'LegalOrderChangeProposed', data };
}

function extended(expiresAt = LATER, changeId = 'ext-1'): Of<'LegalOrderExtended'> {
  const people = { proposedBy: SAMPLE_MAKER, verifiedBy: SAMPLE_CHECKER };
  return { type: 'LegalOrderExtended', data: { orderId, changeId, expiresAt, method: 'called the court', ...people } };
}

const propose = (expiresAt = LATER, changeId = 'ext-1') =>
  ({ type: 'ProposeExtension', orderId, changeId, expiresAt, ...document }) as const;
const verify = { type: 'VerifyChange', orderId, changeId: 'ext-1', method: 'called the court' } as const;
const turnDown = { type: 'RejectChange', orderId, changeId: 'ext-1', reason: 'a forgery' } as const;
const expire = { type: 'ExpireLegalOrder', orderId } as const;
const authorise = { type: 'AuthoriseFreeze', orderId, accountId: 'acc-1' } as const;
const tie = { namedBy: sampleRegistration };

type History = readonly (LegalOrderEvent | Placed<LegalOrderEvent>)[];
const running: History = [registeredOrder({ expiresAt: UNTIL }), verifiedOrder()];
const proposed: History = [...running, proposedExtension()];

describe('proposing an extension', () => {
  it('is recorded while the order runs, to its last millisecond', () =>
    given(...running)
      .when(propose(), { actor: maker, now: JUST_BEFORE })
      .then(proposedExtension()));

  it('comes too late once the time has run out', () =>
    given(...running)
      .when(propose(), { actor: maker, now: UNTIL })
      .thenRejected('invalid-transition', { state: 'expired' }));

  it.each([UNTIL, '2022-04-01T00:00:00.000Z'])('asks for more time than there is: %s', (expiresAt) =>
    given(...running)
      .when(propose(expiresAt), { actor: maker })
      .thenRejected('malformed-request', {
        errors: [{ field: 'expiresAt', message: 'must be after the time that the legal order runs until' }],
      }),
  );

  it('makes no sense for an order that never expires', () =>
    given(registeredOrder(), verifiedOrder())
      .when(propose(), { actor: maker })
      .thenRejected('malformed-request', {
        errors: [{ field: 'expiresAt', message: 'has nothing to extend: the legal order runs until it is ended' }],
      }));

  it('needs an order that is verified, and an id of its own', () => {
    given().when(propose(), { actor: maker }).thenRejected('legal-order-not-found');
    given(registeredOrder({ expiresAt: UNTIL }))
      .when(propose(), { actor: maker })
      .thenRejected('invalid-transition', { state: 'registered' });
    given(...running, proposedEnding(), endedOrder())
      .when(propose(), { actor: maker })
      .thenRejected('invalid-transition', { state: 'discharged' });
    given(...proposed)
      .when(propose(), { actor: maker })
      .thenRejected('already-exists', { orderId, changeId: 'ext-1' });
  });
});

describe('while an extension is proposed', () => {
  it('the order goes on as it was', () => {
    given(...proposed)
      .when(authorise, { tie, actor: maker })
      .then(authorisedFreeze());
    given(...proposed)
      .when(expire, { now: JUST_BEFORE })
      .thenNothingHappened();
  });

  it('the expiry is put off, for 72 hours and no longer', () => {
    given(...proposed)
      .when(expire, { now: UNTIL })
      .thenNothingHappened();
    given(...proposed)
      .when(expire, { now: JUST_BEFORE_DEFERRED })
      .thenNothingHappened();
    given(...proposed)
      .when(expire, { now: DEFERRED })
      .then(expiredOrder(UNTIL).event);
  });

  it('nothing is authorised after the order has run out', () =>
    given(...proposed)
      .when(authorise, { tie, actor: maker, now: UNTIL })
      .thenRejected('basis-not-in-force'));

  it('the order can be ended for as long as the expiry is put off', () => {
    const ending = { orderId, changeId: 'chg-1', how: 'discharged', ...document } as const;
    const proposal: LegalOrderEvent = {
      type: 'LegalOrderChangeProposed',
      data: { ...ending, kind: 'ending', proposedBy: SAMPLE_MAKER },
    };
    const propose = { type: 'ProposeEnding', ...ending } as const;
    const end = { type: 'VerifyChange', orderId, changeId: 'chg-1', method: 'read the order' } as const;
    for (const now of [UNTIL, JUST_BEFORE_DEFERRED] as const) {
      given(...proposed)
        .when(propose, { actor: maker, now })
        .then(proposal);
      given(...proposed, proposal)
        .when(end, { now })
        .then(endedOrder());
    }
    given(...proposed)
      .when(propose, { actor: maker, now: DEFERRED })
      .thenRejected('invalid-transition', { state: 'expired' });
    given(...proposed, proposal)
      .when(end, { now: DEFERRED })
      .thenRejected('invalid-transition', { state: 'expired' });
  });

  it('a proposed ending blocks freezes, and the extension does not', () =>
    given(...proposed, proposedEnding())
      .when(authorise, { tie, actor: maker })
      .thenRejected('basis-not-in-force'));
});

describe('verifying an extension', () => {
  it('lets the order run on, also after its first time, for as long as the expiry was put off', () => {
    given(...proposed)
      .when(verify)
      .then(extended());
    given(...proposed)
      .when(verify, { now: JUST_BEFORE_DEFERRED })
      .then(extended());
    given(...proposed)
      .when(verify, { now: DEFERRED })
      .thenRejected('invalid-transition', { state: 'expired' });
  });

  it('is for another person', () => {
    given(...proposed)
      .when(verify, { actor: maker })
      .thenRejected('maker-is-checker');
    given(...proposed)
      .when(turnDown, { actor: maker })
      .thenRejected('maker-is-checker');
  });

  it('does not shorten what another extension gave', () =>
    given(
      ...proposed,
      proposedExtension('2022-06-01T00:00:00.000Z', 'ext-2'),
      extended('2022-06-01T00:00:00.000Z', 'ext-2'),
    )
      .when(verify)
      .thenRejected('invalid-transition', { state: 'verified' }));

  it('is possible once', () =>
    given(...proposed, extended())
      .when(verify)
      .thenRejected('invalid-transition', { state: 'verified' }));
});

describe('an extended order', () => {
  const longer: History = [...proposed, extended()];

  it('authorises freezes, and expires, at its new time', () => {
    given(...longer)
      .when(authorise, { tie, actor: maker, now: UNTIL })
      .then(authorisedFreeze());
    given(...longer)
      .when(expire, { now: DEFERRED })
      .thenNothingHappened();
    given(...longer)
      .when(expire, { now: LATER })
      .then(expiredOrder(LATER).event);
  });

  it.each([LATER, '2022-05-01T00:00:00.000Z'])('is not put off by one that it has overtaken: %s', (asked) =>
    given(...proposed, proposedExtension(asked, 'ext-2'), extended())
      .when(expire, { now: LATER })
      .then(expiredOrder(LATER).event),
  );

  it('is put off by one that would extend it further', () =>
    given(...proposed, proposedExtension('2022-06-01T00:00:00.000Z', 'ext-2'), extended())
      .when(expire, { now: LATER })
      .thenNothingHappened());

  it('shows its new time, and the change as verified', () =>
    expect(legalOrderView(given(...longer).state())).toMatchObject({
      expiresAt: LATER,
      state: 'verified',
      changes: [{ changeId: 'ext-1', kind: 'extension', state: 'verified', decidedBy: SAMPLE_CHECKER }],
    }));
});

describe('an extension that is turned down', () => {
  it('puts nothing off any more', () => {
    given(...proposed)
      .when(turnDown)
      .then(rejectedChange('ext-1'));
    given(...proposed, rejectedChange('ext-1'))
      .when(expire, { now: JUST_BEFORE })
      .thenNothingHappened();
    given(...proposed, rejectedChange('ext-1'))
      .when(expire, { now: UNTIL })
      .then(expiredOrder(UNTIL).event);
  });
});

const narrower: Scope = { direction: 'debit', assets: ['BTC'] };
const varying = { orderId, changeId: 'var-1', scope: narrower };
const proposedVariation: LegalOrderEvent = {
  type: 'LegalOrderChangeProposed',
  data: { ...varying, kind: 'variation', ...document, proposedBy: SAMPLE_MAKER },
};
const varied: LegalOrderEvent = {
  type: 'LegalOrderVaried',
  data: { ...varying, method: 'm', proposedBy: SAMPLE_MAKER, verifiedBy: SAMPLE_CHECKER },
};

describe('what should never be', () => {
  const objection = (history: History, event: LegalOrderEvent, recordedAt: Timestamp = SPEC_NOW): unknown => {
    try {
      given(...history, at(event, { recordedAt })).state();
    } catch (error) {
      return String(error);
    }
    return 'none';
  };

  it.each<[string, History, LegalOrderEvent, Timestamp]>([
    ['a variation proposed to the last millisecond', running, proposedVariation, JUST_BEFORE],
    ['a variation to the last millisecond', [...running, proposedVariation], varied, JUST_BEFORE],
    ['one while the expiry is put off', [...proposed, proposedVariation], varied, JUST_BEFORE_DEFERRED],
  ])('not: %s', (_, history, event, recordedAt) => {
    expect(objection(history, event, recordedAt)).toBe('none');
  });

  it.each<[string, History, LegalOrderEvent, Timestamp]>([
    ['an extension proposed too late', running, proposedExtension(), UNTIL],
    ['one that extends nothing', running, proposedExtension(UNTIL), SPEC_NOW],
    ['one of an order without end', [registeredOrder(), verifiedOrder()], proposedExtension(), SPEC_NOW],
    ['an extension that nobody proposed', running, extended(), SPEC_NOW],
    ['an extension to another time than was proposed', proposed, extended('2022-07-01T00:00:00.000Z'), SPEC_NOW],
    ['an extension after the time that put the expiry off', proposed, extended(), DEFERRED],
    ['an expiry that an extension puts off', proposed, expiredOrder(UNTIL).event, UNTIL],
    ['an expiry at the time that was extended', [...proposed, extended()], expiredOrder(UNTIL).event, LATER],
    ['a variation proposed when the time has run out', running, proposedVariation, UNTIL],
    ['a variation when the time has run out', [...running, proposedVariation], varied, UNTIL],
    ['a variation after the time that put the expiry off', [...proposed, proposedVariation], varied, DEFERRED],
    ['an ending verified as an extension', [...running, proposedEnding('ext-1')], extended(), SPEC_NOW],
    ['an extension verified as an ending', proposed, endedOrder('ext-1'), SPEC_NOW],
  ])('%s', (_, history, event, recordedAt) => {
    expect(objection(history, event, recordedAt)).not.toBe('none');
  });
});
