import { beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { valueAt } from './support/json.ts';
import { Ledger, OPS, SERVICE, depositOf, freezeOf, wellDone } from './support/ledger.ts';
import { readExpression, ShownMetrics } from './support/promql.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(root + path, 'utf8');

const DASHBOARD = 'ops/grafana/writ.json';
const ALERTS = 'ops/prometheus/alerts.yml';
const OPERATIONS = 'docs/operations.md';

let shown: ShownMetrics;

/** A service that did a bit of everything, so that each metric has samples with its labels. */
beforeAll(async () => {
  const ledger = await Ledger.start({ WRIT_SNAPSHOT_EVERY: '2' });
  try {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const deposit = depositOf('d-1', '1');
    for (let n = 0; n < 2; n += 1) {
      wellDone(await ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, deposit, { key: 'd-1' }), 'a deposit');
    }
    await ledger.makeVerifiedOrder({ orderId: 'ord-1', accounts: [accountId] });
    wellDone(await ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf('ord-1')), 'a freeze');
    const text = async (): Promise<string> => (await ledger.ask({ path: '/metrics' })).text;
    for (let n = 0; n < 200 && !(await text()).includes('writ_snapshots_total{'); n += 1) {
      await ledger.makeDeposit(accountId, '1');
    }
    shown = new ShownMetrics(await text());
  } finally {
    await ledger.end();
  }
}, 120_000);

interface Alert {
  readonly name: string;
  readonly expression: string;
  readonly page: string;
}

/** Of each rule its expression, on one line or in a block, and its page. */
function alertsIn(text: string): readonly Alert[] {
  return text
    .split(/^ {6}- alert: /m)
    .slice(1)
    .map((rule) => {
      const [, line = '', block = ''] = /^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/m.exec(rule) ?? [];
      const [, page = ''] = /^ {10}runbook_url: (\S+)$/m.exec(rule) ?? [];
      return { name: rule.slice(0, rule.indexOf('\n')), expression: line + block, page };
    });
}

describe('the dashboard', () => {
  const panels = valueAt(JSON.parse(read(DASHBOARD)), 'panels') as readonly {
    readonly title: string;
    readonly type: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
  const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const));

  it('has a query in each of its panels', () => {
    expect(queries.length).toBeGreaterThan(15);
    expect(panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0)).toEqual([]);
  });

  it('asks for metrics and labels that the service shows', () => {
    const wrong = queries.map(([title, query]) => [
      title,
      ...shown.objections(query.replaceAll('$__rate_interval', '5m')),
    ]);
    expect(wrong.filter(([, ...objections]) => objections.length > 0)).toEqual([]);
  });
});

describe('the alert rules', () => {
  const alerts = alertsIn(read(ALERTS));

  it('ask for metrics and labels that the service shows', () => {
    expect(alerts).toHaveLength(read(ALERTS).split('- alert:').length - 1);
    const wrong = alerts.map(({ name, expression }) => [name, ...shown.objections(expression)]);
    expect(wrong.filter(([, ...objections]) => objections.length > 0)).toEqual([]);
  });

  it('lead each to the page that says what to do, which names the alert', () => {
    for (const { name, page } of alerts) {
      expect([name, page, existsSync(root + page)]).toEqual([name, page, true]);
      expect([page, read(page).includes(`\`${name}\``)]).toEqual([page, true]);
    }
  });
});

describe('the table of metrics', () => {
  it('has each metric of the service, and no other', () => {
    const ours = shown.registered.filter((name) => name.startsWith('writ_')).sort();
    const documented = [...read(OPERATIONS).matchAll(/^\| `(writ_\w+)`/gm)].map(([, name]) => name).sort();
    expect(ours.length).toBeGreaterThan(8);
    expect(documented).toEqual(ours);
  });
});

describe('an expression', () => {
  it('is read for its series and labels, in whatever form', () => {
    const both = readExpression(
      'sum by (a, b) (rate(x_total{c="d}", e=~\'f|g\'}[5m] offset 1h)) / on (h) group_left y > 1e3',
    );
    expect(both).toEqual({
      asked: [
        { metric: 'x_total', labels: ['c', 'e'] },
        { metric: 'y', labels: [] },
      ],
      grouping: ['a', 'b', 'h'],
    });
    expect(readExpression('sum(z) by (k)')).toEqual({ asked: [{ metric: 'z', labels: [] }], grouping: ['k'] });
  });

  it.each(['{a="b"}', 'x{a}', 'x{a="b" c="d"}', 'x $ y', '1 + 2', 'x{a="b"'])('is not passed over: %s', (text) => {
    expect(() => readExpression(text)).toThrow();
  });

  it('is objected to when a metric or label of it is not shown', () => {
    expect(shown.objections('sum by (nothing) (writ_commands_total{kind="x"}) / writ_no_such')).toEqual([
      'there is no writ_no_such',
      'writ_commands_total has no label kind',
      'nothing in it has a label nothing',
    ]);
  });
});
