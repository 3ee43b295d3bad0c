import autocannon from 'autocannon';
import { inFolder } from './folder.ts';
import { compare, type Comparison } from './rounds.ts';
import { openAccounts, withService, type Served } from './service.ts';

const CONNECTIONS = 64;
const ACCOUNTS = 640;
const ROUNDS = 5;
const ROUND_SECONDS = 4;
/** Both are warm by then: compiled code, opened accounts, filled caches. */
const WARM_UP_SECONDS = 10;

export interface Deposits {
  /** The service against a bare Fastify handler that validates the same body. */
  readonly ours: Comparison;
  /** The least that is durable, `durable.ts`, against the same: what is left for all that makes a ledger of it. */
  readonly least: Comparison;
}

/** Deposits one a request, each durable before its answer. */
export function deposits(): Promise<Deposits> {
  return inFolder((folder) => withService((served) => measured(served, folder)));
}

async function measured(served: Served, folder: string): Promise<Deposits> {
  const bare = await served.startBeside('bare.ts');
  const durable = await served.startBeside('durable.ts', folder);
  const token = await served.token('bench', 'service,ops');
  await openAccounts(served, token, ACCOUNTS);
  const measure = (url: string, seconds: number) => (): Promise<number> =>
    load(url, { token, connections: CONNECTIONS, accounts: ACCOUNTS, seconds });
  for (const url of [bare, served.url, durable]) await measure(url, WARM_UP_SECONDS)();
  const againstBare = (url: string): Promise<Comparison> =>
    compare(ROUNDS, measure(url, ROUND_SECONDS), measure(bare, ROUND_SECONDS));
  return { ours: await againstBare(served.url), least: await againstBare(durable) };
}

export interface LoadOptions {
  /** With the role service. */
  readonly token: string;
  readonly connections: number;
  /** The deposits go to accounts `acc-0` to the last but one of this count, in turn. */
  readonly accounts: number;
  readonly seconds: number;
}

let sent = 0;

/** Deposits for a while. @returns answers of 201 a second */
export async function load(url: string, { accounts, ...options }: LoadOptions): Promise<number> {
  const result = await depositing(url, options, () => `acc-${String(sent % accounts)}`);
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${String(result.non2xx)} answers were no 201`);
  return result['2xx'] / result.duration;
}

/** Deposits for a while, each under an id of its own. @param nextAccount where the next one goes */
export function depositing(
  url: string,
  { token, connections, seconds }: Omit<LoadOptions, 'accounts'>,
  nextAccount: () => string,
): Promise<autocannon.Result> {
  return autocannon({
    url,
    connections,
    duration: seconds,
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    requests: [
      {
        setupRequest: (request) => {
          sent += 1;
          const id = `d-${String(sent)}`;
          request.path = `/v1/accounts/${nextAccount()}/deposits`;
          request.headers = { ...request.headers, 'idempotency-key': id };
          request.body = JSON.stringify(depositOf(id));
          return request;
        },
      },
    ],
  });
}

export function depositOf(depositId: string): object {
  return { depositId, asset: 'BTC', amount: '0.5', source: { kind: 'onchain', reference: `tx-${depositId}` } };
}
