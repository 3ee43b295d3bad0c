import { describe, expect, it } from '@jest/globals';
import { pointerTo } from '#kernel';
import { ALL, BTC_ONLY, HASH, Story, type Data } from './invariants/story.ts';
import { checkLog, describeBreaches } from './invariants.ts';

const ON_ADDRESS = { kind: 'address', chain: 'bitcoin', address: 'bc1q' };
const LESSER = { uid: '1', sha256: HASH, name: 'X', programmes: ['P'], measure: 'trading-ban' };

/** BTC, the party p-1 and its open account a-1. */
const start = (): Story => new Story().asset('BTC').account('a-1', 'p-1');
/** That, and a hit on the party that is only raised. */
const raised = (): Story => start().hit('h-1');
/** That, confirmed and named. */
const confirmed = (): Story => raised().confirm('h-1').name('h-1', 'p-1');
/** That, and the account frozen under it. */
const frozen = (): Story => confirmed().deposit('100').authoriseByHit('h-1', 'k').freeze('h-1', 'k');
/** A confirmed hit on an address that p-1 controls, and p-1 named by it. */
const onAddress = (): Story => start().link('p-1').hit('h-1', ON_ADDRESS).confirm('h-1').name('h-1', 'p-1');
const linkedBy = (story: Story): Data => ({ linkedBy: pointerTo(story.event('linked p-1')) });

/** That an answer rests on h-1, as of a revision of it. */
const granting = (revision: string): Data => ({
  outcome: 'granted',
  basis: { kind: 'sanctions-hit', id: 'h-1' },
  inForceAt: { stream: 'sanctionsHit-h-1', revision },
});

const good: Readonly<Record<string, () => Story>> = {
  'a freeze under a hit that is cleared': () =>
    frozen()
      .refuseFrozen(['k'])
      .proposeClearance('h-1')
      .clear('h-1')
      .lift('h-1', 'k')
      .unname('h-1', 'p-1')
      .reserve('w-1', '100'),

  'a freeze of a hit and one of an order, stacked': () =>
    frozen().order('o-1').verify('o-1').authorise('o-1', 'k-2').freeze('o-1', 'k-2').refuseFrozen(['k', 'k-2']),

  'a freeze narrower than its hit, lifted as placed in error': () =>
    confirmed()
      .authoriseByHit('h-1', 'k', { but: { scope: BTC_ONLY } })
      .freeze('h-1', 'k')
      .requestLift('k')
      .approveLift('k'),

  'a clearance that is rejected, and a freeze after it': () =>
    confirmed().proposeClearance('h-1').rejectClearance('h-1').authoriseByHit('h-1', 'k').freeze('h-1', 'k'),

  'a dismissed hit, a hit of a lesser measure, and an account opened all the same': () =>
    raised()
      .dismiss('h-1')
      .hit('h-2', undefined, { but: { entry: LESSER } })
      .confirm('h-2')
      .attach('a-2', 'p-1')
      .opened('a-2', ['p-1']),

  'an answer to a letter under a hit, which is cleared later': () =>
    confirmed()
      .letter()
      .answer('req-1', { but: granting('1') })
      .proposeClearance('h-1')
      .clear('h-1')
      .unname('h-1', 'p-1'),

  'a freeze under a hit on an address': () =>
    onAddress()
      .next((story) => story.authoriseByHit('h-1', 'k', { but: linkedBy(story) }))
      .freeze('h-1', 'k'),

  'a party that is named late, after the end, and unnamed once more': () =>
    confirmed().proposeClearance('h-1').clear('h-1').unname('h-1', 'p-1').name('h-1', 'p-1').unname('h-1', 'p-1'),

  'refusals that were true': () =>
    raised()
      .refuse('account-a-1', 'basis-not-in-force', refusedOn('h-1', '0'))
      .confirm('h-1')
      .name('h-1', 'p-1')
      .refuse('sanctionsHit-h-1', 'maker-is-checker', { but: { command: 'ConfirmSanctionsHit' } })
      .party('p-2')
      .hit('h-2', { kind: 'party', partyId: 'p-2' })
      .confirm('h-2')
      .name('h-2', 'p-2')
      .refuse('account-a-1', 'basis-does-not-name-account', refusedOn('h-2', '1'))
      .refuse('account-a-1', 'basis-not-found', refusedOn('h-3', null)),
};

function refusedOn(id: string, revision: string | null): { but: Data } {
  const request = { basis: { kind: 'sanctions-hit', id } };
  return { but: { request, decidedOn: { stream: `sanctionsHit-${id}`, revision } } };
}

