import type { EventPointer, Timestamp } from '#kernel';
import type { Ending, FreezeAuthorised, Instrument, LegalOrderEvent } from '#legal-orders';
import { SPEC_NOW, at, specPointer, type Placed } from './decider-spec.ts';

type OrderEvent<Type extends LegalOrderEvent['type']> = Extract<LegalOrderEvent, { readonly type: Type }>;

const orderId = 'ord-1';
const documentSha256 = 'd'.repeat(64);
export const SAMPLE_ORDER_STREAM = `legalOrder-${orderId}`;
/** The one who registers sample orders and proposes their changes, and the one who decides on them. */
export const SAMPLE_MAKER = 'maker';
export const SAMPLE_CHECKER = 'checker';

/** An order that names the account acc-1 and the party p-1, effective since 2022-03-01, without end. */
export const sampleInstrument: Instrument = {
  orderId,
  kind: 'freezing-order',
  effect: 'restrain',
  authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
  caseReference: 'CL-2022-000123',
  statute: 'Senior Courts Act 1981 s.37',
  subjects: [
    { kind: 'account', accountId: 'acc-1' },
    { kind: 'party', partyId: 'p-1' },
  ],
  scope: { direction: 'debit', assets: ['BTC', 'EUR'] },
  issuedAt: '2022-02-28T00:00:00.000Z',
  receivedAt: '2022-02-28T12:00:00.000Z',
  effectiveAt: '2022-03-01T00:00:00.000Z',
  documentSha256,
};

export function registeredOrder(changes: Partial<Instrument> = {}): OrderEvent<'LegalOrderRegistered'> {
  return { type: 'LegalOrderRegistered', data: { ...sampleInstrument, ...changes, registeredBy: SAMPLE_MAKER } };
}

export function verifiedOrder(verifiedBy = SAMPLE_CHECKER): OrderEvent<'LegalOrderVerified'> {
  return { type: 'LegalOrderVerified', data: { orderId, method: 'called the court', verifiedBy } };
}

export function rejectedOrder(rejectedBy = SAMPLE_CHECKER): OrderEvent<'LegalOrderRejected'> {
  return { type: 'LegalOrderRejected', data: { orderId, reason: 'the seal is wrong', rejectedBy } };
}

export function proposedEnding(changeId = 'chg-1', how: Ending = 'discharged'): OrderEvent<'LegalOrderChangeProposed'> {
  const document = { documentSha256, issuedAt: '2022-04-01T00:00:00.000Z', reference: 'CL-2022-000123/2' };
  return {
    type: 'LegalOrderChangeProposed',
    data: { orderId, changeId, kind: 'ending', how, ...document, proposedBy: SAMPLE_MAKER },
  };
}

export function rejectedChange(
  changeId = 'chg-1',
  rejectedBy = SAMPLE_CHECKER,
): OrderEvent<'LegalOrderChangeRejected'> {
  return { type: 'LegalOrderChangeRejected', data: { orderId, changeId, reason: 'a forgery', rejectedBy } };
}

export function endedOrder(
  changeId = 'chg-1',
  how: Ending = 'discharged',
  verifiedBy = SAMPLE_CHECKER,
): OrderEvent<'LegalOrderEnded'> {
  return {
    type: 'LegalOrderEnded',
    data: { orderId, changeId, how, method: 'read the order', proposedBy: SAMPLE_MAKER, verifiedBy },
  };
}

export function expiredOrder(expiresAt: Timestamp): Placed<OrderEvent<'LegalOrderExpired'>> {
  return at({ type: 'LegalOrderExpired', data: { orderId, expiresAt } }, { recordedAt: SPEC_NOW });
}

/** The registration of a sample order, which is the first event of its stream. */
export const sampleRegistration: EventPointer = specPointer(SAMPLE_ORDER_STREAM, 0);

export function authorisedFreeze(changes: Partial<FreezeAuthorised['data']> = {}): FreezeAuthorised {
  const scope = sampleInstrument.scope;
  const data = { orderId, accountId: 'acc-1', scope, namedBy: sampleRegistration, requestedBy: SAMPLE_MAKER };
  return { type: 'FreezeAuthorised', data: { ...data, ...changes } };
}
