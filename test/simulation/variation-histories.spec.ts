import type { Subject } from '#legal-orders';
import { Judge } from '#replay';
import { checker, forceIn, LedgerWorld, service, variation, type Varied } from '#testing';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LIMIT_MS, runs } from './effort.ts';
import {
  account,
  address,
  ALL,
  expectQuiet,
  inForce,
  keeping,
  party,
  RECORDED_AT,
  varyOrderUnseen,
} from './varied-orders.ts';

/** What happens to an order, to acc-1 of p-1 under it, and to the addresses `a`, `b` and `c`. */
type Step =
  | { readonly kind: 'link'; readonly partyId: string; readonly name: string; readonly isUnseen: boolean }
  | { readonly kind: 'vary'; readonly subjects: readonly Subject[]; readonly isUnseen: boolean }
  | { readonly kind: 'narrow' | 'widen' | 'freeze' | 'supervise' };

const SUBJECTS: readonly Subject[] = [
  address('a'),
  address('b'),
  address('c'),
  party('p-1'),
  account('acc-1'),
  account('acc-2'),
  { kind: 'external', sha256: 'e'.repeat(64) },
];
const name = fc.constantFrom('a', 'b', 'c');
const link = fc.record({
  kind: fc.constant('link' as const),
  partyId: fc.constantFrom('p-1', 'p-1', 'p-2'),
  name,
  isUnseen: fc.boolean(),
});
/** Mostly of addresses: what names the account otherwise names it whatever is linked. */
const subjects = fc.oneof(
  { weight: 3, arbitrary: fc.subarray([...SUBJECTS.slice(0, 3)], { minLength: 1 }) },
  { weight: 1, arbitrary: fc.subarray([...SUBJECTS], { minLength: 1, maxLength: 3 }) },
);
const vary = fc.record({ kind: fc.constant('vary' as const), subjects, isUnseen: fc.boolean() });
const other = fc.record({ kind: fc.constantFrom('narrow', 'widen', 'freeze', 'freeze', 'supervise' as const) });
const history: fc.Arbitrary<readonly Step[]> = fc.array(fc.oneof(link, vary, other), { minLength: 4, maxLength: 12 });

/** The rule, said as simply as can be: what happened so far, in its order. */
class Told {
  subjects: readonly Subject[] = [address('a')];
  readonly linked = new Set<string>();
  frozen = false;

  isNamed(): boolean {
    const isListed = this.subjects.some((each) => each.kind === 'account' && each.accountId === 'acc-1');
    return isListed || this.isPartyNamed();
  }

  isPartyNamed(): boolean {
    return this.subjects.some(
      (each) =>
        (each.kind === 'party' && each.partyId === 'p-1') ||
        (each.kind === 'address' && this.linked.has(`p-1 ${each.address}`)),
    );
  }

  vary(to: readonly Subject[]): void {
    this.subjects = to;
    if (!this.isNamed()) this.frozen = false;
  }
}

const again = ({ store, clock }: LedgerWorld): LedgerWorld => new LedgerWorld({ store, clock });

async function take(world: LedgerWorld, told: Told, step: Step, nth: number): Promise<LedgerWorld> {
  const changeId = `chg-${String(nth)}`;
  switch (step.kind) {
    case 'link':
      return takeLink(world, told, step);
    case 'vary':
      told.vary(step.subjects);
      if (step.isUnseen) return varyOrderUnseen(world, { subjects: step.subjects }, changeId);
      return varyNow(world, { subjects: step.subjects }, changeId);
    case 'narrow':
    case 'widen':
      return varyNow(world, { scope: step.kind === 'widen' ? ALL : keeping('1') }, changeId);
    case 'freeze': {
      const command = {
        type: 'FreezeAccount',
        accountId: 'acc-1',
        basis: { kind: 'legal-order', id: 'ord-1' },
      } as const;
      const outcome = await world.ask(command, { key: changeId });
      expect(outcome.status).toBe(told.isNamed() && !told.frozen ? 'accepted' : 'rejected');
      told.frozen = told.isNamed();
      return world;
    }
    case 'supervise': {
      const next = again(world);
      await next.ledger.supervisor.pass();
      expect(next.failures).toEqual([]);
      return next;
    }
  }
}

/** By two people, and followed before the answer. */
async function varyNow(world: LedgerWorld, changes: Varied, changeId: string): Promise<LedgerWorld> {
  await world.accept(variation(changeId, changes), { key: `propose-${changeId}` });
  const verification = { type: 'VerifyChange', orderId: 'ord-1', changeId, method: 'sealed copy' } as const;
  await world.accept(verification, { key: `verify-${changeId}`, actor: checker });
  return world;
}

async function takeLink(
  world: LedgerWorld,
  told: Told,
  { partyId, name, isUnseen }: Extract<Step, { kind: 'link' }>,
): Promise<LedgerWorld> {
  if (told.linked.has(`${partyId} ${name}`)) return world;
  told.linked.add(`${partyId} ${name}`);
  const data = { partyId, chain: 'bitcoin', address: name, role: 'holder-controlled' } as const;
  if (!isUnseen) {
    await world.accept({ type: 'LinkAddress', ...data }, { key: `link ${name}`, actor: service });
    return world;
  }
  // By another process, which dies before it tends the order.
  const key = { caller: service.id, value: `${partyId} ${name}` };
  const options = { recordedAt: RECORDED_AT, actor: service, key };
  await forceIn(world.store, `party-${partyId}`, { type: 'AddressLinked', data }, options);
  return again(world);
}

async function isPartyNamed({ store }: LedgerWorld): Promise<boolean> {
  const events = (await store.read('party-p-1')).filter(({ type }) => type.includes('Named'));
  return events.at(-1)?.type === 'PartyNamed';
}

it(
  'whatever is linked, varied, frozen and supervised, the freeze is in force as long as what came before each variation says',
  async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        let world = new LedgerWorld();
        for (const nth of ['1', '2']) await world.openAccount(`acc-${nth}`, `p-${nth}`);
        const told = new Told();
        world = await takeLink(world, told, { kind: 'link', partyId: 'p-1', name: 'a', isUnseen: false });
        await world.putOrder({ subjects: [...told.subjects], scope: ALL });
        for (const [nth, step] of steps.entries()) world = await take(world, told, step, nth);
        world = again(world);
        await world.ledger.supervisor.pass();
        expect(await inForce(world)).toHaveLength(told.frozen ? 1 : 0);
        expect(await isPartyNamed(world)).toBe(told.isPartyNamed());
        await expectQuiet(world);
        const judge = new Judge(world.store);
        for (const event of await world.log()) expect((await judge.judge(event)).violation).toBeUndefined();
      }),
      { numRuns: runs(60) },
    );
  },
  LIMIT_MS,
);
