import { SqliteEventStore } from '#event-store/sqlite';
import { v7 } from 'uuid';
import { DatabaseSync } from 'node:sqlite';
import { rmSync, mkdirSync } from 'node:fs';
const metadata = () => ({
  actor: { id: 'svc', roles: ['service'] },
  correlationId: v7(),
  causationId: null,
  key: { caller: 'svc', homeStream: 'account-1', value: v7() },
  commandHash: 'a'.repeat(64),
  recordedAt: '2022-02-15T12:00:00.000Z',
  previousHash: 'b'.repeat(64),
  hash: 'c'.repeat(64),
});
const data = {
  depositId: 'd-123',
  asset: 'BTC',
  amount: '100000000',
  source: { kind: 'onchain', reference: 'tx'.repeat(16) },
};
const ev = () => ({ id: v7(), type: 'FundsDeposited', schemaVersion: 1, data, metadata: metadata() }) as any;
const N64 = Number(process.argv[2] ?? 300),
  N1000 = Number(process.argv[3] ?? 40),
  R = Number(process.argv[4] ?? 5);
const dir = `/tmp/es/b-${process.pid}`;
const streams = Array.from({ length: 64 }, (_, i) => `account-bench-${i}`);
const BARE = `CREATE TABLE events(position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, schema_version INTEGER NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL)`;
const UNIQ = `CREATE TABLE events(position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, schema_version INTEGER NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL, UNIQUE(stream,revision))`;
function plain(ddl: string, group: number, groups: number, evs: any[]) {
  mkdirSync(dir, { recursive: true });
  const db = new DatabaseSync(dir + '/p.db');
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;' + ddl);
  const ins = db.prepare('INSERT INTO events VALUES(?,?,?,?,?,?,?,?)'),
    b = db.prepare('BEGIN'),
    c = db.prepare('COMMIT');
  const rev = new Array(64).fill(0);
  let pos = 0;
  const t = performance.now();
  for (let g = 0; g < groups; g++) {
    b.run();
    for (let i = 0; i < group; i++) {
      const e = evs[pos];
      const s = group === 64 ? i : g % 64;
      ins.run(++pos, streams[s]!, rev[s]++, e.id, e.type, 1, JSON.stringify(e.data), JSON.stringify(e.metadata));
    }
    c.run();
  }
  const dt = performance.now() - t;
  db.close();
  rmSync(dir, { recursive: true });
  return ((group * groups) / dt) * 1000;
}
async function ours64(rounds: number, evs: any[]) {
  const s = await SqliteEventStore.open({ path: dir + '/o.db' });
  let n = 0;
  const t = performance.now();
  await Promise.all(
    streams.map(async (st) => {
      for (let r = 0; r < rounds; r++) await s.append(st, r === 0 ? 'no-stream' : r - 1, [evs[n++]]);
    }),
  );
  const dt = performance.now() - t;
  await s.close();
  rmSync(dir, { recursive: true });
  return ((64 * rounds) / dt) * 1000;
}
async function ours1000(groups: number, evs: any[]) {
  const s = await SqliteEventStore.open({ path: dir + '/o.db' });
  const rev = new Array(64).fill(-1);
  const t = performance.now();
  for (let g = 0; g < groups; g++) {
    const st = g % 64;
    await s.append(streams[st]!, rev[st] < 0 ? 'no-stream' : rev[st], evs.slice(g * 1000, g * 1000 + 1000));
    rev[st] += 1000;
  }
  const dt = performance.now() - t;
  await s.close();
  rmSync(dir, { recursive: true });
  return ((1000 * groups) / dt) * 1000;
}
const med = (a: number[]) => a.sort((x, y) => x - y)[a.length >> 1]!;
const out: Record<string, number[]> = {};
const add = (k: string, v: number) => (out[k] ??= []).push(v);
for (let r = 0; r < R; r++) {
  const e1 = Array.from({ length: 64 * N64 }, ev),
    e2 = Array.from({ length: 1000 * N1000 }, ev);
  add('bare64', plain(BARE, 64, N64, e1));
  add('ours64', await ours64(N64, e1));
  add('uniq64', plain(UNIQ, 64, N64, e1));
  add('bare1000', plain(BARE, 1000, N1000, e2));
  add('ours1000', await ours1000(N1000, e2));
  add('uniq1000', plain(UNIQ, 1000, N1000, e2));
}
const m = Object.fromEntries(Object.entries(out).map(([k, v]) => [k, Math.round(med(v))])) as any;
console.log(
  m,
  'r64 bare',
  (m.ours64 / m.bare64).toFixed(2),
  'uniq',
  (m.ours64 / m.uniq64).toFixed(2),
  'r1000 bare',
  (m.ours1000 / m.bare1000).toFixed(2),
  'uniq',
  (m.ours1000 / m.uniq1000).toFixed(2),
);
