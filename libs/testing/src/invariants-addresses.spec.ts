import { describe, expect, it } from '@jest/globals';
import { pointerTo, type EventPointer } from '#kernel';
import { BTC_ONLY, HASH, Story, type Data } from './invariants/story.ts';
import { checkLog, describeBreaches, type CheckLogOptions } from './invariants.ts';
import { testId } from './log-builder.ts';

/** Orders that name addresses, and variations of them. */

const on = (address: string): Data => ({ kind: 'address', chain: 'bitcoin', address });
const OWN = on('bc1q');
const OTHER = on('bc1z');
const to = (...subjects: readonly Data[]): Data => ({ subjects });
const at = (story: Story, name: string): EventPointer => pointerTo(story.event(name));
/** The way in which an order on an address names a-1: through p-1, by a link. */
const by = (story: Story, link = 'linked p-1'): Data => ({
  namedBy: at(story, 'attached a-1 p-1'),
  partyId: 'p-1',
  linkedBy: at(story, link),
});

/** a-1 of p-1, who controls an address. */
const start = (): Story => new Story().asset('BTC').account('a-1', 'p-1').link('p-1');
/** That, and an order in force on the address, which names p-1. */
const ordered = (): Story => start().order('o-1', [OWN]).verify('o-1').name('o-1', 'p-1');
const authorised = (story: Story, but: Data = {}): Story =>
  story.authorise('o-1', 'k', { but: { ...by(story), ...but } });
/** That, and a-1 frozen under it. */
const frozen = (): Story => ordered().next(authorised).freeze('o-1', 'k');
/** That, and another address of p-1. */
const ofTwo = (): Story => frozen().link('p-1', 'bc1z');
/** The address is dropped, and so are the freeze and the naming. */
const dropped = (): Story => frozen().vary('o-1', to(OTHER)).liftByVariation('k').unname('o-1', 'p-1', 'varied var-1');

const good: Readonly<Record<string, () => Story>> = {
  'a freeze through an address': frozen,
  'an address in another spelling, and a variation to one more': () =>
    new Story()
      .asset('BTC')
      .account('a-1', 'p-1')
      .link('p-1', 'BC1QSPE77ED')
      .order('o-1', [on('bc1qspe77ed')])
      .verify('o-1')
      .name('o-1', 'p-1')
      .next((story) => story.authorise('o-1', 'k', { but: by(story, 'linked p-1 BC1QSPE77ED') }))
      .freeze('o-1', 'k')
      .vary('o-1', to({ ...on('bc1qspe77ed'), chain: 'Bitcoin' })),
  'an address that is dropped with all that rests on it': dropped,
  'an address in the place of which comes another of the same holder': () => ofTwo().vary('o-1', to(OTHER)),
  'an address in the place of which comes the holder, or the account': () =>
    frozen()
      .vary('o-1', to({ kind: 'party', partyId: 'p-1' }))
      .vary('o-1', to({ kind: 'account', accountId: 'a-1' }, OWN), 'var-2'),
  'a link after the variation, and a freeze anew': () =>
    frozen()
      .vary('o-1', to(OTHER))
      .link('p-1', 'bc1z')
      .liftByVariation('k')
      .next((story) => story.authorise('o-1', 'k-2', { but: by(story, 'linked p-1 bc1z') }))
      .freeze('o-1', 'k-2'),
  'an address that a variation brings in': () =>
    start()
      .order('o-1')
      .verify('o-1')
      .vary('o-1', to(OWN))
      .next((story) => story.name('o-1', 'p-1', { but: { citation: at(story, 'varied var-1') } })),
  'an address that is restored': () =>
    dropped()
      .vary('o-1', to(OWN), 'var-2')
      .next((story) => story.name('o-1', 'p-1', { but: { citation: at(story, 'varied var-2') } })),
  'references that come and go': () =>
    frozen()
      .vary('o-1', to(OWN, { kind: 'external', sha256: HASH }))
      .vary('o-1', to(OWN), 'var-2'),
  'another scope, tied by another link': () =>
    ofTwo()
      .vary('o-1', { ...to(OTHER), scope: BTC_ONLY })
      .next((story) =>
        story.authoriseAnew('o-1', 'k-2', 'k', { but: { ...by(story, 'linked p-1 bc1z'), scope: BTC_ONLY } }),
      )
      .varyFreeze('o-1', 'k', 'k-2', 'k'),
  'what was authorised before an address was dropped, given up': () =>
    ordered()
      .next(authorised)
      .vary('o-1', to(OTHER))
      .abandon('o-1', 'k', 'basis-varied')
      .unname('o-1', 'p-1', 'varied var-1'),
};