const broken: Readonly<Record<string, [string, () => Story]>> = {
  'a hit on nobody': [
    '1: names a party that there is not',
    () => start().hit('h-1', { kind: 'party', partyId: 'p-9' }),
  ],
  'a hit raised twice': ['protocol: the hit is raised already', () => raised().hit('h-1')],
  'a hit in the name of another': [
    'protocol: raisedBy is not who acted',
    () => start().hit('h-1', undefined, { but: { raisedBy: 'other' } }),
  ],
  'a confirmation of nothing': ['protocol: the hit was never raised', () => start().confirm('h-1')],
  'a confirmation by the maker': [
    '9: maker checks what he or she made',
    () => raised().confirm('h-1', { actor: 'maker', but: { confirmedBy: 'maker' } }),
  ],
  'a dismissal by the maker': [
    '9: maker checks what he or she made',
    () => raised().dismiss('h-1', { actor: 'maker', but: { dismissedBy: 'maker' } }),
  ],
  'a confirmation after a dismissal': [
    'protocol: the hit was confirmed or dismissed before',
    () => raised().dismiss('h-1').confirm('h-1'),
  ],
  'a clearance of an unconfirmed hit': ['protocol: the hit is not confirmed', () => raised().proposeClearance('h-1')],
  'a clearance proposed twice': [
    'protocol: the clearance was proposed already',
    () => confirmed().proposeClearance('h-1').proposeClearance('h-1'),
  ],
  'a clearance in the name of another': [
    'protocol: proposedBy is not who acted',
    () => confirmed().proposeClearance('h-1', 'cl-1', { but: { proposedBy: 'other' } }),
  ],
  'a clearance without proposal': ['protocol: no such clearance was proposed', () => confirmed().clear('h-1')],
  'a clearance by its proposer': [
    '9: maker checks what he or she made',
    () =>
      confirmed()
        .proposeClearance('h-1')
        .clear('h-1', 'cl-1', { actor: 'maker', but: { approvedBy: 'maker' } }),
  ],
  'a clearance that was rejected': [
    'protocol: the clearance was decided before',
    () => confirmed().proposeClearance('h-1').rejectClearance('h-1').clear('h-1'),
  ],
  'a clearance for another cause': [
    '9: the clearance is not the one that was proposed',
    () =>
      confirmed()
        .proposeClearance('h-1')
        .clear('h-1', 'cl-1', { but: { cause: 'mistaken-identity' } }),
  ],
  'a second clearance': [
    'protocol: the hit was cleared before',
    () => confirmed().proposeClearance('h-1').proposeClearance('h-1', 'cl-2').clear('h-1').clear('h-1', 'cl-2'),
  ],

  'a letter granted under a hit that was not confirmed then': [
    'protocol: answered under a basis, though it is not confirmed',
    () =>
      confirmed()
        .letter()
        .answer('req-1', { but: granting('0') }),
  ],
  'a letter granted under a hit that is cleared': [
    'protocol: answered under a basis, though it is cleared',
    () =>
      confirmed()
        .proposeClearance('h-1')
        .clear('h-1')
        .letter()
        .answer('req-1', { but: granting('3') }),
  ],

  'a freeze under a hit that is only raised': [
    '1: authorised under a hit, though it is not confirmed',
    () => raised().authoriseByHit('h-1', 'k'),
  ],
  'a freeze while a clearance is proposed': [
    '1: authorised under a hit, though its clearance is proposed',
    () => confirmed().proposeClearance('h-1').authoriseByHit('h-1', 'k'),
  ],
  'a freeze after the clearance': [
    '1: authorised under a hit, though it is cleared',
    () => confirmed().proposeClearance('h-1').clear('h-1').authoriseByHit('h-1', 'k'),
  ],
  'a freeze for a lesser measure': [
    '1: authorised under a hit, though its measure freezes nothing',
    () =>
      start()
        .hit('h-1', undefined, { but: { entry: LESSER } })
        .confirm('h-1')
        .authoriseByHit('h-1', 'k'),
  ],
  'a freeze for another party': [
    '1: the hit does not name the party',
    () => start().party('p-2').hit('h-1', { kind: 'party', partyId: 'p-2' }).confirm('h-1').authoriseByHit('h-1', 'k'),
  ],
  'a freeze of an account that a hit is said to name itself': [
    '1: a hit names no account by itself',
    () => confirmed().authoriseByHit('h-1', 'k', { but: { partyId: undefined } }),
  ],
  'a freeze under a hit that speaks of an order': [
    'protocol: it speaks of an order',
    () => confirmed().authoriseByHit('h-1', 'k', { but: { orderId: 'o-1' } }),
  ],
  'a freeze of more than debits': [
    '1: it covers more than debits',
    () => confirmed().authoriseByHit('h-1', 'k', { but: { scope: { ...ALL, direction: 'credit' } } }),
  ],
  'a freeze in the name of another': [
    'protocol: requestedBy is not whose key it is',
    () => confirmed().authoriseByHit('h-1', 'k', { but: { requestedBy: 'other' } }),
  ],
  'a freeze through an address without the link': [
    '1: linkedBy does not link the address to the party as its own',
    () => onAddress().authoriseByHit('h-1', 'k'),
  ],
  'a freeze through an address that is ours': [
    '1: the hit does not name the party',
    () =>
      start()
        .link('p-1', 'bc1q', { but: { role: 'deposit-address' } })
        .hit('h-1', ON_ADDRESS)
        .confirm('h-1')
        .next((story) => story.authoriseByHit('h-1', 'k', { but: linkedBy(story) })),
  ],
  'a link where the party itself is named': [
    '1: a hit on a party needs no address',
    () =>
      confirmed()
        .link('p-1')
        .next((story) => story.authoriseByHit('h-1', 'k', { but: linkedBy(story) })),
  ],
  'an address linked twice': ['protocol: the address is linked in that role already', () => onAddress().link('p-1')],

  'a lift by a clearance that is only proposed': [
    '3: the citation is not the end of the basis',
    () =>
      frozen()
        .proposeClearance('h-1')
        .next((story) => story.clear('h-1').lift('h-1', 'k', { but: { citation: pointerTo(story.event('cl-1')) } })),
  ],
  'a lift in the name of others': [
    '3: requestedBy and approvedBy are not those who ended the basis',
    () =>
      frozen()
        .proposeClearance('h-1')
        .clear('h-1')
        .lift('h-1', 'k', { but: { approvedBy: 'third' } }),
  ],
  'a party named by a hit that is only raised': [
    '14: the citation is not what put the basis in force',
    () =>
      raised().next((story) =>
        story.confirm('h-1').name('h-1', 'p-1', { but: { citation: pointerTo(story.event('h-1')) } }),
      ),
  ],
  'a party named by a hit on another': [
    '14: the basis does not name the party',
    () => start().party('p-2').hit('h-1').confirm('h-1').name('h-1', 'p-2'),
  ],
  'an account opened while a hit names the holder': [
    '14: attached to a party while a basis names it',
    () => confirmed().attach('a-2', 'p-1'),
  ],
  'a refusal on a hit by one who made nothing of it': [
    '10: maker-is-checker: who was refused had made nothing here',
    () => raised().refuse('sanctionsHit-h-1', 'maker-is-checker', { actor: 'other' }),
  ],
  'a refusal of a hit that was in force': [
    '10: basis-not-in-force: the basis was in force',
    () => confirmed().refuse('account-a-1', 'basis-not-in-force', refusedOn('h-1', '1')),
  ],
  'a refusal of a hit that names the holder': [
    '10: basis-does-not-name-account: the basis names the account',
    () => confirmed().refuse('account-a-1', 'basis-does-not-name-account', refusedOn('h-1', '1')),
  ],
  'a refusal of a hit on an address that was linked long before': [
    '10: basis-does-not-name-account: the basis names the account',
    () => onAddress().refuse('account-a-1', 'basis-does-not-name-account', refusedOn('h-1', '1')),
  ],
};

