import { describe, expect, it } from '@jest/globals';
import { SPEC_ACTOR, SPEC_NOW, at, specFor, specPointer } from '#testing';
import type { Basis, BasisEnd, EventPointer, Holder } from '#kernel';
import {
  attachmentOf,
  checkParty,
  controlOf,
  decideParty,
  evolveParty,
  initialPartyState,
  namingBases,
  openingKey,
  partyEvents,
  partyView,
  type NamingBasis,
  type Opening,
  type PartyCommand,
  type PartyEvent,
} from './index.ts';

const { given } = specFor({
  initialState: initialPartyState,
  evolve: evolveParty,
  check: checkParty,
  decide: decideParty,
  events: partyEvents,
  stream: 'party-p-1',
  context: { now: SPEC_NOW, actor: SPEC_ACTOR },
});

const partyId = 'p-1';
const accountId = 'acc-1';
const evidenceSha256 = 'e'.repeat(64);
const identification = { method: 'passport', evidenceSha256, identifiedAt: '2022-01-10T00:00:00.000Z' };

function opening(value: string, of = accountId): Opening {
  const holders: Holder[] = [
    { partyId: 'p-0', capacity: 'owner' },
    { partyId, capacity: 'joint' },
  ];
  return { accountId: of, holders, key: { caller: 'alice', value }, commandHash: 'c'.repeat(64) };
}

function attachedBy(by: Opening): PartyEvent {
  return { type: 'AccountAttached', data: { partyId, accountId: by.accountId, capacity: 'joint', opening: by } };
}

function detachedBy(by: Opening): PartyEvent {
  return { type: 'AccountDetached', data: { partyId, accountId: by.accountId, key: by.key } };
}

function namedUnder(basis: Basis): PartyEvent {
  return { type: 'PartyNamed', data: { partyId, basis, citation: specPointer(`legalOrder-${basis.id}`, 1) } };
}

function unnamedUnder(basis: Basis): PartyEvent {
  return { type: 'PartyNoLongerNamed', data: { partyId, basis, citation: specPointer(`legalOrder-${basis.id}`, 3) } };
}

const registered: PartyEvent = {
  type: 'PartyRegistered',
  data: { partyId, kind: 'person', externalRef: 'customer 17' },
};
const identified: PartyEvent = { type: 'PartyIdentified', data: { partyId, ...identification } };
const refused: PartyEvent = {
  type: 'CommandRefused',
  data: {
    command: 'OpenAccount',
    code: 'party-named-by-basis',
    detail: 'a basis in force names the party',
    extra: { partyId },
    request: { accountId },
    decidedOn: null,
  },
};
const first = opening('first');
const second = opening('second');
const order: Basis = { kind: 'legal-order', id: 'ord-1' };
const otherOrder: Basis = { kind: 'legal-order', id: 'ord-2' };

/** A history for each state that a party can be in. */
const unknown: PartyEvent[] = [];
const refusedOnly = [refused];
const unidentified = [registered];
const ready = [registered, identified];
const attached = [...ready, attachedBy(first)];
const detached = [...attached, detachedBy(first)];
const named = [...ready, namedUnder(order)];
const attachedAndNamed = [...attached, namedUnder(order)];
const unnamed = [...named, unnamedUnder(order)];
const namedWhileUnidentified = [registered, namedUnder(order)];
const knownStates = {
  unidentified,
  ready,
  attached,
  detached,
  named,
  attachedAndNamed,
  unnamed,
  namedWhileUnidentified,
};

const register: PartyCommand = { type: 'RegisterParty', partyId, kind: 'person', externalRef: 'customer 17' };
const identify: PartyCommand = { type: 'IdentifyParty', partyId, ...identification };
const attach: PartyCommand = { type: 'AttachAccount', partyId, opening: first };
const detach: PartyCommand = { type: 'DetachAccount', partyId, accountId, key: first.key };
describe('RegisterParty', () => {
  it('makes an unknown party known', () =>
    given(...unknown)
      .when(register)
      .then(registered));
  it('is not hindered by a refusal on the stream', () =>
    given(...refusedOnly)
      .when(register)
      .then(registered));

  it.each(Object.entries(knownStates))('turns down a party that is %s', (_, history) => {
    given(...history)
      .when(register)
      .thenRejected('already-exists', { partyId });
    given(...history)
      .when({ type: 'RegisterParty', partyId, kind: 'organisation', externalRef: 'customer 18' })
      .thenRejected('already-exists', { partyId });
  });
});

