import { memberText } from '../answer-text.ts';
import { get, post, type Answered, type Cast } from '../cast.ts';
import { edition, ENTRIES, firstAddress } from '../facts/facts.ts';
import { freezeBar } from '../freeze-bar.ts';
import { momentOf, replayMoments, type Moment } from '../moments.ts';
import {
  addressHit,
  deposit,
  dispatch,
  freeze,
  hit,
  nameHit,
  opening,
  settlement,
  TELLS,
  withdrawal,
} from '../requests.ts';
import type { Stage } from '../stage.ts';

const EXCHANGE = 'acc-exchange';
const MARKET = 'acc-market';
const REMOVED = 'acc-removed';
const LIFT_LIMIT_MS = 10_000;

const ABOUT = [
  `Real: the entries, with their uids, programmes and addresses, and the hashes of the lists of 6 and 22 April 2022 (US Treasury, OFAC); ${ENTRIES.garantex.name} and ${ENTRIES.hydra.name} were listed on 5 April, ${ENTRIES.bitriver.name} and ten subsidiaries on 20 April (announcements of the Treasury). Invented: that any of them has an account here, all accounts, amounts, and the hosting company and its owners' shares.`,
  `${ENTRIES.jeviz.name} (uid ${ENTRIES.jeviz.uid}) stands on the list of 6 April and not on that of 22 April: the day between them on which it was removed is not in the lists.`,
];

/** What a listing stops and what it does not, what comes by ownership, and how a freeze ends when the entry goes. */
export async function playApril(cast: Cast, stage: Stage): Promise<void> {
  stage.act('Act 2. April 2022: two lists of OFAC', ABOUT);
  const moments: Moment[] = [];
  await beforeTheListing(cast, stage, moments);
  const exchange = await freezeExchange(cast, stage, moments);
  const others = await freezeOthers(cast, stage);
  const miners = await freezeByOwnership(cast, stage);
  const end = await clearRemoved(cast, stage);
  await replayMoments(cast, stage, EXCHANGE, COLUMNS, moments);
  stage.timeline({
    from: '2022-04-03',
    to: '2022-04-25',
    ticks: ['2022-04-05', '2022-04-06', '2022-04-20', '2022-04-22'],
    rows: [
      await freezeBar(cast, `${EXCHANGE}: ${ENTRIES.garantex.name}`, exchange, end),
      await freezeBar(cast, `${MARKET}: ${ENTRIES.hydra.name}`, others.market, end),
      await freezeBar(cast, `${REMOVED}: ${ENTRIES.jeviz.name}`, others.removed, end, '2022-04-22'),
      await freezeBar(cast, `acc-miner: ${ENTRIES.bitriver.name}`, miners.miner, end),
      await freezeBar(cast, `acc-miner-b: ${ENTRIES.bitriverB.name}`, miners.subsidiary, end),
      await freezeBar(cast, 'acc-hosting: by ownership, 60 %', miners.owned, end),
    ],
  });
}

const COLUMNS = [
  { title: 'available', path: 'balances.available' },
  { title: 'reserved', path: 'balances.reserved' },
  { title: 'frozen', path: 'balances.frozen' },
  { title: 'freezes', path: 'freezes.length' },
];

async function beforeTheListing({ prepare, teller }: Cast, stage: Stage, moments: Moment[]): Promise<void> {
  stage.day('2022-04-04', `${ENTRIES.garantex.name} and ${ENTRIES.hydra.name} are on no list yet. Money moves freely.`);
  await prepare(`opens ${EXCHANGE} with 3 BTC; its holder controls an address`, [
    ...opening({
      accountId: EXCHANGE,
      partyId: 'p-exchange',
      kind: 'organisation',
      address: firstAddress('garantex'),
      btc: '3',
    }),
  ]);
  await prepare(`opens ${MARKET} with 1 BTC, and ${REMOVED} with 0.4 BTC`, [
    ...opening({
      accountId: MARKET,
      partyId: 'p-market',
      kind: 'organisation',
      address: firstAddress('hydra'),
      btc: '1',
    }),
    ...opening({ accountId: REMOVED, partyId: 'p-removed', kind: 'organisation', btc: '0.4' }),
  ]);
  await prepare(
    'opens acc-miner, acc-miner-b, acc-hosting, with 1 BTC each',
    ['miner', 'miner-b', 'hosting'].flatMap((name) =>
      opening({ accountId: `acc-${name}`, partyId: `p-${name}`, kind: 'organisation', btc: '1' }),
    ),
  );
  await teller('reserves a withdrawal of 0.5', withdrawal(EXCHANGE, 'wd-1', '0.5'), '201 reserved', TELLS.withdrawal);
  await teller('asks for the permission to send it', dispatch(EXCHANGE, 'wd-1'), '200 dispatched', TELLS.withdrawal);
  const reserved = await teller(
    'reserves another, of 0.7',
    withdrawal(EXCHANGE, 'wd-2', '0.7'),
    '201 reserved',
    TELLS.withdrawal,
  );
  moments.push(momentOf('one in flight, one reserved', reserved, '1.80000000', '1.20000000', '0.00000000', '0'));
}

