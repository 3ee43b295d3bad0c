import type { FastifyReply } from 'fastify';

/** For the browser of somebody who was led here: an answer is data, loads nothing, stands in no frame, and is not kept. */
export const OF_ANSWERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
} as const;

/** The pages under /docs load what is theirs, and nothing of anybody else. */
const OF_PAGES =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** @param url the path as registered, if the request is for a route */
export function protect(reply: FastifyReply, url: string | undefined): void {
  reply.headers(OF_ANSWERS);
  if (url?.startsWith('/docs') === true) reply.header('content-security-policy', OF_PAGES);
}
