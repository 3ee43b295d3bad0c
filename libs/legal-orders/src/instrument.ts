import { rejectField, toMs, type BasisSubjects, type Rejection } from '#kernel';
import { MAX_SUBJECTS, type Instrument, type Subject } from './events.ts';

/** What is wrong with an instrument beyond the shape of its fields, or undefined. A basis that names nobody binds nobody. */
export function findFlaw(instrument: Omit<Instrument, 'scope'>): Rejection | undefined {
  const { subjects, effectiveAt, expiresAt } = instrument;
  const flaw = findSubjectsFlaw(subjects);
  if (flaw !== undefined) return flaw;
  if (expiresAt !== undefined && !(toMs(effectiveAt) < toMs(expiresAt))) {
    return rejectField('expiresAt', 'must be after effectiveAt');
  }
  return undefined;
}

/** What is wrong with whom an instrument names, or a variation of it. */
export function findSubjectsFlaw(subjects: readonly Subject[]): Rejection | undefined {
  if (subjects.length < 1 || subjects.length > MAX_SUBJECTS) {
    return rejectField('subjects', `must name 1 to ${String(MAX_SUBJECTS)} accounts or parties`);
  }
  const names = subjects.map(nameOf);
  const repeated = names.findIndex((name, index) => names.indexOf(name) < index);
  if (repeated >= 0) return rejectField(`subjects.${String(repeated)}`, 'must not name the same subject twice');
  return undefined;
}

function nameOf(subject: Subject): string {
  return subject.kind === 'account' ? `account-${subject.accountId}` : `party-${subject.partyId}`;
}

/** The subjects of an order, by what they are. */
export function subjectsOf(subjects: readonly Subject[]): BasisSubjects {
  return {
    accounts: subjects.flatMap((subject) => (subject.kind === 'account' ? [subject.accountId] : [])),
    parties: subjects.flatMap((subject) => (subject.kind === 'party' ? [subject.partyId] : [])),
    addresses: [],
  };
}
