import { toMs, toTimestamp, type Timestamp } from '#kernel';
import type { ReleaseInstrument } from '#legal-orders';
import {
  checker,
  checkLog,
  endingProposal,
  LedgerWorld,
  letterRegistration,
  maker,
  orderNaming,
  putHit,
  raising,
  service,
  TestClock,
  variation,
} from '#testing';
import { describe, expect, it } from '@jest/globals';
import { Agenda } from './agenda.ts';
import type { LedgerCommand, Outcome } from './ledger-api.ts';

const START = '2022-02-15T12:00:00.000Z';
const EFFECTIVE = '2022-02-15T13:00:00.000Z';
const EXPIRES = '2022-02-15T14:00:00.000Z';
const HOUR_MS = 3_600_000;
const DEFERRAL_MS = 72 * HOUR_MS;

const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;
const deposit = {
  type: 'Deposit',
  accountId: 'acc-1',
  depositId: 'd-1',
  asset: 'BTC',
  amount: '1',
  source: { kind: 'bank', reference: 'r' },
} as const;
const document = { documentSha256: 'e'.repeat(64), issuedAt: '2022-02-15T10:00:00.000Z', reference: 'r' } as const;
const extension = { type: 'ProposeExtension', orderId: 'ord-1', changeId: 'chg-1', ...document } as const;
const verifyChange = { type: 'VerifyChange', orderId: 'ord-1', changeId: 'chg-1', method: 'm' } as const;

function release(changes: Partial<ReleaseInstrument> = {}): LedgerCommand {
  const { subjects: _, scope: __, ...rest } = orderNaming({ orderId: 'rel-1' });
  const releases = { accountIds: ['acc-1'] };
  const instrument: ReleaseInstrument = { ...rest, effect: 'release', releases, ...changes };
  return { type: 'RegisterLegalOrder', orderId: 'rel-1', instrument };
}
const verifyRelease = { type: 'VerifyLegalOrder', orderId: 'rel-1', method: 'call-back' } as const;

/** A command, and whoever sends it. */
type Sent = readonly [LedgerCommand, typeof maker];

/** What came of an outcome, in a word. */
function said(outcome: Outcome): string {
  return outcome.status === 'accepted' ? 'accepted' : outcome.rejection.code;
}

/** A world whose clock a test moves. */
class Timed {
  readonly clock = new TestClock(START);
  readonly world = new LedgerWorld({ clock: this.clock });

  to(timestamp: Timestamp, moreMs = 0): void {
    this.clock.advance(toMs(timestamp) + moreMs - this.clock.now());
  }

  async ask([command, actor]: Sent): Promise<string> {
    return said(await this.world.ask(command, { actor }));
  }

  async frozen(): Promise<string> {
    const [frozen] = await this.world.accept(freeze);
    return (frozen?.data as { freezeId: string }).freezeId;
  }
}

/** Asks at each of these times anew, in a world that `prepare` made before. @returns what was answered, in their order */
async function askedAt(
  times: readonly (readonly [Timestamp, number])[],
  prepare: (timed: Timed) => Promise<Sent>,
): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const [timestamp, moreMs] of times) {
    const timed = new Timed();
    const sent = await prepare(timed);
    timed.to(timestamp, moreMs);
    answers.push(await timed.ask(sent));
    expect(timed.world.failures).toEqual([]);
    const now = toTimestamp(timed.clock.now());
    expect(checkLog(await timed.world.log(), { now })).toEqual([]);
  }
  return answers;
}

const aroundEffective = [-1, 0, 1].map((moreMs) => [EFFECTIVE, moreMs] as const);
const aroundExpiry = [-1, 0, 1].map((moreMs) => [EXPIRES, moreMs] as const);
const aroundDeferral = [-1, 0, 1].map((moreMs) => [EXPIRES, DEFERRAL_MS + moreMs] as const);

