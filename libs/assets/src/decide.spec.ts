import { describe, expect, it } from '@jest/globals';
import { SPEC_ACTOR, SPEC_NOW, at, specFor } from '#testing';
import {
  assetEvents,
  checkAsset,
  decideAsset,
  evolveAsset,
  initialAssetState,
  type AssetEvent,
  type RegisterAsset,
} from './index.ts';

const { given } = specFor({
  initialState: initialAssetState,
  evolve: evolveAsset,
  check: checkAsset,
  decide: decideAsset,
  events: assetEvents,
  stream: 'asset-BTC',
  context: { now: SPEC_NOW, actor: SPEC_ACTOR },
});

const registered: AssetEvent = { type: 'AssetRegistered', data: { code: 'BTC', scale: 8, kind: 'crypto' } };
const register: RegisterAsset = { type: 'RegisterAsset', code: 'BTC', scale: 8, kind: 'crypto' };

describe('RegisterAsset', () => {
  it('makes an unknown asset known', () => {
    given().when(register).then(registered);
  });

  it.each([
    ['the same', register],
    ['another scale', { ...register, scale: 6 }],
    ['another kind', { ...register, kind: 'fiat' as const }],
  ])('turns down a known code given with %s', (_, again) => {
    given(registered).when(again).thenRejected('already-exists', { asset: 'BTC' });
  });
});

describe('the state of an asset', () => {
  it('is what its view shows', () => {
    const recordedAt = '2022-02-15T09:00:00.000Z';
    expect(given(at(registered, { recordedAt })).state().registered).toEqual({
      code: 'BTC',
      scale: 8,
      kind: 'crypto',
      createdAt: recordedAt,
      updatedAt: recordedAt,
    });
  });
});

describe('checkAsset', () => {
  const illegal = (...events: readonly AssetEvent[]) => {
    const spec = given(...events);
    return expect(() => spec.state());
  };

  it('finds a second registration', () => {
    illegal(registered, { ...registered, data: { ...registered.data, scale: 6 } }).toThrow('registered already');
  });

  it('finds an asset on the stream of another', () => {
    illegal({ ...registered, data: { ...registered.data, code: 'ETH' } }).toThrow('stream');
  });
});
