import { service } from '#testing';
import { describe, it } from '@jest/globals';
import { LIMIT_MS } from './effort.ts';
import { asking, exploreAll, script, supervisor, type Case } from './interleaving.ts';
import { send, close, arrival, transferScene } from './scenes.ts';

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
      { crashes: 1, large: true },
    ],
    ['with lost acknowledgements', { t: asking(send, 't', service) }, { faults: 2 }],
    [
      'beside two supervisors, with a lost acknowledgement',
      { t: asking(send, 't', service), supervisor, 'supervisor second': supervisor },
      { faults: 1, tooMany: true },
    ],
  ];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await transferScene(), each), LIMIT_MS);

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
      { faults: 1, tooMany: true },
    ],
  ];
  it.each(toClosed)('%s', async (...each) => exploreAll(each[0], await transferScene(true), each), LIMIT_MS);
});
