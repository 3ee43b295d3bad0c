import {
  authorisedFreeze,
  proposedEnding,
  registeredOrder,
  SAMPLE_CHECKER,
  SAMPLE_MAKER,
  SAMPLE_ORDER_STREAM,
  sampleRegistration,
  SPEC_ACTOR,
  SPEC_NOW,
  specFor,
  specPointer,
  verifiedOrder,
} from '#testing';
import type { Scope } from '#kernel';
import { describe, it } from '@jest/globals';
import {
  checkLegalOrder,
  decideLegalOrder,
  evolveLegalOrder,
  initialLegalOrderState,
  legalOrderEvents,
  type LegalOrderCommand,
  type LegalOrderEvent,
} from './index.ts';

const checker = { id: SAMPLE_CHECKER, roles: ['approver'] };
const spec = {
  initialState: initialLegalOrderState,
  evolve: evolveLegalOrder,
  check: checkLegalOrder,
  decide: decideLegalOrder,
  events: legalOrderEvents,
  stream: SAMPLE_ORDER_STREAM,
};
const { given } = specFor({ ...spec, context: { now: SPEC_NOW, actor: SPEC_ACTOR } });
const byChecker = specFor({ ...spec, context: { now: SPEC_NOW, actor: checker } });

const orderId = 'ord-1';
const document = { documentSha256: 'd'.repeat(64), issuedAt: '2022-04-01T00:00:00.000Z', reference: 'r' } as const;
const scope: Scope = { direction: 'debit', assets: ['BTC'] };
const subjects = [{ kind: 'account', accountId: 'acc-2' } as const];
const proposal = (changeId: string, what: object): LegalOrderEvent => ({
  type: 'LegalOrderChangeProposed',
  data: { orderId, changeId, kind: 'variation', ...document, ...what, proposedBy: SAMPLE_MAKER },
});
const varied = (changeId: string, what: object): LegalOrderEvent => ({
  type: 'LegalOrderVaried',
  data: { orderId, changeId, ...what, method: 'm', proposedBy: SAMPLE_MAKER, verifiedBy: SAMPLE_CHECKER },
});
const propose = (what: object): LegalOrderCommand => ({
  type: 'ProposeVariation',
  orderId,
  changeId: 'chg-1',
  ...document,
  ...what,
});
const verify: LegalOrderCommand = { type: 'VerifyChange', orderId, changeId: 'chg-1', method: 'm' };

const inForce = [registeredOrder(), verifiedOrder()];

describe('ProposeVariation', () => {
  it('of the scope, the subjects, or both', () => {
    for (const what of [{ scope }, { subjects }, { scope, subjects }]) {
      given(...inForce)
        .when(propose(what))
        .then({
          ...proposal('chg-1', what),
          data: { ...proposal('chg-1', what).data, proposedBy: SPEC_ACTOR.id },
        } as never);
    }
  });

  it('leaves alone subjects that are addresses or references, and orders of release', () => {
    const address = { kind: 'address', chain: 'bitcoin', address: 'bc1qexample' } as const;
    const external = { kind: 'external', sha256: 'e'.repeat(64) } as const;
    const refused = {
      errors: [{ field: 'subjects', message: 'of addresses or references: to vary them is not supported yet' }],
    };
    for (const subject of [address, external]) {
      given(...inForce)
        .when(propose({ subjects: [...subjects, subject] }))
        .thenRejected('malformed-request', refused);
      const named = [registeredOrder({ subjects: [subject] }), verifiedOrder()];
      given(...named)
        .when(propose({ subjects }))
        .thenRejected('malformed-request', refused);
      const data = { ...proposal('chg-1', { scope }).data, proposedBy: SPEC_ACTOR.id };
      given(...named)
        .when(propose({ scope }))
        .then({ type: 'LegalOrderChangeProposed', data } as never);
    }
  });

  it('of nothing, or of one twice, is malformed', () => {
    given(...inForce)
      .when(propose({}))
      .thenRejected('malformed-request');
    given(...inForce)
      .when(propose({ subjects: [...subjects, ...subjects] }))
      .thenRejected('malformed-request');
  });

  it('needs an order that is verified', () => {
    given().when(propose({ scope })).thenRejected('legal-order-not-found');
    given(registeredOrder()).when(propose({ scope })).thenRejected('invalid-transition', { state: 'registered' });
    given(registeredOrder({ expiresAt: '2022-03-02T00:00:00.000Z' }), verifiedOrder())
      .when(propose({ scope }))
      .thenRejected('invalid-transition', { state: 'expired' });
    given(...inForce, proposal('chg-1', { scope }))
      .when(propose({ scope }))
      .thenRejected('already-exists');
  });
});

describe('VerifyChange of a variation', () => {
  it('varies what was proposed, and nothing else', () => {
    byChecker
      .given(...inForce, proposal('chg-1', { scope }))
      .when(verify)
      .then(varied('chg-1', { scope }));
  });

  it('is for another than the maker', () => {
    const { given: byMaker } = specFor({ ...spec, context: { now: SPEC_NOW, actor: { id: SAMPLE_MAKER, roles: [] } } });
    byMaker(...inForce, proposal('chg-1', { scope }))
      .when(verify)
      .thenRejected('maker-is-checker');
  });
});

describe('ReauthoriseFreeze', () => {
  const replaces = specPointer(SAMPLE_ORDER_STREAM, 2);
  const again: LegalOrderCommand = { type: 'ReauthoriseFreeze', orderId, replaces };
  const tie = { namedBy: sampleRegistration };
  const tied = specFor({ ...spec, context: { now: SPEC_NOW, actor: SPEC_ACTOR, tie } });
  const frozen = [...inForce, authorisedFreeze()];
  const narrowed = [...frozen, proposal('chg-1', { scope }), varied('chg-1', { scope })];

  it('authorises what the variation makes of the freeze, for who asked for it', () =>
    tied
      .given(...narrowed)
      .when(again)
      .then(authorisedFreeze({ scope, replaces })));

  it('is not held up by a proposed ending', () =>
    tied
      .given(...narrowed, proposedEnding('chg-2'))
      .when(again)
      .then(authorisedFreeze({ scope, replaces })));

  it('does nothing twice, without a variation, or where it changes nothing', () => {
    tied
      .given(...narrowed, authorisedFreeze({ scope, replaces }))
      .when(again)
      .thenNothingHappened();
    tied
      .given(...frozen)
      .when(again)
      .thenNothingHappened();
    const same = authorisedFreeze().data.scope;
    tied
      .given(...frozen, proposal('chg-1', { scope: same }), varied('chg-1', { scope: same }))
      .when(again)
      .thenNothingHappened();
  });

  it('does nothing for an account that the order does not name any longer', () =>
    tied
      .given(...frozen, proposal('chg-1', { scope, subjects }), varied('chg-1', { scope, subjects }))
      .when(again)
      .thenNothingHappened());
});
