import type { LedgerCommand } from '#command-handling';
import type { RecordedEvent, RequestedScope } from '#kernel';
import type { Subject } from '#legal-orders';
import { checker, endingProposal, maker, orderNaming, service, variation, type ActorBody, type Varied } from '#testing';
import { describe, it } from '@jest/globals';
import { LIMIT_MS } from './effort.ts';
import { asking, exploreAll, logOf, script, supervisor, type Case } from './interleaving.ts';

const ALL: RequestedScope = { direction: 'debit', assets: 'all' };
const NARROW: RequestedScope = { direction: 'debit', assets: ['BTC'], limits: { BTC: '1' } };
const WIDE: RequestedScope = { direction: 'both', assets: 'all' };
const one: Subject = { kind: 'account', accountId: 'acc-1' };
const other: Subject = { kind: 'account', accountId: 'acc-2' };
const holder: Subject = { kind: 'party', partyId: 'p-1' };
const address = (name: string): Subject => ({ kind: 'address', chain: 'bitcoin', address: name });
const linking = (name: string): LedgerCommand => ({
  type: 'LinkAddress',
  partyId: 'p-1',
  chain: 'bitcoin',
  address: name,
  role: 'holder-controlled',
});

const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis } as const;
const debit = {
  type: 'ReserveWithdrawal',
  accountId: 'acc-1',
  withdrawalId: 'w-1',
  asset: 'BTC',
  amount: '2',
  destination: { kind: 'bank', reference: 'r' },
} as const;
const open = { type: 'OpenAccount', accountId: 'acc-9', holders: [{ partyId: 'p-1', capacity: 'owner' }] } as const;

/**
 * An order over two accounts, the first of them frozen if wanted, and what is proposed to change it, in this order. The
 * holder of the first controls the address `a`.
 */
function scene(
  {
    subjects = [one, other],
    scope = ALL,
    frozen = [],
  }: {
    subjects?: readonly Subject[];
    scope?: RequestedScope;
    frozen?: readonly (readonly [accountId: string, scope?: RequestedScope])[];
  },
  ...proposals: readonly (Varied | 'ending')[]
): Promise<readonly RecordedEvent[]> {
  return logOf(async (world) => {
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-2', 'p-2');
    await world.accept(linking('a'), { actor: service });
    const source = { kind: 'bank', reference: 'r' } as const;
    for (const accountId of ['acc-1', 'acc-2']) {
      await world.accept({ type: 'Deposit', accountId, depositId: 'd-1', asset: 'BTC', amount: '3', source });
    }
    const instrument = { ...orderNaming({ subjects: [...subjects] }), scope };
    await world.accept({ type: 'RegisterLegalOrder', orderId: 'ord-1', instrument });
    await world.accept({ type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'call-back' }, { actor: checker });
    for (const [accountId, own] of frozen) await world.accept({ ...freeze, accountId, scope: own });
    for (const [index, proposal] of proposals.entries()) {
      const changeId = `chg-${String(index + 1)}`;
      await world.accept(proposal === 'ending' ? endingProposal('ord-1', changeId) : variation(changeId, proposal));
    }
  });
}

const verifying = (nth: number): readonly [LedgerCommand, string, typeof checker] => [
  { type: 'VerifyChange', orderId: 'ord-1', changeId: `chg-${String(nth)}`, method: 'sealed copy' },
  `verify-${String(nth)}`,
  checker,
];
/** Verifies these changes one after the other. */
const verify = (...nths: readonly number[]): ActorBody => script(...nths.map(verifying));
const f = asking(freeze, 'f', maker);
const frozen = [['acc-1']] as const;

type VariationCase = readonly [...Case, () => Promise<readonly RecordedEvent[]>];

const link = asking(linking('b'), 'link', service);
const onA = { subjects: [address('a')] };
const onB = { subjects: [address('b')] };
const onBoth = { subjects: [address('a'), address('b')] };

