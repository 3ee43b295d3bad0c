import { accountTables, projectAccount, projectTrialBalance, trialBalanceTables, type AccountEvent } from '#accounts';
import { assetTables, projectAsset, type AssetEvent } from '#assets';
import { authorityRequestTables, projectAuthorityRequest, type AuthorityRequestEvent } from '#authority-requests';
import { freezeTables, isFreezeEvent, projectFreeze } from '#freezes';
import { assertNever, type Change, type Recorded, type Table, type Timestamp } from '#kernel';
import { legalOrderTables, projectLegalOrder, type LegalOrderEvent } from '#legal-orders';
import { partyTables, projectParty, type PartyEvent } from '#parties';
import type { JudgedEvent, LedgerEvent } from '#replay';
import { projectSanctionsHit, sanctionsHitTables, type SanctionsHitEvent } from '#sanctions';
import { nameTables, projectNames, projectStream, streamTables } from './names-projection.ts';
import { projectRefusal, refusalTables } from './refusals-projection.ts';
import { taskTables } from './tasks.ts';
import { projectTasks } from './tasks-projection.ts';
import { projectViolation, violationTables } from './violations-projection.ts';

/**
 * A projector: a pure function from an event and the state of its stream after it to the rows that change. The same event
 * twice in a row leaves the same rows. Raise `version` whenever its rows would come out differently: the read models are
 * then built again on the next start.
 */
export interface Projector {
  readonly name: string;
  readonly version: number;
  readonly tables: readonly Table[];
  /** @param seenAt when this process saw the event: the log itself does not say when a violation was found */
  readonly project: (judged: JudgedEvent, seenAt: Timestamp) => readonly Change[];
}

/** What no violation may touch. */
function ofLegal(
  project: (event: Recorded<LedgerEvent>, judged: JudgedEvent) => readonly Change[],
): Projector['project'] {
  return (judged) => (judged.event === undefined ? [] : project(judged.event, judged));
}

export const projectors: readonly Projector[] = [
  {
    name: 'domain',
    version: 8,
    tables: [
      ...assetTables,
      ...partyTables,
      ...legalOrderTables,
      ...sanctionsHitTables,
      ...authorityRequestTables,
      ...accountTables,
    ],
    project: ofLegal((event, { after }) => {
      if (after === undefined) return [];
      switch (after.kind) {
        case 'asset':
          return projectAsset(event as Recorded<AssetEvent>);
        case 'party':
          return projectParty(event as Recorded<PartyEvent>, after.state);
        case 'legalOrder':
          return projectLegalOrder(event as Recorded<LegalOrderEvent>, after.state);
        case 'sanctionsHit':
          return projectSanctionsHit(event as Recorded<SanctionsHitEvent>, after.state);
        case 'authorityRequest':
          return projectAuthorityRequest(event as Recorded<AuthorityRequestEvent>, after.state);
        case 'account':
          return projectAccount(event as Recorded<AccountEvent>, after.state);
        default:
          return assertNever(after);
      }
    }),
  },
  {
    name: 'freezes',
    version: 5,
    tables: freezeTables,
    project: ofLegal((event) => (isFreezeEvent(event) ? projectFreeze(event) : [])),
  },
  {
    name: 'books',
    version: 4,
    tables: trialBalanceTables,
    project: ofLegal((event, { after }) =>
      after?.kind === 'account' ? projectTrialBalance(event as Recorded<AccountEvent>) : [],
    ),
  },
  { name: 'refusals', version: 1, tables: refusalTables, project: ofLegal(projectRefusal) },
  { name: 'tasks', version: 1, tables: taskTables, project: ofLegal(projectTasks) },
  { name: 'names', version: 3, tables: nameTables, project: ofLegal(projectNames) },
  { name: 'streams', version: 1, tables: streamTables, project: projectStream },
  // Raised whenever a rule takes less than before: what was found legal by an older rule would pass for changed since then.
  { name: 'violations', version: 3, tables: violationTables, project: projectViolation },
];

/** Changes whenever a table or a version does. */
export function fingerprintOf(list: readonly Projector[]): string {
  return JSON.stringify(list.map(({ name, version, tables }) => [name, version, tables]));
}
