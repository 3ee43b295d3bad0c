import { describe, expect, it } from '@jest/globals';
import { canonicalJson, parseTimestamp } from '#kernel';
import fc from 'fast-check';
import { OpenAccountBody } from '../accounts/account.dto.ts';
import { DepositBody, WithdrawalBody } from '../accounts/movement.dto.ts';
import { RegisterAssetBody } from '../assets/asset.dto.ts';
import { FreezeBody, NoteBody, RequestLiftBody } from '../freezes/freeze.dto.ts';
import { ProposeChangeBody, RegisterLegalOrderBody } from '../legal-orders/legal-order.dto.ts';
import type { FieldError } from '../http/problem.ts';
import { ProblemError } from '../http/problem.ts';
import { ListQuery } from '../edge/query-edge.ts';
import { readBody, readQuery } from './dto.pipe.ts';
import { Plan, type Dto } from './plan.ts';

function errorsOf(dto: Dto, body: unknown): readonly FieldError[] {
  try {
    readBody(dto, body);
    return [];
  } catch (error) {
    if (error instanceof ProblemError) return error.problem.extra?.['errors'] as FieldError[];
    throw error;
  }
}

function fieldsOf(dto: Dto, body: unknown): readonly string[] {
  return errorsOf(dto, body).map(({ field }) => field);
}

const DEPOSIT = {
  depositId: 'dep-1',
  asset: 'BTC',
  amount: '0.50',
  source: { kind: 'onchain', reference: 'tx-1', chain: 'bitcoin' },
};
const SHA256 = 'ab'.repeat(32);
const ORDER = {
  orderId: 'ord-1',
  kind: 'freezing-order',
  authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
  caseReference: 'CL-2022-000123',
  statute: 's.37',
  subjects: [
    { kind: 'account', accountId: 'acc-1' },
    { kind: 'party', partyId: 'p-1' },
  ],
  scope: { direction: 'debit', assets: ['BTC'] },
  issuedAt: '2022-02-15T12:00:00Z',
  receivedAt: '2022-02-15T12:00:00.5Z',
  effectiveAt: '2022-02-15T12:00:00+00:00',
  documentSha256: SHA256,
};
const ENDING = {
  changeId: 'chg-1',
  kind: 'ending',
  how: 'discharged',
  documentSha256: SHA256,
  issuedAt: '2022-02-15T12:00:00Z',
  reference: 'r',
};
const { how: _, ...ANY_CHANGE } = ENDING;
const VARIATION = { ...ANY_CHANGE, kind: 'variation' };

const GOOD: readonly (readonly [Dto, Record<string, unknown>])[] = [
  [RegisterAssetBody, { code: 'BTC', scale: 8, kind: 'crypto' }],
  [OpenAccountBody, { accountId: 'acc-1', holders: [{ partyId: 'p-1', capacity: 'owner' }] }],
  [DepositBody, DEPOSIT],
  [WithdrawalBody, { withdrawalId: 'wd-1', asset: 'BTC', amount: '1', destination: { kind: 'bank' } }],
  [RegisterLegalOrderBody, ORDER],
  [ProposeChangeBody, ENDING],
  [FreezeBody, { basis: { kind: 'legal-order', id: 'ord-1' }, scope: { direction: 'debit', assets: 'all' } }],
  [RequestLiftBody, { requestId: 'r-1', ground: 'placed-in-error', note: 'Wrong account.' }],
  [NoteBody, {}],
];

