import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AUDITOR, depositOf, Ledger, SERVICE, until } from '../e2e/support/ledger.ts';
import { expectProblem } from '../e2e/support/problems.ts';
import { overwrite } from './damage.ts';

const PAGE_BYTES = 4096;

describe('pages of the log that are damaged while the service runs', () => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await Ledger.start({ WRIT_SNAPSHOT_EVERY: '0' });
    await ledger.makeAccount({ accountId: 'acc-1' });
    for (let n = 0; n < 60; n += 1) await ledger.makeDeposit('acc-1', '1');
    // Opened anew, it has all in its file, and next to nothing in memory: a supervisor that goes on from what it remembers
    // reads the deposits after that; one that begins finds its events by an index.
    await ledger.service.stop();
    rmSync(join(ledger.dataDir, 'supervisor'), { recursive: true });
    await ledger.startAgain();
    const file = join(ledger.dataDir, 'events.db');
    // All but the first page, which says what the file is.
    overwrite(file, PAGE_BYTES, Buffer.alloc(statSync(file).size - PAGE_BYTES, 0xa5));
  }, 180_000);
  afterAll(() => ledger.end());

  it('give no answer, and are told: the log takes nothing more', async () => {
    const answer = await until('a read of a damaged page', async () => {
      const read = await ledger.get(AUDITOR, '/v1/audit/accounts/acc-1');
      return read.status === 200 ? undefined : read;
    });
    expectProblem(answer, 503, 'store-unavailable');
    const refused = await ledger.post(SERVICE, '/v1/accounts/acc-1/deposits', depositOf('d-x', '1'));
    expectProblem(refused, 503, 'store-unavailable');
    const party = { partyId: 'p-x', kind: 'person', externalRef: 'crm:x' };
    expectProblem(await ledger.post(SERVICE, '/v1/parties', party), 503, 'store-unavailable');
    const ready = await ledger.ask({ path: '/health/ready' });
    expectProblem(ready, 503, 'store-unavailable', {
      checks: expect.objectContaining({ store: 'The event log is damaged: nothing is recorded any more.' }),
    });
    expect((await ledger.ask({ path: '/metrics' })).text).toMatch(/^writ_log_damaged 1$/m);
    expect(ledger.service.logs().match(/events\.db is damaged \(.*the event log is damaged/g)).toHaveLength(1);
    // The read models are sound, and stay.
    expect(await ledger.read(AUDITOR, '/v1/accounts/acc-1', '0'.repeat(16))).toMatchObject({
      balances: [{ available: '60.00000000' }],
    });
    expect((await ledger.ask({ path: '/metrics' })).text).not.toMatch(/^writ_read_model_rebuilds_total/m);
  }, 180_000);
});
