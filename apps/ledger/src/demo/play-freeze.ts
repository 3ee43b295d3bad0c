import { get, post, castFor, type Answered, type Cast, type Place, type Request } from './cast.ts';
import { memberText, type Stage } from './stage.ts';

/** How long a freeze may outlive its order here (invariant 13: seconds). */
const LIFT_LIMIT_MS = 10_000;

const ACCOUNT = 'accounts/acc-1';
const ORDER = 'admin/legal-orders/ord-1';
const FREEZE = { basis: { kind: 'legal-order', id: 'ord-1' } };

/** A point in the log that is looked at again in the end. */
interface Moment {
  readonly title: string;
  readonly position: string;
  /** What there was of BTC, and how many freezes were in force. */
  readonly account: readonly [available: string, reserved: string, frozen: string, freezes: string];
}

/**
 * Plays the life of one freeze: what comes before it, what it stops and what not, how it ends, and what the log tells of it.
 * @throws Error at the first line that differs
 */
export async function playFreeze(place: Place, stage: Stage): Promise<void> {
  const cast = await castFor(place, stage);
  const moments: Moment[] = [];
  stage.chapter('Money comes in and goes out');
  await openAccount(cast);
  await moveMoney(cast, moments);
  stage.chapter('A court order arrives');
  await putOrderInForce(cast);
  await openWithdrawals(cast, moments);
  stage.chapter('The freeze');
  const freezeId = await freeze(cast, moments);
  await liveUnderFreeze(cast, moments);
  stage.chapter('The order is discharged, and the freeze ends by itself');
  await endOrder(cast, moments, freezeId);
  stage.chapter('What the log tells');
  await readLog(cast, moments);
  stage.chapter('The account as of each moment, by replay (available | reserved | frozen | freezes in force)');
  await replay(cast, moments, stage);
}

async function openAccount({ teller, maker }: Cast): Promise<void> {
  await maker(
    'registers the asset BTC',
    post('assets', { code: 'BTC', scale: 8, kind: 'crypto' }),
    '201 BTC',
    '{asset.code}',
  );
  await teller(
    'registers a party',
    post('parties', { partyId: 'p-1', kind: 'person', externalRef: 'customer-1' }),
    '201 p-1',
    '{party.partyId}',
  );
  await teller(
    'records that it was identified',
    post('parties/p-1/identification', {
      method: 'passport',
      evidenceSha256: documentHash(1),
      identifiedAt: hoursAgo(48),
    }),
    '200 by passport',
    'by {party.identification.method}',
  );
  await teller(
    'opens an account for it',
    post('accounts', { accountId: 'acc-1', holders: [{ partyId: 'p-1', capacity: 'owner' }] }),
    '201 open, held by p-1',
    '{account.state}, held by {account.holders.partyId}',
  );
}

async function moveMoney({ teller }: Cast, moments: Moment[]): Promise<void> {
  const deposited = await teller('records a deposit of 2 BTC', deposit('dep-1', '2'), '201 2.00000000 BTC', DEPOSITED);
  remember(moments, 'after the deposit', deposited, ['2.00000000', '0.00000000', '0.00000000', '0']);
  await teller('reserves a withdrawal of 0.5', withdrawal('wd-1', '0.5'), '201 reserved', STATE);
  await teller('asks for the permission to send it', dispatch('wd-1'), '200 dispatched', STATE);
  const settled = await teller('records that it has left', settlement('wd-1'), '200 settled', STATE);
  remember(moments, 'after a withdrawal', settled, ['1.50000000', '0.00000000', '0.00000000', '0']);
}

async function putOrderInForce({ maker, checker }: Cast): Promise<void> {
  await maker('registers the order', post('admin/legal-orders', order()), '201 registered', '{legalOrder.state}');
  await maker(
    'tries to freeze before it is verified',
    post(`admin/${ACCOUNT}/freezes`, FREEZE),
    '422 basis-not-in-force',
  );
  const verification = post(`${ORDER}/verification`, { method: 'called the court registry back' });
  await maker('tries to verify what the maker registered', verification, '422 maker-is-checker');
  await checker('verifies it', verification, '200 verified', '{legalOrder.state}');
}

async function openWithdrawals({ teller }: Cast, moments: Moment[]): Promise<void> {
  await teller('reserves a withdrawal of 0.3', withdrawal('wd-2', '0.3'), '201 reserved', STATE);
  await teller('asks for the permission to send it', dispatch('wd-2'), '200 dispatched', STATE);
  const reserved = await teller('reserves another, of 0.4', withdrawal('wd-3', '0.4'), '201 reserved', STATE);
  remember(moments, 'one in flight, one reserved', reserved, ['0.80000000', '0.70000000', '0.00000000', '0']);
}

async function freeze({ maker }: Cast, moments: Moment[]): Promise<string> {
  const frozen = await maker(
    'freezes the account under the order',
    post(`admin/${ACCOUNT}/freezes`, FREEZE),
    '201 in-force; stopped: wd-3; in flight: wd-2',
    '{freeze.state}; stopped: {freeze.stopped}; in flight: {freeze.inFlight}',
  );
  remember(moments, 'frozen', frozen, ['1.20000000', '0.30000000', '1.20000000', '1']);
  return memberText(frozen, 'freeze.freezeId');
}