type Broken = readonly [breaches: string, tell: () => Story];

const UNNAMED = '1: the order does not name the party';
/** The freeze of a-1 is authorised by something else than the link of its holder's own address. */
const tiedBy = (tie: (story: Story) => Data, before = ordered): (() => Story) => {
  return () => before().next((story) => authorised(story, tie(story)));
};

/** Tied by a link that stands in the log, though only after the authorisation. */
function tiedLater(): Story {
  const told = start().order('o-1', [OTHER]).verify('o-1');
  const eventId = testId(told.log.events.length + 2);
  const revision = String(told.log.events.filter(({ stream }) => stream === 'party-p-1').length);
  authorised(told, { linkedBy: { stream: 'party-p-1', revision, eventId } }).link('p-1', 'bc1z');
  expect(at(told, 'linked p-1 bc1z')).toEqual({ stream: 'party-p-1', revision, eventId });
  return told;
}

const broken: Readonly<Record<string, Broken>> = {
  'a freeze by the link of another party': [
    UNNAMED,
    tiedBy(
      (story) => ({ linkedBy: at(story, 'linked p-2') }),
      () => ordered().party('p-2').link('p-2').name('o-1', 'p-2'),
    ),
  ],
  'a freeze by the link of a deposit address': [
    UNNAMED,
    tiedBy(
      (story) => ({ linkedBy: at(story, 'linked p-1 bc1z') }),
      () =>
        start()
          .link('p-1', 'bc1z', { but: { role: 'deposit-address' } })
          .order('o-1', [OTHER])
          .verify('o-1'),
    ),
  ],
  'a freeze by a link that comes later': [UNNAMED, () => tiedLater()],
  'a freeze by the link of an address that the order does not name': [
    UNNAMED,
    tiedBy(
      (story) => ({ linkedBy: at(story, 'linked p-1 bc1z') }),
      () => ordered().link('p-1', 'bc1z'),
    ),
  ],
  'a freeze by the link of an address in capitals that are a part of it': [
    UNNAMED,
    tiedBy(
      (story) => ({ linkedBy: at(story, 'linked p-1 BC1Z') }),
      () => start().link('p-1', 'BC1Z').order('o-1', [OTHER]).verify('o-1'),
    ),
  ],
  'a freeze by something else than a link': [UNNAMED, tiedBy((story) => ({ linkedBy: at(story, 'identified p-1') }))],
  'a freeze by a link where the party itself is named': [
    UNNAMED,
    tiedBy(
      () => ({}),
      () =>
        start()
          .order('o-1', [{ kind: 'party', partyId: 'p-1' }])
          .verify('o-1')
          .name('o-1', 'p-1'),
    ),
  ],
  'a freeze by the link of an address that was dropped': [
    UNNAMED,
    () => ordered().vary('o-1', to(OTHER)).next(authorised),
  ],
  'a lift by a variation that names another address of the holder': [
    '3: the citation is not the variation that ended the freeze',
    () => ofTwo().vary('o-1', to(OTHER)).liftByVariation('k'),
  ],
  'a lift by the later of two variations that dropped the address': [
    '3: the citation is not the variation that ended the freeze',
    () =>
      frozen()
        .vary('o-1', to(OTHER))
        .vary('o-1', to(on('bc1y')), 'var-2')
        .liftByVariation('k', 'var-2'),
  ],
  'an authorisation given up by a variation that names another address of the holder': [
    'protocol: abandoned as basis-varied: untrue',
    () => ordered().next(authorised).link('p-1', 'bc1z').vary('o-1', to(OTHER)).abandon('o-1', 'k', 'basis-varied'),
  ],
  'an authorisation given up for a freeze that a variation had ended': [
    'protocol: abandoned as already-frozen: untrue',
    () =>
      frozen()
        .vary('o-1', to(OTHER))
        .link('p-1', 'bc1z')
        .next((story) => story.authorise('o-1', 'k-2', { but: by(story, 'linked p-1 bc1z') }))
        .abandonAsFrozen('o-1', 'k-2', 'k'),
  ],
  'a freeze that is varied by a link which came after the variation that ended it': [
    '1: authorised anew though a variation had ended it',
    () =>
      frozen()
        .vary('o-1', { ...to(OTHER), scope: BTC_ONLY })
        .link('p-1', 'bc1z')
        .next((story) =>
          story.authoriseAnew('o-1', 'k-2', 'k', { but: { ...by(story, 'linked p-1 bc1z'), scope: BTC_ONLY } }),
        ),
  ],
  'a naming by an order that dropped the address': [
    '14: the basis does not name the party',
    () =>
      start()
        .order('o-1', [OWN])
        .verify('o-1')
        .vary('o-1', to(OTHER))
        .next((story) => story.name('o-1', 'p-1', { but: { citation: at(story, 'varied var-1') } })),
  ],
  'a naming since a variation before which another address named the party': [
    '14: the basis named the party before',
    () =>
      start()
        .link('p-1', 'bc1z')
        .order('o-1', [OWN])
        .verify('o-1')
        .vary('o-1', to(OTHER))
        .next((story) => story.name('o-1', 'p-1', { but: { citation: at(story, 'varied var-1') } })),
  ],
  'a naming undone by a variation that names another address of the party': [
    '14: the citation is not the end of the basis, nor of the naming',
    () => ofTwo().vary('o-1', to(OTHER)).unname('o-1', 'p-1', 'varied var-1'),
  ],
};

