import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SPEC_ACTOR, SPEC_NOW, specFor, specPointer } from '#testing';
import type { Basis, Recorded } from '#kernel';
import {
  checkParty,
  decideParty,
  evolveParty,
  initialPartyState,
  namingBases,
  partyEvents,
  type Opening,
  type PartyCommand,
  type PartyEvent,
  type PartyState,
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
const sha256 = 'a'.repeat(64);

function opening(value: string, accountId = 'acc-1'): Opening {
  const holders = [{ partyId, capacity: 'owner' as const }];
  return { accountId, holders, key: { caller: 'alice', value }, commandHash: sha256 };
}

const order: Basis = { kind: 'legal-order', id: 'ord-1' };
const citation = specPointer('legalOrder-ord-1', 1);
const foreign = specPointer('legalOrder-ord-2', 1);
const byOpening = opening('first');
const attachment = { partyId, accountId: 'acc-1', capacity: 'owner' as const, opening: byOpening };

const registered: PartyEvent = { type: 'PartyRegistered', data: { partyId, kind: 'person', externalRef: 'ref' } };
const identified: PartyEvent = {
  type: 'PartyIdentified',
  data: { partyId, method: 'passport', evidenceSha256: sha256, identifiedAt: SPEC_NOW },
};
const attached: PartyEvent = { type: 'AccountAttached', data: attachment };
const detached: PartyEvent = { type: 'AccountDetached', data: { partyId, accountId: 'acc-1', key: byOpening.key } };
const named: PartyEvent = { type: 'PartyNamed', data: { partyId, basis: order, citation } };
const unnamed: PartyEvent = { type: 'PartyNoLongerNamed', data: { partyId, basis: order, citation } };
const linked: PartyEvent = {
  type: 'AddressLinked',
  data: { partyId, chain: 'bitcoin', address: 'bc1q', role: 'holder-controlled' },
};
const ready = [registered, identified];

/** The last event is the illegal one. */
const illegal: [string, RegExp, PartyEvent[]][] = [
  ['a second registration', /registered already/, [registered, registered]],
  ['an identification of nobody', /not registered/, [identified]],
  ['a link to nobody', /not registered/, [linked]],
  ['a second link in one role', /linked in that role/, [...ready, linked, linked]],
  ['an attachment to nobody', /not registered/, [attached]],
  ['a detachment from nobody', /not registered/, [detached]],
  ['a naming of nobody', /not registered/, [named]],
  ['an un-naming of nobody', /not registered/, [unnamed]],
  ['a party on the stream of another', /stream/, [{ ...registered, data: { ...registered.data, partyId: 'p-2' } }]],
  [
    'an identification on the stream of another',
    /stream/,
    [registered, { ...identified, data: { ...identified.data, partyId: 'p-2' } }],
  ],
  ['an attachment before identification', /not identified/, [registered, attached]],
  ['an attachment while named', /names the party/, [...ready, named, attached]],
  ['an attachment twice', /already/, [...ready, attached, attached]],
  ['an attachment after its own detachment', /already/, [...ready, attached, detached, attached]],
  [
    'an attachment for the opening of another account',
    /another account/,
    [...ready, { type: 'AccountAttached', data: { ...attachment, accountId: 'acc-2' } }],
  ],
  [
    'an attachment in another capacity',
    /capacity/,
    [...ready, { type: 'AccountAttached', data: { ...attachment, capacity: 'joint' } }],
  ],
  [
    'an attachment that the opening does not list',
    /does not list/,
    [
      ...ready,
      {
        type: 'AccountAttached',
        data: { ...attachment, opening: { ...byOpening, holders: [{ partyId: 'p-2', capacity: 'owner' }] } },
      },
    ],
  ],
  ['a detachment of nothing', /no account stands attached/, [...ready, detached]],
  ['a detachment twice', /no account stands attached/, [...ready, attached, detached, detached]],
  ['a naming twice', /names the party already/, [...ready, named, named]],
  [
    'a naming that cites another basis',
    /citation/,
    [...ready, { type: 'PartyNamed', data: { partyId, basis: order, citation: foreign } }],
  ],
  ['an un-naming of what never named', /does not name/, [...ready, unnamed]],
  ['an un-naming twice', /does not name/, [...ready, named, unnamed, unnamed]],
  [
    'an un-naming that cites another basis',
    /citation/,
    [...ready, named, { type: 'PartyNoLongerNamed', data: { partyId, basis: order, citation: foreign } }],
  ],
];

describe('checkParty', () => {
  it.each(illegal)('finds %s', (_, reason, events) => {
    const last = events.length - 1;
    expect(() => given(...events.slice(0, last)).state()).not.toThrow();
    const found = new RegExp(`at revision ${String(last)} is illegal: .*${reason.source}`);
    expect(() => given(...events).state()).toThrow(found);
  });

  it('takes a link in another spelling, which an earlier version took for another address', () => {
    const address = `0x${'ab'.repeat(20)}`;
    const once = { ...linked, data: { ...linked.data, address } } as typeof linked;
    const again = { ...linked, data: { ...linked.data, address: address.toUpperCase() } } as typeof linked;
    expect(() => given(...ready, once, again).state()).not.toThrow();
    expect(() => given(...ready, once, again, again).state()).toThrow('linked in that role already');
  });
});

const openings = fc.constantFrom(opening('first'), opening('second'), opening('first', 'acc-2'));
const bases: fc.Arbitrary<Basis> = fc.constantFrom(order, { kind: 'legal-order', id: 'ord-2' });
const commands: fc.Arbitrary<PartyCommand> = fc.oneof(
  fc.constant<PartyCommand>({ type: 'RegisterParty', partyId, kind: 'person', externalRef: 'ref' }),
  fc.constant<PartyCommand>({ ...identified.data, type: 'IdentifyParty' }),
  openings.map((by): PartyCommand => ({ type: 'AttachAccount', partyId, opening: by })),
  openings.map((by): PartyCommand => ({ type: 'DetachAccount', partyId, accountId: by.accountId, key: by.key })),
  fc.tuple(fc.boolean(), bases).map(([inForce, basis]): PartyCommand => {
    const pointer = specPointer(`legalOrder-${basis.id}`, 3);
    const subjects = { accounts: [], parties: [partyId], addresses: [] };
    const ended = { pointer, requestedBy: 'maker', approvedBy: 'checker', endedAt: SPEC_NOW };
    const terms = [{ since: specPointer(`legalOrder-${basis.id}`, 1), subjects }];
    return { type: 'FollowBasis', partyId, naming: { basis, terms, inForce, ended: inForce ? undefined : ended } };
  }),
);
const context = { now: SPEC_NOW, actor: SPEC_ACTOR };

describe('any sequence of commands', () => {
  it('leads only to legal events, attaches no named party, and repeats change nothing', () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 30 }), (sequence) => {
        const history: PartyEvent[] = [];
        for (const command of sequence) {
          const before = given(...history);
          const named = namingBases(before.state()).length > 0;
          const outcome = decideParty(command, before.state(), context);
          // The specification asserts that each event is well formed and legal where it comes.
          before.when(command);
          if ('rejected' in outcome) continue;
          if (named) expect(outcome.map(({ type }) => type)).not.toContain('AccountAttached');
          history.push(...outcome);
          if (command.type !== 'RegisterParty' && command.type !== 'IdentifyParty') {
            given(...history)
              .when(command)
              .thenNothingHappened();
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('evolveParty', () => {
  const evolveAll = (events: readonly PartyEvent[]): PartyState =>
    events.map(recorded).reduce(evolveParty, initialPartyState());

  it('never throws, in whatever order well-formed events come', () => {
    const anyEvents = fc.constantFrom(registered, identified, attached, detached, named, unnamed);
    fc.assert(
      fc.property(fc.array(anyEvents, { maxLength: 12 }), (events) => {
        expect(() => evolveAll(events)).not.toThrow();
      }),
    );
  });

  it('makes nothing out of a detachment of nothing', () => {
    expect(evolveAll([registered, detached]).attachments.size).toBe(0);
  });
});

function recorded(event: PartyEvent, revision: number): Recorded<PartyEvent> {
  const stream = 'party-p-1';
  return {
    ...event,
    id: specPointer(stream, revision).eventId,
    schemaVersion: 1,
    stream,
    revision,
    position: revision.toString(16).padStart(16, '0'),
    metadata: {
      actor: SPEC_ACTOR,
      correlationId: 'c',
      causationId: null,
      key: null,
      commandHash: null,
      recordedAt: SPEC_NOW,
      previousHash: null,
      hash: '0'.repeat(64),
    },
  };
}
