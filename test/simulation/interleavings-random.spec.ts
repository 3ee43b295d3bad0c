import type { RecordedEvent } from '#kernel';
import { walk, service, type ActorBody } from '#testing';
import { describe, it } from '@jest/globals';
import { LIMIT_MS, WALKS } from './effort.ts';
import { asking, scenario, script, supervisor } from './interleaving.ts';
import {
  freeze,
  open,
  debit,
  send,
  close,
  arrival,
  endOrder,
  freezeUnderHit,
  clearHit,
  confirmHit,
  linkAddress,
  frozenScene,
  hitScene,
  addressScene,
  openingScene,
  transferScene,
  verifyOrder,
} from './scenes.ts';

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
    LIMIT_MS,
  );
});
