import { describe, expect, it } from '@jest/globals';
import { pointerTo, sha256Hex, type EventPointer } from '#kernel';
import { ALL, BTC_ONLY, HASH, PAST, Story, SUPERVISOR, type Data } from './invariants/story.ts';
import { checkLog, describeBreaches, type CheckLogOptions, type InvariantBreach } from './invariants.ts';
import { testId } from './log-builder.ts';

/** BTC, the party p-1 and its open account a-1. */
const start = (): Story => new Story().asset('BTC').account('a-1', 'p-1');
/** That, and an order ord-1 in force that names the account. */
const ordered = (): Story => start().order('ord-1').verify('ord-1');
/** That, and the account frozen under it. */
const frozen = (): Story => ordered().deposit('100').authorise('ord-1', 'k').freeze('ord-1', 'k');
/** That, and the order ended. */
const ended = (): Story => frozen().propose('ord-1').end('ord-1');

const BY_PARTY = [{ kind: 'party', partyId: 'p-1' }];
/** An order in force that names the party, and the party carrying its name. */
const named = (): Story => start().order('ord-1', BY_PARTY).verify('ord-1').name('ord-1', 'p-1');
/** The way in which a freeze is authorised through a party. */
const via = (story: Story, partyId = 'p-1'): Data => ({
  partyId,
  namedBy: pointerTo(story.event(`attached a-1 ${partyId}`)),
});
/** ord-2 in force names p-2, whose attachment to a-1 came too late to be its opening. */
const lateHolder = (): Story =>
  start()
    .party('p-2')
    .attach('a-1', 'p-2', ['p-2'], 'late')
    .order('ord-2', [{ kind: 'party', partyId: 'p-2' }])
    .verify('ord-2')
    .name('ord-2', 'p-2')
    .next((story) => story.authorise('ord-2', 'k', { but: via(story, 'p-2') }));
/** That an answer rests on ord-1, as of a revision of it. */
const granting = (revision: string, stream = 'legalOrder-ord-1'): Data => ({
  outcome: 'granted',
  basis: { kind: 'legal-order', id: 'ord-1' },
  inForceAt: { stream, revision },
});
/** a-2 is being opened for p-2 and p-1, of whom the second is named. */
const halfOpened = (): Story => named().party('p-2').attach('a-2', 'p-2', ['p-2', 'p-1']);

/** a-1 with ten units, and beside it a-2 and a-3. */
const two = (): Story => start().account('a-2', 'p-2').account('a-3', 'p-3').deposit('10', {}, 'd');

function check(story: Story, options?: CheckLogOptions): readonly InvariantBreach[] {
  return checkLog(story.log.events, options);
}

const CREDITS = { direction: 'credit', assets: 'all' } as const;
const FUTURE = '2029-01-01T00:00:00.000Z';
const keeping = (BTC: string): Data => ({ direction: 'debit', assets: ['BTC'], limits: { BTC } });
/** 100 BTC, and an order in force that keeps some of them. */
const underLimit = (BTC: string): Story =>
  start()
    .order('ord-1', undefined, { but: { scope: keeping(BTC) } })
    .verify('ord-1')
    .deposit('100');
/** That, and the account frozen under it. */
const limited = (BTC: string): Story => underLimit(BTC).authorise('ord-1', 'k').freeze('ord-1', 'k');
/** A second order that keeps some, with what is to be otherwise, and the freeze under it. */
const second =
  (BTC: string, but: Data = {}) =>
  (story: Story): Story =>
    story
      .order('ord-2', undefined, { but: { scope: keeping(BTC), ...but } })
      .verify('ord-2')
      .authorise('ord-2', 'k-2')
      .freeze('ord-2', 'k-2');
/** 50 BTC held under a credit freeze. */
const holding = (before = start()): Story =>
  before
    .order('ord-1', undefined, { but: { scope: CREDITS } })
    .verify('ord-1')
    .authorise('ord-1', 'k')
    .freeze('ord-1', 'k')
    .hold('50');
/** An order over two accounts keeps 60 of the first, which leaves nothing for the second. */
const spent = (): Story =>
  start()
    .account('a-2', 'p-2')
    .order(
      'ord-1',
      [
        { kind: 'account', accountId: 'a-1' },
        { kind: 'account', accountId: 'a-2' },
      ],
      {
        but: { scope: keeping('60') },
      },
    )
    .verify('ord-1')
    .authorise('ord-1', 'k')
    .freeze('ord-1', 'k');
/** An authorisation of the second account under that order. */
const authoriseOther =
  (BTC: string, but: Data = {}) =>
  (story: Story): Story =>
    story.authorise('ord-1', 'k-2', {
      but: { accountId: 'a-2', scope: keeping(BTC), ...but },
      key: { caller: 'maker', homeStream: 'account-a-2', value: 'k-2' },
    });

/** The freeze of a-2 that was authorised, after one of a-1. */
function freezeOther(story: Story): Story {
  const key = { caller: 'maker', homeStream: 'account-a-2', value: 'k-2' };
  const authorised = story.event('authorised k-2');
  const data = {
    ...(story.event('frozen k').data as Data),
    ...{ accountId: 'a-2', balancesAtFreeze: [], placedBy: 'maker' },
    ...{ freezeId: authorised.id, citation: pointerTo(authorised) },
  };
  return story.tell('frozen k-2', 'account-a-2', 'AccountFrozen', data, { key, schemaVersion: 2, actor: 'maker' });
}

/** Takes back the first deposit that was held. */
const reverseHeld =
  (taken: string, takenFromHeld: string) =>
  (story: Story): Story => {
    const held = story.log.events.find(({ type }) => type === 'FundsHeld');
    return story.reverse((held?.data as { depositId: string }).depositId, taken, {}, takenFromHeld);
  };

const BOTH_ACCOUNTS = ['a-1', 'a-2'].map((accountId) => ({ kind: 'account', accountId }));

/** An order that restrains establishes no lift. */
const UNESTABLISHED = {
  but: {
    command: 'RequestLift',
    request: { freezeId: 'f-1', requestId: 'r-1', orderId: 'ord-1' },
    decidedOn: { stream: 'legalOrder-ord-1', revision: '1' },
  },
};

