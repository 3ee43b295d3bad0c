import { eventHash, type EventMetadata, type RecordedEvent } from '#kernel';
import { forceIn, LedgerWorld, storeOf, tellStory } from '#testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { checkLogOnServer } from './server-check.ts';

/** What docs/operations.md says that a check does not find: where one comes to find it, the page is changed with it. */
let log: readonly RecordedEvent[];
beforeAll(async () => {
  const world = new LedgerWorld();
  await tellStory(world);
  log = await world.log();
});

interface Change {
  readonly data?: object;
  readonly metadata?: Partial<EventMetadata>;
}

/** The log with some events changed, and each hash and link behind them made anew. */
function madeAnew(changeOf: (event: RecordedEvent) => Change | undefined): readonly RecordedEvent[] {
  const hashes = new Map<string, string>();
  let changed = 0;
  const anew = log.map((event): RecordedEvent => {
    const { data, metadata } = changeOf(event) ?? {};
    if (data !== undefined || metadata !== undefined) changed += 1;
    const previousHash = hashes.get(event.stream) ?? null;
    const made = {
      ...event,
      data: { ...(event.data as object), ...data },
      metadata: { ...event.metadata, ...metadata, previousHash },
    };
    const hash = eventHash(event.stream, event.revision, made);
    hashes.set(event.stream, hash);
    return { ...made, metadata: { ...made.metadata, hash } };
  });
  expect(changed).toBeGreaterThan(0);
  return anew;
}

function each(type: string, change: Change): (event: RecordedEvent) => Change | undefined {
  return (event) => (event.type === type ? change : undefined);
}

async function findingsIn(events: readonly RecordedEvent[]): Promise<readonly string[]> {
  const { findings } = await checkLogOnServer(await storeOf(events));
  return findings.map(({ code, detail }) => `${code}: ${detail}`);
}

const somebody = { actor: { id: 'somebody', roles: [] } };

describe('a check does not find', () => {
  it.each<[string, (event: RecordedEvent) => Change | undefined]>([
    ['what a freeze says that it found', each('AccountFrozen', { data: { balancesAtFreeze: [], inFlight: ['w-0'] } })],
    ['what a freeze says that it stopped', each('AccountFrozen', { data: { stopped: ['w-0'] } })],
    [
      'from when a freeze says that it blocks',
      each('AccountFrozen', { data: { blockedFrom: '2001-01-01T00:00:00.000Z' } }),
    ],
    ['what a variation says that it found', each('FreezeVaried', { data: { stopped: ['w-0'], inFlight: ['w-1'] } })],
    [
      'another destination than was reserved',
      each('WithdrawalDispatched', { data: { destination: { kind: 'bank', reference: 'x' } } }),
    ],
    [
      'when a withdrawal says that it began',
      each('WithdrawalReserved', { data: { reservedAt: '2001-01-01T00:00:00.000Z' } }),
    ],
    [
      'a time before that of the event before it',
      each('CommandRefused', { metadata: { recordedAt: '2001-01-01T00:00:00.000Z' } }),
    ],
    [
      'a refusal that never was',
      each('CommandRefused', { data: { command: 'CloseAccount', code: 'account-frozen', request: {} } }),
    ],
    ['the hash of another command', each('FundsDeposited', { metadata: { commandHash: 'f'.repeat(64) } })],
  ])('%s', async (_what, changeOf) => {
    expect(await findingsIn(madeAnew(changeOf))).toEqual([]);
  });

  it('a stream that is gone and no other cites', async () => {
    const rest = log.filter(({ stream }) => stream !== 'authorityRequest-req-2');
    expect(rest.length).toBeLessThan(log.length);
    expect(await findingsIn(rest)).toEqual([]);
  });

  it('a second deposit under an id, of an asset that nobody registered', async () => {
    const source = { kind: 'bank', reference: 'r' };
    const data = { accountId: 'acc-1', depositId: 'd-6', asset: 'NONE', amount: '1', source };
    const store = await storeOf(log);
    await forceIn(store, 'account-acc-1', { type: 'FundsDeposited', data });
    expect((await checkLogOnServer(store)).findings).toEqual([]);
  });
});

describe('a check finds', () => {
  it.each<[string, (event: RecordedEvent) => Change | undefined, string]>([
    [
      'another scope',
      each('AccountFrozen', { data: { scope: { direction: 'credit', assets: ['EUR'] } } }),
      'citation-unresolved',
    ],
    ['another amount', each('WithdrawalDispatched', { data: { amount: '1' } }), 'illegal-event'],
    ['that another verified an order', each('LegalOrderVerified', { metadata: somebody }), 'illegal-event'],
    ['that another confirmed a hit', each('SanctionsHitConfirmed', { metadata: somebody }), 'illegal-event'],
    ['that another froze', each('AccountFrozen', { metadata: somebody }), 'citation-unresolved'],
    ['that another answered a letter', each('AuthorityRequestAnswered', { metadata: somebody }), 'illegal-event'],
    ['that another lifted', each('AccountUnfrozen', { metadata: somebody }), 'citation-unresolved'],
  ])('%s', async (_what, changeOf, code) => {
    expect((await findingsIn(madeAnew(changeOf))).filter((finding) => finding.startsWith(code))).not.toEqual([]);
  });

  it('an event that was changed and nothing else', async () => {
    const changed = log.map((event) =>
      event.type === 'CommandRefused' ? { ...event, id: event.id.replace('7', '6') } : event,
    );
    expect(await findingsIn(changed)).toContain('hash-mismatch: hash is not that of the content');
  });
});
