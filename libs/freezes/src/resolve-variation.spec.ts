import { describe, expect, it } from '@jest/globals';
import {
  pointerTo,
  type BasisEnd,
  type DomainEvent,
  type EventPointer,
  type Recorded,
  type RecordedEvent,
  type Scope,
} from '#kernel';
import {
  checkLegalOrder,
  evolveLegalOrder,
  initialLegalOrderState,
  type FreezeAuthorised,
  type Instrument,
  type LegalOrderEvent,
} from '#legal-orders';
import {
  authorisedFreeze,
  LogBuilder,
  registeredOrder,
  SAMPLE_CHECKER,
  SAMPLE_MAKER,
  SAMPLE_ORDER_STREAM,
  sampleAddress,
  sampleInstrument,
  testId,
  verifiedOrder,
} from '#testing';
import type { AccountFrozen, AccountUnfrozen, FreezeAbandoned, FreezeEvent, FreezeVaried } from './events.ts';
import {
  resolveAbandonment,
  resolveCitation,
  resolveLift,
  resolveVariation,
  type CitedAbandonment,
  type CitedBasisEvent,
  type CitedLift,
  type CitedVariation,
  type Resolution,
} from './resolve.ts';
import { evolveFreezes, initialFreezesState, type FreezesState } from './state.ts';

const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const account = 'account-acc-1';
const party = 'party-p-1';
const wide: Scope = sampleInstrument.scope;
const narrow: Scope = { direction: 'debit', assets: ['BTC'] };
const onlyOther = [{ kind: 'account', accountId: 'acc-2' } as const];

interface Varied {
  readonly scope?: Scope;
  readonly subjects?: Instrument['subjects'];
}

/** A variation of the order, proposed and verified. @returns the latter */
function vary(log: LogBuilder, changeId: string, varied: Varied): RecordedEvent {
  const document = { documentSha256: 'd'.repeat(64), issuedAt: '2022-04-01T00:00:00.000Z', reference: 'r' };
  const change = { orderId: 'ord-1', changeId, ...varied };
  log.append(SAMPLE_ORDER_STREAM, {
    type: 'LegalOrderChangeProposed',
    data: { ...change, kind: 'variation', ...document, proposedBy: SAMPLE_MAKER },
  });
  const people = { proposedBy: SAMPLE_MAKER, verifiedBy: SAMPLE_CHECKER };
  return log.append(SAMPLE_ORDER_STREAM, { type: 'LegalOrderVaried', data: { ...change, method: 'm', ...people } });
}

function authorise(log: LogBuilder, changes: Partial<FreezeAuthorised['data']>): Recorded<FreezeAuthorised> {
  return log.append(SAMPLE_ORDER_STREAM, authorisedFreeze(changes)) as Recorded<FreezeAuthorised>;
}

function attached(accountId = 'acc-1'): DomainEvent {
  const holder = { partyId: 'p-1', capacity: 'owner' };
  const opening = { accountId, holders: [holder], key: { caller: 'svc', value: 'k' }, commandHash: 'c'.repeat(64) };
  return { type: 'AccountAttached', data: { ...holder, accountId, opening } };
}

function linked(address: string): DomainEvent {
  const { chain } = sampleAddress;
  return { type: 'AddressLinked', data: { partyId: 'p-1', chain, address, role: 'holder-controlled' } };
}

/** The order as its own rule makes it: what should never be changes nothing and can't be cited. */
function fold(log: LogBuilder): {
  readonly cite: (pointer: EventPointer) => CitedBasisEvent;
  readonly lostBy: CitedVariation['lostBy'];
} {
  const legal = new Map<string, Recorded<LegalOrderEvent>>();
  let state = initialLegalOrderState();
  for (const event of log.events as unknown as Recorded<LegalOrderEvent>[]) {
    if (event.stream !== SAMPLE_ORDER_STREAM || checkLegalOrder(state, event) !== undefined) continue;
    legal.set(String(event.revision), event);
    state = evolveLegalOrder(state, event);
  }
  return {
    cite: ({ revision }) => legal.get(revision),
    lostBy: (citation) => droppedBy([...legal.values()], citation),
  };
}