const good: Readonly<Record<string, () => Story>> = {
  'an empty log': () => new Story(),

  'money coming in and going out': () =>
    start()
      .deposit('100')
      .reserve('w-1', '30')
      .step('WithdrawalDispatched', 'w-1')
      .step('WithdrawalSettled', 'w-1')
      .reserve('w-2', '70')
      .step('WithdrawalCancelled', 'w-2')
      .reserve('w-3', '70')
      .step('WithdrawalDispatched', 'w-3')
      .step('WithdrawalCancelled', 'w-3'),

  'deposits that never were, one of them when some of it was spent and the rest frozen': () =>
    ordered()
      .deposit('100', {}, 'd')
      .deposit('20', {}, 'e')
      .reverse('e', '20', { but: { cause: 'mistake' } })
      .reserve('w-1', '30')
      .step('WithdrawalDispatched', 'w-1')
      .authorise('ord-1', 'k')
      .next((story) =>
        story.freeze('ord-1', 'k', {
          but: { inFlight: ['w-1'], balancesAtFreeze: [{ asset: 'BTC', available: '70', reserved: '30', held: '0' }] },
        }),
      )
      .reverse('d', '70'),

  'an account that is closed, opened again by a deposit, emptied, closed again and frozen': () =>
    ordered()
      .close([])
      .deposit('10', {}, 'd')
      .reverse('d', '10', { but: { cause: 'mistake' } })
      .close(['BTC'])
      .authorise('ord-1', 'k')
      .next((story) => {
        const balancesAtFreeze = [{ asset: 'BTC', available: '0', reserved: '0', held: '0' }];
        return story.freeze('ord-1', 'k', { but: { balancesAtFreeze } });
      }),

  'transfers that arrive, that go back, and that go back to an account closed meanwhile': () =>
    two()
      .send('t-1', '4')
      .receive('t-1')
      .close([], {}, 'a-3')
      .send('t-2', '6', { but: { to: 'a-3' } })
      .close(['BTC'])
      .refuseTransfer('t-2', 'closed')
      .sendBack('t-2')
      .send('t-3', '6')
      .receive('t-3'),

  'a freeze that stops a withdrawal, lets another settle, takes a deposit, and ends with its order': () =>
    ordered()
      .deposit('100')
      .reserve('w-1', '30')
      .reserve('w-2', '20')
      .reserve('w-3', '10')
      .step('WithdrawalDispatched', 'w-2')
      .authorise('ord-1', 'k')
      .freeze('ord-1', 'k', { stopped: ['w-1', 'w-3'], but: { inFlight: ['w-2'] } })
      .refuseFrozen(['k'])
      .deposit('5')
      .step('WithdrawalSettled', 'w-2')
      .propose('ord-1')
      .end('ord-1')
      .lift('ord-1', 'k')
      .reserve('w-4', '85'),

  'a freeze of one asset that leaves the others alone': () =>
    start()
      .asset('ETH')
      .order('ord-1', undefined, { but: { scope: BTC_ONLY } })
      .verify('ord-1')
      .deposit('7')
      .deposit('9', { but: { asset: 'ETH' } })
      .authorise('ord-1', 'k')
      .freeze('ord-1', 'k', {
        but: {
          balancesAtFreeze: [
            { asset: 'BTC', available: '7', reserved: '0', held: '0' },
            { asset: 'ETH', available: '9', reserved: '0', held: '0' },
          ],
        },
      })
      .reserve('w-1', '9', { but: { asset: 'ETH' } }),

  'a freeze with a limit that lets the rest go, and stops the latest withdrawals only as far as it has to': () =>
    underLimit('60')
      .reserve('w-1', '30')
      .reserve('w-2', '20')
      .reserve('w-3', '10')
      .authorise('ord-1', 'k')
      .freeze('ord-1', 'k', { stopped: ['w-3', 'w-2'] })
      .reserve('w-4', '10')
      .step('WithdrawalDispatched', 'w-1')
      .step('WithdrawalSettled', 'w-1'),

  'freezes of one claim, of which the highest counts': () =>
    start()
      .order('ord-1', undefined, { but: { scope: keeping('60'), claimGroup: 'claim-1' } })
      .verify('ord-1')
      .deposit('100')
      .authorise('ord-1', 'k')
      .freeze('ord-1', 'k')
      .next(second('30', { claimGroup: 'claim-1' }))
      .reserve('w-1', '40'),

  'a freeze with a limit that is more than there is': () => limited('160').refuseFrozen(['k']),

  'a credit freeze: deposits are held, debits go on, and all is released with it': () =>
    start()
      .deposit('20')
      .order('ord-1', undefined, { but: { scope: { ...CREDITS, assets: ['BTC'] } } })
      .verify('ord-1')
      .authorise('ord-1', 'k')
      .freeze('ord-1', 'k')
      .hold('50')
      .hold('7')
      .reserve('w-1', '20')
      .propose('ord-1')
      .end('ord-1')
      .lift('ord-1', 'k')
      .release('k', '57')
      .reserve('w-2', '57'),

  'a freeze of both directions': () =>
    start()
      .deposit('20')
      .order('ord-1', undefined, { but: { scope: { direction: 'both', assets: 'all' } } })
      .verify('ord-1')
      .authorise('ord-1', 'k')
      .freeze('ord-1', 'k')
      .hold('50')
      .refuseFrozen(['k']),

  'limits spent again once a freeze has ended': () =>
    spent()
      .requestLift('k')
      .approveLift('k')
      .next((story) => {
        const freezeId = story.event('authorised k').id;
        const endedBy = pointerTo(story.event('lifted k'));
        story.next(authoriseOther('60', { endedFreezes: [{ freezeId, endedBy }] })).next(freezeOther);
      }),

  'a deposit that was held and never was: of what is held first, then of what is available': () =>
    holding(start().deposit('5')).next(reverseHeld('50', '50')),

  'a transfer that a credit freeze turns down and sends back': () =>
    start()
      .account('a-2', 'p-2')
      .deposit('10')
      .order('ord-1', BOTH_ACCOUNTS, { but: { scope: CREDITS } })
      .verify('ord-1')
      .authorise('ord-1', 'k')
      .freeze('ord-1', 'k')
      .next(authoriseOther('1', { scope: CREDITS }))
      .next(freezeOther)
      .send('t-1', '4')
      .refuseTransfer('t-1', 'credit-frozen')
      .sendBack('t-1', undefined, { but: { reason: 'credit-frozen' } }),

  'a freeze narrower than its order, through a party': () =>
    named()
      .next((story) => story.authorise('ord-1', 'k', { but: { ...via(story), scope: BTC_ONLY } }))
      .freeze('ord-1', 'k'),

  'a freeze lifted as placed in error, at the second request': () =>
    frozen().requestLift('k').rejectLift('k').requestLift('k', 'lift-2').approveLift('k', 'lift-2').reserve('w-1', '1'),

  'freezes of two orders, stacked': () =>
    frozen()
      .order('ord-2')
      .verify('ord-2')
      .authorise('ord-2', 'k-2')
      .freeze('ord-2', 'k-2')
      .refuseFrozen(['k', 'k-2'])
      .propose('ord-1')
      .end('ord-1')
      .lift('ord-1', 'k')
      .refuseFrozen(['k-2']),

  'a freeze that a handler places after the end of its basis, and the supervisor lifts': () =>
    ordered().authorise('ord-1', 'k').propose('ord-1').end('ord-1').freeze('ord-1', 'k').lift('ord-1', 'k'),

  'a proposed ending that is rejected, and a freeze after it': () =>
    ordered().propose('ord-1').rejectChange('ord-1').authorise('ord-1', 'k').freeze('ord-1', 'k'),

  'an order whose expiry is put off beyond the year 9999': () =>
    runningUntil('9999-12-30T00:00:00.000Z')
      .proposeExtension('ord-1', '9999-12-31T00:00:00.000Z')
      .extend('ord-1', '9999-12-31T00:00:00.000Z'),
  'an order that is extended while its expiry is put off, and expires in the end': () =>
    runningUntil(NOON)
      .authorise('ord-1', 'k')
      .freeze('ord-1', 'k')
      .proposeExtension('ord-1', LATER)
      .extend('ord-1', LATER, 'ext-1', { recordedAt: '2022-03-05T11:59:59.999Z' })
      .expire('ord-1', { recordedAt: LATER, but: { expiresAt: LATER } })
      .lift('ord-1', 'k', { recordedAt: LATER }),

  'a freeze in the very millisecond of its authorisation': () =>
    ordered()
      .authorise('ord-1', 'k')
      .next((story) => {
        const { recordedAt } = story.event('authorised k').metadata;
        story.freeze('ord-1', 'k', { recordedAt });
      }),

  'what takes place in the very millisecond in which an order becomes effective, or expires': () => {
    const [effectiveAt, expiresAt] = ['2022-03-02T00:00:00.000Z', '2022-03-03T00:00:00.000Z'];
    const at = { recordedAt: effectiveAt };
    return start()
      .order('ord-1', BY_PARTY, { but: { effectiveAt, expiresAt } })
      .verify('ord-1')
      .name('ord-1', 'p-1', at)
      .next((story) => story.authorise('ord-1', 'k', { ...at, but: via(story) }))
      .freeze('ord-1', 'k', at)
      .expire('ord-1', { recordedAt: expiresAt })
      .lift('ord-1', 'k', { recordedAt: expiresAt })
      .unname('ord-1', 'p-1', undefined, { recordedAt: expiresAt });
  },

  'a freeze that lists its assets in another order, and no asset of which nothing is left': () =>
    ordered()
      .deposit('5')
      .reserve('w-1', '5')
      .step('WithdrawalDispatched', 'w-1')
      .step('WithdrawalSettled', 'w-1')
      .authorise('ord-1', 'k', { but: { scope: { direction: 'debit', assets: ['BTC', 'ETH'] } } })
      .freeze('ord-1', 'k', { but: { scope: { direction: 'debit', assets: ['ETH', 'BTC'] } } }),

  'a freeze through the attachment of another opening than the one by which the party holds the account': () =>
    start()
      .attach('a-1', 'p-1', ['p-1'], 'late')
      .order('ord-1', BY_PARTY)
      .verify('ord-1')
      .name('ord-1', 'p-1')
      .next((story) => story.authorise('ord-1', 'k', { but: via(story) }))
      .openingLost('a-1', 'p-1', 'late')
      .abandon('ord-1', 'k', 'not-a-holder')
      .detach('a-1', 'p-1', 'late'),

  'an order that is rejected': () => start().order('ord-1').reject('ord-1'),

  'authorisations abandoned, each for its reason': () =>
    frozen()
      .authorise('ord-1', 'k-2')
      .abandonAsFrozen('ord-1', 'k-2', 'k')
      .authorise('ord-1', 'k-3')
      .order('ord-2')
      .verify('ord-2')
      .authorise('ord-2', 'k-4')
      .refuseFrozen(['k'], { key: 'k-4' })
      .abandon('ord-2', 'k-4', 'key-used')
      .propose('ord-1')
      .end('ord-1')
      .abandon('ord-1', 'k-3', 'basis-ended')
      .lift('ord-1', 'k'),

  'an order that expires, with its freeze and the name on the party': () =>
    start()
      .order('ord-1', BY_PARTY, { but: { expiresAt: '2022-03-02T00:00:00.000Z' } })
      .verify('ord-1')
      .name('ord-1', 'p-1')
      .next((story) => story.authorise('ord-1', 'k', { but: via(story) }))
      .freeze('ord-1', 'k')
      .pause(86_400_000)
      .expire('ord-1')
      .lift('ord-1', 'k')
      .unname('ord-1', 'p-1'),

  'letters refused, granted and taken back': () =>
    ordered()
      .letter()
      .refuse('authorityRequest-req-1', 'maker-is-checker')
      .refuse('authorityRequest-req-1', 'basis-not-in-force', {
        actor: 'checker',
        but: { command: 'AnswerAuthorityRequest', decidedOn: { stream: 'legalOrder-ord-1', revision: '0' } },
      })
      .refuse('authorityRequest-req-1', 'basis-not-found', {
        actor: 'checker',
        but: { command: 'AnswerAuthorityRequest', decidedOn: { stream: 'legalOrder-ord-2', revision: null } },
      })
      .answer()
      .letter('req-2')
      .propose('ord-1')
      .rejectChange('ord-1')
      .answer('req-2', { but: granting('3') })
      .letter('req-3')
      .answer('req-3', { but: { outcome: 'withdrawn' } }),

  'a grant that says that the basis was in force as of before its end': () =>
    ordered()
      .letter()
      .propose('ord-1')
      .end('ord-1')
      .answer('req-1', { but: granting('1') }),

  'an opening that comes to nothing because its second holder is named': () =>
    halfOpened().openingAbandoned('a-2', 'p-1', ['p-2', 'p-1']).detach('a-2', 'p-2'),

  'an opening refused before anyone was attached': () =>
    named().next((story) => {
      const decidedOn = { stream: 'party-p-1', revision: String(story.event('named p-1').revision) };
      story.refuse('account-a-9', 'party-named-by-basis', { but: { decidedOn } });
    }),

  'an opening whose id another key took': () =>
    start()
      .party('p-2')
      .attach('a-1', 'p-2', ['p-2'], 'late')
      .openingLost('a-1', 'p-2', 'late')
      .detach('a-1', 'p-2', 'late'),

  'a freeze through a party that turned out to hold nothing': () =>
    lateHolder().openingLost('a-1', 'p-2', 'late').abandon('ord-2', 'k', 'not-a-holder').detach('a-1', 'p-2', 'late'),

  'every refusal that may be recorded': () =>
    start()
      .refuse('account-a-1', 'basis-not-found', { but: { decidedOn: { stream: 'legalOrder-ghost', revision: null } } })
      .order('ord-1', undefined, { but: { scope: BTC_ONLY } })
      .refuse('account-a-1', 'basis-not-in-force', {
        but: { decidedOn: { stream: 'legalOrder-ord-1', revision: '0' } },
      })
      .refuse('legalOrder-ord-1', 'maker-is-checker')
      .verify('ord-1')
      .party('p-2')
      .attach('a-2', 'p-2')
      .opened('a-2', ['p-2'])
      .refuse('account-a-2', 'basis-does-not-name-account', {
        but: {
          request: { basis: { kind: 'legal-order', id: 'ord-1' } },
          decidedOn: { stream: 'legalOrder-ord-1', revision: '2' },
        },
      })
      .refuse('account-a-1', 'scope-exceeds-basis', {
        but: { request: { scope: ALL }, decidedOn: { stream: 'legalOrder-ord-1', revision: '2' } },
      })
      .refuse('account-a-1', 'scope-exceeds-basis', {
        but: {
          request: { scope: { ...BTC_ONLY, direction: 'credit' } },
          decidedOn: { stream: 'legalOrder-ord-1', revision: '2' },
        },
      })
      .authorise('ord-1', 'k')
      .freeze('ord-1', 'k')
      .requestLift('k')
      .refuse('account-a-1', 'maker-is-checker')
      .refuse('account-a-1', 'ground-not-established', UNESTABLISHED)
      .refuseFrozen(['k']),
};

const NOON = '2022-03-02T12:00:00.000Z';
const LATER = '2022-05-01T00:00:00.000Z';

/** A verified order that runs until a time. */
function runningUntil(expiresAt: string): Story {
  return start().order('ord-1', undefined, { but: { expiresAt } }).verify('ord-1');
}

describe('checkLog passes', () => {
  it.each(Object.entries(good))('%s', (_name, tell) => {
    const story = tell();
    expect(describeBreaches(check(story, { quiescent: true }), story.log.events)).toBe('');
  });
});

type Broken = readonly [breaches: string | readonly string[], tell: () => Story];

/** Each story breaks one rule at its end (or is left unfinished); the breach is told with its invariant. */
function catches(broken: Readonly<Record<string, Broken>>, options?: CheckLogOptions): void {
  it.each(Object.entries(broken))('%s', (_name, [expected, tell]) => {
    const breaches = check(tell(), options);
    expect(breaches.map(({ invariant, detail }) => `${String(invariant)}: ${detail}`)).toEqual([expected].flat());
  });
}

const nowhere: EventPointer = { stream: 'legalOrder-ord-1', revision: '99', eventId: testId(99) };

