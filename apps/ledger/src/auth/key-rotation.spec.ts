import { beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { ReloadedKeys } from './key-source.ts';
import { TokenVerifier } from './token-verifier.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

interface Pair {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

async function pair(kid: string): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid } };
}

function tokenBy({ privateKey, jwk }: Pair): Promise<string> {
  return new SignJWT({
    sub: 'alice',
    roles: ['ops'],
    iss: 'https://id.example',
    aud: 'writ',
    exp: NOW_MS / 1000 + 86_400,
  })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid ?? '' })
    .sign(privateKey);
}

let first: Pair;
let second: Pair;
let byFirst: string;
let bySecond: string;
beforeAll(async () => {
  [first, second] = [await pair('first'), await pair('second')];
  [byFirst, bySecond] = [`Bearer ${await tokenBy(first)}`, `Bearer ${await tokenBy(second)}`];
});

/** A provider whose key set can be changed, kept back or made to fail, and time that passes when it is told to. */
class Provider {
  keys: readonly JWK[] = [first.jwk, second.jwk];
  state: 'well' | 'away' | 'hanging' = 'well';
  looks = 0;
  readonly told: string[] = [];
  #nowMs = 0;
  #held: { readonly answer: () => void; readonly fail: () => void }[] = [];
  readonly source = new ReloadedKeys(() => this.#answer(), {
    now: () => this.#nowMs,
    watch: { failed: (error) => this.told.push(String(error)), recovered: () => this.told.push('recovered') },
  });
  readonly verifier = new TokenVerifier(
    { keys: this.source, issuer: 'https://id.example', audience: 'writ' },
    () => NOW_MS + this.#nowMs,
  );

  async letsIn(token: string): Promise<boolean> {
    return 'id' in (await this.verifier.verify(token));
  }

  async pass(seconds: number): Promise<void> {
    this.#nowMs += seconds * 1000;
    await settled();
  }

  /** All that hang fail now, as they do when their time is up. */
  async giveUp(): Promise<void> {
    for (const { fail } of this.#held.splice(0)) fail();
    await settled();
  }

  /** All that hang are answered now, with what was so when they asked. */
  async giveIn(): Promise<void> {
    for (const { answer } of this.#held.splice(0)) answer();
    await settled();
  }

  #answer(): Promise<string> {
    this.looks += 1;
    if (this.state === 'away') return Promise.reject(new Error('away'));
    const document = JSON.stringify({ keys: this.keys });
    if (this.state === 'well') return Promise.resolve(document);
    return new Promise((resolve, reject) => {
      this.#held.push({
        answer: () => {
          resolve(document);
        },
        fail: () => {
          reject(new Error('too slow'));
        },
      });
    });
  }
}

