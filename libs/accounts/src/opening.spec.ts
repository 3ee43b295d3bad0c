import { describe, expect, it } from '@jest/globals';
import { nextOpeningStep, type OpeningOutcome, type OpeningProgress, type OpeningStep } from './opening.ts';

type Facts = OpeningProgress['parties'][number];
const none = (partyId: string): Facts => ({ partyId, attachment: 'none', named: false });
const named = (partyId: string): Facts => ({ partyId, attachment: 'none', named: true });
const attached = (partyId: string): Facts => ({ partyId, attachment: 'attached', named: false });
const attachedNamed = (partyId: string): Facts => ({ partyId, attachment: 'attached', named: true });
const detached = (partyId: string): Facts => ({ partyId, attachment: 'detached', named: false });

const waiting = { opened: false, keyOutcome: 'none' } as const;
const taken = { opened: true, keyOutcome: 'none' } as const;

function next(account: OpeningProgress['account'], ...parties: readonly Facts[]): OpeningStep {
  const holders = ['p-1', 'p-2'].map((partyId) => ({ partyId, capacity: 'joint' as const }));
  const key = { caller: 'svc', value: 'k-1' };
  return nextOpeningStep({ opening: { accountId: 'acc-1', holders, key, commandHash: '' }, account, parties });
}

describe('the next step of an opening', () => {
  it('attaches each holder in order, then opens', () => {
    expect(next(waiting, none('p-1'), none('p-2'))).toEqual({ step: 'attach', partyId: 'p-1' });
    expect(next(waiting, attached('p-1'), none('p-2'))).toEqual({ step: 'attach', partyId: 'p-2' });
    expect(next(waiting, attached('p-1'), attached('p-2'))).toEqual({ step: 'open' });
    expect(next({ opened: true, keyOutcome: 'opened' }, attached('p-1'), attached('p-2'))).toEqual({
      step: 'done',
      outcome: 'opened',
    });
  });

  it('keeps the order of the holders, in whatever order the facts come', () => {
    expect(next(waiting, none('p-2'), none('p-1'))).toEqual({ step: 'attach', partyId: 'p-1' });
  });

  it('goes on with holders that were attached before a basis named them', () => {
    expect(next(waiting, attachedNamed('p-1'), none('p-2'))).toEqual({ step: 'attach', partyId: 'p-2' });
    expect(next(waiting, attachedNamed('p-1'), attachedNamed('p-2'))).toEqual({ step: 'open' });
  });

  it('is refused when a basis names the first holder', () => {
    expect(next(waiting, named('p-1'), none('p-2'))).toEqual({ step: 'refuse', partyId: 'p-1' });
  });

  it('asks the party itself before a later holder is looked at', () => {
    expect(next(waiting, none('p-1'), named('p-2'))).toEqual({ step: 'attach', partyId: 'p-1' });
  });

  it('is abandoned when a basis names a later holder', () => {
    const abandoned = { step: 'abandon', reason: 'party-named-by-basis', partyId: 'p-2' };
    expect(next(waiting, attached('p-1'), named('p-2'))).toEqual(abandoned);
  });

  it('is abandoned when another key took the id, and merely answered when nothing was attached', () => {
    expect(next(taken, attached('p-1'), none('p-2'))).toEqual({ step: 'abandon', reason: 'already-exists' });
    expect(next(taken, attached('p-1'), attached('p-2'))).toEqual({ step: 'abandon', reason: 'already-exists' });
    expect(next(taken, attached('p-1'), named('p-2'))).toEqual({ step: 'abandon', reason: 'already-exists' });
    expect(next(taken, none('p-1'), none('p-2'))).toEqual({ step: 'already-exists' });
    expect(next(taken, named('p-1'), none('p-2'))).toEqual({ step: 'already-exists' });
  });

  it.each<OpeningOutcome>(['abandoned', 'refused'])('undoes every attachment after it was %s', (keyOutcome) => {
    for (const opened of [false, true]) {
      const over = { opened, keyOutcome };
      expect(next(over, attached('p-1'), attached('p-2'))).toEqual({ step: 'detach', partyId: 'p-1' });
      expect(next(over, detached('p-1'), attached('p-2'))).toEqual({ step: 'detach', partyId: 'p-2' });
      expect(next(over, detached('p-1'), detached('p-2'))).toEqual({ step: 'done', outcome: keyOutcome });
      expect(next(over, none('p-1'), named('p-2'))).toEqual({ step: 'done', outcome: keyOutcome });
    }
  });
});
