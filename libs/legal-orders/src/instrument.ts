import { addressName, canonicalJson, rejectField, toMs, type Rejection } from '#kernel';
import {
  MAX_RELEASES,
  MAX_SUBJECTS,
  type Instrument,
  type ReleaseInstrument,
  type Releases,
  type Subject,
} from './events.ts';

/**
 * What is wrong with an instrument beyond the shape of its fields, or undefined. A basis that names nobody binds nobody.
 * @param keyOf tells its subjects apart: `spelledKey` for one that is recorded already
 */
export function findFlaw(
  instrument: Omit<Instrument, 'scope'> | ReleaseInstrument,
  keyOf: (subject: Subject) => string = subjectKey,
): Rejection | undefined {
  const { effectiveAt, expiresAt } = instrument;
  const flaw =
    instrument.effect === 'release'
      ? findReleasesFlaw(instrument.releases)
      : findSubjectsFlaw(instrument.subjects, keyOf);
  if (flaw !== undefined) return flaw;
  if (expiresAt !== undefined && !(toMs(effectiveAt) < toMs(expiresAt))) {
    return rejectField('expiresAt', 'must be after effectiveAt');
  }
  return undefined;
}

/** A release of nothing releases nothing. */
function findReleasesFlaw({ freezeIds = [], accountIds = [] }: Releases): Rejection | undefined {
  if (freezeIds.length + accountIds.length === 0) return rejectField('releases', 'must name a freeze or an account');
  for (const [name, ids] of Object.entries({ freezeIds, accountIds })) {
    if (ids.length > MAX_RELEASES) return rejectField(`releases.${name}`, `must name at most ${String(MAX_RELEASES)}`);
    const repeated = ids.findIndex((id, index) => ids.indexOf(id) < index);
    if (repeated >= 0) return rejectField(`releases.${name}`, 'must name each once');
  }
  return undefined;
}

/**
 * What is wrong with whom an instrument names, or a variation of it.
 * @param keyOf as for `findFlaw`
 */
export function findSubjectsFlaw(
  subjects: readonly Subject[],
  keyOf: (subject: Subject) => string = subjectKey,
): Rejection | undefined {
  if (subjects.length < 1 || subjects.length > MAX_SUBJECTS) {
    return rejectField('subjects', `must name 1 to ${String(MAX_SUBJECTS)} subjects`);
  }
  const names = subjects.map(keyOf);
  const repeated = names.findIndex((name, index) => names.indexOf(name) < index);
  if (repeated >= 0) return rejectField(`subjects.${String(repeated)}`, 'must not name the same subject twice');
  return undefined;
}

/** What tells subjects apart, of whatever kind. */
export function subjectKey(subject: Subject): string {
  return JSON.stringify([subject.kind, subjectName(subject)]);
}

/**
 * What tells subjects apart by how they are written. An address in two spellings was two addresses once, and what was
 * recorded then stays legal.
 */
export function spelledKey(subject: Subject): string {
  return canonicalJson(subject);
}

/** What tells subjects of one kind apart, as one text. */
export function subjectName(subject: Subject): string {
  switch (subject.kind) {
    case 'account':
      return subject.accountId;
    case 'party':
      return subject.partyId;
    case 'address':
      return addressName(subject);
    case 'external':
      return subject.sha256;
  }
}