/** The first variation after a citation that names neither the account nor its holder. */
function droppedBy(order: readonly Recorded<LegalOrderEvent>[], citation: EventPointer): BasisEnd | undefined {
  for (const event of order) {
    if (event.type !== 'LegalOrderVaried' || event.revision <= Number(citation.revision)) continue;
    const { subjects, proposedBy, verifiedBy } = event.data;
    if (subjects === undefined || subjects.some(isOurs)) continue;
    const people = { requestedBy: proposedBy, approvedBy: verifiedBy };
    return { pointer: pointerTo(event), ...people, endedAt: event.metadata.recordedAt };
  }
  return undefined;
}

function isOurs(subject: Instrument['subjects'][number]): boolean {
  if (subject.kind === 'account') return subject.accountId === 'acc-1';
  return subject.kind === 'party' && subject.partyId === 'p-1';
}

interface Scene {
  /** Whom the order names. Default: the account, and its holder. */
  readonly subjects?: Instrument['subjects'];
  /** What ties the account in both authorisations. Default: the order's registration. */
  readonly tie?: 'attachment' | 'link';
  /** What comes between the variation and the authorisation anew. */
  readonly between?: readonly Varied[];
  /** What comes after the authorisation anew. */
  readonly after?: readonly Varied[];
  readonly anew?: Partial<FreezeAuthorised['data']>;
  readonly varied?: Partial<FreezeVaried['data']>;
}

interface Played {
  readonly log: LogBuilder;
  /** The authorisation with which the freeze began, and the one that takes its place. */
  readonly first: Recorded<FreezeAuthorised>;
  readonly second: Recorded<FreezeAuthorised>;
  readonly frozen: Recorded<AccountFrozen>;
  readonly input: CitedVariation;
}

/** A freeze, a variation that narrows its order, and what varies the freeze; a specification spoils one thing. */
function play({ subjects, tie, between = [], after = [], anew, varied }: Scene = {}): Played {
  const log = new LogBuilder();
  const attachment = log.append(party, attached());
  const link = log.append(party, linked(sampleAddress.address));
  const registration = log.append(SAMPLE_ORDER_STREAM, registeredOrder(subjects === undefined ? {} : { subjects }));
  log.append(SAMPLE_ORDER_STREAM, verifiedOrder());
  const byParty = { namedBy: pointerTo(attachment), partyId: 'p-1' };
  const tied =
    tie === undefined
      ? { namedBy: pointerTo(registration) }
      : { ...byParty, ...(tie === 'link' ? { linkedBy: pointerTo(link) } : {}) };
  const first = authorise(log, tied);
  const frozen = log.append(account, frozenBy(first)) as Recorded<AccountFrozen>;
  vary(log, 'chg-1', { scope: narrow });
  for (const [index, change] of between.entries()) vary(log, `between-${String(index)}`, change);
  const second = authorise(log, { ...tied, scope: narrow, replaces: pointerTo(first), ...anew });
  for (const [index, change] of after.entries()) vary(log, `after-${String(index)}`, change);
  const event = log.append(account, variedBy(second, first, varied)) as Recorded<FreezeVaried>;
  const { cite, lostBy } = fold(log);
  const ties = { namedByEvent: at(log, second.data.namedBy), linkedByEvent: tie === 'link' ? link : undefined };
  const input = { event, cited: cite(event.data.citation), ...ties, addresses: [], holders: ['p-1'], lostBy };
  return { log, first, second, frozen, input };
}

function frozenBy(authorisation: Recorded<FreezeAuthorised>): AccountFrozen {
  const found = { balancesAtFreeze: [], stopped: [], inFlight: [], blockedFrom: '2022-03-01T00:00:00.000Z' };
  const { scope } = authorisation.data;
  const placed = { placedBy: SAMPLE_MAKER, claimGroup: 'legal-order/ord-1', scope, ...found };
  const citation = pointerTo(authorisation);
  return {
    type: 'AccountFrozen',
    data: { accountId: 'acc-1', freezeId: citation.eventId, basis, citation, ...placed },
  };
}

