import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

import { AppModule } from '../app.module.ts';

const DESCRIPTION = `A double-entry ledger in which no account is frozen without a legal order in force.

Amounts are decimal strings, times RFC 3339 in UTC, revisions decimal strings, positions opaque. Every command needs an
\`Idempotency-Key\`. Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`.`;

/** The OpenAPI document of the service, made from its controllers. */
export function createDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Writ')
    .setDescription(DESCRIPTION)
    .setVersion('0.1.0')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .build();
  return closed(SwaggerModule.createDocument(app, config));
}

/** Says of all that a request can hold what the service holds it to: it has no other members than those that are named. */
function closed(document: OpenAPIObject): OpenAPIObject {
  const schemas = document.components?.schemas ?? {};
  const bodies = Object.values(document.paths).map(({ post }) => post?.requestBody);
  const open = namesIn(bodies);
  for (const name of open) {
    const schema = schemas[name];
    if (schema === undefined || !('properties' in schema)) continue;
    schema.additionalProperties ??= false;
    // What is found meanwhile is gone through as well.
    for (const further of namesIn(schema)) open.add(further);
  }
  return document;
}

function namesIn(value: unknown): Set<string> {
  const references = JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]*)"/g);
  return new Set([...references].map(([, name = '']) => name));
}

/** Serves `/openapi.json`, and `/docs` with everything that it loads: no other host is asked. */
export function serveDocument(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => createDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Writ',
    swaggerOptions: { validatorUrl: null, persistAuthorization: false, docExpansion: 'list' },
  });
}

/** The same document without a service behind it: nothing is opened, and nothing listens. */
export async function describeService(): Promise<OpenAPIObject> {
  const nothing = {} as never;
  const services = {
    ledger: nothing,
    queries: nothing,
    reader: nothing,
    replayAccount: nothing,
    replayFreezes: nothing,
    isPosition: nothing,
    health: nothing,
    metrics: nothing,
    options: nothing,
  };
  const module = AppModule.with(services, nothing);
  const app = await NestFactory.create(module, new FastifyAdapter({ skipMiddie: true }), { logger: false });
  try {
    return createDocument(app);
  } finally {
    await app.close();
  }
}
