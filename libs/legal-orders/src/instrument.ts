import { rejectField, toMs, type Rejection } from '#kernel';
import { MAX_SUBJECTS, type Instrument, type Subject } from './events.ts';

/** What is wrong with an instrument beyond the shape of its fields, or undefined. A basis that names nobody binds nobody. */
export function findFlaw(instrument: Omit<Instrument, 'scope'>): Rejection | undefined {
  const { subjects, effectiveAt, expiresAt } = instrument;
  if (subjects.length < 1 || subjects.length > MAX_SUBJECTS) {
    return rejectField('subjects', `must name 1 to ${String(MAX_SUBJECTS)} accounts or parties`);
  }
  const names = subjects.map(nameOf);
  const repeated = names.findIndex((name, index) => names.indexOf(name) < index);
  if (repeated >= 0) return rejectField(`subjects.${String(repeated)}`, 'must not name the same subject twice');
  if (expiresAt !== undefined && !(toMs(effectiveAt) < toMs(expiresAt))) {
    return rejectField('expiresAt', 'must be after effectiveAt');
  }
  return undefined;
}

function nameOf(subject: Subject): string {
  return subject.kind === 'account' ? `account-${subject.accountId}` : `party-${subject.partyId}`;
}