describe('a body', () => {
  it.each(GOOD)('that is right is taken: %p', (dto, body) => {
    expect(errorsOf(dto, body)).toEqual([]);
    const inOneForm = (_: string, value: unknown): unknown =>
      typeof value === 'string' ? (parseTimestamp(value) ?? value) : value;
    expect(JSON.parse(JSON.stringify(readBody(dto, body)))).toEqual(JSON.parse(JSON.stringify(body), inOneForm));
  });

  it.each([undefined, null, [], [{}], '', 'text', 1, true])('that is no object is refused: %p', (body) => {
    expect(errorsOf(DepositBody, body)).toEqual([{ field: 'body', message: 'must be an object' }]);
  });

  it('that lacks fields is told every one of them', () => {
    expect(fieldsOf(DepositBody, {})).toEqual(['amount', 'asset', 'depositId', 'source']);
  });

  it.each(['note', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])(
    'with the unknown field %p is refused, at any depth',
    (name) => {
      expect(fieldsOf(DepositBody, { ...DEPOSIT, [name]: 1 })).toEqual([name]);
      expect(fieldsOf(DepositBody, { ...DEPOSIT, source: { ...DEPOSIT.source, [name]: 1 } })).toEqual([
        `source.${name}`,
      ]);
    },
  );

  it('names a field without a name', () => {
    expect(fieldsOf(NoteBody, { '': 1 })).toEqual(['""']);
  });

  it('with __proto__ as a field is refused, at any depth', () => {
    const text = JSON.stringify(DEPOSIT);
    expect(fieldsOf(DepositBody, JSON.parse(text.replace('{', '{"__proto__":{},')))).toEqual(['__proto__']);
    const nested = text.replace('"source":{', '"source":{"__proto__":{"kind":"bank"},');
    expect(fieldsOf(DepositBody, JSON.parse(nested))).toEqual(['source.__proto__']);
  });

  it('takes nothing from its prototype', () => {
    expect(fieldsOf(DepositBody, Object.create(DEPOSIT))).toEqual(['amount', 'asset', 'depositId', 'source']);
  });

  it.each([[[]], [[DEPOSIT.source]], [null], ['onchain'], [1]])('with %p for an object is refused', (source) => {
    expect(errorsOf(DepositBody, { ...DEPOSIT, source })).toEqual([{ field: 'source', message: 'must be an object' }]);
  });

  it.each([[{}], [[]], ['all'], [null], [Array.from({ length: 21 }, () => ({}))]])(
    'with %p for a list of 1 to 20 is refused',
    (holders) => {
      expect(fieldsOf(OpenAccountBody, { accountId: 'a', holders })).toEqual(['holders']);
    },
  );

  it('says where in a list something is wrong', () => {
    const holders = [{ partyId: 'p', capacity: 'owner' }, { partyId: '..', capacity: 'king', x: 1 }, []];
    expect(fieldsOf(OpenAccountBody, { accountId: 'a', holders })).toEqual([
      'holders.1.x',
      'holders.1.capacity',
      'holders.1.partyId',
      'holders.2',
    ]);
  });

  it.each([
    '1e3',
    '-1',
    '+1',
    '0',
    '0.00',
    '00.1',
    '.5',
    '1.',
    '1,5',
    ' 1',
    '1 ',
    '',
    '١',
    '１',
    '0x1',
    'NaN',
    'Infinity',
  ])('with the amount %p is refused', (amount) => {
    expect(fieldsOf(DepositBody, { ...DEPOSIT, amount })).toEqual(['amount']);
  });
  it.each([1, 0.5, 1n, null, true, ['1'], { value: '1' }, '1'.repeat(65)])(
    'with the amount %p is refused',
    (amount) => {
      expect(fieldsOf(DepositBody, { ...DEPOSIT, amount })).toEqual(['amount']);
    },
  );

  it.each(['', '..', '.a', '-a', 'a/b', 'a b', 'a\n', 'a\u0000', '__proto__', 'ä', 'a'.repeat(65), 7, null])(
    'with the id %p is refused',
    (depositId) => {
      expect(fieldsOf(DepositBody, { ...DEPOSIT, depositId })).toEqual(['depositId']);
    },
  );
  it.each(['a', '7', 'a.b_c:d-e', 'a'.repeat(64)])('with the id %p is taken', (depositId) => {
    expect(fieldsOf(DepositBody, { ...DEPOSIT, depositId })).toEqual([]);
  });

  it.each(['', ' ', 'a\u0000b', 'a\u001b[1m', '\ud800', 'a'.repeat(129), 7, null])(
    'with the text %j is refused',
    (reference) => {
      expect(fieldsOf(DepositBody, { ...DEPOSIT, source: { ...DEPOSIT.source, reference } })).toEqual([
        'source.reference',
      ]);
    },
  );

  it('may not have null for what it leaves out', () => {
    expect(fieldsOf(NoteBody, { note: null })).toEqual(['note']);
    expect(fieldsOf(FreezeBody, { basis: { kind: 'legal-order', id: 'o' }, scope: null })).toEqual(['scope']);
  });

  it.each([-1, 19, 1.5, '8', null, Number.NaN, Number.POSITIVE_INFINITY])('with the scale %p is refused', (scale) => {
    expect(fieldsOf(RegisterAssetBody, { code: 'BTC', scale, kind: 'crypto' })).toEqual(['scale']);
  });

  it.each(['2022-02-15', '2022-02-30T00:00:00Z', '2022-02-15T12:00:00', '2022-02-15T12:00:00+01:00', 1, null, 'now'])(
    'with the time %p is refused',
    (issuedAt) => {
      expect(fieldsOf(RegisterLegalOrderBody, { ...ORDER, issuedAt })).toEqual(['issuedAt']);
    },
  );

  it.each([
    [[], 'scope.assets'],
    [['BTC', 'BTC'], 'scope.assets'],
    ['BTC', 'scope.assets'],
    [['btc'], 'scope.assets'],
    [{}, 'scope.assets'],
  ])('with the assets %j is refused', (assets, field) => {
    expect(fieldsOf(RegisterLegalOrderBody, { ...ORDER, scope: { direction: 'debit', assets } })).toEqual([field]);
  });

  it('names at most so many errors, and cuts the names of fields that it does not know', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${String(index)}`.repeat(100), 1]));
    const errors = errorsOf(DepositBody, { ...DEPOSIT, ...many });
    expect(errors).toHaveLength(50);
    expect(Math.max(...errors.map(({ field }) => field.length))).toBeLessThanOrEqual(100);
  });
});

describe('limits', () => {
  const limited = (limits: unknown, more: object = {}): object => ({
    ...ORDER,
    scope: { direction: 'debit', assets: ['BTC', 'EUR'], limits, ...more },
  });
  const read = (body: object) => readBody(RegisterLegalOrderBody, body) as RegisterLegalOrderBody;

  it('are amounts by asset, as they were written', () => {
    const limits = read(limited({ EUR: '7.0', BTC: '1.50' })).scope?.limits;
    expect(limits).toEqual({ EUR: '7.0', BTC: '1.50' });
    expect(Object.keys(limits ?? {})).toEqual(['BTC', 'EUR']);
  });

  it('are compared by what they mean, in whatever order', () => {
    const comparable = (limits: object) => Plan.of(RegisterLegalOrderBody).comparable(read(limited(limits)));
    const one = comparable({ EUR: '7.0', BTC: '1.50' });
    expect(comparable({ BTC: '1.5', EUR: '7' })).toEqual(one);
    expect(JSON.stringify(one)).toBe(canonicalJson(one));
    expect(comparable({ BTC: '1.5', EUR: '8' })).not.toEqual(one);
  });

  it.each<[string, object, string]>([
    ['an amount that is a number', limited({ BTC: 1 }), 'scope.limits.BTC'],
    ['an amount of nothing', limited({ BTC: '0.0' }), 'scope.limits.BTC'],
    ['a code that is none', limited({ btc: '1' }), 'scope.limits.btc'],
    ['a code of old', JSON.parse('{"__proto__":"1"}') as object, 'scope.limits.__proto__'],
    ['a list', limited(['1']), 'scope.limits'],
    ['null', limited(null), 'scope.limits'],
    ['an asset that the scope does not have', limited({ ETH: '1' }), 'scope.limits.ETH'],
    ['none', limited({}), 'scope.limits'],
    ['those of a credit freeze', limited({ BTC: '1' }, { direction: 'credit' }), 'scope.limits'],
  ])('are turned down: %s', (what, body, field) => {
    const given = what === 'a code of old' ? limited(body) : body;
    expect(fieldsOf(RegisterLegalOrderBody, given)).toEqual([field]);
  });

  it('are looked at with the rest of their scope only once each part is right', () => {
    const body = limited({ ETH: '1' }, { direction: 'sideways' });
    expect(fieldsOf(RegisterLegalOrderBody, body)).toEqual(['scope.direction']);
  });
});

describe('what is not supported yet', () => {
  it.each<[Dto, object, string]>([
    [RegisterLegalOrderBody, { ...ORDER, effect: 'permit' }, 'effect'],
    [RegisterLegalOrderBody, { ...ORDER, effect: 'execute' }, 'effect'],
  ])('is refused, and said so: %p %#', (dto, body, field) => {
    expect(errorsOf(dto, body)).toEqual([{ field, message: expect.stringMatching(/is not supported yet$/) }]);
  });

  it.each<[Dto, object, string]>([
    [RegisterLegalOrderBody, { ...ORDER, effect: 'destroy' }, 'effect'],
    [RegisterLegalOrderBody, { ...ORDER, effect: 'release' }, 'releases'],
    [RegisterLegalOrderBody, { ...ORDER, releases: { accountIds: ['a'] } }, 'releases'],
    [RequestLiftBody, { requestId: 'r', ground: 'release-ordered', note: 'n' }, 'orderId'],
    [RequestLiftBody, { requestId: 'r', ground: 'placed-in-error', note: 'n', orderId: 'o' }, 'orderId'],
    [RegisterLegalOrderBody, { ...ORDER, subjects: [{ kind: 'nationality', code: 'RU' }] }, 'subjects.0.kind'],
    [RegisterLegalOrderBody, { ...ORDER, subjects: [{ kind: 'account', partyId: 'p' }] }, 'subjects.0.partyId'],
    [RegisterLegalOrderBody, { ...ORDER, subjects: [{ kind: 'address', chain: 'bitcoin' }] }, 'subjects.0.address'],
    [RegisterLegalOrderBody, { ...ORDER, subjects: [{ kind: 'external', sha256: 'x' }] }, 'subjects.0.sha256'],
    [ProposeChangeBody, { ...VARIATION, subjects: [{ kind: 'nationality', code: 'RU' }] }, 'subjects.0.kind'],
    [ProposeChangeBody, { ...VARIATION, subjects: [{ kind: 'address', chain: 'bitcoin' }] }, 'subjects.0.address'],
    [ProposeChangeBody, { ...VARIATION, subjects: [{ kind: 'external', sha256: 'x' }] }, 'subjects.0.sha256'],
    [FreezeBody, { basis: { kind: 'letter', id: 'l' } }, 'basis.kind'],
    [RequestLiftBody, { requestId: 'r', ground: 'changed-our-mind', note: 'n' }, 'ground'],
    [ProposeChangeBody, { ...ENDING, kind: 'amendment' }, 'kind'],
    [ProposeChangeBody, { ...ENDING, kind: undefined }, 'kind'],
    [ProposeChangeBody, { ...ENDING, expiresAt: ORDER.issuedAt }, 'expiresAt'],
    [ProposeChangeBody, [ENDING], 'body'],
  ])('is told apart from what there is not: %p %#', (dto, body, field) => {
    const [error] = errorsOf(dto, body);
    expect(error).toMatchObject({ field, message: expect.not.stringContaining('yet') });
  });
});

describe('Plan', () => {
  it('brings times to their one form', () => {
    expect(readBody(RegisterLegalOrderBody, ORDER)).toMatchObject({
      issuedAt: '2022-02-15T12:00:00.000Z',
      receivedAt: '2022-02-15T12:00:00.500Z',
      effectiveAt: '2022-02-15T12:00:00.000Z',
    });
  });

  it('leaves amounts as they were given, but for comparison', () => {
    const body = readBody(DepositBody, DEPOSIT);
    expect(body).toMatchObject({ amount: '0.50' });
    expect(Plan.of(DepositBody).comparable(body)).toMatchObject({ amount: '0.5' });
  });

  it.each(GOOD)('gives the content of %p in canonical order, whatever the order it came in', (dto, body) => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, inner]) => [name, reversed(inner)]),
      );
    };
    const content = (given: unknown): string => JSON.stringify(Plan.of(dto).comparable(readBody(dto, given)));
    expect(content(body)).toBe(canonicalJson(JSON.parse(content(body))));
    expect(content(reversed(body))).toBe(content(body));
  });

  it('never throws but for the sender, and names the field (any JSON)', () => {
    fc.assert(
      fc.property(fc.constantFrom(...GOOD), fc.jsonValue(), ([dto], body) => {
        const errors = errorsOf(dto, body);
        for (const { field, message } of errors) expect([field, message]).not.toContain('');
      }),
      { numRuns: 500 },
    );
  });

  it('finds the one field that was spoilt', () => {
    const arrange = fc
      .constantFrom(...GOOD.filter(([, body]) => Object.keys(body).length > 0))
      .chain(([dto, body]) =>
        fc.tuple(
          fc.constant(dto),
          fc.constant(body),
          fc.constantFrom(...Object.keys(body)),
          fc.constantFrom(null, 7, false, {}, []),
        ),
      );
    fc.assert(
      fc.property(arrange, ([dto, body, name, junk]) => {
        fc.pre(!(name === 'scale' && junk === 7));
        const fields = fieldsOf(dto, { ...body, [name]: junk });
        expect(fields.length).toBeGreaterThan(0);
        expect(fields.every((field) => field === name || field.startsWith(`${name}.`))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('parameters of a query', () => {
  it('become what they mean', () => {
    expect(readQuery(ListQuery, { limit: '7' })).toMatchObject({ limit: 7 });
    expect(readQuery(ListQuery, {})).toMatchObject({ limit: 50 });
  });

  it.each([
    [{ limit: '0' }, 'limit'],
    [{ limit: '501' }, 'limit'],
    [{ limit: '1e2' }, 'limit'],
    [{ limit: ['1', '2'] }, 'limit'],
    [{ cursor: 'a b' }, 'cursor'],
    [{ atLeast: 'yesterday' }, 'atLeast'],
    [{ page: '2' }, 'page'],
  ])('%j is refused', (query, field) => {
    expect(() => readQuery(ListQuery, query)).toThrow(field);
  });
});
