import type { LedgerCommand } from '#command-handling';
import { service, checker, type ActorBody } from '#testing';
import { describe, it } from '@jest/globals';
import { LIMIT_MS } from './effort.ts';
import { asking, exploreAll, supervisor, type Case } from './interleaving.ts';
import {
  freeze,
  grant,
  refuse,
  debit,
  endOrder,
  freezeUnderHit,
  clearHit,
  confirmHit,
  linkAddress,
  frozenScene,
  hitScene,
  addressScene,
  letterScene,
  namingScene,
  unverifiedScene,
  verifyOrder,
  verifyThenEnd,
} from './scenes.ts';

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
      { crashes: 1, tooMany: true },
    ],
  ];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await frozenScene(), each), LIMIT_MS);
});

describe('every interleaving of a freeze under an order that waits to be verified', () => {
  const cases: readonly Case[] = [
    ['and its verification', { f: asking(freeze, 'f'), verifyOrder }, {}],
    ['that crashes, beside its verification', { f: asking(freeze, 'f'), verifyOrder }, { crashes: 1 }],
  ];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await unverifiedScene(), each), LIMIT_MS);
});

describe('every interleaving of the end of an order that names a party', () => {
  const cases: readonly Case[] = [
    ['and its verification a moment before, beside a supervisor', { verifyThenEnd, supervisor }, { tooMany: true }],
    ['that crashes, beside a supervisor', { endOrder, supervisor }, { crashes: 1 }],
    [
      'that crashes after its verification, beside two supervisors',
      { verifyThenEnd, supervisor, 'supervisor second': supervisor },
      { crashes: 1, tooMany: true },
    ],
  ];
  it.each(cases)(
    '%s',
    async (...each) => exploreAll(each[0], await namingScene(!('verifyThenEnd' in each[1])), each),
    LIMIT_MS,
  );
});

describe('every interleaving of a freeze under a hit', () => {
  const cases: readonly Case[] = [
    ['and its clearance', { f: asking(freezeUnderHit, 'f'), clearHit }, {}],
    ['and another freeze under the same hit', { f: asking(freezeUnderHit, 'f'), g: asking(freezeUnderHit, 'g') }, {}],
    ['that crashes, beside its clearance', { f: asking(freezeUnderHit, 'f'), clearHit }, { crashes: 1 }],
    ['that crashes, beside a supervisor', { f: asking(freezeUnderHit, 'f'), supervisor }, { crashes: 1 }],
  ];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await hitScene(), each), LIMIT_MS);
});

describe('every interleaving of a link to an address', () => {
  const cases: readonly Case[] = [
    [
      'and the confirmation of a hit on it, beside a supervisor',
      { linkAddress, confirmHit, supervisor },
      { large: true },
    ],
    ['that crashes, beside the confirmation', { linkAddress, confirmHit }, { crashes: 1 }],
  ];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await addressScene(), each), LIMIT_MS);
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
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await letterScene(), each), LIMIT_MS);
});