describe('IdentifyParty', () => {
  it('turns down an unknown party', () => {
    given(...unknown)
      .when(identify)
      .thenRejected('party-not-found', { partyId });
    given(...refusedOnly)
      .when(identify)
      .thenRejected('party-not-found', { partyId });
  });

  it.each(Object.entries(knownStates))('identifies a party that is %s', (_, history) => {
    given(...history)
      .when(identify)
      .then(identified);
  });

  it('replaces what was known', () => {
    const again = { method: 'video', evidenceSha256: 'f'.repeat(64), identifiedAt: '2022-03-01T00:00:00.000Z' };
    const state = given(...ready, { type: 'PartyIdentified', data: { partyId, ...again } }).state();
    expect(state.identification).toEqual(again);
  });
});

describe('LinkAddress', () => {
  const address = { chain: 'bitcoin', address: 'bc1q' } as const;
  const link = { type: 'LinkAddress', partyId, ...address, role: 'holder-controlled' } as const;
  const linked = { type: 'AddressLinked', data: { partyId, ...address, role: 'holder-controlled' } } as const;

  it.each(Object.entries(knownStates))('links an address to a party that is %s', (_, events) => {
    given(...events)
      .when(link)
      .then(linked);
  });

  it('needs a party that there is', () => {
    given().when(link).thenRejected('party-not-found', { partyId });
    given(refused).when(link).thenRejected('party-not-found', { partyId });
  });

  it('links an address once in each role', () => {
    given(registered, linked).when(link).thenRejected('already-exists', { partyId });
    const depositLinked = { ...linked, data: { ...linked.data, role: 'deposit-address' } } as const;
    given(registered, linked)
      .when({ ...link, role: 'deposit-address' })
      .then(depositLinked);
    const elsewhere = { ...linked, data: { ...linked.data, chain: 'litecoin' } } as const;
    given(registered, linked)
      .when({ ...link, chain: 'litecoin' })
      .then(elsewhere);
  });

  it('links an address once in each role, however it is spelled, and shows its control however it is spelled', () => {
    const spelled = { chain: 'Bitcoin', address: 'BC1QSPE77EDADDRESS' };
    const other = { chain: 'bitcoin', address: 'bc1qspe77edaddress' };
    const once = { ...linked, data: { ...linked.data, ...spelled } } as const;
    const again = { ...linked, data: { ...linked.data, ...other } } as const;
    given(registered, once)
      .when({ ...link, ...other })
      .thenRejected('already-exists', { partyId });
    // As in a log of a version to which these were two addresses: the first is the one.
    const control = controlOf(given(registered, once, again).state(), [other]);
    expect(control).toEqual({ address: other, linkedBy: specPointer('party-p-1', 1) });
  });

  it('shows control of an address by its own role alone', () => {
    const deposit = { ...linked, data: { ...linked.data, role: 'deposit-address' } } as const;
    expect(controlOf(given(registered, deposit).state(), [address])).toBeUndefined();
    expect(controlOf(given(registered, linked).state(), [address])).toEqual({
      address,
      linkedBy: specPointer('party-p-1', 1),
    });
    expect(controlOf(given(registered, linked).state(), [{ ...address, chain: 'litecoin' }])).toBeUndefined();
  });
});

describe('AttachAccount', () => {
  it('turns down an unknown party', () =>
    given(...unknown)
      .when(attach)
      .thenRejected('party-not-found', { partyId }));
  it('turns down a party that is not identified', () =>
    given(...unidentified)
      .when(attach)
      .thenRejected('party-not-identified', { partyId }));
  it('says not identified before named', () =>
    given(...namedWhileUnidentified)
      .when(attach)
      .thenRejected('party-not-identified', { partyId }));

  it('attaches in the capacity that the opening lists', () =>
    given(...ready)
      .when(attach)
      .then(attachedBy(first)));
  it('attaches again once no basis names the party', () =>
    given(...unnamed)
      .when(attach)
      .then(attachedBy(first)));

  it('turns down a named party and does not say by what', () => {
    given(...named)
      .when(attach)
      .thenRejected('party-named-by-basis', { partyId }, /^((?!ord).)*$/);
  });

  it('turns down a party while one of two bases names it', () => {
    given(...named, namedUnder(otherOrder), unnamedUnder(order))
      .when(attach)
      .thenRejected('party-named-by-basis', { partyId });
  });

  it.each(Object.entries({ attached, detached, attachedAndNamed }))(
    'has nothing to do for the same opening when %s',
    (_, history) =>
      given(...history)
        .when(attach)
        .thenNothingHappened(),
  );

  it('is not hindered by another opening of the same account', () => {
    const again: PartyCommand = { type: 'AttachAccount', partyId, opening: second };
    given(...attached)
      .when(again)
      .then(attachedBy(second));
    given(...detached)
      .when(again)
      .then(attachedBy(second));
    given(...attachedAndNamed)
      .when(again)
      .thenRejected('party-named-by-basis', { partyId });
  });

  it('tells the same key of another account or caller apart', () => {
    const elsewhere = opening('first', 'acc-2');
    given(...attached)
      .when({ type: 'AttachAccount', partyId, opening: elsewhere })
      .then(attachedBy(elsewhere));
    const byBob = { ...first, key: { caller: 'bob', value: 'first' } };
    given(...attached)
      .when({ type: 'AttachAccount', partyId, opening: byBob })
      .then(attachedBy(byBob));
  });

  it('throws when the opening does not list the party', () => {
    const command: PartyCommand = {
      type: 'AttachAccount',
      partyId,
      opening: { ...first, holders: [{ partyId: 'p-0', capacity: 'owner' }] },
    };
    expect(() => given(...ready).when(command)).toThrow(RangeError);
  });
});

