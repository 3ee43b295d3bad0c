import { describe, expect, it } from '@jest/globals';
import { figuresOf, type LoggedEvent } from './log-figures.ts';

type Told = readonly [stream: string, type: string, data?: Readonly<Record<string, unknown>>, actor?: string];

/** A log of such events, each with the revision and the position that it comes to. */
function logOf(...told: readonly Told[]): readonly LoggedEvent[] {
  return told.map(([stream, type, data = {}, actor = 'maker'], index) => ({
    position: String(index).padStart(4, '0'),
    stream,
    revision: String(told.slice(0, index).filter(([earlier]) => earlier === stream).length),
    id: `e-${String(index)}`,
    type,
    data,
    metadata: { actor: { id: actor } },
  }));
}

const REGISTERED: Told = ['legalOrder-1', 'LegalOrderRegistered'];
const VERIFIED: Told = ['legalOrder-1', 'LegalOrderVerified', {}, 'checker'];
const ENDED: Told = ['legalOrder-1', 'LegalOrderEnded', {}, 'checker'];
const AUTHORISED: Told = ['legalOrder-1', 'FreezeAuthorised', { accountId: 'acc-1' }];

function frozenBy(revision: number, eventId: string, accountId = 'acc-1'): Told {
  const citation = { stream: 'legalOrder-1', revision: String(revision), eventId };
  return [`account-${accountId}`, 'AccountFrozen', { accountId, freezeId: 'f-1', citation }];
}

const FROZEN = frozenBy(2, 'e-2');

function liftedBy(eventId: string): Told {
  const citation = { stream: 'legalOrder-1', revision: '3', eventId };
  return ['account-acc-1', 'AccountUnfrozen', { freezeId: 'f-1', ground: 'basis-ended', citation }];
}

describe('a freeze', () => {
  it('has a basis when it cites its authorisation under one that two people put in force', () => {
    const figures = figuresOf(logOf(REGISTERED, VERIFIED, AUTHORISED, FROZEN));
    expect(figures).toMatchObject({ events: 4, freezes: 1, withoutBasis: [] });
  });

  it.each<[string, readonly Told[]]>([
    ['cites nothing', [['account-acc-1', 'AccountFrozen', { accountId: 'acc-1', freezeId: 'f-1' }]]],
    ['cites what is not there', [REGISTERED, VERIFIED, AUTHORISED, frozenBy(9, 'e-2')]],
    ['cites another event than it says', [REGISTERED, VERIFIED, AUTHORISED, frozenBy(2, 'e-1')]],
    ['cites what authorises nothing', [REGISTERED, VERIFIED, AUTHORISED, frozenBy(1, 'e-1')]],
    ['is of another account', [REGISTERED, VERIFIED, AUTHORISED, frozenBy(2, 'e-2', 'acc-2')]],
    ['is under an order that nobody verified', [REGISTERED, ['legalOrder-1', 'Other'], AUTHORISED, FROZEN]],
    [
      'is under an order that its maker verified',
      [REGISTERED, ['legalOrder-1', 'LegalOrderVerified'], AUTHORISED, FROZEN],
    ],
    ['is under an order that had ended', [REGISTERED, VERIFIED, ENDED, AUTHORISED, frozenBy(3, 'e-3')]],
    ['cites what came later', [REGISTERED, VERIFIED, frozenBy(2, 'e-3'), AUTHORISED]],
  ])('has none when it %s', (_, told) => {
    expect(figuresOf(logOf(...told)).withoutBasis).toEqual(['f-1']);
  });

  it('is lifted on a ground when an event establishes it', () => {
    const before = [REGISTERED, VERIFIED, AUTHORISED, ENDED, FROZEN] as const;
    expect(figuresOf(logOf(...before, liftedBy('e-3')))).toMatchObject({ lifts: 1, withoutGround: [] });
    expect(figuresOf(logOf(...before, liftedBy('e-1')))).toMatchObject({ lifts: 1, withoutGround: ['f-1'] });
  });
});

describe('a letter', () => {
  const asked = (kind: string): Told => [
    'authorityRequest-r',
    'AuthorityRequestRegistered',
    { kind, reference: 'letter 1', subject: 'all users' },
  ];
  const answered = (outcome: string): Told => [
    'authorityRequest-r',
    'AuthorityRequestAnswered',
    { outcome, reason: 'so' },
  ];

  it('that was refused is told with its reason', () => {
    const figures = figuresOf(logOf(asked('disclosure'), answered('refused')));
    expect(figures).toMatchObject({ letters: 1, lettersRefused: 1, lettersGranted: 0, disclosures: [] });
    expect(figures.refusedLetters).toEqual([
      { requestId: 'r', reference: 'letter 1', asked: 'all users', reason: 'so' },
    ]);
  });

  it.each(['disclosure', 'information'])('for %s that was granted is a disclosure', (kind) => {
    expect(figuresOf(logOf(asked(kind), answered('granted'))).disclosures).toEqual(['authorityRequest-r']);
  });

  it('for a freeze that was granted is none; an answer to nothing counts as one', () => {
    const granted = figuresOf(logOf(asked('freeze'), answered('granted')));
    expect(granted).toMatchObject({ lettersGranted: 1, disclosures: [] });
    expect(figuresOf(logOf(answered('granted'))).disclosures).toEqual(['authorityRequest-r']);
  });
});

it('lists what was refused', () => {
  const refused = { command: 'ReserveWithdrawal', code: 'account-frozen', detail: 'it is frozen' };
  const figures = figuresOf(logOf(['account-acc-1', 'CommandRefused', refused]));
  expect(figures.refusals).toEqual([{ stream: 'account-acc-1', ...refused }]);
});
