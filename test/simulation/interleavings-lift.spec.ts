import type { LedgerCommand } from '#command-handling';
import type { Actor, RecordedEvent } from '#kernel';
import type { ReleaseInstrument, RequestedInstrument } from '#legal-orders';
import { checker, endingProposal, maker, orderNaming, service, variation, type ActorBody } from '#testing';
import { describe, it } from '@jest/globals';
import { LIMIT_MS } from './effort.ts';
import { asking, exploreAll, logOf, script, supervisor, type Case } from './interleaving.ts';
import { debit, freeze } from './scenes.ts';

type Ground = 'release-ordered' | 'placed-in-error';

/** What may be proposed before the actors begin: a variation of the order that the freeze rests on, or an ending of either. */
const proposals = {
  drop: variation('chg-1', { subjects: [{ kind: 'account', accountId: 'acc-2' }] }),
  narrow: variation('chg-1', { scope: { direction: 'debit', assets: ['BTC'], limits: { BTC: '1' } } }),
  'end-basis': endingProposal('ord-1', 'chg-1'),
  'end-release': endingProposal('rel-1', 'chg-1'),
} as const;

/** Two seconds after the actors begin: the clock of one may be that far ahead of another's. */
const LATER = '2022-02-15T12:00:02.000Z';
const verifyRelease = { type: 'VerifyLegalOrder', orderId: 'rel-1', method: 'call-back' } as const;

interface Scene {
  readonly ground: Ground;
  /** The lift is asked for already. Default: true. */
  readonly asked?: boolean;
  readonly proposed?: keyof typeof proposals;
  /** What the order of release says otherwise. */
  readonly release?: Partial<ReleaseInstrument>;
  /** Default: true. */
  readonly verified?: boolean;
}

/** acc-1 in funds and frozen under ord-1, and rel-1, in force unless wanted otherwise, which releases it. */
function scene({ ground, asked = true, proposed, release, verified = true }: Scene): Promise<readonly RecordedEvent[]> {
  return logOf(async (world) => {
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-2', 'p-2');
    const source = { kind: 'bank', reference: 'r' } as const;
    await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '3', source });
    const own = orderNaming();
    await world.accept({ type: 'RegisterLegalOrder', orderId: 'ord-1', instrument: own });
    await world.accept({ type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'call-back' }, { actor: checker });
    const instrument = { ...releaseOf(own), ...release };
    await world.accept({ type: 'RegisterLegalOrder', orderId: 'rel-1', instrument });
    if (verified) await world.accept(verifyRelease, { actor: checker });
    await world.accept(freeze);
    if (asked) await world.accept(request(ground, freezeIn(await world.log())));
    if (proposed !== undefined) await world.accept(proposals[proposed]);
  });
}

function releaseOf({ subjects: _subjects, scope: _scope, ...rest }: RequestedInstrument): ReleaseInstrument {
  return { ...rest, orderId: 'rel-1', effect: 'release', releases: { accountIds: ['acc-1'] } };
}

/** The freeze is known by the id of its authorisation. */
function freezeIn(log: readonly RecordedEvent[]): string {
  const authorisation = log.find(({ type }) => type === 'FreezeAuthorised');
  if (authorisation === undefined) throw new Error('the account has to be frozen');
  return authorisation.id;
}

function request(ground: Ground, freezeId: string): LedgerCommand {
  const about = { type: 'RequestLift', freezeId, requestId: 'r-1' } as const;
  if (ground === 'placed-in-error') return { ...about, ground, note: 'another of the same name' };
  return { ...about, ground, orderId: 'rel-1' };
}

const secondChecker: Actor = { id: 'second-checker', roles: ['approver'] };
const verifyChange = (orderId: string): ActorBody =>
  script([{ type: 'VerifyChange', orderId, changeId: 'chg-1', method: 'sealed copy' }, 'verify-change', checker]);
/** One whose clock has come to LATER. */
const later =
  (body: ActorBody): ActorBody =>
  async (ports) => {
    await ports.sleep(2_000);
    await body(ports);
  };

/** What the actors of one case do, once the freeze is known. */
type Actors = (freezeId: string) => Readonly<Record<string, ActorBody>>;
type LiftCase = readonly [name: string, Omit<Scene, 'ground'>, Actors, Case[2]];

const approval = (freezeId: string): LedgerCommand => ({ type: 'ApproveLift', freezeId, requestId: 'r-1' });
const approve = (freezeId: string): ActorBody => asking(approval(freezeId), 'a', checker);
const reject = (freezeId: string): ActorBody =>
  asking({ type: 'RejectLift', freezeId, requestId: 'r-1', reason: 'no proof' }, 'n', secondChecker);

const lift = (ground: Ground, freezeId: string): ActorBody =>
  script([request(ground, freezeId), 'r', maker], [approval(freezeId), 'a', checker]);

