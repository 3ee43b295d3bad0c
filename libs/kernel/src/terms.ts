import type { EventPointer } from './envelope.ts';
import type { BasisSubjects } from './subjects.ts';

/** Whom a basis names from an event on, until the next terms: it came into force, or it was varied. */
export interface BasisTerms {
  readonly since: EventPointer;
  readonly subjects: BasisSubjects;
}

/** Whether somebody is among the subjects. */
export type IsNamed = (subjects: BasisSubjects) => boolean;

/** The event since which, without a break, somebody is named; undefined when the latest terms don't name them. */
export function namedSince(terms: readonly BasisTerms[], isNamed: IsNamed): EventPointer | undefined {
  const unnamed = terms.findLastIndex(({ subjects }) => !isNamed(subjects));
  return terms[unnamed + 1]?.since;
}

/** The first terms after an event of the basis that don't name somebody, whatever those after them say. */
export function firstWithout<Terms extends BasisTerms>(
  terms: readonly Terms[],
  after: EventPointer,
  isNamed: IsNamed,
): Terms | undefined {
  return terms.find(({ since, subjects }) => Number(since.revision) > Number(after.revision) && !isNamed(subjects));
}

/** Those up to and including a revision of the basis's stream. */
export function termsUpTo<Terms extends BasisTerms>(terms: readonly Terms[], revision: number): readonly Terms[] {
  return terms.filter(({ since }) => Number(since.revision) <= revision);
}