async function freezeExchange(cast: Cast, stage: Stage, moments: Moment[]): Promise<Answered> {
  const { maker, checker, teller } = cast;
  const { name, uid, programmes } = ENTRIES.garantex;
  stage.day('2022-04-05', `OFAC lists ${name} (uid ${uid}, ${programmes.join(', ')}). The list of 6 April has it.`);
  await maker(
    'raises a hit: the address of p-exchange',
    addressHit('hit-exchange', 'garantex'),
    '201 raised',
    TELLS.hit,
  );
  const confirmation = post('admin/sanctions-hits/hit-exchange/confirmation', {});
  await maker('tries to confirm the own hit', confirmation, '422 maker-is-checker');
  await checker('confirms it', confirmation, '200 confirmed', TELLS.hit);
  const frozen = await maker(
    `freezes ${EXCHANGE}`,
    freeze(EXCHANGE, 'sanctions-hit', 'hit-exchange', '2022-04-05'),
    '201 in-force; stopped: wd-2; in flight: wd-1',
    TELLS.stops,
  );
  moments.push(momentOf('frozen', frozen, '2.50000000', '0.50000000', '2.50000000', '1'));
  await teller('tries to withdraw 0.1', withdrawal(EXCHANGE, 'wd-3', '0.1'), '423 account-frozen: 1 freeze');
  await teller('tries to send what the freeze stopped', dispatch(EXCHANGE, 'wd-2'), '422 invalid-transition');
  const settled = await teller(
    'records that what was in flight has left',
    settlement(EXCHANGE, 'wd-1'),
    '200 settled',
    TELLS.withdrawal,
  );
  moments.push(momentOf('what was in flight settled', settled, '2.50000000', '0.00000000', '2.50000000', '1'));
  const landed = await teller(
    'records a deposit of 0.25',
    deposit(EXCHANGE, 'dep-3', '0.25'),
    '201 0.25000000 BTC deposited',
    TELLS.deposit,
  );
  moments.push(momentOf('a deposit landed, and stays', landed, '2.75000000', '0.00000000', '2.75000000', '1'));
  return frozen;
}

async function freezeOthers(cast: Cast, stage: Stage): Promise<{ market: Answered; removed: Answered }> {
  const { maker, checker } = cast;
  const { hydra, jeviz } = ENTRIES;
  stage.day(
    '2022-04-06',
    `The same list has ${hydra.name} (uid ${hydra.uid}, ${hydra.programmes.join(', ')}), and, as in February, ${jeviz.name} (uid ${jeviz.uid}, ${jeviz.programmes.join(', ')}).`,
  );
  await maker('raises a hit: the address of p-market', addressHit('hit-market', 'hydra'), '201 raised', TELLS.hit);
  await confirm(checker, 'hit-market');
  const market = await maker(
    `freezes ${MARKET}`,
    freeze(MARKET, 'sanctions-hit', 'hit-market', '2022-04-05'),
    '201 in-force',
    TELLS.freeze,
  );
  await maker(
    'raises a hit: the name of p-removed',
    nameHit('hit-removed', 'jeviz', 'p-removed'),
    '201 raised',
    TELLS.hit,
  );
  await confirm(checker, 'hit-removed');
  const removed = await maker(
    `freezes ${REMOVED}`,
    freeze(REMOVED, 'sanctions-hit', 'hit-removed', '2022-04-06'),
    '201 in-force',
    TELLS.freeze,
  );
  return { market, removed };
}

