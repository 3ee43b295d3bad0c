import { memberText } from '../answer-text.ts';
import { get, post, type Cast } from '../cast.ts';
import { ENTRIES, firstAddress } from '../facts/facts.ts';
import { freezeBar } from '../freeze-bar.ts';
import { addressHit, freeze, letter, noon, opening, standInHash, TELLS, withdrawal, type Letter } from '../requests.ts';
import type { Stage } from '../stage.ts';
import type { Mark } from '../story.ts';

const ORDINARY = 'acc-ordinary';
const LISTED = 'acc-listed';
const NO_INSTRUMENT = 'no instrument: a letter asks, and binds nobody';

const ABOUT = [
  `Real: the public call of Ukraine's minister of digital transformation of 27 February 2022 and the letters of the ministry of 28 February to eight exchanges (CoinDesk, 28 February 2022), here as one letter of each day; the entry of ${ENTRIES.suex.name} (uid ${ENTRIES.suex.uid}, listed on 21 September 2021) on the list of 17 February 2022. Invented: the accounts, the wording of the letters, and the request for user data, which is of a kind that exchanges get.`,
  'This act goes back in time: its letters came between the first act and the second.',
];

/** What asks and binds nobody is kept, answered, and freezes nothing; who is listed stays frozen. */
export async function playLetters(cast: Cast, stage: Stage): Promise<void> {
  stage.act('Act 3. Letters and law, February and March 2022', ABOUT);
  const listed = await freezeListed(cast, stage);
  const marks = [await refuseTweet(cast, stage), await refuseLetters(cast, stage), await refuseData(cast, stage)];
  const end = await seeBoth(cast, stage);
  stage.timeline({
    from: '2022-02-17',
    to: '2022-03-03',
    ticks: ['2022-02-18', '2022-02-27', '2022-02-28', '2022-03-01', '2022-03-02'],
    rows: [...marks, await freezeBar(cast, `${LISTED}: ${ENTRIES.suex.name}`, listed, end)],
  });
}

async function freezeListed({ prepare, maker, checker }: Cast, stage: Stage): Promise<unknown> {
  const { name, uid, programmes } = ENTRIES.suex;
  stage.day(
    '2022-02-18',
    `Two customers, neighbours. One controls an address of ${name} (uid ${uid}, ${programmes.join(', ')}); the other is on no list.`,
  );
  await prepare(`opens ${LISTED} and ${ORDINARY}, with 1 BTC each`, [
    ...opening({
      accountId: LISTED,
      partyId: 'p-listed',
      kind: 'organisation',
      address: firstAddress('suex'),
      btc: '1',
    }),
    ...opening({ accountId: ORDINARY, partyId: 'p-ordinary', kind: 'person', btc: '1' }),
  ]);
  await maker('raises a hit: the address of p-listed', addressHit('hit-listed', 'suex'), '201 raised', TELLS.hit);
  const confirmation = post('admin/sanctions-hits/hit-listed/confirmation', {});
  await checker('confirms it', confirmation, '200 confirmed', TELLS.hit);
  return maker(
    `freezes ${LISTED}`,
    freeze(LISTED, 'sanctions-hit', 'hit-listed', '2022-02-18'),
    '201 in-force',
    TELLS.freeze,
  );
}

async function refuseTweet(cast: Cast, stage: Stage): Promise<Mark> {
  stage.day(
    '2022-02-27',
    'A minister asks all major exchanges, in public, to block the addresses of ordinary Russian users.',
  );
  await answerLetter(cast, 'registers the post as what it is: a request', TWEET);
  return { kind: 'mark', label: "The minister's post", on: TWEET.on, told: 'refused: no instrument; froze nothing' };
}

async function refuseLetters(cast: Cast, stage: Stage): Promise<Mark> {
  const { maker } = cast;
  stage.day('2022-02-28', 'The ministry writes to exchanges: they should block all Russian users.');
  await answerLetter(cast, 'registers the letter', MINISTRY);
  await maker(
    'tries to freeze with the letter as the basis',
    post(`admin/accounts/${ORDINARY}/freezes`, { basis: { kind: 'authority-request', id: MINISTRY.requestId } }),
    '400 malformed-request',
  );
  await maker(
    'tries to pass the letter off as an order',
    freeze(ORDINARY, 'legal-order', MINISTRY.requestId, '2022-02-28'),
    '422 basis-not-found',
  );
  await maker(
    'tries to register an order against a nationality',
    post('admin/legal-orders', orderAgainstNationality()),
    '400 malformed-request',
  );
  await maker(
    `tries to freeze the neighbour under the hit on ${LISTED}`,
    freeze(ORDINARY, 'sanctions-hit', 'hit-listed', '2022-02-28'),
    '422 basis-does-not-name-account',
  );
  return {
    kind: 'mark',
    label: 'The letter of the ministry',
    on: MINISTRY.on,
    told: 'refused: no instrument; froze nothing',
  };
}