describe('invariant 1: no freeze without a basis. checkLog catches', () => {
  const dangling = '1: the citation leads to no authorisation that stands earlier in the log';
  const authorised = (): Story => ordered().authorise('ord-1', 'k');
  catches({
    'limits that add up to more than those of the order': [
      '1: the freezes of the order keep more BTC than it does',
      () => spent().next(authoriseOther('1')),
    ],
    'limits above that of the order': [
      ['1: the scope exceeds that of the order', '1: the freezes of the order keep more BTC than it does'],
      () => underLimit('60').authorise('ord-1', 'k', { but: { scope: keeping('61') } }),
    ],
    'no limit where the order has one': [
      '1: the scope exceeds that of the order',
      () => underLimit('60').authorise('ord-1', 'k', { but: { scope: BTC_ONLY } }),
    ],
    'a credit freeze under an order for debits': [
      '1: the scope exceeds that of the order',
      () => ordered().authorise('ord-1', 'k', { but: { scope: CREDITS } }),
    ],
    'an authorisation that relies on the end of a freeze in force': [
      ['1: the freezes of the order keep more BTC than it does', '1: relies on the end of a freeze that has not ended'],
      () =>
        spent().next((story) => {
          const freezeId = story.event('authorised k').id;
          const endedBy = pointerTo(story.event('frozen k'));
          story.next(authoriseOther('60', { endedFreezes: [{ freezeId, endedBy }] }));
        }),
    ],
    'an authorisation for another claim': [
      '1: another claim group than the order has',
      () => ordered().authorise('ord-1', 'k', { but: { claimGroup: 'claim-1' } }),
    ],
    'a freeze for another claim': [
      '1: another claim group was authorised',
      () => authorised().freeze('ord-1', 'k', { but: { claimGroup: 'claim-1' } }),
    ],
    'a citation of nothing': [dangling, () => authorised().freeze('ord-1', 'k', { but: { citation: nowhere } })],
    'a citation whose id is another event’s': [
      dangling,
      () =>
        authorised().next((story) => {
          const citation = { ...pointerTo(story.event('authorised k')), eventId: testId(99) };
          story.freeze('ord-1', 'k', { but: { citation } });
        }),
    ],
    'a citation of an event that authorises nothing': [
      dangling,
      () =>
        authorised().next((story) => {
          story.freeze('ord-1', 'k', { but: { citation: pointerTo(story.event('verified ord-1')) } });
        }),
    ],
    'an abandoned citation of nothing': [
      dangling,
      () => authorised().abandon('ord-1', 'k', 'account-not-open', { but: { citation: nowhere } }),
    ],
    'an authorisation of another account': [
      ['1: the authorisation is for another account', '7: key or command hash differ from those of the authorisation'],
      () =>
        start()
          .party('p-2')
          .attach('a-2', 'p-2')
          .opened('a-2', ['p-2'])
          .order('ord-1', [{ kind: 'account', accountId: 'a-2' }])
          .verify('ord-1')
          .authorise('ord-1', 'k', {
            but: { accountId: 'a-2' },
            key: { caller: 'maker', homeStream: 'account-a-2', value: 'k' },
          })
          .freeze('ord-1', 'k'),
    ],
    'an authorisation under another basis': [
      '1: the authorisation is of another basis',
      () =>
        authorised().freeze('ord-1', 'k', {
          but: { basis: { kind: 'legal-order', id: 'ord-9' }, claimGroup: 'legal-order/ord-9' },
        }),
    ],
    'a freeze with an id of its own': [
      '1: the id of the freeze is not that of its authorisation',
      () => authorised().freeze('ord-1', 'k', { but: { freezeId: testId(99) } }),
    ],
    'a freeze wider than authorised': [
      '1: another scope was authorised',
      () =>
        ordered()
          .authorise('ord-1', 'k', { but: { scope: BTC_ONLY } })
          .freeze('ord-1', 'k', { but: { scope: ALL } }),
    ],
    'a freeze of another asset than authorised': [
      '1: another scope was authorised',
      () =>
        ordered()
          .authorise('ord-1', 'k', { but: { scope: BTC_ONLY } })
          .freeze('ord-1', 'k', { but: { scope: { ...BTC_ONLY, assets: ['ETH'] } } }),
    ],
    'a freeze placed by someone else': [
      '1: another person was authorised',
      () => authorised().freeze('ord-1', 'k', { but: { placedBy: 'other' } }),
    ],
    'a freeze from another time on': [
      '1: blockedFrom differs from what was authorised',
      () =>
        ordered()
          .authorise('ord-1', 'k', { but: { blockedFrom: PAST } })
          .freeze('ord-1', 'k', { but: { blockedFrom: '2022-02-02T00:00:00.000Z' } }),
    ],
    'a freeze of an account that is not open': [
      '1: the account is not open',
      () =>
        new Story()
          .party('p-1')
          .attach('a-1', 'p-1')
          .order('ord-1', BY_PARTY)
          .verify('ord-1')
          .next((story) => story.authorise('ord-1', 'k', { but: via(story) }))
          .freeze('ord-1', 'k'),
    ],
    'a freeze through a party that does not hold the account': [
      '1: the account is not held by the party through which the basis names it',
      () => lateHolder().freeze('ord-2', 'k'),
    ],
    'an authorisation under no order': [
      '1: authorised under an order, though it is not registered',
      () =>
        ordered()
          .authorise('ord-1', 'k')
          .next((story) => {
            const data = { ...(story.event('authorised k').data as Data), orderId: 'ghost' };
            const key = { caller: 'maker', homeStream: 'account-a-1', value: 'k' };
            story.tell('', 'legalOrder-ghost', 'FreezeAuthorised', data, { actor: 'maker', key });
          }),
    ],
    'an authorisation under an unverified order': [
      '1: authorised under an order, though it is not verified',
      () => start().order('ord-1').authorise('ord-1', 'k'),
    ],
    'an authorisation under a rejected order': [
      '1: authorised under an order, though it is not verified',
      () => start().order('ord-1').reject('ord-1').authorise('ord-1', 'k'),
    ],
    'an authorisation before the order is effective': [
      '1: authorised under an order, though it is not effective yet',
      () =>
        start()
          .order('ord-1', undefined, { but: { effectiveAt: '2029-01-01T00:00:00.000Z' } })
          .verify('ord-1')
          .authorise('ord-1', 'k'),
    ],
    'an authorisation at the moment of expiry': [
      '1: authorised under an order, though it has expired',
      () =>
        start()
          .order('ord-1', undefined, { but: { expiresAt: '2022-03-01T01:00:00.000Z' } })
          .verify('ord-1')
          .authorise('ord-1', 'k', { recordedAt: '2022-03-01T01:00:00.000Z' }),
    ],
    'an authorisation after the end': [
      '1: authorised under an order, though it has ended',
      () => ordered().propose('ord-1').end('ord-1').authorise('ord-1', 'k'),
    ],
    'an authorisation while an ending is proposed': [
      '1: authorised under an order, though its ending is proposed',
      () => ordered().propose('ord-1').authorise('ord-1', 'k'),
    ],
    'an authorisation of an account that the order does not name': [
      '1: the order does not name the account',
      () =>
        start()
          .party('p-2')
          .order('ord-1', [{ kind: 'party', partyId: 'p-2' }])
          .verify('ord-1')
          .authorise('ord-1', 'k'),
    ],
    'an authorisation of another account than the one that the order names': [
      '1: the order does not name the account',
      () =>
        start()
          .attach('a-2', 'p-1')
          .opened('a-2', ['p-1'])
          .order('ord-1', [{ kind: 'account', accountId: 'a-2' }])
          .verify('ord-1')
          .authorise('ord-1', 'k'),
    ],
    'an authorisation through a party that the order does not name': [
      '1: the order does not name the party',
      () => ordered().next((story) => story.authorise('ord-1', 'k', { but: via(story) })),
    ],
    'an authorisation through an attachment of another account': [
      '1: namedBy ties no account of that id to the party',
      () =>
        new Story()
          .party('p-1')
          .attach('a-1', 'p-1')
          .opened('a-1', ['p-1'])
          .attach('a-2', 'p-1')
          .opened('a-2', ['p-1'])
          .order('ord-1', BY_PARTY)
          .verify('ord-1')
          .next((story) => {
            const but = { ...via(story), namedBy: pointerTo(story.event('attached a-2 p-1')) };
            story.authorise('ord-1', 'k', { but });
          }),
    ],
    'an authorisation named by nothing': [
      '1: namedBy is no event of the order that lists the account',
      () => ordered().authorise('ord-1', 'k', { but: { namedBy: nowhere } }),
    ],
    'an authorisation wider than the order': [
      '1: the scope exceeds that of the order',
      () =>
        start()
          .order('ord-1', undefined, { but: { scope: BTC_ONLY } })
          .verify('ord-1')
          .authorise('ord-1', 'k', { but: { scope: ALL } }),
    ],
    'an order for a party that there is not': [
      '1: names a party that there is not',
      () => start().order('ord-1', [{ kind: 'party', partyId: 'ghost' }]),
    ],
    'an order for an account that is not open': [
      '1: names a account that there is not',
      () =>
        start()
          .attach('a-2', 'p-1')
          .order('ord-1', [{ kind: 'account', accountId: 'a-2' }]),
    ],
  });

  it('a freeze earlier in the log than its authorisation', () => {
    const { events } = ordered().authorise('ord-1', 'k').freeze('ord-1', 'k').log;
    const [authorised, freeze] = events.slice(-2);
    const swapped = [
      ...events.slice(0, -2),
      { ...freeze, position: authorised?.position },
      { ...authorised, position: freeze?.position },
    ] as typeof events;
    expect(checkLog(swapped).map(({ invariant }) => invariant)).toEqual([1]);
  });

  it('a forged pair: the authorisation, and the freeze that cites it', () => {
    const breaches = check(
      start().order('ord-1').authorise('ord-1', 'k').freeze('ord-1', 'k').deposit('1').reserve('w', '1'),
    );
    expect(breaches.map(({ invariant }) => invariant)).toEqual([1, 1]);
  });
});

describe('invariant 2: freezes stack, one for each account and basis. checkLog catches', () => {
  catches({
    'a second freeze under one basis': [
      '2: a freeze under the same basis is in force already',
      () => frozen().authorise('ord-1', 'k-2').freeze('ord-1', 'k-2'),
    ],
    'a citation resolved by a freeze and then abandoned': [
      '2: the citation was resolved before',
      () => frozen().requestLift('k').approveLift('k').propose('ord-1').end('ord-1').abandon('ord-1', 'k', 'key-used'),
    ],
    'a citation abandoned and then resolved by a freeze': [
      '2: the citation was resolved before',
      () =>
        frozen()
          .authorise('ord-1', 'k-2')
          .refuseFrozen(['k'], { key: 'k-2' })
          .abandon('ord-1', 'k-2', 'key-used')
          .propose('ord-1')
          .end('ord-1')
          .lift('ord-1', 'k')
          .abandon('ord-1', 'k-2', 'key-used'),
    ],
  });
  it('lifting one freeze leaves the others', () => {
    const story = frozen().order('ord-2').verify('ord-2').authorise('ord-2', 'k-2').freeze('ord-2', 'k-2');
    story.propose('ord-1').end('ord-1').lift('ord-1', 'k').reserve('w-1', '1');
    expect(check(story)).toEqual([expect.objectContaining({ invariant: 4 })]);
  });
});