describe('DetachAccount', () => {
  it.each(Object.entries({ unknown, unidentified, ready, detached, named }))(
    'has nothing to do when %s',
    (_, history) =>
      given(...history)
        .when(detach)
        .thenNothingHappened(),
  );

  it.each(Object.entries({ attached, attachedAndNamed }))('detaches when %s', (_, history) =>
    given(...history)
      .when(detach)
      .then(detachedBy(first)),
  );

  it('leaves what another opening attached', () => {
    given(...ready, attachedBy(second))
      .when(detach)
      .thenNothingHappened();
    given(...attached)
      .when({ type: 'DetachAccount', partyId, accountId: 'acc-2', key: first.key })
      .thenNothingHappened();
  });
});

describe('FollowBasis', () => {
  const verified = specPointer('legalOrder-ord-1', 1);
  const dropping = specPointer('legalOrder-ord-1', 2);
  const ending = specPointer('legalOrder-ord-1', 3);
  const restoring = specPointer('legalOrder-ord-1', 4);
  const naming = { accounts: [], parties: [partyId], addresses: [] };
  const others = { ...naming, parties: ['p-other'] };
  const ended: BasisEnd = { pointer: ending, requestedBy: 'maker', approvedBy: 'checker', endedAt: SPEC_NOW };
  const inForce: NamingBasis = {
    basis: order,
    terms: [{ since: verified, subjects: naming }],
    inForce: true,
    ended: undefined,
  };
  const over: NamingBasis = { ...inForce, inForce: false, ended };
  const dropped: NamingBasis = { ...inForce, terms: [...inForce.terms, { since: dropping, subjects: others }] };
  const restored: NamingBasis = { ...dropped, terms: [...dropped.terms, { since: restoring, subjects: naming }] };
  const follow = (basis: NamingBasis): PartyCommand => ({ type: 'FollowBasis', partyId, naming: basis });
  const isNamedFor = (citation: EventPointer): PartyEvent => ({
    type: 'PartyNamed',
    data: { partyId, basis: order, citation },
  });
  const isUndoneBy = (citation: EventPointer): PartyEvent => ({
    type: 'PartyNoLongerNamed',
    data: { partyId, basis: order, citation },
  });

  it('has nothing to do for an unknown party', () =>
    given(...unknown)
      .when(follow(inForce))
      .thenNothingHappened());

  it.each(Object.entries({ unidentified, ready, attached, detached, unnamed }))(
    'names a party that is %s',
    (_, history) =>
      given(...history)
        .when(follow(inForce))
        .then(isNamedFor(verified)),
  );

  it.each(Object.entries({ named, attachedAndNamed, namedWhileUnidentified }))(
    'has nothing to do when the basis names the party already: %s',
    (_, history) =>
      given(...history)
        .when(follow(inForce))
        .thenNothingHappened(),
  );

  it.each(Object.entries({ over, dropped, 'not effective yet': { ...inForce, inForce: false } }))(
    'names nobody under a basis that is %s',
    (_, basis) =>
      given(...ready)
        .when(follow(basis))
        .thenNothingHappened(),
  );

  it('leaves the naming of another basis', () =>
    given(...ready, namedUnder(otherOrder))
      .when(follow(over))
      .thenNothingHappened());

  it('un-names for the end, for a variation that drops the party, and for the first of them', () => {
    given(...ready, isNamedFor(verified))
      .when(follow(over))
      .then(isUndoneBy(ending));
    given(...ready, isNamedFor(verified))
      .when(follow(dropped))
      .then(isUndoneBy(dropping));
    given(...ready, isNamedFor(verified))
      .when(follow({ ...dropped, inForce: false, ended }))
      .then(isUndoneBy(dropping));
  });

  it('names anew whom a variation restores, at once', () => {
    given(...ready, isNamedFor(verified))
      .when(follow(restored))
      .then(isUndoneBy(dropping), isNamedFor(restoring));
    given(...ready)
      .when(follow(restored))
      .then(isNamedFor(restoring));
    given(...ready, isNamedFor(restoring))
      .when(follow(restored))
      .thenNothingHappened();
  });

  it('leaves a naming that is later than what was read of the basis', () =>
    given(...ready, isNamedFor(restoring))
      .when(follow({ ...dropped, inForce: false }))
      .thenNothingHappened());

  it('undoes a late naming once more', () =>
    given(...ready, isNamedFor(verified), isUndoneBy(dropping), isNamedFor(verified))
      .when(follow(dropped))
      .then(isUndoneBy(dropping)));
});

