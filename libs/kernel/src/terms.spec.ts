import { describe, expect, it } from '@jest/globals';
import { NOBODY, type BasisSubjects } from './subjects.ts';
import { firstWithout, namedSince, termsUpTo, type BasisTerms } from './terms.ts';

const named: BasisSubjects = { ...NOBODY, parties: ['p-1'] };
const isNamed = ({ parties }: BasisSubjects): boolean => parties.includes('p-1');
const since = (revision: number): BasisTerms['since'] => ({
  stream: 'legalOrder-o',
  revision: String(revision),
  eventId: 'e',
});
/** Named from 1 on, dropped by 9, restored by 10 (numbers, not texts, are compared), named still by 12. */
const terms: readonly BasisTerms[] = [
  { since: since(1), subjects: named },
  { since: since(9), subjects: NOBODY },
  { since: since(10), subjects: named },
  { since: since(12), subjects: named },
];

describe('namedSince', () => {
  it('is the beginning of the latest spell without a break', () => {
    expect(namedSince(terms, isNamed)).toEqual(since(10));
    expect(namedSince(termsUpTo(terms, 9), isNamed)).toBeUndefined();
    expect(namedSince(termsUpTo(terms, 8), isNamed)).toEqual(since(1));
    expect(namedSince([], isNamed)).toBeUndefined();
  });
});

describe('firstWithout', () => {
  it('is the first drop after an event, whatever comes later', () => {
    expect(firstWithout(terms, since(1), isNamed)?.since).toEqual(since(9));
    expect(firstWithout(terms, since(2), isNamed)?.since).toEqual(since(9));
    expect(firstWithout(terms, since(9), isNamed)).toBeUndefined();
    expect(firstWithout(terms, since(10), isNamed)).toBeUndefined();
  });
});
