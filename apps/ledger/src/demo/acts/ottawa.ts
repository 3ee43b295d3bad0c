import { memberText } from '../answer-text.ts';
import { get, post, type Answered, type Cast } from '../cast.ts';
import { NAMED_BY_THE_COURT, namedByTheCourt } from '../court-order.ts';
import { freezeBar } from '../freeze-bar.ts';
import { momentOf, replayMoments, type Moment } from '../moments.ts';
import { daysFromNow, deposit, freeze, letter, noon, opening, standInHash, TELLS, withdrawal } from '../requests.ts';
import type { Stage } from '../stage.ts';

const ACCOUNT = 'acc-protest';
const MEASURE = 'ord-measure';
const COURT = 'ord-court';
const LIFT_LIMIT_MS = 10_000;
const FROM_ORDER_TO_HEARING_DAYS = 11;
const FROM_ORDER_TO_NEW_END_DAYS = 20;

const ABOUT = [
  'Real: the Emergency Economic Measures Order (SOR/2022-22, Canada Gazette), the letter of the federal police (The Globe and Mail, 16 February 2022), the order of the Ontario Superior Court (The Globe and Mail, 18 February; CBC, 28 February), the end of the emergency (Public Safety Canada). Invented: the account and its holder, and the determination that names it.',
  NAMED_BY_THE_COURT,
  'The clock of the service acts on an expiry, so the expiry of the order is played as far ahead of today as it was ahead of its day. The limit of 20 million is in dollars: bitcoin, for which the order has no limit of its own, is frozen whole.',
];

/** Two bases over one account: the first ends and takes its freeze with it, the second holds. */
export async function playOttawa(cast: Cast, stage: Stage): Promise<void> {
  stage.act('Act 1. Ottawa, February 2022: two bases, one account', ABOUT);
  const moments: Moment[] = [];
  const measure = await freezeUnderMeasure(cast, stage, moments);
  const court = await freezeUnderCourt(cast, stage, moments);
  await creditUnderBoth(cast, stage, moments);
  await endMeasure(cast, stage, moments, measure);
  const end = await extendCourt(cast, stage);
  await replayMoments(cast, stage, ACCOUNT, COLUMNS, moments);
  stage.timeline({
    from: '2022-02-14',
    to: '2022-03-09',
    ticks: ['2022-02-15', '2022-02-16', '2022-02-17', '2022-02-19', '2022-02-23', '2022-02-28', '2022-03-09'],
    rows: [
      await freezeBar(cast, 'Freeze A: SOR/2022-22, with a determination', measure, end, '2022-02-23'),
      await freezeBar(cast, 'Freeze B: order of the Ontario court', court, end),
    ],
  });
}

const COLUMNS = [
  { title: 'BTC, CAD available', path: 'balances.available' },
  { title: 'held', path: 'balances.held' },
  { title: 'freezes', path: 'freezes.length' },
];

async function freezeUnderMeasure(cast: Cast, stage: Stage, moments: Moment[]): Promise<Answered> {
  const { maker, checker, prepare } = cast;
  stage.day(
    '2022-02-15',
    'SOR/2022-22 comes into force. It binds exchanges, and names nobody: it defines persons by what they do.',
  );
  await prepare(
    `opens ${ACCOUNT}: 0.8 BTC and 4,200 CAD`,
    opening({ accountId: ACCOUNT, partyId: 'p-protest', kind: 'person', btc: '0.8', cad: '4200' }),
  );
  stage.day('2022-02-16', 'The federal police write to exchanges, with more than 30 addresses.');
  await maker('registers the letter', letter(POLICE), '201 registered', TELLS.letter);
  await maker(
    'registers the measure, with the determination that p-protest is a designated person (received 16 February)',
    post('admin/legal-orders', measureOrder()),
    '201 registered',
    TELLS.order,
  );
  const request = freeze(ACCOUNT, 'legal-order', MEASURE, '2022-02-16');
  await maker('tries to freeze before a second person has looked', request, '422 basis-not-in-force');
  const verification = post(`admin/legal-orders/${MEASURE}/verification`, {
    method: 'read the Order in the Canada Gazette, and the evidence of the determination',
  });
  await maker('tries to verify the own determination', verification, '422 maker-is-checker');
  await checker('verifies it', verification, '200 verified', TELLS.order);
  const frozen = await maker('freezes the account: freeze A', request, '201 in-force', TELLS.freeze);
  moments.push(momentOf('frozen under the measure', frozen, '0.80000000, 4200.00', '0.00000000, 0.00', '1'));
  await checker(
    'answers the police: not on the letter, but on the measure',
    post('admin/authority-requests/req-police/answer', {
      outcome: 'granted',
      reason: 'the Order binds us',
      basis: { kind: 'legal-order', id: MEASURE },
    }),
    '200 granted: the Order binds us',
    TELLS.answer,
  );
  return frozen;
}

async function freezeUnderCourt(cast: Cast, stage: Stage, moments: Moment[]): Promise<Answered> {
  const { maker, checker, teller } = cast;
  stage.day(
    '2022-02-17',
    'The Ontario Superior Court, without notice to the other side, freezes up to 20 million Canadian dollars, and lists more than 120 addresses.',
  );
  await maker('registers the order', post('admin/legal-orders', courtOrder()), '201 registered', TELLS.order);
  const verification = post(`admin/legal-orders/${COURT}/verification`, { method: 'called the court registry back' });
  await checker('verifies it', verification, '200 verified', TELLS.order);
  const request = freeze(ACCOUNT, 'legal-order', COURT, '2022-02-17');
  const frozen = await maker('freezes the same account: freeze B', request, '201 in-force', TELLS.freeze);
  moments.push(momentOf('frozen under both', frozen, '0.80000000, 4200.00', '0.00000000, 0.00', '2'));
  await teller('tries to withdraw 0.1 BTC', withdrawal(ACCOUNT, 'wd-1', '0.1'), '423 account-frozen: 2 freezes');
  await maker('tries to freeze under the same order again', request, '409 already-exists');
  return frozen;
}

