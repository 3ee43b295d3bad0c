import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startService, type RunningService } from './support/service.ts';
import { runTool } from './support/tool.ts';
import { wholeLog } from './support/whole-log.ts';

/** Far more lines than the system and the connection hold on their way: who stops reading stops the export. */
const EVENTS = 20_000;
/** How long a slow reader looks at what it has, in milliseconds, before it goes on; and every so many bytes. */
const LOOKS_MS = 5;
const EVERY_BYTES = 512 * 1024;
/** A reader is cut off when it has not moved on for 30 s, which is looked at every 30 s. Only a bound. */
const CUT_OFF_LIMIT_MS = 120_000;

describe('exports of the log as lines of JSON, and who reads them', () => {
  let dataDir: string;
  let service: RunningService;
  let token: string;
  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'writ-e2e-'));
    const made = await runTool('load', ['--accounts', '20', '--events', String(EVENTS), '--data', dataDir], {
      dataDir,
    });
    expect(made).toMatchObject({ code: 0 });
    service = await startService({ dataDir });
    token = await service.token({ sub: 'auditor-1', roles: ['auditor', 'service'] });
  }, 300_000);
  afterAll(async () => {
    await service.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function exported(): Promise<IncomingMessage> {
    const headers = { accept: 'application/x-ndjson', authorization: `Bearer ${token}` };
    const asked = request(`${service.url}/v1/audit/events`, { headers, agent: false });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    return response;
  }

  async function underWay(): Promise<number> {
    const { text } = await service.request('GET', '/metrics');
    return Number(/^writ_in_use\{what="event-exports"\} (\d+)$/m.exec(text)?.[1]);
  }

  /** A command of somebody else. @returns its status */
  async function register(partyId: string): Promise<number> {
    const body = { partyId, kind: 'person', externalRef: partyId };
    const headers = { 'idempotency-key': partyId };
    return (await service.request('POST', '/v1/parties', { token, body, headers })).status;
  }

  async function inTheLog(): Promise<readonly string[]> {
    const events = await wholeLog(dataDir);
    return events.map(({ position }) => position);
  }

  it('gives all lines to one that stops for a while in the middle, and reads on slowly', async () => {
    const before = await inTheLog();
    const response = await exported();
    let [text, sinceLook] = ['', 0];
    let hasPaused = false;
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      sinceLook += chunk.length;
      if (!hasPaused) {
        hasPaused = true;
        // Nothing is read meanwhile, and the others are served.
        for (let nth = 0; nth < 50; nth += 1) expect(await register(`p-meanwhile-${String(nth)}`)).toBe(201);
        expect(await underWay()).toBe(1);
      } else if (sinceLook >= EVERY_BYTES) {
        sinceLook = 0;
        await delay(LOOKS_MS);
      }
    }
    const positions = text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly position: string }).position);
    expect(positions.slice(0, before.length)).toEqual(before);
    expect(await inTheLog()).toEqual(expect.arrayContaining(positions.slice(before.length)));
  }, 180_000);

  it('lets go one that reads no more, and serves the others meanwhile', async () => {
    const response = await exported();
    response.once('error', () => undefined);
    await once(response, 'data');
    response.pause();
    expect(await underWay()).toBe(1);
    const endMs = performance.now() + CUT_OFF_LIMIT_MS;
    let served = 0;
    while ((await underWay()) > 0 && performance.now() < endMs) {
      expect(await register(`p-beside-${String((served += 1))}`)).toBe(201);
      await delay(500);
    }
    expect(await underWay()).toBe(0);
    expect(served).toBeGreaterThan(3);
    // What had left the service by then comes yet, and it is not the whole log.
    response.resume();
    if (!response.closed) await new Promise((resolve) => response.once('close', resolve));
    expect(response.complete).toBe(false);
  }, 180_000);
});
