import type { LedgerCommand } from '#command-handling';
import type { RecordedEvent } from '#kernel';
import {
  checker,
  clearing,
  endingProposal,
  letterRegistration,
  maker,
  putHit,
  raising,
  sampleAddress,
  service,
  walk,
  type ActorBody,
} from '#testing';
import { describe, it } from '@jest/globals';
import { asking, exploreAll, logOf, scenario, script, supervisor, WALKS, type Case } from './scenes.ts';

const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;
const grant = {
  type: 'AnswerAuthorityRequest',
  requestId: 'req-1',
  outcome: 'granted',
  reason: 'r',
  basis: freeze.basis,
} as const;
const refuse = { ...grant, outcome: 'refused', basis: undefined } as const;
const open = { type: 'OpenAccount', accountId: 'acc-2', holders: ['p-1', 'p-2'].map(owner) } as const;
const openAlone = { ...open, holders: [owner('p-2')] } as const;
const debit = {
  type: 'ReserveWithdrawal',
  accountId: 'acc-1',
  withdrawalId: 'w-1',
  asset: 'BTC',
  amount: '1',
  destination: { kind: 'bank', reference: 'r' },
} as const;

const send = {
  type: 'SendTransfer',
  accountId: 'acc-1',
  transferId: 't-1',
  to: 'acc-2',
  asset: 'BTC',
  amount: '2',
} as const;
const close = { type: 'CloseAccount', accountId: 'acc-2', reason: 'asked' } as const;
const arrival = {
  type: 'Deposit',
  accountId: 'acc-2',
  depositId: 'd-9',
  asset: 'BTC',
  amount: '1',
  source: { kind: 'bank', reference: 'r' },
} as const;

function owner(partyId: string): { partyId: string; capacity: 'owner' } {
  return { partyId, capacity: 'owner' };
}

const endOrder = script(
  [endingProposal(), 'propose', maker],
  [{ type: 'VerifyChange', orderId: 'ord-1', changeId: 'chg-1', method: 'sealed copy' }, 'end', checker],
);

const freezeUnderHit = { ...freeze, basis: { kind: 'sanctions-hit', id: 'hit-1' } } as const;
const clearHit = script(...clearing.map(([command, actor = maker]) => [command, command.type, actor] as const));
const confirmHit = script([{ type: 'ConfirmSanctionsHit', hitId: 'hit-1' }, 'confirm', checker]);
const linkAddress = asking(
  { type: 'LinkAddress', partyId: 'p-1', chain: 'bitcoin', address: sampleAddress.address, role: 'holder-controlled' },
  'link',
  service,
);

const frozenScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount();
    const source = { kind: 'bank', reference: 'r' } as const;
    await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '3', source });
    await world.putOrder();
  });

const hitScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount();
    await putHit(world);
  });

/** An address that nobody has linked yet, on which a hit is raised. */
const addressScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount();
    await world.accept(raising({ subject: sampleAddress }));
  });

const openingScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-9', 'p-2');
    await world.putOrder({ subjects: [{ kind: 'party', partyId: 'p-2' }] }, false);
  });

const letterScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount();
    await world.putOrder();
    await world.accept(letterRegistration());
  });

/** Two accounts, the first in funds, the second closed if wanted. */
const transferScene = (closed = false): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-2', 'p-2');
    const source = { kind: 'bank', reference: 'r' } as const;
    await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '3', source });
    await world.putOrder();
    if (closed) await world.accept(close, { actor: service });
  });

const verifyOrder = script([{ type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'call-back' }, 'verify', checker]);