describe('openingKey', () => {
  it('is unambiguous, whatever stands in its parts', () => {
    const names = [
      openingKey({ caller: 'a', value: 'b' }, 'c'),
      openingKey({ caller: 'a","b', value: '' }, 'c'),
      openingKey({ caller: 'a', value: 'b","c' }, ''),
      openingKey({ caller: 'a\nb', value: 'c' }, 'c'),
      openingKey({ caller: 'a', value: 'b\nc' }, 'c'),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('attachmentOf', () => {
  const both = given(...attached, attachedBy(second)).state();

  it('gives the attachment of the opening that opened the account, with its event', () => {
    expect(attachmentOf(both, accountId, second.key)).toEqual({
      opening: second,
      pointer: specPointer('party-p-1', 3),
      status: 'attached',
    });
    expect(attachmentOf(both, accountId, first.key)?.pointer).toEqual(specPointer('party-p-1', 2));
  });

  it('gives none for an opening that did not attach, or another account', () => {
    expect(attachmentOf(both, accountId, { caller: 'alice', value: 'third' })).toBeUndefined();
    expect(attachmentOf(both, 'acc-2', first.key)).toBeUndefined();
    expect(attachmentOf(both, 'acc-2')).toBeUndefined();
  });

  it('gives the first that still stands while the account is not open', () => {
    expect(attachmentOf(both, accountId)?.opening).toEqual(first);
    const state = given(...attached, attachedBy(second), detachedBy(first)).state();
    expect(attachmentOf(state, accountId)?.opening).toEqual(second);
  });

  it('gives none that was detached', () => {
    const state = given(...detached).state();
    expect(attachmentOf(state, accountId)).toBeUndefined();
    expect(attachmentOf(state, accountId, first.key)).toBeUndefined();
  });
});

describe('the state of a party', () => {
  it('is what its view shows', () => {
    const state = given(
      at(registered, { recordedAt: '2022-02-15T09:00:00.000Z' }),
      at(identified, { recordedAt: '2022-02-15T09:01:00.000Z' }),
      at(namedUnder(otherOrder), { recordedAt: '2022-02-15T09:02:00.000Z' }),
      at(namedUnder(order), { recordedAt: '2022-02-15T09:03:00.000Z' }),
      at(refused, { recordedAt: '2022-02-15T09:04:00.000Z' }),
    ).state();
    expect(partyView(state)).toEqual({
      partyId,
      kind: 'person',
      externalRef: 'customer 17',
      identification,
      namedBy: [otherOrder, order],
      createdAt: '2022-02-15T09:00:00.000Z',
      updatedAt: '2022-02-15T09:03:00.000Z',
    });
  });

  it('shows nothing of a party that is not registered', () => {
    expect(partyView(given(...refusedOnly).state())).toBeUndefined();
  });

  it('knows the bases that name the party', () => {
    expect(namingBases(given(...named, namedUnder(otherOrder)).state())).toEqual([order, otherOrder]);
    expect(namingBases(given(...unnamed).state())).toEqual([]);
  });

  it('keeps who was attached, and which event did it', () => {
    const { attachments } = given(...detached).state();
    expect([...attachments]).toEqual([
      [openingKey(first.key, accountId), { opening: first, pointer: specPointer('party-p-1', 2), status: 'detached' }],
    ]);
  });
});
