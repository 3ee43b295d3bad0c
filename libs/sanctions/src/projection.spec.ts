import { describe, expect, it } from '@jest/globals';
import type { Recorded } from '#kernel';
import {
  authorisedUnderHit,
  clearedHit,
  confirmedHit,
  dismissedHit,
  LogBuilder,
  projectTwice,
  proposedClearance,
  raisedHit,
  rejectedClearance,
  SAMPLE_HIT_STREAM,
  sampleAddress,
  type ProjectedRows,
} from '#testing';
import type { SanctionsHitEvent } from './events.ts';
import {
  hitAuthorisationsTable,
  hitSubjectName,
  projectSanctionsHit,
  sanctionsHitFromRow,
  sanctionsHitsTable,
} from './projection.ts';
import { evolveSanctionsHit, initialSanctionsHitState, sanctionsHitView } from './state.ts';

interface Projected {
  readonly rows: ProjectedRows;
  readonly view: unknown;
  readonly recorded: readonly Recorded<SanctionsHitEvent>[];
}

function project(...events: readonly SanctionsHitEvent[]): Projected {
  const log = new LogBuilder();
  const recorded = events.map((event) => log.append(SAMPLE_HIT_STREAM, event) as Recorded<SanctionsHitEvent>);
  let state = initialSanctionsHitState();
  const rows = projectTwice(recorded, (event) => (state = evolveSanctionsHit(state, event)), projectSanctionsHit);
  return { rows, view: JSON.parse(JSON.stringify(sanctionsHitView(state) ?? null)), recorded };
}

describe('the projection of sanctions hits', () => {
  it.each<[string, SanctionsHitEvent[]]>([
    ['raised', [raisedHit()]],
    ['confirmed', [raisedHit(), confirmedHit()]],
    ['dismissed', [raisedHit(), dismissedHit()]],
    ['to be cleared', [raisedHit(), confirmedHit(), proposedClearance()]],
    ['not cleared after all', [raisedHit(), confirmedHit(), proposedClearance(), rejectedClearance()]],
    ['cleared', [raisedHit(), confirmedHit(), proposedClearance(), clearedHit()]],
    ['what a freeze rests on', [raisedHit(), confirmedHit(), authorisedUnderHit()]],
  ])('shows a hit that is %s as its state does', (_, events) => {
    const { rows, view } = project(...events);
    const shown = rows
      .of(sanctionsHitsTable)
      .map(({ view: text, updatedAt }) => sanctionsHitFromRow({ view: String(text), updatedAt: String(updatedAt) }));
    expect(shown).toEqual([view]);
  });

  it('finds hits by state, party, and by subject and entry', () => {
    const { rows, recorded } = project(raisedHit(), confirmedHit());
    expect(rows.of(sanctionsHitsTable)).toMatchObject([
      {
        state: 'confirmed',
        partyId: 'p-1',
        subject: 'p-1',
        entrySha256: 'e'.repeat(64),
        createdPosition: recorded[0]?.position,
      },
    ]);
    const [onAddress] = project(raisedHit({ subject: sampleAddress })).rows.of(sanctionsHitsTable);
    expect(onAddress).toMatchObject({ partyId: null, subject: hitSubjectName(sampleAddress) });
  });

  it('knows the account of a freeze from its authorisation on', () => {
    const { rows, recorded } = project(raisedHit(), confirmedHit(), authorisedUnderHit());
    expect(rows.of(hitAuthorisationsTable)).toEqual([
      { freezeId: recorded[2]?.id, hitId: 'hit-1', accountId: 'acc-1', partyId: 'p-1' },
    ]);
  });

  it('shows no hit that was never raised', () => {
    expect(project(confirmedHit()).rows.of(sanctionsHitsTable)).toEqual([]);
  });
});