describe('invariant 3: every lift states its ground. checkLog catches', () => {
  const notEnd = '3: the citation is not the end of the basis';
  const notRequested = '3: no such lift is requested';
  const notRequest = '3: the citation is not the request';
  catches({
    'a lift of nothing': ['3: no such freeze is in force', () => ended().lift('ord-1', 'k').lift('ord-1', 'k')],
    'a lift that cites nothing': [notEnd, () => ended().lift('ord-1', 'k', { but: { citation: nowhere } })],
    'a lift that cites a proposed ending': [
      notEnd,
      () => ended().next((story) => story.lift('ord-1', 'k', { but: { citation: pointerTo(story.event('ch-1')) } })),
    ],
    'a lift that cites the end of another order': [
      notEnd,
      () => frozen().order('ord-2').verify('ord-2').propose('ord-2').end('ord-2').lift('ord-2', 'k'),
    ],
    'a lift that says that others ended the basis': [
      '3: requestedBy and approvedBy are not those who ended the basis',
      () => ended().lift('ord-1', 'k', { but: { approvedBy: SUPERVISOR } }),
    ],
    'a lift after an expiry that names people': [
      '3: requestedBy and approvedBy are not those who ended the basis',
      () =>
        start()
          .order('ord-1', undefined, { but: { expiresAt: '2022-03-02T00:00:00.000Z' } })
          .verify('ord-1')
          .authorise('ord-1', 'k')
          .freeze('ord-1', 'k')
          .pause(86_400_000)
          .expire('ord-1')
          .lift('ord-1', 'k', { but: { requestedBy: 'maker', approvedBy: 'checker' } }),
    ],
    'a lift approved that nobody requested': [
      notRequested,
      () =>
        frozen()
          .requestLift('k')
          .approveLift('k', 'lift-1', { but: { requestId: 'lift-9' } }),
    ],
    'a lift approved after it was rejected': [
      notRequested,
      () => frozen().requestLift('k').rejectLift('k').approveLift('k'),
    ],
    'a lift rejected twice': [notRequested, () => frozen().requestLift('k').rejectLift('k').rejectLift('k')],
    'an approval that cites something else than the request': [
      notRequest,
      () =>
        frozen()
          .requestLift('k')
          .approveLift('k', 'lift-1', { but: { citation: nowhere } }),
    ],
    'a rejection that cites something else than the request': [
      notRequest,
      () =>
        frozen()
          .requestLift('k')
          .rejectLift('k', 'lift-1', { but: { citation: nowhere } }),
    ],
    'a lift that says that another requested it': [
      '3: another person requested the lift',
      () =>
        frozen()
          .requestLift('k')
          .approveLift('k', 'lift-1', { but: { requestedBy: 'other' } }),
    ],
    'a lift requested of a freeze that is over': [
      '3: no such freeze is in force',
      () => ended().lift('ord-1', 'k').requestLift('k'),
    ],
    'a ground that there is not': [
      'protocol: data: ground: Invalid option: expected one of "basis-ended"|"basis-varied"|"placed-in-error"|"release-ordered"',
      () => ended().lift('ord-1', 'k', { but: { ground: 'we changed our mind' } }),
    ],
    'one lift requested twice': [
      'protocol: the lift was requested already',
      () => frozen().requestLift('k').requestLift('k'),
    ],
    'a lift requested in the name of another': [
      'protocol: requestedBy is not who acted',
      () => frozen().requestLift('k', 'lift-1', { but: { requestedBy: 'other' } }),
    ],
  });
});

describe('invariant 4: no debit under a freeze. checkLog catches', () => {
  const pending = (): Story => ordered().deposit('100').reserve('w-1', '30').authorise('ord-1', 'k');
  const dispatched = (): Story =>
    ordered().deposit('100').reserve('w-1', '30').step('WithdrawalDispatched', 'w-1').authorise('ord-1', 'k');
  catches({
    'a withdrawal reserved': ['4: a debit, though all has to stay', () => frozen().reserve('w-1', '1')],
    'a withdrawal reserved of what has to stay': [
      '4: a debit, though 60 has to stay',
      () => limited('60').reserve('w-1', '41'),
    ],
    'a withdrawal reserved under the limits of two claims': [
      '4: a debit, though 90 has to stay',
      () => limited('60').next(second('30')).reserve('w-1', '11'),
    ],
    'a freeze with a limit that stops more than it has to': [
      '4: it does not stop just the withdrawals that it covers',
      () =>
        underLimit('60')
          .reserve('w-1', '30')
          .authorise('ord-1', 'k')
          .freeze('ord-1', 'k', { but: { stopped: ['w-1'] } }),
    ],
    'a freeze with a limit that stops less than it has to': [
      '4: it does not stop just the withdrawals that it covers',
      () => underLimit('60').reserve('w-1', '50').authorise('ord-1', 'k').freeze('ord-1', 'k'),
    ],
    'a freeze with a limit that stops another withdrawal than the latest': [
      '4: it does not stop just the withdrawals that it covers',
      () =>
        underLimit('60')
          .reserve('w-1', '30')
          .reserve('w-2', '20')
          .authorise('ord-1', 'k')
          .freeze('ord-1', 'k', { but: { stopped: ['w-1'] } }),
    ],
    'a withdrawal left reserved': [
      '4: w-1 is not stopped in the same append',
      () => pending().freeze('ord-1', 'k', { but: { stopped: ['w-1'] } }),
    ],
    'a withdrawal stopped by a freeze, but in a later append': [
      ['4: w-1 is not stopped in the same append', '4: stopped outside the append of a freeze that covers it'],
      () =>
        pending()
          .freeze('ord-1', 'k', { but: { stopped: ['w-1'] } })
          .stop('w-1', 'k'),
    ],
    'a freeze that does not say which withdrawals it stops': [
      '4: it does not stop just the withdrawals that it covers',
      () => pending().freeze('ord-1', 'k'),
    ],
    'a freeze that says it stops what there is not': [
      '4: it does not stop just the withdrawals that it covers',
      () => pending().freeze('ord-1', 'k', { but: { stopped: ['w-1', 'w-2'] } }),
    ],
    'a freeze silent of what is in flight': [
      '4: it does not list just the withdrawals in flight',
      () => dispatched().freeze('ord-1', 'k'),
    ],
    'a freeze with something in flight that is not': [
      '4: it does not list just the withdrawals in flight',
      () => dispatched().freeze('ord-1', 'k', { but: { inFlight: ['w-1', 'w-2'] } }),
    ],
    'a withdrawal stopped by no freeze': [
      '4: stopped outside the append of a freeze that covers it',
      () => pending().stop('w-1', 'k'),
    ],
    'a freeze that says other balances than those then': [
      'books: balancesAtFreeze are not the balances then',
      () =>
        ordered()
          .deposit('7')
          .authorise('ord-1', 'k')
          .freeze('ord-1', 'k', {
            but: { balancesAtFreeze: [{ asset: 'BTC', available: '8', reserved: '0', held: '0' }] },
          }),
    ],
    'a freeze that leaves a balance out': [
      'books: balancesAtFreeze are not the balances then',
      () =>
        ordered()
          .deposit('7')
          .authorise('ord-1', 'k')
          .freeze('ord-1', 'k', { but: { balancesAtFreeze: [] } }),
    ],
  });

  it('a withdrawal dispatched, and something between a freeze and the stops', () => {
    const story = pending()
      .freeze('ord-1', 'k', { but: { stopped: ['w-1'] } })
      .deposit('1');
    story.step('WithdrawalDispatched', 'w-1');
    expect(check(story).map(({ detail }) => detail)).toEqual([
      'w-1 is not stopped in the same append',
      'a debit, though all has to stay',
    ]);
  });
});

describe('invariant 5: credits land. checkLog catches', () => {
  catches({
    'a deposit refused for a freeze': [
      '5: a deposit is a fact, and was refused',
      () => frozen().refuseFrozen(['k'], { but: { command: 'Deposit' } }),
    ],
    'a deposit credited under a credit freeze': ['5: credited under a credit freeze', () => holding().deposit('1')],
    'a deposit held under no freeze': ['5: held under no credit freeze', () => start().hold('1')],
    'a deposit held under a debit freeze': ['5: held under no credit freeze', () => frozen().hold('1')],
    'held funds that a lift does not release': [
      '5: what is held of BTC is not released in the same append',
      () => holding().propose('ord-1').end('ord-1').lift('ord-1', 'k'),
    ],
    'held funds released in a later append': [
      [
        '5: what is held of BTC is not released in the same append',
        '5: released outside the append of the lift that frees it',
      ],
      () => holding().propose('ord-1').end('ord-1').lift('ord-1', 'k').release('k', '50', { recordedAt: FUTURE }),
    ],
    'held funds released in part': [
      ['5: releases other than all that is held', '5: what is held of BTC is not released in the same append'],
      () => holding().propose('ord-1').end('ord-1').lift('ord-1', 'k').release('k', '49'),
    ],
    'held funds released while another freeze holds them': [
      '5: released under a credit freeze',
      () =>
        holding()
          .order('ord-2', undefined, { but: { scope: CREDITS } })
          .verify('ord-2')
          .authorise('ord-2', 'k-2')
          .freeze('ord-2', 'k-2')
          .propose('ord-1')
          .end('ord-1')
          .lift('ord-1', 'k')
          .release('k', '50'),
    ],
  });
});

