import { setTimeout as delay } from 'node:timers/promises';
import { depositOf, load } from './http.ts';
import { median } from './rounds.ts';
import { openAccounts, withService, type Served } from './service.ts';

/** Accounts that the load goes to, and those after them that are frozen. */
const LOADED = 160;
const FROZEN = 60;
const CONNECTIONS = 16;
const WARM_UP_SECONDS = 5;
/** Freezes that do not count: the code behind them is cold. */
const UNCOUNTED = 10;
const REST_MS = 20;

/** Milliseconds from a request to its answer: medians under the same load. */
export interface Latencies {
  readonly freezeMs: number;
  readonly depositMs: number;
  /** Median of each freeze over the deposit before it. */
  readonly ratio: number;
}

/** A freeze, which is two appends after each other, against a deposit to the same account, while others deposit. */
export function freezeAgainstDeposit(): Promise<Latencies> {
  return withService(async (served) => {
    const token = await served.token('maker', 'service,ops');
    const checker = await served.token('checker', 'approver');
    await openAccounts(served, token, LOADED + FROZEN);
    for (let n = LOADED; n < LOADED + FROZEN; n += 1) {
      const account = `acc-${String(n)}`;
      await putOrder(served, token, checker, { orderId: orderOf(account), account });
    }
    const others = { token, connections: CONNECTIONS, accounts: LOADED };
    await load(served.url, { ...others, seconds: WARM_UP_SECONDS });
    const under = load(served.url, { ...others, seconds: WARM_UP_SECONDS });
    const pairs: { freezeMs: number; depositMs: number }[] = [];
    for (let n = LOADED; n < LOADED + FROZEN; n += 1) {
      await delay(REST_MS);
      const account = `acc-${String(n)}`;
      const deposit = `/v1/accounts/${account}/deposits`;
      const freeze = `/v1/admin/accounts/${account}/freezes`;
      await served.post(token, deposit, depositOf(`first-${account}`));
      const depositMs = await timed(() => served.post(token, deposit, depositOf(`timed-${account}`)));
      const basis = { kind: 'legal-order', id: orderOf(account) };
      pairs.push({ depositMs, freezeMs: await timed(() => served.post(token, freeze, { basis })) });
    }
    await under;
    const counted = pairs.slice(UNCOUNTED);
    return {
      freezeMs: median(counted.map((pair) => pair.freezeMs)),
      depositMs: median(counted.map((pair) => pair.depositMs)),
      ratio: median(counted.map((pair) => pair.freezeMs / pair.depositMs)),
    };
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function orderOf(account: string): string {
  return `ord-${account}`;
}

/** Registers an order that names an account, and verifies it. */
export async function putOrder(
  { post }: Served,
  maker: string,
  checker: string,
  { orderId, account }: { readonly orderId: string; readonly account: string },
): Promise<void> {
  await post(maker, '/v1/admin/legal-orders', {
    orderId,
    kind: 'freezing-order',
    authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
    caseReference: 'CL-2022-000123',
    statute: 'Senior Courts Act 1981 s.37',
    subjects: [{ kind: 'account', accountId: account }],
    scope: { direction: 'debit', assets: 'all' },
    issuedAt: '2022-02-14T00:00:00Z',
    receivedAt: '2022-02-15T00:00:00Z',
    effectiveAt: '2022-02-15T00:00:00Z',
    documentSha256: 'a'.repeat(64),
  });
  await post(checker, `/v1/admin/legal-orders/${orderId}/verification`, { method: 'called the court' });
}