describe('an order, a millisecond before its times, at them, and a millisecond after', () => {
  const withOrder = async ({ world }: Timed): Promise<void> => {
    await world.openAccount();
    await world.putOrder({ effectiveAt: EFFECTIVE, expiresAt: EXPIRES });
  };

  it('authorises freezes from effectiveAt to before expiresAt', async () => {
    const prepare = async (timed: Timed): Promise<Sent> => {
      await withOrder(timed);
      return [freeze, maker];
    };
    expect(await askedAt(aroundEffective, prepare)).toEqual(['basis-not-in-force', 'accepted', 'accepted']);
    expect(await askedAt(aroundExpiry, prepare)).toEqual(['accepted', 'basis-not-in-force', 'basis-not-in-force']);
  });

  it('can be varied, and the variation verified, to before expiresAt', async () => {
    const narrow = variation('chg-1', { scope: { direction: 'debit', assets: ['BTC'] } });
    const answers = ['accepted', 'invalid-transition', 'invalid-transition'];
    const proposing = async (timed: Timed): Promise<Sent> => {
      await withOrder(timed);
      return [narrow, maker];
    };
    expect(await askedAt(aroundExpiry, proposing)).toEqual(answers);
    const verifying = async (timed: Timed): Promise<Sent> => {
      await timed.ask(await proposing(timed));
      return [verifyChange, checker];
    };
    expect(await askedAt(aroundExpiry, verifying)).toEqual(answers);
  });

  it('can be extended to before expiresAt, and that is verified to before 72 hours later', async () => {
    const proposing = async (timed: Timed): Promise<Sent> => {
      await withOrder(timed);
      return [{ ...extension, expiresAt: toTimestamp(toMs(EXPIRES) + 1) }, maker];
    };
    const answers = ['accepted', 'invalid-transition', 'invalid-transition'];
    expect(await askedAt(aroundExpiry, proposing)).toEqual(answers);
    const verifying = async (timed: Timed): Promise<Sent> => {
      await withOrder(timed);
      await timed.ask([{ ...extension, expiresAt: toTimestamp(toMs(EXPIRES) + 2 * DEFERRAL_MS) }, maker]);
      return [verifyChange, checker];
    };
    expect(await askedAt(aroundDeferral, verifying)).toEqual(answers);
  });

  it('is extended only to later than it runs until, which is held against it after If-Match', async () => {
    const timed = new Timed();
    const { world } = timed;
    await withOrder(timed);
    await world.putOrder({ orderId: 'ord-2', effectiveAt: EFFECTIVE });
    for (const orderId of ['ord-1', 'ord-2']) {
      const tooShort = { ...extension, orderId, expiresAt: EXPIRES };
      expect(said(await world.ask(tooShort, { ifMatch: 0 }))).toBe('revision-mismatch');
      expect(said(await world.ask(tooShort, { ifMatch: 1 }))).toBe('malformed-request');
      expect(said(await world.ask(tooShort))).toBe('malformed-request');
    }
  });

  it('that is to be extended authorises nothing after expiresAt, and its freezes hold for 72 hours', async () => {
    const timed = new Timed();
    await withOrder(timed);
    timed.to(EFFECTIVE);
    await timed.frozen();
    await timed.world.accept({ ...extension, expiresAt: '2022-03-15T14:00:00.000Z' });
    const isLifted = async (): Promise<boolean> => {
      await timed.world.ledger.supervisor.pass();
      return (await timed.world.log()).some(({ type }) => type === 'AccountUnfrozen');
    };
    timed.to(EXPIRES);
    expect([await timed.ask([freeze, maker]), await isLifted()]).toEqual(['basis-not-in-force', false]);
    timed.to(EXPIRES, DEFERRAL_MS - 1);
    expect(await isLifted()).toBe(false);
    timed.to(EXPIRES, DEFERRAL_MS);
    expect(await isLifted()).toBe(true);
  });
});

