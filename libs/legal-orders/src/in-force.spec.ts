import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  SAMPLE_ORDER_STREAM,
  SPEC_ACTOR,
  SPEC_NOW,
  endedOrder,
  proposedEnding,
  registeredOrder,
  sampleRegistration,
  specFor,
  specPointer,
  verifiedOrder,
} from '#testing';
import { toTimestamp, type Scope, type Tie } from '#kernel';
import {
  checkLegalOrder,
  decideLegalOrder,
  evolveLegalOrder,
  inForce,
  initialLegalOrderState,
  legalOrderBasis,
  legalOrderEvents,
  mayAuthorise,
} from './index.ts';

const { given } = specFor({
  initialState: initialLegalOrderState,
  evolve: evolveLegalOrder,
  check: checkLegalOrder,
  decide: decideLegalOrder,
  events: legalOrderEvents,
  stream: SAMPLE_ORDER_STREAM,
  context: { now: SPEC_NOW, actor: SPEC_ACTOR },
});

const effectiveAt = '2022-03-01T00:00:00.000Z';
const expiresAt = '2022-06-01T00:00:00.000Z';
const limited = given(registeredOrder({ effectiveAt, expiresAt }), verifiedOrder()).state();
const verified = given(registeredOrder(), verifiedOrder()).state();

describe('inForce', () => {
  it.each([
    ['2022-02-28T23:59:59.999Z', { ok: false, reason: 'the legal order is not effective yet' }],
    [effectiveAt, { ok: true }],
    ['2022-05-31T23:59:59.999Z', { ok: true }],
    [expiresAt, { ok: false, reason: 'the legal order has expired' }],
    ['2023-01-01T00:00:00.000Z', { ok: false, reason: 'the legal order has expired' }],
  ])('counts effectiveAt in and expiresAt out: %s', (at, force) => {
    expect(inForce(limited, at)).toEqual(force);
  });

  it('knows no end where the order has none', () => {
    expect(inForce(verified, '9999-12-31T23:59:59.999Z')).toEqual({ ok: true });
  });

  it('holds while an ending is only proposed', () => {
    expect(inForce(given(registeredOrder(), verifiedOrder(), proposedEnding()).state(), SPEC_NOW)).toEqual({
      ok: true,
    });
  });

  it.each([
    ['nothing', [], 'there is no such legal order'],
    ['registered', [registeredOrder()], 'the legal order is not verified yet'],
    [
      'ended',
      [registeredOrder(), verifiedOrder(), proposedEnding('c', 'set-aside'), endedOrder('c', 'set-aside')],
      'the legal order was set aside',
    ],
  ])('does not hold for an order of which the stream says: %s', (_, history, reason) => {
    expect(inForce(given(...history).state(), SPEC_NOW)).toEqual({ ok: false, reason });
  });

  it('is exactly the time from effectiveAt to before expiresAt', () => {
    const [from, to] = [Date.parse(effectiveAt), Date.parse(expiresAt)];
    const times = fc.oneof(
      fc.integer({ min: from - 10, max: from + 10 }),
      fc.integer({ min: to - 10, max: to + 10 }),
      fc.integer({ min: 0, max: 2 * to }),
    );
    fc.assert(
      fc.property(times, (ms) => {
        expect(inForce(limited, toTimestamp(ms)).ok).toBe(from <= ms && ms < to);
      }),
    );
  });
});

describe('as the basis of freezes', () => {
  const [from, to] = [Date.parse(effectiveAt), Date.parse(expiresAt)];
  const basis = legalOrderBasis('ord-1', limited);
  const around = (ms: number): readonly string[] => [ms - 1, ms, ms + 1].map(toTimestamp);

  it('names parties from effectiveAt on, until its end is recorded', () => {
    const isNaming = (at: string): boolean => basis.inForceBy(at) !== undefined;
    expect(around(from).map(isNaming)).toEqual([false, true, true]);
    expect(around(to).map(isNaming)).toEqual([true, true, true]);
  });

  it('has the clock alone change something at effectiveAt, and then at expiresAt', () => {
    expect(around(from).map((at) => basis.nextMoment(at))).toEqual([from, to, to]);
    expect(around(to).map((at) => basis.nextMoment(at))).toEqual([to, undefined, undefined]);
    expect(legalOrderBasis('ord-1', verified).nextMoment(effectiveAt)).toBeUndefined();
  });
});