describe('every interleaving of a freeze', () => {
  const cases: readonly Case[] = [
    ['and its repetition by another process', { 'f first': asking(freeze, 'f'), 'f second': asking(freeze, 'f') }, {}],
    ['and another freeze under the same order', { f: asking(freeze, 'f'), g: asking(freeze, 'g') }, {}],
    ['and a debit', { f: asking(freeze, 'f'), w: asking(debit, 'w', service) }, {}],
    ['that crashes, beside a supervisor', { f: asking(freeze, 'f'), supervisor }, { crashes: 1 }],
    ['and the end of its order', { f: asking(freeze, 'f'), endOrder }, {}],
    ['with lost acknowledgements', { f: asking(freeze, 'f') }, { faults: 2 }],
    [
      'its repetition and a supervisor',
      { 'f first': asking(freeze, 'f'), 'f second': asking(freeze, 'f'), supervisor },
      { crashes: 1 },
    ],
  ];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await frozenScene(), each), 300_000);
});

describe('every interleaving of a freeze under a hit', () => {
  const cases: readonly Case[] = [
    ['and its clearance', { f: asking(freezeUnderHit, 'f'), clearHit }, {}],
    ['and another freeze under the same hit', { f: asking(freezeUnderHit, 'f'), g: asking(freezeUnderHit, 'g') }, {}],
    ['that crashes, beside its clearance', { f: asking(freezeUnderHit, 'f'), clearHit }, { crashes: 1 }],
    ['that crashes, beside a supervisor', { f: asking(freezeUnderHit, 'f'), supervisor }, { crashes: 1 }],
  ];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await hitScene(), each), 300_000);
});

describe('every interleaving of a link to an address', () => {
  const cases: readonly Case[] = [
    ['and the confirmation of a hit on it, beside a supervisor', { linkAddress, confirmHit, supervisor }, {}],
    ['that crashes, beside the confirmation', { linkAddress, confirmHit }, { crashes: 1 }],
  ];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await addressScene(), each), 300_000);
});

describe('every interleaving of an opening', () => {
  const casesOf = (command: typeof open | typeof openAlone, whose: string): readonly Case[] => [
    [`${whose} and its repetition`, { 'o first': asking(command, 'o'), 'o second': asking(command, 'o') }, {}],
    [`${whose} and another opening of the same id`, { o: asking(command, 'o'), p: asking(command, 'p') }, {}],
    [`${whose} that crashes, beside a supervisor`, { o: asking(command, 'o'), supervisor }, { crashes: 1 }],
    [`${whose} and an order that comes to name a holder`, { o: asking(command, 'o'), verifyOrder }, {}],
    [`${whose} with lost acknowledgements`, { o: asking(command, 'o') }, { faults: 2 }],
    [
      `${whose}, its repetition and a supervisor`,
      { 'o first': asking(command, 'o'), 'o second': asking(command, 'o'), supervisor },
      { crashes: 1 },
    ],
  ];
  const cases = [...casesOf(openAlone, 'for one holder'), ...casesOf(open, 'for two holders')];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await openingScene(), each), 300_000);
});

describe('every interleaving of an answer to a letter', () => {
  const answering = (command: LedgerCommand, key: string): ActorBody => asking(command, key, checker);
  const cases: readonly Case[] = [
    [
      'and its repetition by another process',
      { 'a first': answering(grant, 'a'), 'a second': answering(grant, 'a') },
      {},
    ],
    ['and another answer', { a: answering(grant, 'a'), b: answering(refuse, 'b') }, {}],
    ['and the end of the order that it cites', { a: answering(grant, 'a'), endOrder }, {}],
    ['and a freeze under the order that it cites', { a: answering(grant, 'a'), f: asking(freeze, 'f') }, {}],
    ['with lost acknowledgements', { a: answering(grant, 'a') }, { faults: 2 }],
  ];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await letterScene(), each), 300_000);
});

