import { checkLog } from '#testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { statfsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer } from '../e2e/support/http.ts';
import { AUDITOR, depositOf, Ledger, SERVICE, until } from '../e2e/support/ledger.ts';
import { expectProblem } from '../e2e/support/problems.ts';
import { wholeLog } from '../e2e/support/whole-log.ts';

/** Fills up after some dozens of deposits; the log before the read models, or the other way round. */
const SMALL_DISK_KIB = 700;
/** A small file system of its own, as `npm run prove-full-disk` mounts one. Otherwise no file may grow beyond a limit. */
const smallDisk = process.env['WRIT_SMALL_DISK'];

/** Leaves so much room on the small file system. @returns what makes room again */
function fillUp(disk: string, leftKiB: number): () => Promise<void> {
  const ballast = join(disk, 'ballast');
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - leftKiB * 1024));
  return () => rm(ballast);
}

describe('a full disk', () => {
  let ledger: Ledger;
  let acknowledged: Set<string>;
  let refused: Answer[];
  let makeRoom: () => Promise<void>;

  beforeEach(async () => {
    [acknowledged, refused] = [new Set(), []];
    // Snapshots come often, and have no room either.
    ledger = await Ledger.start({ WRIT_SNAPSHOT_EVERY: '5' }, smallDisk);
    await ledger.makeAccount({ accountId: 'acc-1' });
    if (smallDisk === undefined) {
      await ledger.service.stop();
      await ledger.startAgain({ fileLimitKiB: SMALL_DISK_KIB });
      makeRoom = () => ledger.service.makeRoom();
    } else {
      makeRoom = fillUp(smallDisk, SMALL_DISK_KIB);
    }
  }, 120_000);
  afterEach(() => ledger.end());

  async function deposit(depositId: string): Promise<Answer> {
    const answer = await ledger.post(SERVICE, '/v1/accounts/acc-1/deposits', depositOf(depositId, '1'), {
      key: depositId,
    });
    if (answer.status === 201) acknowledged.add(depositId);
    else refused.push(answer);
    return answer;
  }

  async function metric(name: string): Promise<number> {
    const { text } = await ledger.ask({ path: '/metrics' });
    return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
  }

  /** It dies while it is full, and is started when there is room. */
  async function dieAndStart(): Promise<void> {
    await ledger.service.kill();
    if (smallDisk !== undefined) await makeRoom();
    await ledger.startAgain();
  }

  it.each([
    ['goes on by itself when there is room', () => makeRoom()],
    ['is killed, and goes on when it is started where there is room', dieAndStart],
  ])(
    'refuses what it can not store, loses nothing, answers questions, and %s',
    async (_, comeToRoom) => {
      let tried = 0;
      for (; refused.length < 3 && tried < 2_000; tried += 1) await deposit(`d-${String(tried)}`);
      expect(refused).toHaveLength(3);
      expect(acknowledged.size).toBeGreaterThan(5);
      for (const answer of refused) {
        expectProblem(answer, 503, 'store-unavailable');
        expect(answer.headers['retry-after']).toMatch(/^\d+$/);
      }
      expect((await ledger.ask({ path: '/health/live' })).status).toBe(200);
      const replayed = await ledger.get(AUDITOR, '/v1/audit/accounts/acc-1');
      expect([200, 503]).toContain(replayed.status);

      await comeToRoom();
      await until('a deposit to be taken', async () => {
        const { status } = await deposit('d-after');
        return status === 201 ? true : undefined;
      });
      await until('the service to be ready', async () => {
        const { status } = await ledger.ask({ path: '/health/ready' });
        return status === 200 ? true : undefined;
      });
      expect(await metric('writ_projection_failing')).toBe(0);
      // Those that were refused are asked for again, and each is there once, whether it had reached the disk or not.
      for (const depositId of [...acknowledged]) expect((await deposit(depositId)).status).toBe(201);
      for (let n = 0; n < 3; n += 1) expect((await deposit(`d-${String(tried - 1 - n)}`)).status).toBe(201);
      const deposits = (await ledger.events('account-acc-1')).filter(({ type }) => type === 'FundsDeposited');
      const found = deposits.map(({ data }) => data['depositId']);
      expect(found).toHaveLength(acknowledged.size);
      expect(new Set(found)).toEqual(acknowledged);
      const account = await ledger.read(AUDITOR, '/v1/accounts/acc-1');
      expect(account).toMatchObject({ balances: [{ available: `${String(acknowledged.size)}.00000000` }] });
      await ledger.service.stop();
      const events = await wholeLog(ledger.dataDir);
      expect(checkLog(events, { quiescent: true, now: new Date().toISOString() })).toEqual([]);
    },
    240_000,
  );
});