describe('invariant 6: money is conserved. checkLog catches', () => {
  const otherwise = 'books: it says otherwise than what was reserved';
  const closing = { reason: 'r', holders: [{ partyId: 'p-1', capacity: 'owner' }], openedAt: PAST, assets: [] };
  const booked = (): Story => start().deposit('10', {}, 'd');
  const reserved = (): Story => start().deposit('100').reserve('w-1', '30');
  const dispatched = (): Story => reserved().step('WithdrawalDispatched', 'w-1');
  catches({
    'a withdrawal of more than there is': [
      '6: available BTC falls to -1',
      () => start().deposit('9').reserve('w-1', '10'),
    ],
    'a withdrawal of what was spent': [
      '6: available BTC falls to -10',
      () => dispatched().step('WithdrawalSettled', 'w-1').reserve('w-2', '80'),
    ],
    'a deposit booked twice': [
      'books: the deposit was booked already',
      () =>
        start()
          .deposit('1', { but: { depositId: 'd' } })
          .deposit('1', { but: { depositId: 'd' } }),
    ],
    'a deposit to an account that is not open': [
      'books: the account is not open',
      () => new Story().asset('BTC').deposit('1'),
    ],
    'a deposit of an asset that is not registered': [
      'books: the asset DOGE is not registered',
      () => start().deposit('1', { but: { asset: 'DOGE' } }),
    ],
    'a deposit of nothing': [
      'protocol: data: amount: Invalid string: must match pattern /^[1-9][0-9]{0,37}$/',
      () => start().deposit('0'),
    ],
    'a reversal of what was never deposited': [
      'books: no such deposit was booked',
      () => booked().reverse('d', '10', { but: { depositId: 'x' } }),
    ],
    'a reversal, twice': [
      ['books: the deposit was reversed already'],
      () => booked().deposit('10').reverse('d', '10').reverse('d', '10'),
    ],
    'a reversal that cites another deposit': [
      'books: it does not cite the deposit',
      () =>
        booked()
          .deposit('10', {}, 'e')
          .next((story) => story.reverse('d', '10', { but: { citation: pointerTo(story.event('e')) } })),
    ],
    'a reversal of another amount': [
      'books: it says otherwise than what was deposited',
      () => booked().reverse('d', '9', { but: { amount: '9', shortfall: '0' } }),
    ],
    'a reversal of other funds': [
      'books: it says otherwise than what was deposited',
      () => booked().reverse('d', '10', { but: { source: { kind: 'bank', reference: 'other' } } }),
    ],
    'a reversal that loses some': [
      ['books: taken and shortfall are not what was deposited', 'books: it leaves what could have been taken'],
      () => booked().reverse('d', '8', { but: { shortfall: '1' } }),
    ],
    'a reversal that takes less than is there': [
      'books: it leaves what could have been taken',
      () => booked().reverse('d', '9'),
    ],
    'a reversal of what is reserved': [
      '6: available BTC falls to -4',
      () => booked().reserve('w-1', '4').reverse('d', '10'),
    ],
    'a reversal out of what is available while there is what was held': [
      'books: it takes other than 50 from what is held',
      () => holding(start().deposit('50')).next(reverseHeld('50', '0')),
    ],
    'a reversal that leaves some of what is held': [
      'books: it takes other than 50 from what is held',
      () => holding(start().deposit('50')).next(reverseHeld('50', '49')),
    ],
    'a reversal out of what is held': [
      ['books: it takes other than 0 from what is held', '6: held BTC falls to -1'],
      () => booked().reverse('d', '10', { but: { takenFromHeld: '1' } }),
    ],
    'a mistake put right by halves': [
      'books: a mistake is put right with a shortfall',
      () =>
        booked()
          .reserve('w-1', '4')
          .reverse('d', '6', { but: { cause: 'mistake' } }),
    ],
    'a closure of an account that is not open': [
      'books: the account is not open',
      () => start().tell('closed', 'account-a-9', 'AccountClosed', { ...closing, accountId: 'a-9' }, {}),
    ],
    'a closure, twice': ['books: the account is closed already', () => start().close([]).close([])],
    'a closure with funds in the account': [
      'books: the account is not empty',
      () => start().deposit('1').close(['BTC']),
    ],
    'a closure with a withdrawal under way': [
      'books: the account is not empty',
      () => start().deposit('1').reserve('w-1', '1').close(['BTC']),
    ],
    'a closure under a freeze': [
      '4: a frozen account is closed',
      () => ordered().authorise('ord-1', 'k').freeze('ord-1', 'k').close([]),
    ],
    ...Object.fromEntries(
      [{ assets: ['BTC'] }, { openedAt: PAST }, { holders: [{ partyId: 'p-2', capacity: 'owner' }] }].map((but) => [
        `a closure that says otherwise: ${JSON.stringify(but)}`,
        ['books: it says otherwise than what the account is', (): Story => start().close([], { but })] as const,
      ]),
    ),
    'a mistake put right in an account that is closed': [
      ['books: a mistake is put right with a shortfall', 'books: a debit of an account that is closed'],
      () =>
        start()
          .deposit('5', {}, 'd')
          .reserve('w-1', '5')
          .step('WithdrawalDispatched', 'w-1')
          .step('WithdrawalSettled', 'w-1')
          .close(['BTC'])
          .reverse('d', '0', { but: { cause: 'mistake', amount: '5', shortfall: '5' } }),
    ],
    'a withdrawal id used twice': [
      'books: the withdrawal was reserved already',
      () => reserved().step('WithdrawalCancelled', 'w-1').reserve('w-1', '1'),
    ],
    'a reservation that lies about when it was': [
      'books: reservedAt is not when it was',
      () =>
        start()
          .deposit('1')
          .reserve('w-1', '1', { but: { reservedAt: PAST } }),
    ],
    'a settlement of what was not dispatched': [
      'books: WithdrawalSettled of a withdrawal that is reserved',
      () => reserved().step('WithdrawalSettled', 'w-1'),
    ],
    'a settlement, twice': [
      ['books: no such withdrawal is open', '6: reserved BTC falls to -30'],
      () => dispatched().step('WithdrawalSettled', 'w-1').step('WithdrawalSettled', 'w-1'),
    ],
    'a dispatch, twice': [
      'books: WithdrawalDispatched of a withdrawal that is dispatched',
      () => dispatched().step('WithdrawalDispatched', 'w-1'),
    ],
    'a settlement of another amount': [
      otherwise,
      () => dispatched().step('WithdrawalSettled', 'w-1', { but: { amount: '29' } }),
    ],
    'a settlement in another asset': [
      otherwise,
      () =>
        dispatched()
          .asset('ETH')
          .deposit('99', { but: { asset: 'ETH' } })
          .reserve('w-2', '40', { but: { asset: 'ETH' } })
          .step('WithdrawalSettled', 'w-1', { but: { asset: 'ETH' } }),
    ],
    'a dispatch to another destination': [
      otherwise,
      () =>
        reserved().step('WithdrawalDispatched', 'w-1', { but: { destination: { kind: 'bank', reference: 'mine' } } }),
    ],
    'a dispatch of another time': [
      otherwise,
      () => reserved().step('WithdrawalDispatched', 'w-1', { but: { reservedAt: PAST } }),
    ],
  });

  it('the withdrawal that is one too many', () => {
    const story = start().deposit('2000');
    for (let n = 0; n < 1001; n++) story.reserve(`w-${String(n)}`, '1');
    expect(check(story)).toEqual([expect.objectContaining({ detail: 'too many withdrawals are open' })]);
  });
});

describe('invariant 6: a transfer arrives once or comes back once. checkLog catches', () => {
  const sent = (): Story => two().send('t-1', '4');
  const refused = (): Story => two().close([], {}, 'a-2').send('t-1', '4').refuseTransfer('t-1', 'closed');
  const none = '6: it cites no transfer that was sent';
  const unrefused = '6: it is returned, and was not refused';
  catches({
    'more sent than there is': ['6: available BTC falls to -1', () => two().send('t-1', '11')],
    'a transfer to itself': [
      'protocol: it is sent to the account itself',
      () => two().send('t-1', '4', { but: { to: 'a-1' } }),
    ],
    'a transfer to nobody': [
      'protocol: it is sent to an account that is not there',
      () => two().send('t-1', '4', { but: { to: 'a-9' } }),
    ],
    'an id used twice': ['books: a transfer of this id was sent already', () => sent().send('t-1', '4')],
    'a transfer under a freeze': [
      '4: a debit, though all has to stay',
      () =>
        two()
          .order('ord-1')
          .verify('ord-1')
          .authorise('ord-1', 'k', { newId: () => testId(0) })
          .freeze('ord-1', 'k', {
            but: { balancesAtFreeze: [{ asset: 'BTC', available: '10', reserved: '0', held: '0' }] },
          })
          .send('t-1', '4'),
    ],
    'a receipt of nothing': [none, () => sent().receive('t-1', { but: { transferId: 't-9' } })],
    'a receipt that cites something else': [
      none,
      () => sent().next((story) => story.receive('t-1', { but: { citation: pointerTo(story.event('d')) } })),
    ],
    'a receipt of more': [
      '6: it says otherwise than what was sent',
      () => sent().receive('t-1', { but: { amount: '5' } }),
    ],
    'a second receipt': ['6: the transfer was decided already', () => sent().receive('t-1').receive('t-1')],
    'a receipt after a refusal': [
      ['6: the transfer was decided already', 'protocol: it is received where it should be closed'],
      () => refused().receive('t-1'),
    ],
    'a receipt in an account that is closed': [
      'protocol: it is received where it should be closed',
      () => two().close([], {}, 'a-2').send('t-1', '4').receive('t-1'),
    ],
    'a refusal by an account that is open': [
      'protocol: it is closed where it should be received',
      () => sent().refuseTransfer('t-1', 'closed'),
    ],
    'a refusal for a freeze that there is not': [
      'protocol: it is credit-frozen where it should be received',
      () => sent().refuseTransfer('t-1', 'credit-frozen'),
    ],
    'a return of what was not refused': [unrefused, () => sent().sendBack('t-1', 't-1')],
    'a return of what was received': [unrefused, () => sent().receive('t-1').sendBack('t-1', 'received t-1')],
    'a return of more': [
      '6: it says otherwise than what was refused',
      () => refused().sendBack('t-1', undefined, { but: { amount: '5' } }),
    ],
    'a second return': ['6: the transfer was returned already', () => refused().sendBack('t-1').sendBack('t-1')],
  });

  it.each<readonly [string, () => Story]>([
    ['the transfer was never decided', sent],
    ['the transfer was refused, and never returned', refused],
  ])('when nobody is at work any more: %s', (detail, tell) => {
    expect(check(tell(), { quiescent: true })).toEqual([expect.objectContaining({ invariant: 12, detail })]);
    expect(check(tell())).toEqual([]);
  });
});

describe('invariant 7: commands are idempotent for good. checkLog catches', () => {
  const otherKey = '7: key or command hash differ from those of the authorisation';
  catches({
    'one key twice in a stream': [
      '7: the key k of payments stands on account-a-1 already',
      () => start().deposit('1', { key: 'k' }).deposit('2', { key: 'k' }),
    ],
    'a refusal and its command under one key': [
      '7: the key k of maker stands on account-a-1 already',
      () => frozen().refuse('account-a-1', 'ground-not-established', { ...UNESTABLISHED, key: 'k' }),
    ],
    'an authorisation doubled': [
      '7: the key k of maker stands on legalOrder-ord-1 already',
      () => ordered().authorise('ord-1', 'k').authorise('ord-1', 'k'),
    ],
    'an attachment doubled after it was undone': [
      '7: the key open-a-2 of payments stands on party-p-2 already',
      () =>
        halfOpened()
          .openingAbandoned('a-2', 'p-1', ['p-2', 'p-1'])
          .detach('a-2', 'p-2')
          .attach('a-2', 'p-2', ['p-2', 'p-1']),
    ],
    'a freeze under another key than its authorisation': [
      otherKey,
      () => ordered().authorise('ord-1', 'k').freeze('ord-1', 'k', { key: 'k-2' }),
    ],
    'a freeze of another content than its authorisation': [
      otherKey,
      () => ordered().authorise('ord-1', 'k').freeze('ord-1', 'k', { commandHash: HASH }),
    ],
    'an attachment of another content than its opening': [
      '7: key or command hash differ from those of the opening',
      () => start().attach('a-2', 'p-1', undefined, 'k', { commandHash: HASH }),
    ],
    'an attachment under another key than its opening': [
      '7: key or command hash differ from those of the opening',
      () =>
        start().attach('a-2', 'p-1', undefined, 'k', {
          key: { caller: 'payments', homeStream: 'account-a-2', value: 'k-2' },
          commandHash: sha256Hex('k'),
        }),
    ],
    'an attachment under the key of another caller than its opening': [
      '7: key or command hash differ from those of the opening',
      () =>
        start().attach('a-2', 'p-1', undefined, 'k', {
          actor: 'other',
          key: { caller: 'other', homeStream: 'account-a-2', value: 'k' },
        }),
    ],
    'a command without a key': ['7: FundsDeposited carries no key', () => start().deposit('1', { key: null })],
    'a key on what nobody asked for': [
      '7: AccountUnfrozen carries a key, though nobody asked',
      () => ended().lift('ord-1', 'k', { key: 'k-2' }),
    ],
    'a key without the hash of its command': [
      '7: key and commandHash go together',
      () => start().deposit('1', { forged: { metadata: { commandHash: null } } }),
    ],
    'a key of another home stream': [
      '7: the home stream of FundsDeposited is not account-a-2',
      () => start().deposit('1', { key: { caller: 'payments', homeStream: 'account-a-2', value: 'k' } }),
    ],
    'a command under the key of another caller': [
      '7: mallory acted under a key of payments',
      () => start().deposit('1', { actor: 'mallory', key: { caller: 'payments', value: 'k' } }),
    ],
    'the supervisor doing what only people do': [
      `7: ${SUPERVISOR} acted under a key of payments`,
      () => start().deposit('1', { actor: SUPERVISOR, key: { caller: 'payments', value: 'k' } }),
    ],
    'an event caused by one that does not come before it': [
      'protocol: caused by an event that does not come before it',
      () => start().deposit('1', { causationId: testId(99) }),
    ],
  });

  it('passes keys that differ in their caller or stream alone', () => {
    const story = start()
      .asset('ETH', { key: 'k' })
      .deposit('1', { key: 'k' })
      .deposit('1', { key: 'k', actor: 'other' });
    expect(check(story)).toEqual([]);
  });
});

