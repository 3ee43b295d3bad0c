import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { startTestService, type TestService } from '../testing/service.ts';

const OPS = ['ops-1', 'ops'] as const;

describe('operations', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService();
  });
  afterAll(() => service.close());

  it('needs no token for health, documentation and, from this machine, metrics', async () => {
    for (const url of ['/health/live', '/%68ealth/live', '/health/ready', '/openapi.json', '/docs', '/metrics']) {
      expect([url, (await service.send({ url })).statusCode]).toEqual([url, 200]);
    }
  });

  it('asks others than this machine for a token before it shows metrics', async () => {
    const from = (authorization?: string): Promise<LightMyRequestResponse> =>
      service.app.inject({
        url: '/metrics',
        remoteAddress: '192.0.2.7',
        headers: authorization === undefined ? {} : { authorization },
      });
    expect((await from()).statusCode).toBe(401);
    expect((await from(`Bearer ${await service.token('nobody')}`)).statusCode).toBe(403);
    expect((await from(`Bearer ${await service.token('ops-1', 'ops')}`)).statusCode).toBe(200);
  });

  it('counts requests by route, and commands by what came of them', async () => {
    const body = { code: 'BTC', scale: 8, kind: 'crypto' };
    await service.send({ url: '/v1/assets', as: OPS, body });
    await service.send({ url: '/v1/assets', as: OPS, body });
    await service.send({ url: '/v1/assets/BTC', as: OPS });
    const { body: text } = await service.send({ url: '/metrics' });
    expect(text).toContain('writ_commands_total{type="RegisterAsset",outcome="accepted"} 1');
    expect(text).toContain('writ_commands_total{type="RegisterAsset",outcome="already-exists"} 1');
    expect(text).toMatch(
      /writ_http_request_duration_seconds_count\{method="GET",route="\/v1\/assets\/:code",status="200"\} 1/,
    );
    expect(text).toContain('process_cpu_user_seconds_total');
  });

  it('serves the documentation with all that it loads', async () => {
    const page = await service.send({ url: '/docs' });
    const loaded = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
    expect(loaded.length).toBeGreaterThan(3);
    for (const link of loaded) {
      const { pathname, origin } = new URL(link, 'http://self.test/docs');
      expect([link, origin]).toEqual([link, 'http://self.test']);
      expect([link, (await service.send({ url: pathname })).statusCode]).toEqual([link, 200]);
    }
  });

  it('never logs a token', async () => {
    await service.send({ url: '/v1/assets', as: OPS });
    expect(service.log.length).toBeGreaterThan(0);
    expect(service.log.join('')).not.toMatch(/Bearer|eyJ/);
  });
});

describe('a service that is not ready', () => {
  it('says why, with Retry-After', async () => {
    const service = await startTestService({ health: { projections: () => 'The read models have not caught up.' } });
    try {
      const response = await service.send({ url: '/health/ready' });
      expect(response.statusCode).toBe(503);
      expect(response.headers['retry-after']).toBe('1');
      expect(response.json()).toMatchObject({
        code: 'read-model-behind',
        checks: { store: 'ok', projections: 'The read models have not caught up.' },
      });
    } finally {
      await service.close();
    }
  });
});

describe('a caller that asks too often', () => {
  it('is told when to ask again, and disturbs nobody else', async () => {
    const service = await startTestService({ rateLimit: 3 });
    try {
      const responses = await Promise.all(
        Array.from({ length: 6 }, () => service.send({ url: '/v1/assets', as: OPS })),
      );
      const refused = responses.filter(({ statusCode }) => statusCode === 429);
      expect(refused.length).toBeGreaterThanOrEqual(2);
      expect(refused[0]?.headers['retry-after']).toBe('1');
      expect(refused[0]?.json()).toMatchObject({ code: 'rate-limited' });
      expect((await service.send({ url: '/v1/assets', as: ['other', 'ops'] })).statusCode).toBe(200);
    } finally {
      await service.close();
    }
  });
});