describe('an order of release, a millisecond before its times, at them, and a millisecond after', () => {
  const requesting = async ({
    world,
    frozen,
  }: {
    world: LedgerWorld;
    frozen: () => Promise<string>;
  }): Promise<Sent> => {
    await world.openAccount();
    await world.putOrder();
    await world.accept(release({ effectiveAt: EFFECTIVE, expiresAt: EXPIRES }));
    await world.accept(verifyRelease, { actor: checker });
    const freezeId = await frozen();
    return [{ type: 'RequestLift', freezeId, requestId: 'r-1', ground: 'release-ordered', orderId: 'rel-1' }, maker];
  };
  const worldOf = (timed: Timed): Parameters<typeof requesting>[0] => {
    return { world: timed.world, frozen: () => timed.frozen() };
  };

  it('is the ground of a request from effectiveAt to before expiresAt', async () => {
    const prepare = (timed: Timed): Promise<Sent> => requesting(worldOf(timed));
    expect(await askedAt(aroundEffective, prepare)).toEqual(['ground-not-established', 'accepted', 'accepted']);
    const late = ['accepted', 'ground-not-established', 'ground-not-established'];
    expect(await askedAt(aroundExpiry, prepare)).toEqual(late);
  });

  it('is the ground of an approval to before expiresAt', async () => {
    const prepare = async (timed: Timed): Promise<Sent> => {
      const asked = await requesting(worldOf(timed));
      timed.to(EFFECTIVE);
      expect(await timed.ask(asked)).toBe('accepted');
      const { freezeId } = asked[0] as { freezeId: string };
      return [{ type: 'ApproveLift', freezeId, requestId: 'r-1' }, checker];
    };
    const late = ['accepted', 'ground-not-established', 'ground-not-established'];
    expect(await askedAt(aroundExpiry, prepare)).toEqual(late);
  });
});

describe('what the supervisor is to look at', () => {
  it('is due from its time on', () => {
    const agenda = new Agenda();
    const item = { kind: 'legal-order', id: 'ord-1' } as const;
    agenda.add(item, 1_000);
    expect(agenda.takeDue(999)).toEqual([]);
    expect(agenda.takeDue(1_000)).toEqual([item]);
    expect(agenda.takeDue(1_001)).toEqual([]);
  });

  it('puts bases first, and leaves those that failed where only what became due is looked at', () => {
    const agenda = new Agenda();
    const transfer = { kind: 'transfer', id: 'a/t-1' } as const;
    const party = { kind: 'party', id: 'p-1' } as const;
    const order = { kind: 'legal-order', id: 'ord-1' } as const;
    const hit = { kind: 'sanctions-hit', id: 'hit-1' } as const;
    for (const item of [transfer, party, order, hit]) agenda.add(item, 0);
    expect(agenda.takeDue(0)).toEqual([order, hit, party, transfer]);
    for (const item of [transfer, party, hit]) agenda.add(item, 1);
    agenda.retry(order, 0);
    expect(agenda.takeDueBases(60_000)).toEqual([hit]);
    expect(agenda.takeDue(60_000)).toEqual([order, party, transfer]);
  });

  it('puts transfers last, and takes a part of them', () => {
    const agenda = new Agenda();
    const transfers = ['a/t-1', 'a/t-2', 'a/t-3'].map((id) => ({ kind: 'transfer', id }) as const);
    const order = { kind: 'legal-order', id: 'ord-1' } as const;
    for (const item of [...transfers, order]) agenda.add(item, 0);
    expect(agenda.takeDue(0, 2)).toEqual([order, transfers[0], transfers[1]]);
    expect(agenda.takeDue(0)).toEqual([transfers[2]]);
  });

  it('counts the transfers among it, and forgets the oldest of what is done when there is too much', () => {
    const agenda = new Agenda();
    const transfer = { kind: 'transfer', id: 'a/t-1' } as const;
    agenda.add(transfer, 0);
    agenda.add(transfer, 5);
    agenda.add({ kind: 'party', id: 'p-1' }, 0);
    expect(agenda.transfers).toBe(1);
    agenda.takeDue(0);
    expect(agenda.transfers).toBe(0);
    for (let n = 0; n <= 100_000; n += 1) agenda.settled(`id-${String(n)}`, 0);
    expect(agenda.bounds.map(({ inUse }) => inUse())).toEqual([100_000]);
    expect([agenda.isSettled('id-0', 0), agenda.isSettled('id-1', 0)]).toEqual([false, true]);
  });
});