/** What may come beside the approval of a lift, whatever its ground. */
const besideApproval: readonly LiftCase[] = [
  [
    'and its repetition by another process',
    {},
    (freezeId) => ({ 'a first': approve(freezeId), 'a second': approve(freezeId) }),
    {},
  ],
  [
    'and the approval of another person',
    {},
    (freezeId) => ({ a: approve(freezeId), b: asking(approval(freezeId), 'b', secondChecker) }),
    {},
  ],
  ['and a rejection', {}, (freezeId) => ({ a: approve(freezeId), n: reject(freezeId) }), {}],
  ['and a debit', {}, (freezeId) => ({ a: approve(freezeId), w: asking(debit, 'w', service) }), {}],
  [
    'and the end of the order that the freeze rests on',
    { proposed: 'end-basis' },
    (freezeId) => ({ a: approve(freezeId), end: verifyChange('ord-1') }),
    {},
  ],
  [
    'and a variation that drops the account',
    { proposed: 'drop' },
    (freezeId) => ({ a: approve(freezeId), vary: verifyChange('ord-1') }),
    {},
  ],
  [
    'and a variation that narrows the freeze',
    { proposed: 'narrow' },
    (freezeId) => ({ a: approve(freezeId), vary: verifyChange('ord-1') }),
    {},
  ],
  [
    'that crashes, beside the end of the order that the freeze rests on',
    { proposed: 'end-basis' },
    (freezeId) => ({ a: approve(freezeId), end: verifyChange('ord-1') }),
    { crashes: 1 },
  ],
  [
    'that crashes, beside the end of the order that the freeze rests on, and a supervisor',
    { proposed: 'end-basis' },
    (freezeId) => ({ a: approve(freezeId), end: verifyChange('ord-1'), supervisor }),
    { crashes: 1, tooMany: true },
  ],
  [
    'that crashes, beside a freeze under the same order',
    {},
    (freezeId) => ({ a: approve(freezeId), g: asking(freeze, 'g') }),
    { crashes: 1 },
  ],
  ['with lost acknowledgements', {}, (freezeId) => ({ a: approve(freezeId) }), { faults: 2 }],
];

/** What may come beside one who asks for a lift, and another who approves it, whatever its ground. */
function besideBoth(ground: Ground): readonly LiftCase[] {
  return [
    [
      'and the same request under another key',
      { asked: false },
      (freezeId) => ({ r: asking(request(ground, freezeId), 'r'), s: asking(request(ground, freezeId), 's') }),
      {},
    ],
    [
      'and the end of the order that the freeze rests on',
      { asked: false, proposed: 'end-basis' },
      (freezeId) => ({ lift: lift(ground, freezeId), end: verifyChange('ord-1') }),
      {},
    ],
    [
      'and a variation that drops the account',
      { asked: false, proposed: 'drop' },
      (freezeId) => ({ lift: lift(ground, freezeId), vary: verifyChange('ord-1') }),
      {},
    ],
  ];
}

async function exploreLift(ground: Ground, [name, about, actorsOf, mishaps]: LiftCase): Promise<void> {
  const log = await scene({ ground, ...about });
  await exploreAll(name, log, [name, actorsOf(freezeIn(log)), mishaps]);
}

const endRelease = [
  [proposals['end-release'], 'propose', maker],
  [{ type: 'VerifyChange', orderId: 'rel-1', changeId: 'chg-1', method: 'sealed copy' }, 'end', checker],
] as const;

describe('every interleaving of the approval of a lift by an order of release', () => {
  const cases: readonly LiftCase[] = [
    ...besideApproval,
    [
      'and the end of that order',
      { proposed: 'end-release' },
      (freezeId) => ({ a: approve(freezeId), end: verifyChange('rel-1') }),
      {},
    ],
    [
      'and the proposal of that end, and the end',
      {},
      (freezeId) => ({ a: approve(freezeId), end: script(...endRelease) }),
      {},
    ],
    [
      'and the expiry of that order',
      { release: { expiresAt: LATER } },
      (freezeId) => ({ a: approve(freezeId), supervisor: later(supervisor) }),
      {},
    ],
    [
      'and the ends of both orders',
      { proposed: 'end-basis' },
      (freezeId) => ({ a: approve(freezeId), end: verifyChange('ord-1'), endRelease: script(...endRelease) }),
      { large: true },
    ],
  ];
  it.each(cases)('%s', async (...each) => exploreLift('release-ordered', each), LIMIT_MS);
});

describe('every interleaving of the request of a lift by an order of release, and its approval', () => {
  const ground = 'release-ordered';
  const cases: readonly LiftCase[] = [
    ...besideBoth(ground),
    [
      'and the end of that order',
      { asked: false },
      (freezeId) => ({
        lift: lift(ground, freezeId),
        end: script(...endRelease),
      }),
      {},
    ],
    [
      'and the verification of that order by one whose clock is ahead, where the order begins',
      { asked: false, verified: false, release: { effectiveAt: LATER } },
      (freezeId) => ({
        lift: lift(ground, freezeId),
        verify: later(script([verifyRelease, 'verify', checker])),
      }),
      {},
    ],
  ];
  it.each(cases)('%s', async (...each) => exploreLift(ground, each), LIMIT_MS);
});

describe('every interleaving of the approval of a lift of a freeze that was placed in error', () => {
  it.each(besideApproval)('%s', async (...each) => exploreLift('placed-in-error', each), LIMIT_MS);
});

describe('every interleaving of the request of such a lift, and its approval', () => {
  it.each(besideBoth('placed-in-error'))('%s', async (...each) => exploreLift('placed-in-error', each), LIMIT_MS);
});
