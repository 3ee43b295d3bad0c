/** What Fastify reads of the request. */
export interface DepositRoute {
  readonly Params: { readonly accountId: string };
  readonly Body: Readonly<Record<string, unknown>>;
}

const text = (maxLength: number): object => ({ type: 'string', minLength: 1, maxLength });

/** The body of a deposit, as a bare Fastify handler validates it. */
export const body = {
  type: 'object',
  additionalProperties: false,
  required: ['depositId', 'asset', 'amount', 'source'],
  properties: {
    depositId: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$' },
    asset: { type: 'string', pattern: '^[A-Z0-9]{2,16}$' },
    amount: { type: 'string', pattern: '^(0|[1-9][0-9]*)(\\.[0-9]+)?$' },
    source: {
      type: 'object',
      additionalProperties: false,
      required: ['kind', 'reference'],
      properties: {
        kind: { enum: ['onchain', 'bank', 'internal'] },
        reference: text(128),
        chain: text(32),
        address: text(128),
        memo: text(128),
      },
    },
  },
};