function variedBy(
  second: Recorded<FreezeAuthorised>,
  first: Recorded<FreezeAuthorised>,
  changes: Partial<FreezeVaried['data']> = {},
): FreezeVaried {
  const about = { accountId: 'acc-1', freezeId: first.id, basis, citation: pointerTo(second) };
  const scope = second.data.scope;
  const data = { ...about, replaces: pointerTo(first), scope, stopped: [], inFlight: [], ...changes };
  return { type: 'FreezeVaried', data };
}

function at(log: LogBuilder, { stream, revision }: EventPointer): RecordedEvent | undefined {
  return log.events.find((event) => event.stream === stream && String(event.revision) === revision);
}

function said(resolution: Resolution): string {
  return resolution.ok ? 'resolves' : resolution.reason;
}

function reason(input: CitedVariation): string {
  return said(resolveVariation(input));
}

/** As `input`, with an event of which something else is said. */
function saying(input: CitedVariation, changes: Partial<FreezeVaried['data']>): CitedVariation {
  return { ...input, event: { ...input.event, data: { ...input.event.data, ...changes } } };
}

describe('a freeze that is varied resolves', () => {
  it('by an authorisation in the place of the one that it rested on', () => {
    expect(reason(play().input)).toBe('resolves');
  });

  it('by an authorisation whose account is tied through its holder, or an address of the holder', () => {
    const ofParty = play({ subjects: [{ kind: 'party', partyId: 'p-1' }], tie: 'attachment' });
    expect(reason(ofParty.input)).toBe('resolves');
    const ofAddress = play({ subjects: [sampleAddress], tie: 'link' });
    expect(reason({ ...ofAddress.input, addresses: [sampleAddress] })).toBe('resolves');
  });

  it('also before it is stored', () => {
    const { input } = play();
    expect(reason({ ...input, event: { ...input.event, position: '' } })).toBe('resolves');
  });

  it('also where a later variation ended it since: nothing later is looked at', () => {
    const { input } = play({ after: [{ subjects: onlyOther }] });
    expect(input.lostBy(input.event.data.replaces)).toBeDefined();
    expect(reason(input)).toBe('resolves');
  });

  it('also of a freeze that was varied before, whose id is that of its first authorisation', () => {
    const { log, first, second } = play();
    vary(log, 'chg-2', { scope: wide });
    const third = authorise(log, { namedBy: first.data.namedBy, replaces: pointerTo(second) });
    const changes = { freezeId: first.id };
    const event = log.append(account, variedBy(third, second, changes)) as Recorded<FreezeVaried>;
    const { cite, lostBy } = fold(log);
    const ties = { namedByEvent: at(log, third.data.namedBy), addresses: [] };
    expect(reason({ event, cited: cite(event.data.citation), ...ties, lostBy })).toBe('resolves');
  });
});