const OUTLIVES = '13: the freeze outlives a variation that ended it';
const undone: Readonly<Record<string, Broken>> = {
  'a freeze that outlives a variation which dropped its address': [
    OUTLIVES,
    () => frozen().vary('o-1', to(OTHER)).unname('o-1', 'p-1', 'varied var-1'),
  ],
  'a freeze that a link after the variation is said to save': [
    OUTLIVES,
    () => frozen().vary('o-1', to(OTHER)).link('p-1', 'bc1z'),
  ],
  'a freeze that is said to be saved by an address given out for deposits, or by one of another party': [
    OUTLIVES,
    () =>
      frozen()
        .link('p-1', 'bc1z', { but: { role: 'deposit-address' } })
        .party('p-2')
        .link('p-2', 'bc1z')
        .vary('o-1', to(OTHER))
        .unname('o-1', 'p-1', 'varied var-1')
        .next((story) => story.name('o-1', 'p-2', { but: { citation: at(story, 'varied var-1') } })),
  ],
  'a freeze that was dropped, and restored': [OUTLIVES, () => restored()],
  'a party that is named by an address which was dropped': [
    '12: the party is still named by a basis that dropped it',
    () => frozen().vary('o-1', to(OTHER)).liftByVariation('k'),
  ],
  'a party whose address a variation brought in': [
    '12: p-1 does not carry the name of the basis',
    () => start().order('o-1').verify('o-1').vary('o-1', to(OWN)),
  ],
};
function restored(): Story {
  return frozen()
    .vary('o-1', to(OTHER))
    .vary('o-1', to(OWN), 'var-2')
    .unname('o-1', 'p-1', 'varied var-1')
    .next((story) => story.name('o-1', 'p-1', { but: { citation: at(story, 'varied var-2') } }));
}

function breachesOf(story: Story, options?: CheckLogOptions): readonly string[] {
  return checkLog(story.log.events, options).map(({ invariant, detail }) => `${String(invariant)}: ${detail}`);
}

describe('of orders on addresses, checkLog passes', () => {
  it.each(Object.entries(good))('%s', (_name, tell) => {
    const { log } = tell();
    expect(describeBreaches(checkLog(log.events, { quiescent: true }), log.events)).toBe('');
  });
});

describe('of orders on addresses, checkLog catches', () => {
  it.each(Object.entries(broken))('%s', (_name, [expected, tell]) => {
    expect(breachesOf(tell())).toEqual([expected]);
  });
});

describe('of orders on addresses, checkLog catches, once it is quiet,', () => {
  it.each(Object.entries(undone))('%s', (_name, [expected, tell]) => {
    const story = tell();
    expect(breachesOf(story)).toEqual([]);
    expect(breachesOf(story, { quiescent: true })).toEqual([expected]);
  });
});
