import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ledger, OPS, SERVICE, wellDone } from './support/ledger.ts';

describe('the addresses of a party', () => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await Ledger.start();
  });
  afterAll(() => ledger.end());

  it('are shown with it, in the order of linking', async () => {
    const [partyId, other] = [await ledger.makeParty(), await ledger.makeParty()];
    const links = [
      { chain: 'ethereum', address: '0xb', role: 'deposit-address' },
      { chain: 'bitcoin', address: 'bc1q', role: 'holder-controlled' },
      { chain: 'bitcoin', address: 'bc1q', role: 'deposit-address' },
    ];
    for (const link of links) {
      wellDone(await ledger.post(SERVICE, `/v1/parties/${partyId}/addresses`, link), 'a link');
    }
    const addresses = links.map((link) => ({ ...link, linkedAt: expect.any(String) }));
    for (const as of [SERVICE, OPS]) {
      expect(await ledger.read(as, `/v1/parties/${partyId}`)).toMatchObject({ partyId, addresses });
      expect(await ledger.read(as, `/v1/parties/${other}`)).toMatchObject({ partyId: other, addresses: [] });
      expect(await ledger.read(as, '/v1/parties')).toMatchObject({ items: [{ addresses: [] }, { addresses }] });
    }
  });
});