describe('invariant 8: events never change. checkLog catches', () => {
  const at = testId(1);
  catches({
    'a revision left out': [
      '8: revision 2 where 1 comes next',
      () => start().deposit('1', { forged: { revision: 2 } }),
    ],
    'an id used twice': [
      `8: the id ${at} stands in the log already`,
      () => start().deposit('1', { forged: { id: at } }),
    ],
    'a position that does not rise': [
      '8: position 0000000000000005 does not come after 0000000000000005',
      () => start().deposit('1', { forged: { position: '0000000000000005' } }),
    ],
    'a hash of something else': [
      'hash: the hash is not that of the event',
      () => start().deposit('1', { forged: { metadata: { hash: HASH } } }),
    ],
    'a link to something else': [
      'hash: previousHash is not the hash of the event before it in its stream',
      () => start().deposit('1', { forged: { metadata: { previousHash: HASH } } }),
    ],
    'a first event that follows something': [
      'hash: previousHash is not the hash of the event before it in its stream',
      () => new Story().asset('BTC', { forged: { metadata: { previousHash: HASH } } }),
    ],
    'a time before that of the event before': [
      'protocol: recordedAt is before that of the event before it in its stream',
      () => start().deposit('1', { recordedAt: PAST }),
    ],
    'a time before that of the event cited': [
      'protocol: recordedAt is before that of the event it cites (citation)',
      () =>
        ordered().next((story) => {
          const recordedAt = story.event('opened a-1').metadata.recordedAt;
          story.authorise('ord-1', 'k').freeze('ord-1', 'k', { recordedAt });
        }),
    ],
    'a time before that of the tie to a subject': [
      'protocol: recordedAt is before that of the event it cites (namedBy)',
      () =>
        new Story().next((story) => {
          story.party('p-1').order('ord-1', BY_PARTY).verify('ord-1');
          const { recordedAt } = story.event('verified ord-1').metadata;
          story.attach('a-1', 'p-1').opened('a-1', ['p-1']);
          story.authorise('ord-1', 'k', { but: via(story), recordedAt });
        }),
    ],
  });

  it('any change of any event', () => {
    const { events } = frozen().log;
    for (const index of events.keys()) {
      const changed = events.map((event, at) =>
        at === index
          ? { ...event, data: { ...(event.data as Data), [index % 2 === 0 ? 'accountId' : 'extra']: 'b' } }
          : event,
      );
      expect(checkLog(changed).map(({ invariant }) => invariant)).toContain('hash');
    }
  });

  it('an event taken out, but the last of its stream', () => {
    const { events } = frozen().log;
    const last = new Set([...new Map(events.map((event) => [event.stream, event])).values()]);
    for (const event of events.filter((each) => !last.has(each))) {
      const breaches = checkLog(events.filter((each) => each !== event));
      expect(breaches.map(({ invariant }) => invariant)).toEqual(expect.arrayContaining([8, 'hash']));
    }
  });
});

describe('invariant 9: maker is not checker. checkLog catches', () => {
  const own = '9: maker checks what he or she made';
  const notActor = '9: the checker is not who acted';
  const byMaker = (field: string) => ({ actor: 'maker', but: { [field]: 'maker' } });
  catches({
    'an order verified by its maker': [own, () => start().order('ord-1').verify('ord-1', byMaker('verifiedBy'))],
    'an order rejected by its maker': [own, () => start().order('ord-1').reject('ord-1', byMaker('rejectedBy'))],
    'an ending verified by who proposed it': [
      own,
      () => ordered().propose('ord-1').end('ord-1', 'ch-1', byMaker('verifiedBy')),
    ],
    'an ending rejected by who proposed it': [
      own,
      () => ordered().propose('ord-1').rejectChange('ord-1', 'ch-1', byMaker('rejectedBy')),
    ],
    'a lift approved by who asked for it': [
      own,
      () => frozen().requestLift('k').approveLift('k', 'lift-1', byMaker('approvedBy')),
    ],
    'a lift rejected by who asked for it': [
      own,
      () => frozen().requestLift('k').rejectLift('k', 'lift-1', byMaker('rejectedBy')),
    ],
    'a maker who signs as another': [notActor, () => start().order('ord-1').verify('ord-1', { actor: 'maker' })],
    'a checker that is no person': [
      '9: the checker is no person',
      () =>
        start()
          .order('ord-1')
          .verify('ord-1', {
            actor: SUPERVISOR,
            key: { caller: SUPERVISOR, value: 'k' },
            but: { verifiedBy: SUPERVISOR },
          }),
    ],
    'an ending other than the one proposed': [
      '9: the ending is not the one that was proposed',
      () =>
        ordered()
          .propose('ord-1')
          .end('ord-1', 'ch-1', { but: { how: 'revoked' } }),
    ],
    'an ending that says that another proposed it': [
      '9: the ending is not the one that was proposed',
      () =>
        ordered()
          .propose('ord-1')
          .end('ord-1', 'ch-1', { but: { proposedBy: 'other' } }),
    ],
    'an order registered in the name of another': [
      'protocol: registeredBy is not who acted',
      () => start().order('ord-1', undefined, { but: { registeredBy: 'other' } }),
    ],
    'a change proposed in the name of another': [
      'protocol: proposedBy is not who acted',
      () => ordered().propose('ord-1', 'ch-1', { but: { proposedBy: 'other' } }),
    ],
    'a letter answered by who registered it': [own, () => start().letter().answer('req-1', byMaker('answeredBy'))],
    'a letter answered in the name of another': [notActor, () => start().letter().answer('req-1', { actor: 'other' })],
    'a letter registered in the name of another': [
      'protocol: registeredBy is not who acted',
      () => start().letter('req-1', { but: { registeredBy: 'other' } }),
    ],
    'a freeze authorised in the name of another': [
      'protocol: requestedBy is not whose key it is',
      () => ordered().authorise('ord-1', 'k', { but: { requestedBy: 'other' } }),
    ],
  });
});

describe('invariant 10: refusals are facts. checkLog catches', () => {
  const on = (revision: string | null, stream = 'legalOrder-ord-1') => ({ but: { decidedOn: { stream, revision } } });
  catches({
    'a code that is not recorded': [
      '10: insufficient-funds is not recorded, ever',
      () => start().refuse('account-a-1', 'insufficient-funds'),
    ],
    'a code of Object’s own': ['10: toString is not recorded, ever', () => start().refuse('account-a-1', 'toString')],
    'a code on the wrong kind of stream': [
      '10: account-frozen on party-p-1',
      () => start().refuse('party-p-1', 'account-frozen'),
    ],
    'an account that was not frozen': [
      '10: account-frozen: it names a freeze not in force',
      () => ended().lift('ord-1', 'k').refuseFrozen(['k']),
    ],
    'a frozen account without its freezes': [
      '10: account-frozen: it names no freezes',
      () => frozen().refuseFrozen([]),
    ],
    'a frozen account decided elsewhere': [
      '10: account-frozen: it is decided on its own stream',
      () => frozen().refuseFrozen(['k'], on('0')),
    ],
    'a checker who was no maker of the order': [
      '10: maker-is-checker: who was refused had made nothing here',
      () => ordered().refuse('legalOrder-ord-1', 'maker-is-checker', { actor: 'checker' }),
    ],
    'a checker who asked for no lift': [
      '10: maker-is-checker: who was refused had made nothing here',
      () => frozen().refuse('account-a-1', 'maker-is-checker'),
    ],
    'a checker refused elsewhere': [
      '10: maker-is-checker: it is decided on its own stream',
      () => ordered().refuse('legalOrder-ord-1', 'maker-is-checker', on('0')),
    ],
    'a basis said to be unknown, and where is not said': [
      '10: basis-not-found: it was decided elsewhere, and does not say where',
      () => start().refuse('account-a-1', 'basis-not-found'),
    ],
    'a basis decided on a party': [
      '10: basis-not-found: it was not decided on the stream of a basis',
      () => start().refuse('account-a-1', 'basis-not-found', on(null, 'party-p-1')),
    ],
    'a basis decided on another': [
      '10: basis-not-found: it was decided on another basis',
      () =>
        start().refuse('account-a-1', 'basis-not-found', {
          but: {
            request: { basis: { kind: 'legal-order', id: 'ord-2' } },
            decidedOn: { stream: 'legalOrder-ord-1', revision: null },
          },
        }),
    ],
    'a revision that does not stand yet': [
      '10: basis-not-in-force: no such revision stands before it',
      () => start().order('ord-1').refuse('account-a-1', 'basis-not-in-force', on('1')),
    ],
    'a basis that was found': [
      '10: basis-not-found: the basis was registered',
      () => start().order('ord-1').refuse('account-a-1', 'basis-not-found', on('0')),
    ],
    'a basis that was in force': [
      '10: basis-not-in-force: the basis was in force',
      () => ordered().propose('ord-1').refuse('account-a-1', 'basis-not-in-force', on('1')),
    ],
    'a basis that names the account': [
      '10: basis-does-not-name-account: the basis names the account',
      () => ordered().refuse('account-a-1', 'basis-does-not-name-account', on('1')),
    ],
    'a basis that names a holder of the account': [
      '10: basis-does-not-name-account: the basis names the account',
      () => named().refuse('account-a-1', 'basis-does-not-name-account', on('1')),
    ],
    'the code of a later check, of a basis not in force': [
      '10: scope-exceeds-basis: the basis was not in force, which comes first',
      () => ordered().refuse('account-a-1', 'scope-exceeds-basis', on('0')),
    ],
    'a scope within that of the basis': [
      '10: scope-exceeds-basis: the scope is within that of the basis',
      () =>
        ordered().refuse('account-a-1', 'scope-exceeds-basis', {
          but: { request: { scope: BTC_ONLY }, ...on('1').but },
        }),
    ],
    'a scope that nobody asked for': [
      '10: scope-exceeds-basis: the scope is within that of the basis',
      () => ordered().refuse('account-a-1', 'scope-exceeds-basis', on('1')),
    ],
    'limits that suffice': [
      '10: scope-exceeds-basis: the scope is within that of the basis',
      () => underLimit('60').refuse('account-a-1', 'scope-exceeds-basis', on('1')),
    ],
    'an opening refused for a party that no basis named then': [
      '10: party-named-by-basis: no basis named the party as of that revision',
      () => named().refuse('account-a-2', 'party-named-by-basis', on('2', 'party-p-1')),
    ],
    'an opening refused as of a revision that does not stand yet': [
      '10: party-named-by-basis: no basis named the party as of that revision',
      () => named().refuse('account-a-2', 'party-named-by-basis', on('4', 'party-p-1')),
    ],
    'an opening refused as of the moment at which the party was no longer named': [
      '10: party-named-by-basis: no basis named the party as of that revision',
      () =>
        named()
          .propose('ord-1')
          .end('ord-1')
          .unname('ord-1', 'p-1')
          .refuse('account-a-2', 'party-named-by-basis', on('4', 'party-p-1')),
    ],
    'an opening refused, and where is not said': [
      '10: party-named-by-basis: it was decided elsewhere, and does not say where',
      () => named().refuse('account-a-2', 'party-named-by-basis'),
    ],
    'an opening refused on an order': [
      '10: party-named-by-basis: it was not decided on the stream of a party',
      () => named().refuse('account-a-2', 'party-named-by-basis', on('0')),
    ],
    'a maker of a letter who had made none': [
      '10: maker-is-checker: who was refused had made nothing here',
      () => start().letter().refuse('authorityRequest-req-1', 'maker-is-checker', { actor: 'checker' }),
    ],
    'a maker of a letter refused elsewhere': [
      '10: maker-is-checker: it is decided on its own stream',
      () => ordered().letter().refuse('authorityRequest-req-1', 'maker-is-checker', on('0')),
    ],
    'an answer refused to a letter that nobody registered': [
      '10: maker-is-checker: no such letter is registered',
      () => start().refuse('authorityRequest-req-1', 'maker-is-checker'),
    ],
    'an answer refused to a letter that was answered': [
      '10: maker-is-checker: the letter was answered before, which comes first',
      () => start().letter().answer().refuse('authorityRequest-req-1', 'maker-is-checker'),
    ],
    'an answer refused for a basis that was in force': [
      '10: basis-not-in-force: the basis was in force',
      () =>
        ordered()
          .letter()
          .refuse('authorityRequest-req-1', 'basis-not-in-force', { actor: 'checker', ...on('1') }),
    ],
    'an answer refused for its basis to who may not answer': [
      '10: basis-not-in-force: who registered the letter was refused, which comes first',
      () => ordered().letter().refuse('authorityRequest-req-1', 'basis-not-in-force', on('0')),
    ],
    'an answer refused for a code of freezes': [
      '10: scope-exceeds-basis on authorityRequest-req-1',
      () => ordered().letter().refuse('authorityRequest-req-1', 'scope-exceeds-basis', on('1')),
    ],
    'a party refused on its own stream that no basis names': [
      '10: party-named-by-basis: no basis names the party',
      () => start().refuse('party-p-1', 'party-named-by-basis'),
    ],
    'an opening abandoned for a party that no basis named then': [
      '10: no basis named the party as of that revision',
      () =>
        halfOpened().openingAbandoned('a-2', 'p-1', ['p-2', 'p-1'], {
          but: { decidedOn: { stream: 'party-p-1', revision: '2' } },
        }),
    ],
    'an opening abandoned, and where is not said': [
      '10: decided on the stream of a party, and does not say where',
      () => halfOpened().openingAbandoned('a-2', 'p-1', ['p-2', 'p-1'], { but: { decidedOn: null } }),
    ],
  });
});

