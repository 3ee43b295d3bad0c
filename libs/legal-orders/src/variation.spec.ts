import {
  authorisedFreeze,
  proposedEnding,
  registeredOrder,
  SAMPLE_CHECKER,
  SAMPLE_MAKER,
  SAMPLE_ORDER_STREAM,
  sampleInstrument,
  sampleRegistration,
  SPEC_ACTOR,
  SPEC_NOW,
  specFor,
  specPointer,
  verifiedOrder,
} from '#testing';
import type { Scope } from '#kernel';
import { describe, expect, it } from '@jest/globals';
import {
  checkLegalOrder,
  decideLegalOrder,
  evolveLegalOrder,
  initialLegalOrderState,
  legalOrderEvents,
  type LegalOrderCommand,
  type LegalOrderEvent,
  type Subject,
} from './index.ts';
import { lossesOf } from './variation.ts';

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
const other = { kind: 'account', accountId: 'acc-2' } as const;
const subjects = [other];
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

const address = (name: string): Subject => ({ kind: 'address', chain: 'bitcoin', address: name });
const external = { kind: 'external', sha256: 'e'.repeat(64) } as const;
const inForce = [registeredOrder(), verifiedOrder()];
/** A variation and its proposal. */
const variationTo = (changeId: string, what: object): readonly LegalOrderEvent[] => [
  proposal(changeId, what),
  varied(changeId, what),
];

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

  it('from and to subjects that are addresses or references', () => {
    for (const subject of [address('a'), external]) {
      for (const [before, after] of [
        [subject, other],
        [other, subject],
      ] as const) {
        const what = { subjects: [after] };
        const data = { ...proposal('chg-1', what).data, proposedBy: SPEC_ACTOR.id };
        given(registeredOrder({ subjects: [before] }), verifiedOrder())
          .when(propose(what))
          .then({ type: 'LegalOrderChangeProposed', data } as never);
      }
    }
  });

  it('of an order of release is none', () => {
    const { subjects: _, scope: __, ...instrument } = sampleInstrument;
    const registered: LegalOrderEvent = {
      type: 'LegalOrderRegistered',
      data: { ...instrument, effect: 'release', releases: { accountIds: ['acc-1'] }, registeredBy: SAMPLE_MAKER },
    };
    given(registered, verifiedOrder())
      .when(propose({ scope }))
      .thenRejected('malformed-request', {
        errors: [{ field: 'kind', message: 'an order of release has nothing that could be varied' }],
      });
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

describe('what a variation may end', () => {
  const citation = specPointer(SAMPLE_ORDER_STREAM, 2);
  const namedBy = specPointer('party-p-1', 2);
  const through = { accountId: 'acc-1', namedBy, partyId: 'p-1', linkedBy: specPointer('party-p-1', 3) };
  const onAddresses = (...names: readonly string[]): LegalOrderEvent[] => [
    registeredOrder({ subjects: names.map(address) }),
    verifiedOrder(),
    authorisedFreeze(through),
  ];
  const losses = (...events: readonly LegalOrderEvent[]): readonly object[] =>
    lossesOf(given(...events).state(), citation, ['p-1', 'p-2']).map(({ variation, unlessLinked }) => [
      variation.pointer.revision,
      unlessLinked.map((each) => each.address),
    ]);

  it('is what rests on an authorisation that it names neither itself nor through a holder, unless by a link', () => {
    const to = (...named: readonly Subject[]): readonly object[] =>
      losses(...onAddresses('a'), ...variationTo('chg-1', { subjects: named }));
    expect(to(address('b'), address('c'))).toEqual([['4', ['b', 'c']]]);
    expect(to(address('a'), address('b'))).toEqual([['4', ['a', 'b']]]);
    expect(to(external)).toEqual([['4', []]]);
    expect(to(address('b'), { kind: 'party', partyId: 'p-2' })).toEqual([]);
    expect(to(address('b'), { kind: 'account', accountId: 'acc-1' })).toEqual([]);
    expect(to({ kind: 'party', partyId: 'p-3' }, { kind: 'account', accountId: 'acc-2' })).toEqual([['4', []]]);
  });

  it('is nothing where the subjects stay as they were when the freeze was authorised', () => {
    const whole = sampleInstrument.scope;
    const narrower = { scope: { ...whole, assets: ['BTC'] } };
    expect(losses(...onAddresses('a'), ...variationTo('chg-1', narrower))).toEqual([]);
    const swapped = variationTo('chg-1', { subjects: [address('b')] });
    const all = [...onAddresses('a'), ...swapped, ...variationTo('chg-2', narrower)];
    expect(losses(...all)).toEqual([
      ['4', ['b']],
      ['6', ['b']],
    ]);
  });

  it('goes no further than to the first that ends it in any case', () => {
    const dropped = variationTo('chg-2', { subjects: [external] });
    const restored = variationTo('chg-3', { subjects: [address('a')] });
    const swapped = variationTo('chg-1', { subjects: [address('b')] });
    expect(losses(...onAddresses('a'), ...swapped, ...dropped, ...restored)).toEqual([
      ['4', ['b']],
      ['6', []],
    ]);
  });

  it('is what was placed narrower, where nothing of it is left, whatever is linked', () => {
    const narrow = authorisedFreeze({ ...through, scope: { direction: 'debit', assets: ['EUR'] } });
    const order = [...onAddresses('a').slice(0, 2), narrow];
    expect(losses(...order, ...variationTo('chg-1', { scope, subjects: [address('b')] }))).toEqual([['4', []]]);
  });
});

describe('an address that a variation dropped', () => {
  const tie = {
    namedBy: specPointer('party-p-1', 2),
    partyId: 'p-1',
    linkedBy: specPointer('party-p-1', 3),
    address: { chain: 'bitcoin', address: 'a' },
  };
  const tied = specFor({ ...spec, context: { now: SPEC_NOW, actor: SPEC_ACTOR, tie } });
  const freeze: LegalOrderCommand = {
    type: 'AuthoriseFreeze',
    orderId,
    accountId: 'acc-9',
    scope: undefined,
    blockedFrom: undefined,
  };
  const before = [registeredOrder({ subjects: [address('a')] }), verifiedOrder()];
  const { namedBy, partyId, linkedBy } = tie;
  const authorised = authorisedFreeze({ accountId: 'acc-9', namedBy, partyId, linkedBy });

  it('ties no account any longer, whenever its link was looked up', () => {
    tied
      .given(...before)
      .when(freeze)
      .then({ ...authorised, data: { ...authorised.data, requestedBy: SPEC_ACTOR.id } });
    tied
      .given(...before, ...variationTo('chg-1', { subjects: [address('b')] }))
      .when(freeze)
      .thenRejected('basis-does-not-name-account');
  });

  it('is no tie for what takes the place of a freeze', () => {
    const replaces = specPointer(SAMPLE_ORDER_STREAM, 2);
    const again: LegalOrderCommand = { type: 'ReauthoriseFreeze', orderId, replaces };
    const names = (...kept: readonly string[]): readonly LegalOrderEvent[] => [
      ...before,
      authorised,
      ...variationTo('chg-1', { scope, subjects: kept.map(address) }),
    ];
    tied
      .given(...names('a', 'b'))
      .when(again)
      .then(authorisedFreeze({ ...authorised.data, scope, replaces }));
    tied
      .given(...names('b'))
      .when(again)
      .thenNothingHappened();
  });
});