const undone: Readonly<Record<string, [string, () => Story]>> = {
  'a party that a hit does not name yet': [
    '12: p-1 does not carry the name of the basis',
    () => raised().confirm('h-1'),
  ],
  'a party to which the address was linked later': [
    '12: p-1 does not carry the name of the basis',
    () => start().hit('h-1', ON_ADDRESS).confirm('h-1').link('p-1'),
  ],
  'a party named late and not unnamed once more': [
    '12: the party is still named by a basis that ended',
    () => confirmed().proposeClearance('h-1').clear('h-1').unname('h-1', 'p-1').name('h-1', 'p-1'),
  ],
  'a freeze that outlives its hit': [
    '13: the freeze outlives its basis',
    () => frozen().proposeClearance('h-1').clear('h-1').unname('h-1', 'p-1'),
  ],
};

function found(story: Story, quiescent = false): readonly string[] {
  return checkLog(story.log.events, { quiescent }).map(({ invariant, detail }) => `${String(invariant)}: ${detail}`);
}

describe('of hits, checkLog passes', () => {
  it.each(Object.entries(good))('%s', (_name, tell) => {
    const { events } = tell().log;
    expect(describeBreaches(checkLog(events, { quiescent: true }), events)).toBe('');
  });
});

describe('of hits, checkLog catches', () => {
  it.each(Object.entries(broken))('%s', (_name, [expected, tell]) => {
    expect(found(tell())).toEqual([expected]);
  });
});

describe('of hits, checkLog catches, once it is quiet,', () => {
  it.each(Object.entries(undone))('%s', (_name, [expected, tell]) => {
    expect(found(tell())).toEqual([]);
    expect(found(tell(), true)).toEqual([expected]);
  });
});