async function freezeByOwnership(
  cast: Cast,
  stage: Stage,
): Promise<{ miner: Answered; subsidiary: Answered; owned: Answered }> {
  const { maker, checker } = cast;
  const { bitriver, bitriverB } = ENTRIES;
  stage.day(
    '2022-04-20',
    `OFAC lists ${bitriver.name} (uid ${bitriver.uid}) and ten subsidiaries, each "Linked To: ${bitriver.name}". The list of 22 April has them.`,
  );
  await maker(
    `raises a hit: ${bitriver.name} itself`,
    nameHit('hit-miner', 'bitriver', 'p-miner'),
    '201 raised',
    TELLS.hit,
  );
  await maker(
    `raises a hit: its subsidiary, listed itself (uid ${bitriverB.uid})`,
    nameHit('hit-miner-b', 'bitriverB', 'p-miner-b'),
    '201 raised',
    TELLS.hit,
  );
  await maker(
    'raises a hit by ownership: a company that is on no list, and owned by them to 60 % together',
    ownershipHit(),
    '201 raised, by ownership, 0.6',
    '{sanctionsHit.state}, by {sanctionsHit.route}, {sanctionsHit.aggregateShare}',
  );
  for (const hitId of ['hit-miner', 'hit-miner-b', 'hit-hosting']) await confirm(checker, hitId);
  const frozen = async (name: string): Promise<Answered> =>
    maker(
      `freezes acc-${name}`,
      freeze(`acc-${name}`, 'sanctions-hit', `hit-${name}`, '2022-04-20'),
      '201 in-force',
      TELLS.freeze,
    );
  return { miner: await frozen('miner'), subsidiary: await frozen('miner-b'), owned: await frozen('hosting') };
}

/** @returns the position of the last thing that was done */
async function clearRemoved(cast: Cast, stage: Stage): Promise<string> {
  const { maker, checker, auditor, teller } = cast;
  const { jeviz, garantex } = ENTRIES;
  stage.day(
    '2022-04-22',
    `The list of this day has no ${jeviz.name} any more; ${garantex.name} stands in it unchanged.`,
  );
  const { version, sha256 } = edition('2022-04-22');
  await maker(
    'proposes to clear the hit: delisted',
    post('admin/sanctions-hits/hit-removed/clearances', {
      clearanceId: 'clr-1',
      cause: 'delisted',
      authority: { kind: 'list-version', reference: `ofac-sdn of ${version}: no entry ${jeviz.uid}`, sha256 },
    }),
    '201 proposed',
    TELLS.clearance,
  );
  const approval = post('admin/sanctions-hits/hit-removed/clearances/clr-1/approval', {});
  await maker('tries to approve the own proposal', approval, '422 maker-is-checker');
  await checker('approves it', approval, '200 approved', TELLS.clearance);
  await auditor(
    `sees that ${REMOVED} is free by itself`,
    get(`audit/accounts/${REMOVED}`, LIFT_LIMIT_MS),
    '200 freezes in force: -',
    'freezes in force: {freezes.freezeId}',
  );
  const moved = await teller(
    'reserves a withdrawal of 0.4',
    withdrawal(REMOVED, 'wd-1', '0.4'),
    '201 reserved',
    TELLS.withdrawal,
  );
  await teller(
    `tries to withdraw from ${EXCHANGE}`,
    withdrawal(EXCHANGE, 'wd-4', '0.1'),
    '423 account-frozen: 1 freeze',
  );
  return memberText(moved, 'position');
}

async function confirm(checker: Cast['checker'], hitId: string): Promise<void> {
  const confirmation = post(`admin/sanctions-hits/${hitId}/confirmation`, {});
  await checker(`confirms ${hitId}`, confirmation, '200 confirmed', TELLS.hit);
}

function ownershipHit(): ReturnType<typeof hit> {
  return hit({
    hitId: 'hit-hosting',
    entry: 'bitriver',
    subject: { kind: 'party', partyId: 'p-hosting' },
    match: {
      field: 'owners',
      value: `${ENTRIES.bitriver.name} 35 %, ${ENTRIES.bitriverB.name} 25 %`,
      explanation: 'listed persons own 50 % or more together (shares invented)',
    },
    more: { route: 'ownership', aggregateShare: 0.6 },
  });
}