describe('a freeze that is varied does not resolve', () => {
  it.each<[string, Partial<EventPointer>]>([
    ['a revision beyond the end', { revision: '77' }],
    ['another event than stands at the revision', { eventId: testId(77) }],
    ['the same place on another stream', { stream: 'legalOrder-ord-2' }],
  ])('if it cites %s', (_what, wrong) => {
    const { input } = play();
    const citation = { ...input.event.data.citation, ...wrong };
    expect(reason(saying(input, { citation }))).toBe('the cited event does not exist');
  });

  it('if nothing that may be cited stands there', () => {
    expect(reason({ ...play().input, cited: undefined })).toBe('the cited event does not exist');
  });

  it('if it cites what is no authorisation', () => {
    const { log, input } = play();
    const variation = log.events.find(({ type }) => type === 'LegalOrderVaried');
    if (variation === undefined) throw new Error('the order has to be varied');
    const citation = pointerTo(variation);
    expect(reason({ ...saying(input, { citation }), cited: fold(log).cite(citation) })).toMatch(/authorises no freeze/);
  });

  it('if it cites the authorisation with which the freeze began', () => {
    const { log, first, input } = play();
    const citation = pointerTo(first);
    const spoilt = { ...saying(input, { citation }), cited: fold(log).cite(citation) };
    expect(reason(spoilt)).toBe('the cited event places a freeze, and varies none');
  });

  it('if it is under another basis', () => {
    const { input } = play();
    const other = { kind: 'legal-order', id: 'ord-2' } as const;
    expect(reason(saying(input, { basis: other }))).toMatch(/not on the stream of the basis/);
  });

  it('if it is of another account, or stands on the stream of one', () => {
    const { input } = play();
    expect(reason(saying(input, { accountId: 'acc-2' }))).toMatch(/another account/);
    expect(reason({ ...input, event: { ...input.event, stream: 'account-acc-2' } })).toMatch(/another account/);
  });

  it('if it comes before what it cites', () => {
    const { input, second, first } = play();
    for (const { position } of [second, first]) {
      expect(reason({ ...input, event: { ...input.event, position } })).toMatch(/later than/);
    }
  });

  it('if it says that another authorisation was replaced', () => {
    const { input, second, first } = play();
    for (const replaces of [pointerTo(second), { ...pointerTo(first), revision: '9' }]) {
      expect(reason(saying(input, { replaces }))).toBe('the cited event replaces another authorisation');
    }
  });

  it('if it covers more or less than was authorised', () => {
    const { input } = play();
    for (const scope of [wide, { ...narrow, direction: 'both' }, { ...narrow, limits: { BTC: '1' } }] as Scope[]) {
      expect(reason(saying(input, { scope }))).toBe('the scope is not the one that was authorised');
    }
  });

  it('if a variation between the two authorisations dropped the account, also one that was undone', () => {
    const between = [{ subjects: onlyOther }, { subjects: [{ kind: 'account', accountId: 'acc-1' } as const] }];
    expect(reason(play({ between }).input)).toBe('a variation had ended the freeze');
  });

  it('if what ties the account is not there, or came later', () => {
    const { input, second } = play();
    expect(reason({ ...input, namedByEvent: undefined })).toMatch(/names the account does not exist/);
    const namedByEvent = { ...input.namedByEvent, position: second.position } as RecordedEvent;
    expect(reason({ ...input, namedByEvent })).toMatch(/later than the authorisation/);
  });

  it('if the party through which the order names it was never attached to it, or does not hold it', () => {
    const { input } = play({ subjects: [{ kind: 'party', partyId: 'p-1' }], tie: 'attachment' });
    const namedByEvent = { ...input.namedByEvent, data: attached('acc-2').data } as RecordedEvent;
    expect(reason({ ...input, namedByEvent })).toMatch(/not attached/);
    expect(reason({ ...input, holders: ['p-2'] })).toMatch(/does not hold/);
  });

  it('if the address through which the order names it was not linked', () => {
    const { input } = play({ subjects: [sampleAddress], tie: 'link' });
    expect(reason({ ...input, addresses: [sampleAddress], linkedByEvent: undefined })).toMatch(/does not exist/);
    expect(reason({ ...input, addresses: [{ ...sampleAddress, address: 'bc1qother' }] })).toMatch(/as its own/);
  });

  it('if a freeze on whose end it relies had not ended', () => {
    const ended = { freezeId: testId(50), endedBy: { stream: 'account-acc-2', revision: '3', eventId: testId(51) } };
    const { input } = play({ anew: { endedFreezes: [ended] } });
    expect(reason({ ...input, ended: [true] })).toBe('resolves');
    expect(reason({ ...input, ended: [false] })).toMatch(/had not ended/);
    expect(reason({ ...input, ended: undefined })).toMatch(/had not ended/);
  });
});

