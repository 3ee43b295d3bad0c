/**
 * Proves by the calls that the built service makes to the system, under load, that no answer leaves before what it
 * acknowledges is on disk: `npm run prove-durability`. Needs strace, and the right to trace a process of one's own.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DurabilityTrace } from './durability-trace.ts';

const CALLERS = 8;
const COMMANDS_OF_EACH = 25;
const READY_MS = 120_000;
const CALLS = 'trace=pwrite64,pwritev,write,writev,sendto,sendmsg,fsync,fdatasync';

const built = (name: string): string => fileURLToPath(new URL(`../../dist/apps/ledger/src/${name}`, import.meta.url));

async function main(): Promise<number> {
  if (spawnSync('strace', ['-V']).error !== undefined) {
    process.stderr.write('strace is not installed: without it this can not be shown.\n');
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), 'writ-durability-'));
  try {
    const traceFile = join(folder, 'trace');
    const acknowledged = await traceUnderLoad(join(folder, 'data'), traceFile);
    const [real, control] = [new DurabilityTrace(), new DurabilityTrace()];
    for await (const line of createInterface({ input: createReadStream(traceFile) })) {
      real.take(line);
      // The same run, had it never synced: what judges the trace has to find that.
      if (!/\bf(data)?sync\b/.test(line)) control.take(line);
    }
    return report(real.judge(acknowledged), control.judge(acknowledged).tooEarly.length, real.syncs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Verdict = ReturnType<DurabilityTrace['judge']>;

function report({ proven, tooEarly, unseen }: Verdict, foundInControl: number, syncs: number): number {
  process.stdout.write(
    `${String(proven)} events acknowledged, each after a sync of the write that holds it (${String(syncs)} syncs); ` +
      `${String(tooEarly.length)} acknowledged too early, ${String(unseen.length)} not found in the trace.\n` +
      `Without the syncs the same trace shows ${String(foundInControl)} acknowledged too early.\n`,
  );
  for (const id of [...tooEarly, ...unseen].slice(0, 10)) process.stderr.write(`not shown for the event ${id}\n`);
  return proven > 0 && tooEarly.length + unseen.length === 0 && foundInControl === proven ? 0 : 1;
}

/** @returns the ids of the events that callers were told of */
async function traceUnderLoad(dataDir: string, traceFile: string): Promise<readonly string[]> {
  const service = spawn(
    'strace',
    ['-f', '-y', '-s', '70000', '-e', CALLS, '-o', traceFile, process.execPath, built('main.js')],
    {
      env: { ...process.env, PORT: '0', WRIT_DATA_DIR: dataDir, WRIT_LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(service, 'exit');
  let printed = '';
  service.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  try {
    const url = await readyUrl(() => printed);
    const token = spawnSync(process.execPath, [built('token.js'), '--sub', 'prover', '--roles', 'service,ops'], {
      env: { ...process.env, WRIT_DATA_DIR: dataDir },
      encoding: 'utf8',
    }).stdout.trim();
    return await load(url, token);
  } finally {
    // strace passes it on to none: it goes to the one that it traces.
    const pid = spawnSync('pgrep', ['-P', String(service.pid)], { encoding: 'utf8' }).stdout.trim();
    if (pid !== '') process.kill(Number(pid), 'SIGTERM');
    await ended;
  }
}

async function readyUrl(printed: () => string): Promise<string> {
  const endMs = performance.now() + READY_MS;
  while (performance.now() < endMs) {
    const url = /"url":"(http:[^"]+)"/.exec(printed())?.[1];
    const response = url === undefined ? undefined : await fetch(`${url}/health/ready`).catch(() => undefined);
    if (url !== undefined && response?.ok === true) return url;
    await delay(100);
  }
  throw new Error(`the service is not ready in time: ${printed()}`);
}

async function load(url: string, token: string): Promise<readonly string[]> {
  const ids: string[] = [];
  const post = async (path: string, body: object): Promise<void> => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': `key-${String(Math.random())}`,
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${text}`);
    const { events } = JSON.parse(text) as { readonly events: readonly { readonly id: string }[] };
    ids.push(...events.map(({ id }) => id));
  };
  await post('/v1/assets', { code: 'BTC', scale: 8, kind: 'crypto' });
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      const [partyId, accountId] = [`p-${String(caller)}`, `acc-${String(caller % 3)}`];
      await post('/v1/parties', { partyId, kind: 'person', externalRef: partyId });
      const evidence = { evidenceSha256: 'a'.repeat(64), identifiedAt: '2022-01-01T00:00:00Z' };
      await post(`/v1/parties/${partyId}/identification`, { method: 'passport', ...evidence });
      if (caller < 3) await post('/v1/accounts', { accountId, holders: [{ partyId, capacity: 'owner' }] });
    }),
  );
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      for (let n = 0; n < COMMANDS_OF_EACH; n += 1) {
        const depositId = `d-${String(caller)}-${String(n)}`;
        const source = { kind: 'onchain', reference: depositId, chain: 'bitcoin' };
        await post(`/v1/accounts/acc-${String(caller % 3)}/deposits`, { depositId, asset: 'BTC', amount: '1', source });
      }
    }),
  );
  return ids;
}

process.exitCode = await main();