describe('invariants 12 and 13: nothing stays half done. checkLog catches, once it is quiet,', () => {
  const now = '2022-06-01T00:00:00.000Z';
  const until = (expiresAt: string): Story => start().order('ord-1', BY_PARTY, { but: { expiresAt } }).verify('ord-1');
  catches(
    {
      'an authorisation never resolved': [
        '12: the authorisation was never resolved',
        () => ordered().authorise('ord-1', 'k'),
      ],
      'an opening never decided': ['12: the opening was never decided', () => start().attach('a-2', 'p-1')],
      'a party left attached after the opening was abandoned': [
        '12: the opening came to nothing, and the party is still attached',
        () => halfOpened().openingAbandoned('a-2', 'p-1', ['p-2', 'p-1']),
      ],
      'a holder left attached for another opening of the account, which came to nothing': [
        '12: the opening came to nothing, and the party is still attached',
        () => start().attach('a-1', 'p-1', ['p-1'], 'late').openingLost('a-1', 'p-1', 'late'),
      ],
      'a party left attached after the opening was refused': [
        '12: the opening came to nothing, and the party is still attached',
        () =>
          halfOpened().next((story) => {
            const decidedOn = { stream: 'party-p-1', revision: String(story.event('named p-1').revision) };
            const options = { actor: 'payments', key: 'open-a-2', but: { decidedOn } };
            story.refuse('account-a-2', 'party-named-by-basis', options);
          }),
      ],
      'a party not named by an order in force': [
        '12: p-1 does not carry the name of the basis',
        () => until('2022-06-01T00:00:00.001Z'),
      ],
      'a party not named by an order that became effective just now': [
        '12: p-1 does not carry the name of the basis',
        () =>
          start()
            .order('ord-1', BY_PARTY, { but: { effectiveAt: now } })
            .verify('ord-1'),
      ],
      'a party not named by an order whose ending is only proposed': [
        '12: p-1 does not carry the name of the basis',
        () => start().order('ord-1', BY_PARTY).verify('ord-1').propose('ord-1'),
      ],
      'a party still named by an order that ended': [
        '12: the party is still named by a basis that ended',
        () => named().propose('ord-1').end('ord-1'),
      ],
      'an order past its time': ['13: the order expired, and nobody recorded it', () => until(now)],
      'a freeze that outlives its basis': ['13: the freeze outlives its basis', ended],
    },
    { quiescent: true, now },
  );

  it('and none of these while somebody is at work', () => {
    for (const story of [ordered().authorise('ord-1', 'k'), start().attach('a-2', 'p-1'), until(now), ended()]) {
      expect(check(story)).toEqual([]);
    }
  });

  it('and not what has not come to pass: an order that is not effective yet, or not verified', () => {
    const later = start()
      .order('ord-1', BY_PARTY, { but: { effectiveAt: '2022-07-01T00:00:00.000Z' } })
      .verify('ord-1');
    expect(check(later, { quiescent: true, now })).toEqual([]);
    expect(check(start().order('ord-1', BY_PARTY), { quiescent: true, now })).toEqual([]);
  });

  it('with the latest time of the log when none is given', () => {
    const story = until('2022-03-02T00:00:00.000Z');
    expect(check(story, { quiescent: true }).map(({ invariant }) => invariant)).toEqual([12]);
    story.pause(86_400_000).asset('ETH');
    expect(check(story, { quiescent: true }).map(({ invariant }) => invariant)).toEqual([13]);
  });
});

describe('invariant 14: a freeze follows the party. checkLog catches', () => {
  const notEnd = '14: the citation is not the end of the basis, nor of the naming';
  const notForce = '14: the citation is not what put the basis in force';
  catches({
    'an account attached while a basis names the party': [
      '14: attached to a party while a basis names it',
      () => named().attach('a-2', 'p-1'),
    ],
    'an account attached to a party that nobody identified': [
      '14: attached to a party that is not identified',
      () =>
        new Story()
          .tell('', 'party-p-1', 'PartyRegistered', { partyId: 'p-1', kind: 'person', externalRef: 'x' }, {})
          .attach('a-1', 'p-1'),
    ],
    'an account opened for a party without attachment': [
      '14: p-2 carries no attachment of this opening',
      () => start().party('p-2').attach('a-2', 'p-1', ['p-1', 'p-2']).opened('a-2', ['p-1', 'p-2']),
    ],
    'an account opened on the attachment of another key': [
      '14: p-1 carries no attachment of this opening',
      () => start().attach('a-2', 'p-1').opened('a-2', ['p-1'], 'other'),
    ],
    'an account opened on the attachment of another content': [
      '14: p-1 carries no attachment of this opening',
      () => start().attach('a-2', 'p-1').opened('a-2', ['p-1'], undefined, { commandHash: HASH }),
    ],
    'an account opened for other holders than asked': [
      '14: the attachment of p-1 speaks of other holders',
      () => start().attach('a-2', 'p-1', ['p-1', 'p-9']).opened('a-2', ['p-1']),
    ],
    'a party named by a basis that does not name it': [
      '14: the basis does not name the party',
      () => ordered().name('ord-1', 'p-1'),
    ],
    'a party named before the basis is effective': [
      '14: the basis is not effective yet',
      () =>
        start()
          .order('ord-1', BY_PARTY, { but: { effectiveAt: '2029-01-01T00:00:00.000Z' } })
          .verify('ord-1')
          .name('ord-1', 'p-1'),
    ],
    'a party named for no verification': [
      notForce,
      () =>
        start()
          .order('ord-1', BY_PARTY)
          .verify('ord-1')
          .next((story) => story.name('ord-1', 'p-1', { but: { citation: pointerTo(story.event('ord-1')) } })),
    ],
    'a party named for the verification of another order': [
      notForce,
      () =>
        start()
          .order('ord-1', BY_PARTY)
          .order('ord-2')
          .verify('ord-2')
          .name('ord-2', 'p-1', { but: { basis: { kind: 'legal-order', id: 'ord-1' } } }),
    ],
    'a name taken off while the basis is in force': [notEnd, () => named().unname('ord-1', 'p-1', 'verified ord-1')],
    'a name taken off for the end of another order': [
      notEnd,
      () => named().order('ord-2').verify('ord-2').propose('ord-2').end('ord-2').unname('ord-1', 'p-1', 'ended ord-2'),
    ],
    'a name taken off twice': [
      'protocol: the basis does not name the party',
      () => named().propose('ord-1').end('ord-1').unname('ord-1', 'p-1').unname('ord-1', 'p-1'),
    ],
    'a party named twice by one basis': ['protocol: named twice by one basis', () => named().name('ord-1', 'p-1')],
  });
});