async function liveUnderFreeze({ teller, maker }: Cast, moments: Moment[]): Promise<void> {
  await teller('tries to withdraw 0.1', withdrawal('wd-4', '0.1'), '423 account-frozen');
  await teller('tries to send what the freeze stopped', dispatch('wd-3'), '422 invalid-transition');
  const settled = await teller('records that what was in flight has left', settlement('wd-2'), '200 settled', STATE);
  remember(moments, 'what was in flight settled', settled, ['1.20000000', '0.00000000', '1.20000000', '1']);
  const deposited = await teller(
    'records a deposit of 0.25',
    deposit('dep-2', '0.25'),
    '201 0.25000000 BTC',
    DEPOSITED,
  );
  remember(moments, 'a deposit came, and stays', deposited, ['1.45000000', '0.00000000', '1.45000000', '1']);
  await maker(
    'tries to freeze under the same order again',
    post(`admin/${ACCOUNT}/freezes`, FREEZE),
    '409 already-exists',
  );
}

async function endOrder({ teller, maker, checker, auditor }: Cast, moments: Moment[], freezeId: string): Promise<void> {
  const ending = { changeId: 'end-1', kind: 'ending', how: 'discharged' };
  const instrument = { documentSha256: documentHash(3), issuedAt: hoursAgo(1), reference: 'order of discharge' };
  const proposed = await maker(
    'proposes its discharge',
    post(`${ORDER}/changes`, { ...ending, ...instrument }),
    '201 proposed',
    '{change.state}',
  );
  remember(moments, 'the discharge is proposed', proposed, ['1.45000000', '0.00000000', '1.45000000', '1']);
  const verification = post(`${ORDER}/changes/end-1/verification`, { method: 'called the court registry back' });
  await checker('verifies the discharge', verification, '200 verified', '{change.state}');
  const free = await auditor(
    'sees that no freeze is in force any more',
    get(`audit/${ACCOUNT}`, LIFT_LIMIT_MS),
    '200 freezes in force: -',
    'freezes in force: {freezes.freezeId}',
  );
  remember(moments, 'the freeze has ended', free, ['1.45000000', '0.00000000', '0.00000000', '0']);
  await auditor(
    'sees on what ground, and by whom',
    get(`admin/freezes/${freezeId}?atLeast=${memberText(free, 'position')}`),
    '200 lifted, basis-ended, by maker and checker',
    '{state}, {lift.ground}, by {lift.requestedBy} and {lift.approvedBy}',
  );
  const reserved = await teller('reserves a withdrawal of 0.45', withdrawal('wd-5', '0.45'), '201 reserved', STATE);
  remember(moments, 'money moves again', reserved, ['1.00000000', '0.45000000', '0.00000000', '0']);
}

async function readLog({ auditor }: Cast, moments: readonly Moment[]): Promise<void> {
  const end = moments.at(-1)?.position ?? '';
  await auditor(
    'reads the refusals on record',
    get(`audit/refusals?atLeast=${end}`),
    '200 basis-not-in-force, maker-is-checker, account-frozen',
    '{items.code}',
  );
  await auditor(
    'looks for events that should not be',
    get(`audit/violations?atLeast=${end}`),
    '200 violations: -',
    'violations: {items.code}',
  );
}

async function replay({ auditor }: Cast, moments: readonly Moment[], stage: Stage): Promise<void> {
  const rows: string[][] = [];
  for (const { title, position, account } of moments) {
    const replayed = await auditor(
      title,
      get(`audit/${ACCOUNT}?at=${position}`),
      `200 ${account.join(' | ')}`,
      AS_OF.map((path) => `{${path}}`).join(' | '),
    );
    rows.push([position, title, ...AS_OF.map((path) => memberText(replayed, path))]);
  }
  stage.say();
  stage.table(['log position', 'moment', 'available', 'reserved', 'frozen', 'freezes'], rows);
}

const AS_OF = ['balances.available', 'balances.reserved', 'balances.frozen', 'freezes.length'];
const STATE = '{withdrawal.state}';
const DEPOSITED = '{deposit.amount} {deposit.asset}';

function deposit(depositId: string, amount: string): Request {
  const source = { kind: 'onchain', chain: 'bitcoin', reference: `incoming transaction of ${depositId}` };
  return post(`${ACCOUNT}/deposits`, { depositId, asset: 'BTC', amount, source });
}

function withdrawal(withdrawalId: string, amount: string): Request {
  const destination = { kind: 'onchain', chain: 'bitcoin', reference: `asked for as ${withdrawalId}` };
  return post(`${ACCOUNT}/withdrawals`, { withdrawalId, asset: 'BTC', amount, destination });
}

function dispatch(withdrawalId: string): Request {
  return post(`${ACCOUNT}/withdrawals/${withdrawalId}/dispatch`, {
    reference: `outgoing transaction of ${withdrawalId}`,
  });
}

function settlement(withdrawalId: string): Request {
  return post(`${ACCOUNT}/withdrawals/${withdrawalId}/settlement`, { reference: `block of ${withdrawalId}` });
}

function order(): object {
  return {
    orderId: 'ord-1',
    kind: 'freezing-order',
    authority: { name: 'a court of the demonstration', jurisdiction: 'GB-EAW' },
    caseReference: 'DEMO-1',
    statute: 'Senior Courts Act 1981 s.37',
    subjects: [{ kind: 'account', accountId: 'acc-1' }],
    scope: { direction: 'debit', assets: ['BTC'] },
    issuedAt: hoursAgo(3),
    receivedAt: hoursAgo(2),
    effectiveAt: hoursAgo(3),
    documentSha256: documentHash(2),
  };
}

function hoursAgo(hours: number): string {
  return new Date(Date.now() - hours * 60 * 60 * 1000).toISOString();
}

/** Stands for the SHA-256 of a document that is kept elsewhere. */
function documentHash(document: number): string {
  return String(document).padStart(64, '0');
}

/** @param answer has the position of what just happened */
function remember(moments: Moment[], title: string, answer: Answered, account: Moment['account']): void {
  moments.push({ title, position: memberText(answer, 'position'), account });
}