describe('mayAuthorise', () => {
  const codeOf = (accountId: string, tie: Tie | undefined, scope?: Scope, at = SPEC_NOW): string | undefined =>
    mayAuthorise(verified, { accountId, scope, tie, at })?.code;
  const attachment = specPointer('party-p-1', 4);

  it('takes an account that the registration lists', () => {
    expect(codeOf('acc-1', { namedBy: sampleRegistration })).toBeUndefined();
  });

  it('takes any account of a party that the registration lists', () => {
    expect(codeOf('acc-7', { namedBy: attachment, partyId: 'p-1' })).toBeUndefined();
    expect(codeOf('acc-1', { namedBy: attachment, partyId: 'p-1' })).toBeUndefined();
  });

  it.each([
    ['nothing', 'acc-1', undefined],
    ['a registration that does not list the account', 'acc-2', { namedBy: sampleRegistration }],
    ['a party as if it were an account', 'p-1', { namedBy: sampleRegistration }],
    ['another event of the order', 'acc-1', { namedBy: specPointer(SAMPLE_ORDER_STREAM, 1) }],
    ['an event of another id', 'acc-1', { namedBy: { ...sampleRegistration, eventId: specPointer('', 1).eventId } }],
    ['an event of another revision', 'acc-1', { namedBy: { ...sampleRegistration, revision: '1' } }],
    ['the registration of another order', 'acc-1', { namedBy: { ...sampleRegistration, stream: 'legalOrder-ord-2' } }],
    ['an attachment as if it listed the account', 'acc-1', { namedBy: attachment }],
    ['a party that the order does not name', 'acc-7', { namedBy: specPointer('party-p-2', 4), partyId: 'p-2' }],
    ['an account as if it were a party', 'acc-7', { namedBy: specPointer('party-acc-1', 4), partyId: 'acc-1' }],
    ['an event on the stream of another party', 'acc-7', { namedBy: specPointer('party-p-2', 4), partyId: 'p-1' }],
    ['the registration, through a party', 'acc-1', { namedBy: sampleRegistration, partyId: 'p-1' }],
  ] satisfies [string, string, Tie | undefined][])('is not satisfied with a tie that is %s', (_, accountId, tie) => {
    expect(codeOf(accountId, tie)).toBe('basis-does-not-name-account');
  });

  const debit = (assets: Scope['assets']): Scope => ({ direction: 'debit', assets });
  it.each([
    [debit(['BTC']), undefined],
    [debit(['EUR', 'BTC']), undefined],
    [undefined, undefined],
    [debit(['ETH']), 'scope-exceeds-basis'],
    [debit(['BTC', 'ETH']), 'scope-exceeds-basis'],
    [debit('all'), 'scope-exceeds-basis'],
  ] satisfies [Scope | undefined, string | undefined][])('judges the scope %j: %s', (scope, code) => {
    expect(codeOf('acc-1', { namedBy: sampleRegistration }, scope)).toBe(code);
  });

  it('judges as of the time that it is given', () => {
    const freeze = { accountId: 'acc-1', scope: undefined, tie: { namedBy: sampleRegistration } };
    expect(mayAuthorise(limited, { ...freeze, at: '2022-05-31T23:59:59.999Z' })).toBeUndefined();
    expect(mayAuthorise(limited, { ...freeze, at: expiresAt })).toEqual({
      code: 'basis-not-in-force',
      detail: 'the legal order has expired',
    });
  });
});