describe('an authorisation that varies a freeze', () => {
  it('places none', () => {
    const { log, second } = play();
    const event = log.append(account, frozenBy(second)) as Recorded<AccountFrozen>;
    const namedByEvent = at(log, second.data.namedBy);
    const cited = fold(log).cite(event.data.citation);
    expect(said(resolveCitation({ event, cited, namedByEvent, addresses: [] }))).toMatch(/varies a freeze, and places/);
  });
});

/** The freezes of the account after these events. */
function after(...events: readonly Recorded<FreezeEvent>[]): FreezesState {
  return events.reduce(evolveFreezes, initialFreezesState());
}

describe('an authorisation abandoned where a basis is varied', () => {
  /** The freeze rests on the first authorisation unless `freezes` says otherwise. */
  function abandoned(
    data: Partial<FreezeAbandoned['data']>,
    { of, ...more }: Partial<CitedAbandonment> & { readonly of?: Scene } = {},
  ): string {
    const { log, frozen, first, second } = play(of);
    const about = { accountId: 'acc-1', freezeId: second.id, basis, citation: pointerTo(second) };
    const whole: FreezeAbandoned['data'] = { ...about, replaces: pointerTo(first), reason: 'superseded', ...data };
    const event = log.append(account, { type: 'FreezeAbandoned', data: whole }) as Recorded<FreezeAbandoned>;
    const { cite, lostBy } = fold(log);
    const facts = { ending: undefined, varied: undefined, holders: ['p-1'], keyStands: false };
    const cited = cite(event.data.citation);
    return said(resolveAbandonment({ event, cited, freezes: after(frozen), lostBy, ...facts, ...more }));
  }

  it('as superseded: only where no freeze rests on what it replaces', () => {
    const { frozen, input } = play();
    expect(abandoned({})).toBe('what it replaces stands');
    expect(abandoned({}, { freezes: initialFreezesState() })).toBe('resolves');
    expect(abandoned({}, { freezes: after(frozen, input.event) })).toBe('resolves');
  });

  it('says itself what it was to replace', () => {
    const freezes = initialFreezesState();
    const { second } = play();
    expect(abandoned({ replaces: pointerTo(second) }, { freezes })).toMatch(/says otherwise/);
    expect(abandoned({ replaces: undefined }, { freezes })).toMatch(/says otherwise/);
  });

  it('as superseded: never where it places a freeze', () => {
    const { log, first } = play();
    const about = { accountId: 'acc-1', freezeId: first.id, basis, citation: pointerTo(first) };
    const data: FreezeAbandoned['data'] = { ...about, reason: 'superseded' };
    const event = log.append(account, { type: 'FreezeAbandoned', data }) as Recorded<FreezeAbandoned>;
    const { cite, lostBy } = fold(log);
    const facts = { ending: undefined, varied: undefined, holders: [], keyStands: false };
    const freezes = initialFreezesState();
    const input = { event, cited: cite(event.data.citation), freezes, lostBy, ...facts };
    expect(said(resolveAbandonment(input))).toBe('what it replaces stands');
    const claimed = { ...event, data: { ...data, replaces: pointerTo(first) } };
    expect(said(resolveAbandonment({ ...input, event: claimed }))).toMatch(/says otherwise/);
  });

  it('as ended by a variation: only where that is earlier in the log', () => {
    const { log } = play({ after: [{ subjects: onlyOther }] });
    const varied = log.events.findLast(({ type }) => type === 'LegalOrderVaried') as CitedBasisEvent;
    const reasoned = { reason: 'basis-varied' } as const;
    expect(abandoned(reasoned, { of: { after: [{ subjects: onlyOther }] }, varied })).toBe('resolves');
    expect(abandoned(reasoned)).toBe('no variation had ended it');
    const late = { ...varied, position: 'f'.repeat(16) } as CitedBasisEvent;
    expect(abandoned(reasoned, { varied: late })).toBe('no variation had ended it');
  });

  it('for a freeze in its way: only where no variation had ended that one', () => {
    const { log, frozen, first } = play();
    const early = authorise(log, { namedBy: first.data.namedBy, scope: narrow });
    vary(log, 'chg-2', { subjects: onlyOther });
    const namedBy = pointerTo(vary(log, 'chg-3', { subjects: sampleInstrument.subjects }));
    const late = authorise(log, { namedBy, scope: narrow });
    const about = { accountId: 'acc-1', basis, reason: 'already-frozen', existingFreezeId: first.id } as const;
    const answer = (authorisation: Recorded<FreezeAuthorised>): string => {
      const data = { ...about, freezeId: authorisation.id, citation: pointerTo(authorisation) };
      const event = log.append(account, { type: 'FreezeAbandoned', data }) as Recorded<FreezeAbandoned>;
      const { cite, lostBy } = fold(log);
      const facts = { ending: undefined, varied: undefined, holders: ['p-1'], keyStands: false };
      return said(resolveAbandonment({ event, cited: cite(data.citation), freezes: after(frozen), lostBy, ...facts }));
    };
    expect(answer(late)).toBe('a variation had ended the freeze that is said to be in the way');
    expect(answer(early)).toBe('resolves');
  });
});