describe('the legal time of a freeze', () => {
  it.each([
    [-1, 'accepted'],
    [0, 'accepted'],
    [1, 'malformed-request'],
  ])('may lie %d ms from now: %s', async (moreMs, answer) => {
    const timed = new Timed();
    await timed.world.openAccount();
    await timed.world.putOrder();
    const blockedFrom = toTimestamp(timed.clock.now() + moreMs);
    expect(await timed.ask([{ ...freeze, blockedFrom }, maker])).toBe(answer);
  });
});

describe('a clock that is behind what is recorded already', () => {
  const BEHIND: readonly (readonly [number, boolean])[] = [
    [5_000, true],
    [5_001, false],
    [6_000, false],
  ];
  /** What is prepared at a time to which the clock then has to catch up, and what is asked then. */
  const cases: readonly (readonly [string, (timed: Timed) => Promise<Sent>])[] = [
    [
      'of an account, at a deposit',
      async ({ world }) => {
        await world.openAccount();
        return [deposit, service];
      },
    ],
    [
      'of an order, at its verification',
      async ({ world }) => {
        await world.openAccount();
        await world.putOrder({}, false);
        return [{ type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'm' }, checker];
      },
    ],
    [
      'of an order, at a change of it',
      async ({ world }) => {
        await world.openAccount();
        await world.putOrder();
        return [endingProposal(), maker];
      },
    ],
    [
      'of a hit, at its confirmation',
      async ({ world }) => {
        await world.openAccount();
        await world.accept(raising());
        return [{ type: 'ConfirmSanctionsHit', hitId: 'hit-1' }, checker];
      },
    ],
    [
      'of a letter, at the answer to it',
      async ({ world }) => {
        await world.accept(letterRegistration());
        return [{ type: 'AnswerAuthorityRequest', requestId: 'req-1', outcome: 'refused', reason: 'r' }, checker];
      },
    ],
    [
      'of the order alone, at a freeze under it',
      async ({ world, clock }) => {
        await world.openAccount();
        clock.advance(HOUR_MS);
        await world.putOrder();
        return [freeze, maker];
      },
    ],
    [
      'of the hit alone, at a freeze under it',
      async ({ world, clock }) => {
        await world.openAccount();
        clock.advance(HOUR_MS);
        await putHit(world, { subject: { kind: 'party', partyId: 'p-1' } });
        return [{ ...freeze, basis: { kind: 'sanctions-hit', id: 'hit-1' } }, maker];
      },
    ],
    [
      'of the order of release alone, at a lift that relies on it',
      async (timed) => {
        await timed.world.openAccount();
        await timed.world.putOrder();
        const freezeId = await timed.frozen();
        timed.clock.advance(HOUR_MS);
        await timed.world.accept(release());
        await timed.world.accept(verifyRelease, { actor: checker });
        return [
          { type: 'RequestLift', freezeId, requestId: 'r-1', ground: 'release-ordered', orderId: 'rel-1' },
          maker,
        ];
      },
    ],
  ];

  it.each(cases)(
    '%s: up to five seconds are absorbed, more is refused, and nothing recorded',
    async (_what, prepare) => {
      for (const [behindMs, isAbsorbed] of BEHIND) {
        const timed = new Timed();
        const sent = await prepare(timed);
        const before = await timed.world.log();
        const recordedAt = toTimestamp(timed.clock.now());
        timed.clock.advance(-behindMs);
        expect([behindMs, await timed.ask(sent)]).toEqual([behindMs, isAbsorbed ? 'accepted' : 'clock-unreliable']);
        const added = (await timed.world.log()).slice(before.length);
        expect(added.length > 0).toBe(isAbsorbed);
        // One instant for all: time stands still until the clock has caught up.
        expect(added.map(({ metadata }) => metadata.recordedAt)).toEqual(added.map(() => recordedAt));
        expect(checkLog(await timed.world.log(), { now: recordedAt })).toEqual([]);
      }
    },
  );
});