async function refuseData(cast: Cast, stage: Stage): Promise<Mark> {
  const { maker, checker } = cast;
  stage.day('2022-03-01', 'An authority asks for the names and transactions of users, and names no instrument.');
  await maker('registers the request', letter(DATA), '201 registered', TELLS.letter);
  const answer = `admin/authority-requests/${DATA.requestId}/answer`;
  await checker(
    'tries to grant it without a basis',
    post(answer, { outcome: 'granted', reason: 'they asked' }),
    '400 malformed-request',
  );
  await checker(
    'refuses',
    post(answer, { outcome: 'refused', reason: 'no instrument: user data need a legal demand' }),
    '200 refused: no instrument: user data need a legal demand',
    TELLS.answer,
  );
  return {
    kind: 'mark',
    label: 'The request for user data',
    on: DATA.on,
    told: 'refused: no instrument; disclosed nothing',
  };
}

/** @returns the position of the last thing that was done */
async function seeBoth({ auditor, teller }: Cast, stage: Stage): Promise<string> {
  stage.day('2022-03-02', 'Who is not on a list can use the platform. Who is, cannot.');
  await auditor(
    `looks at ${ORDINARY}`,
    get(`audit/accounts/${ORDINARY}`),
    '200 freezes in force: -',
    'freezes in force: {freezes.freezeId}',
  );
  const moved = await teller(
    'reserves a withdrawal of 0.3 from it',
    withdrawal(ORDINARY, 'wd-1', '0.3'),
    '201 reserved',
    TELLS.withdrawal,
  );
  await teller(
    `tries to withdraw 0.3 from ${LISTED}`,
    withdrawal(LISTED, 'wd-1', '0.3'),
    '423 account-frozen: 1 freeze',
  );
  return memberText(moved, 'position');
}

async function answerLetter({ maker, checker }: Cast, registers: string, request: Letter): Promise<void> {
  await maker(registers, letter(request), '201 registered', TELLS.letter);
  const answer = post(`admin/authority-requests/${request.requestId}/answer`, {
    outcome: 'refused',
    reason: NO_INSTRUMENT,
  });
  await checker('answers it', answer, `200 refused: ${NO_INSTRUMENT}`, TELLS.answer);
}

const MINISTRY_OF_UKRAINE = { name: 'Ministry of Digital Transformation of Ukraine', jurisdiction: 'UA' };

const TWEET: Letter = {
  requestId: 'req-post',
  kind: 'freeze',
  authority: MINISTRY_OF_UKRAINE,
  reference: 'public post of 27 February 2022',
  subject: 'to block the addresses of Russian users, ordinary users too',
  on: '2022-02-27',
};

const MINISTRY: Letter = {
  requestId: 'req-ministry',
  kind: 'freeze',
  authority: MINISTRY_OF_UKRAINE,
  reference: 'letter of 28 February 2022',
  subject: 'to block all Russian users',
  on: '2022-02-28',
};

const DATA: Letter = {
  requestId: 'req-data',
  kind: 'disclosure',
  authority: { name: 'an authority (invented)', jurisdiction: 'ZZ' },
  reference: 'letter of 1 March 2022 (invented)',
  subject: 'names and transactions of users of one nationality',
  on: '2022-03-01',
};

function orderAgainstNationality(): object {
  return {
    orderId: 'ord-nationality',
    kind: 'administrative-order',
    authority: MINISTRY_OF_UKRAINE,
    caseReference: MINISTRY.reference,
    statute: 'none is named',
    subjects: [{ kind: 'nationality', code: 'RU' }],
    scope: { direction: 'debit', assets: 'all' },
    issuedAt: noon(MINISTRY.on),
    receivedAt: noon(MINISTRY.on),
    effectiveAt: noon(MINISTRY.on),
    documentSha256: standInHash(MINISTRY.reference),
  };
}
