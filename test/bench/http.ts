import autocannon from 'autocannon';
import { compare, type Comparison } from './rounds.ts';
import { openAccounts, withService } from './service.ts';

const CONNECTIONS = 64;
const ACCOUNTS = 640;
const ROUNDS = 5;
const ROUND_SECONDS = 4;
/** Both are warm by then: compiled code, opened accounts, filled caches. */
const WARM_UP_SECONDS = 10;

/** Deposits one a request, each durable before its answer, against a bare Fastify handler that validates the same body. */
export function deposits(): Promise<Comparison> {
  return withService(async (served) => {
    const bare = await served.startBeside('bare.mjs');
    const token = await served.token('bench', 'service,ops');
    await openAccounts(served, token, ACCOUNTS);
    const many = { token, connections: CONNECTIONS, accounts: ACCOUNTS };
    await load(bare, { ...many, seconds: WARM_UP_SECONDS });
    await load(served.url, { ...many, seconds: WARM_UP_SECONDS });
    return compare(
      ROUNDS,
      () => load(served.url, { ...many, seconds: ROUND_SECONDS }),
      () => load(bare, { ...many, seconds: ROUND_SECONDS }),
    );
  });
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