describe('a lift because a variation dropped the account', () => {
  interface Lift {
    readonly changes?: Partial<AccountUnfrozen['data']>;
    /** The freeze was varied before it was dropped. */
    readonly varied?: boolean;
    readonly then?: readonly Varied[];
    /** Which of the variations after the freeze the lift cites. */
    readonly cites?: number;
    readonly spoil?: (lift: CitedLift) => CitedLift;
  }
  function lift({ changes, varied = false, then = [{ subjects: onlyOther }], cites = 1, spoil }: Lift = {}): string {
    const { log, frozen, input } = play({ after: then });
    const variations = log.events.filter(({ type }) => type === 'LegalOrderVaried');
    const citation = pointerTo(variations[cites] as RecordedEvent);
    const people = { requestedBy: SAMPLE_MAKER, approvedBy: SAMPLE_CHECKER };
    const { freezeId } = input.event.data;
    const data = { accountId: 'acc-1', freezeId, ground: 'basis-varied', citation, ...people, ...changes } as const;
    const event = log.append(account, { type: 'AccountUnfrozen', data }) as Recorded<AccountUnfrozen>;
    const { cite, lostBy } = fold(log);
    const freezes = varied ? after(frozen, input.event) : after(frozen);
    const whole: CitedLift = { event, freezes, cited: cite(data.citation), ended: undefined, lostBy };
    return said(resolveLift(spoil === undefined ? whole : spoil(whole)));
  }

  it('resolves to that variation, and to those who made it', () => {
    expect(lift()).toBe('resolves');
    expect(lift({ varied: true })).toBe('resolves');
  });

  it('resolves to the first that dropped it, also where another named it again', () => {
    const then = [{ subjects: onlyOther }, { subjects: sampleInstrument.subjects }, { subjects: onlyOther }];
    expect(lift({ then, cites: 1 })).toBe('resolves');
    expect(lift({ then, cites: 2 })).toMatch(/did not end the freeze by a variation/);
    expect(lift({ then, cites: 3 })).toMatch(/did not end the freeze by a variation/);
  });

  it('is nothing by a variation that leaves the account named', () => {
    expect(lift({ then: [{ scope: wide }] })).toMatch(/did not end the freeze by a variation/);
    expect(lift({ cites: 0 })).toMatch(/did not end the freeze by a variation/);
  });

  it('is nothing in the name of others', () => {
    expect(lift({ changes: { requestedBy: 'mallory' } })).toMatch(/other people/);
    expect(lift({ changes: { approvedBy: 'mallory' } })).toMatch(/other people/);
  });

  it('is nothing where no freeze is in force', () => {
    expect(lift({ spoil: (whole) => ({ ...whole, freezes: initialFreezesState() }) })).toMatch(/not in force/);
  });

  it('is nothing as the end of the basis, which has not ended', () => {
    expect(lift({ changes: { ground: 'basis-ended' } })).toMatch(/did not end the basis/);
  });
});