/** Whether the order names the account, and the party, by an address depends on what is linked, and when. */
const ofAddresses: readonly VariationCase[] = [
  [
    'that swaps the address for one that is being linked',
    { link, vary: verify(1) },
    {},
    () => scene({ ...onA, frozen }, onB),
  ],
  ['that swaps the address, and a freeze through it', { f, vary: verify(1) }, {}, () => scene(onA, onB)],
  ['that drops one address of two, and a freeze', { f, vary: verify(1) }, {}, () => scene(onBoth, onB)],
  [
    'that names the holder in place of the address, and a freeze',
    { f, vary: verify(1) },
    {},
    () => scene(onA, { subjects: [holder] }),
  ],
  [
    'that adds an address whose holder opens an account',
    { o: asking(open, 'o', service), vary: verify(1) },
    {},
    () => scene({}, { subjects: [one, address('a')] }),
  ],
  [
    'that swaps the address while it is linked, and a supervisor, with a crash',
    { link, vary: verify(1), supervisor },
    { crashes: 1 },
    () => scene({ ...onA, frozen }, onB),
  ],
  [
    'that drops and restores the address, a freeze through it and a supervisor',
    { f, vary: verify(1, 2), supervisor },
    { crashes: 1 },
    () => scene({ ...onA, frozen }, onB, onA),
  ],
  [
    'that swaps the address and narrows, a freeze, a link and a supervisor, with a crash',
    { f, link, vary: verify(1, 2), supervisor },
    { crashes: 1 },
    () => scene(onA, { scope: NARROW, ...onB }, { scope: WIDE, ...onBoth }),
  ],
];

describe('every interleaving of a variation', () => {
  const drop = { subjects: [other] };
  const restore = { subjects: [one, other] };
  const cases: readonly VariationCase[] = [
    ['that narrows, and a freeze', { f, vary: verify(1) }, {}, () => scene({}, { scope: NARROW })],
    ['that drops the account, and its freeze', { f, vary: verify(1) }, {}, () => scene({}, drop)],
    [
      'that widens, and a debit',
      { d: asking(debit, 'd', service), vary: verify(1) },
      {},
      () => scene({ frozen, scope: NARROW }, { scope: WIDE }),
    ],
    [
      'that narrows, and an ending',
      { vary: verify(1), end: verify(2) },
      {},
      () => scene({ frozen }, { scope: NARROW }, 'ending'),
    ],
    [
      'that drops the account, and an ending',
      { vary: verify(1), end: verify(2) },
      {},
      () => scene({ frozen }, drop, 'ending'),
    ],
    [
      'that crashes, beside a supervisor',
      { vary: verify(1), supervisor },
      { crashes: 1 },
      () => scene({ frozen }, { scope: NARROW }),
    ],
    ['with lost acknowledgements', { vary: verify(1) }, { faults: 2 }, () => scene({ frozen }, { scope: NARROW })],
    [
      'and another',
      { vary: verify(1), again: verify(2) },
      {},
      () => scene({ frozen }, { scope: NARROW }, { scope: WIDE }),
    ],
    [
      'that drops the account, and one that restores it',
      { vary: verify(1), again: verify(2) },
      {},
      () => scene({ frozen }, drop, restore),
    ],
    [
      'that adds a party, and an opening for it',
      { o: asking(open, 'o', service), vary: verify(1) },
      {},
      () => scene({}, { subjects: [one, holder] }),
    ],
    [
      'that drops a party, and the end of the order',
      { vary: verify(1), end: verify(2) },
      {},
      () => scene({ subjects: [holder] }, drop, 'ending'),
    ],
    [
      'that drops and restores the account, a freeze of it and a supervisor',
      { f, vary: verify(1, 2), supervisor },
      { crashes: 1 },
      () => scene({ frozen }, drop, restore),
    ],
    [
      'that narrows, then widens, beside a freeze, and a supervisor, and another, with a crash',
      { f, vary: verify(1, 2), supervisor, 'supervisor second': supervisor },
      { crashes: 1 },
      () => scene({}, { scope: NARROW }, { scope: WIDE }),
    ],
    [
      'that lowers a limit of two accounts, and a supervisor, and another, with a crash',
      { vary: verify(1), supervisor, 'supervisor second': supervisor },
      { crashes: 1 },
      () =>
        scene(
          {
            scope: { ...NARROW, limits: { BTC: '4' } },
            frozen: [
              ['acc-1', { ...NARROW, limits: { BTC: '2' } }],
              ['acc-2', { ...NARROW, limits: { BTC: '2' } }],
            ],
          },
          { scope: { ...NARROW, limits: { BTC: '3' } } },
        ),
    ],
    [
      'that drops and restores a party, an opening for it and a supervisor',
      { o: asking(open, 'o', service), vary: verify(1, 2), supervisor },
      { crashes: 1 },
      () => scene({ subjects: [holder] }, drop, { subjects: [holder] }),
    ],
  ];
  it.each([...cases, ...ofAddresses])(
    '%s',
    async (name, actors, mishaps, prepare) => {
      const tooMany = /and a supervisor|being linked|^and another$/.test(name);
      await exploreAll(name, await prepare(), [name, actors, { ...mishaps, tooMany }]);
    },
    LIMIT_MS,
  );
});