async function creditUnderBoth({ teller }: Cast, stage: Stage, moments: Moment[]): Promise<void> {
  stage.day(
    '2022-02-19',
    'A donation arrives on chain. The measure forbids to make property available; what has arrived is a fact.',
  );
  const held = await teller(
    'records a deposit of 0.05 BTC',
    deposit(ACCOUNT, 'dep-3', '0.05'),
    '201 0.05000000 BTC held',
    TELLS.deposit,
  );
  moments.push(momentOf('a deposit came, and is held', held, '0.80000000, 4200.00', '0.05000000, 0.00', '2'));
}

async function endMeasure(cast: Cast, stage: Stage, moments: Moment[], measure: Answered): Promise<void> {
  const { maker, checker, auditor, teller } = cast;
  stage.day('2022-02-23', 'The emergency is revoked, and the measure ends with it.');
  const change = `admin/legal-orders/${MEASURE}/changes`;
  await maker(
    'proposes its end',
    post(change, {
      changeId: 'end-1',
      kind: 'ending',
      how: 'revoked',
      documentSha256: standInHash('proclamation that revokes the emergency'),
      issuedAt: noon('2022-02-23'),
      reference: 'proclamation of 23 February 2022',
    }),
    '201 proposed',
    TELLS.change,
  );
  await checker(
    'verifies it',
    post(`${change}/end-1/verification`, { method: 'read the proclamation in the Canada Gazette' }),
    '200 verified',
    TELLS.change,
  );
  const account = await auditor(
    'sees that freeze A is gone by itself, and B is there',
    get(`audit/accounts/${ACCOUNT}`, LIFT_LIMIT_MS),
    '200 1 freeze, under ord-court',
    '{freezes.length} freeze, under {freezes.basis.id}',
  );
  moments.push(momentOf('the measure has ended', account, '0.85000000, 4200.00', '0.00000000, 0.00', '1'));
  await auditor(
    'sees the ground, and who ended the basis',
    get(`admin/freezes/${memberText(measure, 'freeze.freezeId')}?atLeast=${memberText(account, 'position')}`),
    '200 lifted, basis-ended, by maker and checker',
    '{state}, {lift.ground}, by {lift.requestedBy} and {lift.approvedBy}',
  );
  await teller(
    'tries to withdraw what was held until now',
    withdrawal(ACCOUNT, 'wd-2', '0.05'),
    '423 account-frozen: 1 freeze',
  );
}

/** @returns the position of the last thing that was done */
async function extendCourt({ maker, checker, teller }: Cast, stage: Stage): Promise<string> {
  stage.day('2022-02-28', 'The court extends its order to 9 March.');
  const change = `admin/legal-orders/${COURT}/changes`;
  await maker(
    'proposes the extension, to 20 days after the order',
    post(change, {
      changeId: 'ext-1',
      kind: 'extension',
      expiresAt: daysFromNow(FROM_ORDER_TO_NEW_END_DAYS),
      documentSha256: standInHash('order of 28 February 2022'),
      issuedAt: noon('2022-02-28'),
      reference: 'order of 28 February 2022: until 9 March 2022',
    }),
    '201 proposed',
    TELLS.change,
  );
  const extended = await checker(
    'verifies it',
    post(`${change}/ext-1/verification`, { method: 'called the court registry back' }),
    '200 verified',
    TELLS.change,
  );
  await teller('tries to withdraw 100 CAD', withdrawal(ACCOUNT, 'wd-3', '100', 'CAD'), '423 account-frozen: 1 freeze');
  return memberText(extended, 'position');
}

const POLICE = {
  requestId: 'req-police',
  kind: 'freeze',
  authority: { name: 'Royal Canadian Mounted Police', jurisdiction: 'CA' },
  reference: 'letter of 16 February 2022',
  subject: 'more than 30 addresses on chains: to cease all dealings with them',
  on: '2022-02-16',
} as const;

function measureOrder(): object {
  return {
    orderId: MEASURE,
    kind: 'statutory-measure',
    authority: { name: 'Governor in Council', jurisdiction: 'CA' },
    caseReference: 'SOR/2022-22; determination 1',
    statute: 'Emergency Economic Measures Order, SOR/2022-22, ss. 2 and 3',
    subjects: [{ kind: 'party', partyId: 'p-protest' }],
    scope: { direction: 'both', assets: 'all' },
    issuedAt: noon('2022-02-15'),
    receivedAt: noon('2022-02-16'),
    effectiveAt: noon('2022-02-15'),
    documentSha256: standInHash('SOR/2022-22 and the determination'),
  };
}

function courtOrder(): object {
  return {
    orderId: COURT,
    kind: 'freezing-order',
    authority: { name: 'Superior Court of Justice', jurisdiction: 'CA-ON' },
    caseReference: 'order of 17 February 2022, without notice',
    statute: 'Courts of Justice Act (Ontario) s. 101',
    subjects: namedByTheCourt(ACCOUNT),
    scope: { direction: 'debit', assets: ['BTC', 'CAD'], limits: { CAD: '20000000' } },
    issuedAt: noon('2022-02-17'),
    receivedAt: noon('2022-02-17'),
    effectiveAt: noon('2022-02-17'),
    expiresAt: daysFromNow(FROM_ORDER_TO_HEARING_DAYS),
    documentSha256: standInHash('order of 17 February 2022'),
  };
}