describe('every interleaving of a transfer', () => {
  const closing = script([close, 'close', service]);
  const cases: readonly Case[] = [
    [
      'and its repetition by another process',
      { 't first': asking(send, 't', service), 't second': asking(send, 't', service) },
      {},
    ],
    ['and another transfer under the same id', { t: asking(send, 't', service), u: asking(send, 'u', service) }, {}],
    ['and a closure of the account that it goes to', { t: asking(send, 't', service), closing }, {}],
    ['that crashes, beside a supervisor', { t: asking(send, 't', service), supervisor }, { crashes: 1 }],
    [
      'to an account that closes, crashing, beside a supervisor',
      { t: asking(send, 't', service), closing, supervisor },
      { crashes: 1 },
    ],
    ['with lost acknowledgements', { t: asking(send, 't', service) }, { faults: 2 }],
    [
      'beside two supervisors, with a lost acknowledgement',
      { t: asking(send, 't', service), supervisor, 'supervisor second': supervisor },
      { faults: 1 },
    ],
  ];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await transferScene(), each), 300_000);

  const toClosed: readonly Case[] = [
    ['to a closed account, beside a supervisor', { t: asking(send, 't', service), supervisor }, { crashes: 1 }],
    [
      'of all there is to a closed account, and a closure of its own',
      {
        t: asking({ ...send, amount: '3' }, 't', service),
        own: script([{ ...close, accountId: 'acc-1' }, 'own', service]),
      },
      { crashes: 1 },
    ],
    [
      'to a closed account that a deposit opens',
      { t: asking(send, 't', service), d: asking(arrival, 'd', service) },
      {},
    ],
    [
      'to a closed account, beside two supervisors',
      { t: asking(send, 't', service), supervisor, 'supervisor second': supervisor },
      { faults: 1 },
    ],
  ];
  it.each(toClosed)('%s', async (...each) => exploreAll(each[0], await transferScene(true), each), 300_000);
});

describe('random interleavings', () => {
  const random: readonly (readonly [
    string,
    () => Promise<readonly RecordedEvent[]>,
    Readonly<Record<string, ActorBody>>,
  ])[] = [
    [
      'of two freezes, the end of their order, a debit and two supervisors',
      frozenScene,
      {
        'f first': asking(freeze, 'f'),
        'f second': asking(freeze, 'f'),
        g: asking(freeze, 'g'),
        endOrder,
        w: asking(debit, 'w', service),
        supervisor,
        'supervisor second': supervisor,
      },
    ],
    [
      'of freezes under a hit, its clearance, a debit and two supervisors',
      hitScene,
      {
        'f first': asking(freezeUnderHit, 'f'),
        'f second': asking(freezeUnderHit, 'f'),
        g: asking(freezeUnderHit, 'g'),
        clearHit,
        w: asking(debit, 'w', service),
        supervisor,
        'supervisor second': supervisor,
      },
    ],
    [
      'of a link to an address, a hit on it that is confirmed and cleared, a freeze under it and a supervisor',
      addressScene,
      {
        linkAddress,
        confirmHit,
        f: asking(freezeUnderHit, 'f'),
        clearHit,
        supervisor,
      },
    ],
    [
      'of openings of one account by two keys, an order that comes to name a holder, and two supervisors',
      openingScene,
      {
        'o first': asking(open, 'o'),
        'o second': asking(open, 'o'),
        p: asking(open, 'p'),
        verifyOrder,
        supervisor,
        'supervisor second': supervisor,
      },
    ],
    [
      'of two transfers to an account that closes and is opened again, a freeze of the sender, and two supervisors',
      () => transferScene(),
      {
        't first': asking(send, 't', service),
        't second': asking(send, 't', service),
        u: asking({ ...send, transferId: 't-2', amount: '1' }, 'u', service),
        closing: script([close, 'close', service], [arrival, 'arrival', service]),
        f: asking(freeze, 'f'),
        supervisor,
        'supervisor second': supervisor,
      },
    ],
    [
      'of an opening, an order that names its holder, a freeze of the account, and the end of the order',
      openingScene,
      {
        o: asking(open, 'o'),
        verifyOrder,
        f: asking({ ...freeze, accountId: 'acc-2' }, 'f'),
        endOrder,
        supervisor,
      },
    ],
  ];
  it.each(random)(
    '%s',
    async (_name, scene, actors) => {
      const mishaps = { crashes: 2, faults: 2 };
      await walk(scenario(await scene(), actors, mishaps), { seed: 20220215, runs: WALKS });
    },
    120_000,
  );
});