/** What was begun has come to rest. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a key that the provider removes', () => {
  it('stops working within a minute, tokens that were verified before included, for whoever asks all the time', async () => {
    const provider = new Provider();
    expect(await provider.letsIn(bySecond)).toBe(true);
    provider.keys = [first.jwk];
    const refusedAfter: number[] = [];
    for (let second = 1; second <= 60; second += 1) {
      await provider.pass(1);
      if (!(await provider.letsIn(bySecond))) refusedAfter.push(second);
      expect(await provider.letsIn(byFirst)).toBe(true);
    }
    expect(refusedAfter[0]).toBeLessThanOrEqual(30);
    expect(refusedAfter.at(-1)).toBe(60);
  });

  it.each([15, 29, 30, 45, 60, 3_600])(
    'stops working for one who asks again after %i seconds, when a minute is over',
    async (seconds) => {
      const provider = new Provider();
      await provider.letsIn(bySecond);
      provider.keys = [first.jwk];
      await provider.pass(seconds);
      const atOnce = await provider.letsIn(bySecond);
      // From 30 seconds on nobody is let in by what was known before.
      expect(atOnce).toBe(seconds < 30);
      await settled();
      expect(await provider.letsIn(bySecond)).toBe(false);
    },
  );

  it('stops working when it was the last one, too', async () => {
    const provider = new Provider();
    await provider.letsIn(byFirst);
    provider.keys = [];
    await provider.pass(30);
    expect(await provider.letsIn(byFirst)).toBe(false);
    expect(provider.told).toEqual([]);
  });

  it('counts from when the provider was asked, however long it took to answer', async () => {
    const provider = new Provider();
    provider.state = 'hanging';
    const asking = provider.letsIn(bySecond);
    await settled();
    await provider.pass(4);
    await provider.giveIn();
    expect(await asking).toBe(true);
    expect(provider.source.ageSeconds()).toBe(4);
  });

  it('stops working although what is left of the set is odd', async () => {
    const provider = new Provider();
    await provider.letsIn(byFirst);
    provider.keys = [
      { kty: 'oct', k: 'AAAA' },
      { ...second.jwk, d: 'AAAA' },
    ];
    await provider.pass(30);
    expect(await provider.letsIn(byFirst)).toBe(false);
    // Whoever reads the set could sign with a key of which it tells the private half.
    expect(await provider.letsIn(bySecond)).toBe(false);
  });
});

describe('a key that the provider adds', () => {
  it('works at once when there was no look for 5 seconds, and in 5 seconds when there was', async () => {
    const provider = new Provider();
    provider.keys = [first.jwk];
    await provider.letsIn(byFirst);
    provider.keys = [first.jwk, second.jwk];
    await provider.pass(4.9);
    expect(await provider.letsIn(bySecond)).toBe(false);
    await provider.pass(0.1);
    expect(await provider.letsIn(bySecond)).toBe(true);
  });

  it('is looked for once in 5 seconds, however many keys that nobody knows are named', async () => {
    const provider = new Provider();
    provider.keys = [first.jwk];
    await provider.letsIn(byFirst);
    for (let second = 0; second < 60; second += 1) {
      for (let n = 0; n < 20; n += 1) await provider.letsIn(bySecond);
      await provider.pass(1);
    }
    expect(provider.looks).toBeLessThanOrEqual(13);
  });
});

describe('a provider that is away', () => {
  it('leaves the keys that were known in use for an hour from the last look, and not a second longer', async () => {
    const provider = new Provider();
    await provider.letsIn(byFirst);
    provider.state = 'away';
    for (let minute = 1; minute <= 60; minute += 1) {
      await provider.pass(60);
      expect([minute, await provider.letsIn(byFirst)]).toEqual([minute, true]);
    }
    await provider.pass(1);
    expect(await provider.letsIn(byFirst)).toBe(false);
    expect(provider.source.ageSeconds()).toBe(3_601);
    provider.state = 'well';
    await provider.pass(5);
    expect(await provider.letsIn(byFirst)).toBe(true);
    expect(provider.told).toEqual(['Error: away', 'recovered']);
  });

  it('has a key removed within a minute of its return', async () => {
    const provider = new Provider();
    await provider.letsIn(bySecond);
    provider.state = 'away';
    await provider.pass(600);
    expect(await provider.letsIn(bySecond)).toBe(true);
    provider.state = 'well';
    provider.keys = [first.jwk];
    await provider.pass(5);
    await provider.letsIn(bySecond);
    await settled();
    expect(await provider.letsIn(bySecond)).toBe(false);
  });

  it('that does not answer at all makes those wait who come first, and then nobody', async () => {
    const provider = new Provider();
    await provider.letsIn(byFirst);
    provider.state = 'hanging';
    await provider.pass(31);
    let waited = true;
    const asking = provider.letsIn(byFirst).then((isIn) => {
      waited = false;
      return isIn;
    });
    await settled();
    expect(waited).toBe(true);
    await provider.pass(5);
    await provider.giveUp();
    expect(await asking).toBe(true);
    for (let second = 0; second < 300; second += 1) {
      await provider.pass(1);
      // It is asked again and again meanwhile, and keeps nobody.
      expect(provider.verifier.verify(byFirst)).not.toBeInstanceOf(Promise);
      if (second % 5 === 4) await provider.giveUp();
    }
    expect(provider.looks).toBeGreaterThan(10);
    expect(provider.looks).toBeLessThan(100);
  });

  it('that does not answer at all keeps nobody who names a key that nobody knows, once it has failed', async () => {
    const provider = new Provider();
    provider.keys = [first.jwk];
    await provider.letsIn(byFirst);
    await provider.pass(16);
    provider.state = 'hanging';
    const asking = provider.letsIn(bySecond);
    await settled();
    await provider.giveUp();
    expect(await asking).toBe(false);
    for (let second = 0; second < 60; second += 1) {
      await provider.pass(1);
      // It is asked again and again meanwhile.
      expect(await Promise.race([provider.letsIn(bySecond), settled().then(() => 'kept')])).toBe(false);
      if (second % 10 === 9) await provider.giveUp();
    }
    expect(provider.looks).toBeGreaterThan(5);
  });

  it('has a key that it adds taken by whoever asks after the first look that finds it', async () => {
    const provider = new Provider();
    provider.keys = [first.jwk];
    await provider.letsIn(byFirst);
    provider.state = 'away';
    await provider.pass(60);
    expect(await provider.letsIn(bySecond)).toBe(false);
    provider.state = 'well';
    provider.keys = [first.jwk, second.jwk];
    await provider.pass(5);
    await provider.letsIn(bySecond);
    await settled();
    expect(await provider.letsIn(bySecond)).toBe(true);
  });

  it('that is slow keeps nobody whose key is known: it is asked before the keys are old', async () => {
    const provider = new Provider();
    await provider.letsIn(byFirst);
    await provider.pass(16);
    provider.state = 'hanging';
    expect(await provider.letsIn(byFirst)).toBe(true);
    expect(provider.looks).toBe(2);
    expect(provider.verifier.verify(byFirst)).not.toBeInstanceOf(Promise);
  });
});