describe('the protocol. checkLog catches', () => {
  const untrue = (reason: string) => `protocol: abandoned as ${reason}: untrue`;
  const authorised = (): Story => ordered().authorise('ord-1', 'k');
  catches({
    'an authorisation abandoned as frozen, when it is not': [
      untrue('already-frozen'),
      () => authorised().abandon('ord-1', 'k', 'already-frozen', { but: { existingFreezeId: testId(99) } }),
    ],
    'an authorisation abandoned as frozen by another freeze than the one in force': [
      untrue('already-frozen'),
      () =>
        frozen()
          .authorise('ord-1', 'k-2')
          .abandon('ord-1', 'k-2', 'already-frozen', { but: { existingFreezeId: testId(99) } }),
    ],
    'an authorisation abandoned for a key that was not used': [
      untrue('key-used'),
      () => authorised().abandon('ord-1', 'k', 'key-used'),
    ],
    'an authorisation abandoned for an end that was not': [
      untrue('basis-ended'),
      () => authorised().propose('ord-1').abandon('ord-1', 'k', 'basis-ended'),
    ],
    'an authorisation abandoned for an account that is open': [
      untrue('account-not-open'),
      () => authorised().abandon('ord-1', 'k', 'account-not-open'),
    ],
    'an authorisation abandoned for a party that holds the account': [
      untrue('not-a-holder'),
      () =>
        named()
          .next((story) => story.authorise('ord-1', 'k', { but: via(story) }))
          .abandon('ord-1', 'k', 'not-a-holder'),
    ],
    'an authorisation abandoned through no party': [
      untrue('not-a-holder'),
      () => authorised().abandon('ord-1', 'k', 'not-a-holder'),
    ],

    'an asset registered again': ['protocol: the asset is registered already', () => start().asset('BTC')],
    'a party registered again': [
      'protocol: the party is registered already',
      () => start().tell('', 'party-p-1', 'PartyRegistered', { partyId: 'p-1', kind: 'person', externalRef: 'y' }, {}),
    ],
    'an attachment of a party that is not registered': [
      'protocol: the party is not registered',
      () => new Story().attach('a-1', 'p-1'),
    ],
    'one opening attached twice': [
      ['protocol: attached twice for one opening', '7: key or command hash differ from those of the opening'],
      () =>
        start()
          .attach('a-2', 'p-1')
          .attach('a-2', 'p-1', undefined, undefined, {
            key: { caller: 'payments', homeStream: 'account-a-2', value: 'k' },
          }),
    ],
    'an attachment of a party that the opening does not list': [
      'protocol: the opening is not one of this account for this party',
      () => start().attach('a-2', 'p-1', ['p-9']),
    ],
    'an attachment in another capacity than asked': [
      'protocol: the opening is not one of this account for this party',
      () => start().attach('a-2', 'p-1', undefined, undefined, { but: { capacity: 'joint' } }),
    ],
    'an account opened twice': [
      'protocol: the account is open already',
      () => start().attach('a-1', 'p-1', undefined, 'again').opened('a-1', ['p-1'], 'again'),
    ],
    'an account with one holder twice': [
      'protocol: a party is listed twice',
      () => start().attach('a-2', 'p-1', ['p-1', 'p-1']).opened('a-2', ['p-1', 'p-1']),
    ],
    'an opening abandoned that had attached nobody': [
      'protocol: no holder carries an attachment of this opening',
      () => start().openingLost('a-1', 'p-1', 'never'),
    ],
    'an opening abandoned for an id that is free': [
      'protocol: no account has taken the id',
      () => start().attach('a-2', 'p-1', undefined, 'k').openingLost('a-2', 'p-1', 'k'),
    ],
    'an opening abandoned for who is no holder': [
      'protocol: it names no holder that was refused',
      () => named().party('p-2').attach('a-2', 'p-2').openingAbandoned('a-2', 'p-1', ['p-2']),
    ],
    'an attachment undone before its opening was decided': [
      'protocol: its opening is not decided yet',
      () => start().attach('a-2', 'p-1').detach('a-2', 'p-1'),
    ],
    'an attachment undone though its opening succeeded': [
      'protocol: its opening succeeded',
      () => start().detach('a-1', 'p-1'),
    ],
    'an attachment undone that there is not': [
      'protocol: there is no such attachment',
      () => start().detach('a-1', 'p-1', 'other'),
    ],

    'an order registered twice': ['protocol: the order is registered already', () => ordered().order('ord-1')],
    'an order that expires before it is effective': [
      'protocol: it expires before it is effective',
      () => start().order('ord-1', undefined, { but: { expiresAt: PAST } }),
    ],
    'an order verified that is not registered': [
      'protocol: the order is not registered',
      () => start().verify('ord-1'),
    ],
    'an order verified twice': ['protocol: the order was verified or rejected before', () => ordered().verify('ord-1')],
    'an order verified after it was rejected': [
      'protocol: the order was verified or rejected before',
      () => start().order('ord-1').reject('ord-1').verify('ord-1'),
    ],
    'an order rejected after it was verified': [
      'protocol: the order was verified or rejected before',
      () => ordered().reject('ord-1'),
    ],
    'a change of an order that is not verified': [
      'protocol: the order is not verified',
      () => start().order('ord-1').propose('ord-1'),
    ],
    'a change of an order that has ended': [
      'protocol: the order has ended before',
      () => ended().propose('ord-1', 'ch-2'),
    ],
    'a change proposed twice': [
      'protocol: the change was proposed already',
      () => ordered().propose('ord-1').propose('ord-1'),
    ],
    'a change decided that nobody proposed': ['protocol: no such change was proposed', () => ordered().end('ord-1')],
    'a change decided twice': [
      'protocol: the change was decided before',
      () => ordered().propose('ord-1').rejectChange('ord-1').end('ord-1'),
    ],
    'an order that ends twice': [
      'protocol: the order has ended before',
      () => ordered().propose('ord-1').propose('ord-1', 'ch-2').end('ord-1').end('ord-1', 'ch-2'),
    ],
    'an order that expires while an extension puts it off': [
      'protocol: the time of the order has not run out',
      () => runningUntil(NOON).proposeExtension('ord-1', LATER).expire('ord-1', { recordedAt: NOON }),
    ],
    'an order that expires at the time that was extended': [
      'protocol: expiresAt is not that of the order',
      () =>
        runningUntil(NOON)
          .proposeExtension('ord-1', LATER)
          .extend('ord-1', LATER)
          .expire('ord-1', { recordedAt: LATER }),
    ],
    'an extension after 72 hours': [
      'protocol: it had expired',
      () =>
        runningUntil(NOON)
          .proposeExtension('ord-1', LATER)
          .extend('ord-1', LATER, 'ext-1', { recordedAt: '2022-03-05T12:00:00.000Z' }),
    ],
    'an extension proposed too late': [
      'protocol: the extension is proposed too late',
      () => runningUntil(NOON).proposeExtension('ord-1', LATER, 'ext-1', { recordedAt: NOON }),
    ],
    'an extension that extends nothing': [
      'protocol: the extension would not extend the order',
      () => runningUntil(NOON).proposeExtension('ord-1', NOON),
    ],
    'an extension to another time than was proposed': [
      '9: the extension is not the one that was proposed',
      () => runningUntil(NOON).proposeExtension('ord-1', LATER).extend('ord-1', '2022-06-01T00:00:00.000Z'),
    ],
    'an authorisation after the time of an order whose expiry is put off': [
      '1: authorised under an order, though it has expired',
      () => runningUntil(NOON).proposeExtension('ord-1', LATER).authorise('ord-1', 'k', { recordedAt: NOON }),
    ],
    'an order that expires early': ['protocol: the time of the order has not run out', () => ordered().expire('ord-1')],
    'an order that expires at another time than its own': [
      'protocol: expiresAt is not that of the order',
      () => ordered().expire('ord-1', { but: { expiresAt: PAST } }),
    ],
    'an order that expires after it ended': [
      'protocol: the order has ended before',
      () =>
        start()
          .order('ord-1', undefined, { but: { expiresAt: '2022-03-02T00:00:00.000Z' } })
          .verify('ord-1')
          .propose('ord-1')
          .end('ord-1')
          .pause(86_400_000)
          .expire('ord-1'),
    ],

    'a letter registered twice': ['protocol: the request is registered already', () => start().letter().letter()],
    'a letter answered that is not registered': ['protocol: the request is not registered', () => start().answer()],
    'a letter answered twice': ['protocol: the request was answered before', () => start().letter().answer().answer()],
    'a letter granted without a basis': [
      'protocol: granted without a basis',
      () =>
        start()
          .letter()
          .answer('req-1', { but: { outcome: 'granted' } }),
    ],
    'a letter answered under a basis, and where it was in force is not said': [
      'protocol: a basis and where it was in force go together',
      () =>
        ordered()
          .letter()
          .answer('req-1', { but: { ...granting('1'), inForceAt: undefined } }),
    ],
    'a letter granted under the stream of another basis': [
      'protocol: inForceAt is not on the stream of the basis',
      () =>
        ordered()
          .letter()
          .answer('req-1', { but: granting('1', 'legalOrder-ord-2') }),
    ],
    'a letter granted as of a revision that does not stand yet': [
      'protocol: no such revision of the basis stands before it',
      () =>
        ordered()
          .letter()
          .answer('req-1', { but: granting('2') }),
    ],
    'a letter granted under an order that was not verified then': [
      'protocol: answered under a basis, though it is not verified',
      () =>
        ordered()
          .letter()
          .answer('req-1', { but: granting('0') }),
    ],
    'a letter granted under an order whose ending was proposed then': [
      'protocol: answered under a basis, though its ending is proposed',
      () =>
        ordered()
          .letter()
          .propose('ord-1')
          .answer('req-1', { but: granting('2') }),
    ],
    'a letter refused under an order whose time had run out': [
      'protocol: answered under a basis, though it has expired',
      () =>
        start()
          .order('ord-1', undefined, { but: { expiresAt: '2022-03-02T00:00:00.000Z' } })
          .verify('ord-1')
          .letter()
          .answer('req-1', {
            recordedAt: '2022-03-02T00:00:00.000Z',
            but: { ...granting('1'), outcome: 'refused' },
          }),
    ],
    'a letter granted before the basis that it cites': [
      'protocol: recordedAt is before that of the event it cites (inForceAt)',
      () =>
        start()
          .letter()
          .order('ord-1')
          .verify('ord-1')
          .next((story) =>
            story.answer('req-1', {
              recordedAt: story.event('req-1').metadata.recordedAt,
              but: granting('1'),
            }),
          ),
    ],
    'an event of another stream': [
      'protocol: FundsDeposited on party-p-1',
      () => start().tell('', 'party-p-1', 'FundsDeposited', {}, {}),
    ],
    'an event about another thing than its stream': [
      'protocol: accountId a-2 on account-a-1',
      () => start().deposit('1', { but: { accountId: 'a-2' } }),
    ],
    'an event that nobody knows': [
      'protocol: no event is called "AccountShaken"',
      () => start().tell('', 'account-a-1', 'AccountShaken', {}, {}),
    ],
    'an event called as a member of Object': [
      'protocol: no event is called "constructor"',
      () => start().tell('', 'account-a-1', 'constructor', {}, {}),
    ],
    'an id to which nothing can point': [
      'protocol: the id "hello" is no UUID',
      () => start().deposit('1', { forged: { id: 'hello' } }),
    ],
    'a version that is to come': [
      'protocol: schemaVersion 2 of FundsDeposited is unknown',
      () => start().deposit('1', { forged: { schemaVersion: 2 } }),
    ],
    'a field that does not belong': [
      'protocol: data: all of it: Unrecognized key: "nationality"',
      () => start().deposit('1', { but: { nationality: 'any' } }),
    ],
    'metadata that are none': [
      'protocol: metadata: correlationId: Invalid input: expected string, received undefined',
      () => start().deposit('1', { forged: { metadata: { correlationId: undefined } } }),
    ],
  });

  it.each([null, 7, 'text', [], {}])('an event whose metadata are %j, and goes on', (wholeMetadata) => {
    const story = start().deposit('1', { forged: { wholeMetadata } }).asset('ETH').party('p-2');
    const position = story.log.events.at(-4)?.position;
    expect(check(story)).toEqual(
      expect.arrayContaining([expect.objectContaining({ invariant: 'protocol', position })]),
    );
    expect(check(story).every((breach) => breach.position === position)).toBe(true);
  });

  it('an event that breaks a rule changes nothing for those after it', () => {
    const story = start().deposit('9').reserve('w-1', '10').reserve('w-2', '9');
    expect(check(story)).toHaveLength(1);
  });

  it('says where', () => {
    const story = start().deposit('9').reserve('w-1', '10');
    const breaches = check(story);
    expect(breaches).toEqual([
      { invariant: 6, detail: 'available BTC falls to -1', position: story.event('w-1').position },
    ]);
    expect(describeBreaches(breaches, story.log.events)).toBe(
      '6: WithdrawalReserved account-a-1@2: available BTC falls to -1',
    );
  });
});
