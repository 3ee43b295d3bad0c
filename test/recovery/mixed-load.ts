import type { Answer } from '../e2e/support/http.ts';
import { textAt, valueAt } from '../e2e/support/json.ts';
import {
  APPROVER,
  clearanceOf,
  DEBIT_OF_ALL,
  depositOf,
  endingOf,
  freezeOf,
  freezeUnderHit,
  grantUnder,
  hitOf,
  type Body,
  type Ledger,
  letterOf,
  liftRequestOf,
  OPS,
  orderOf,
  type Person,
  SERVICE,
  SHA256,
  transferOf,
  withdrawalOf,
} from '../e2e/support/ledger.ts';

const ORDERS = '/v1/admin/legal-orders';
const HITS = '/v1/admin/sanctions-hits';
const LETTERS = '/v1/admin/authority-requests';
const FAR = '2099-01-01T00:00:00Z';
const FARTHER = '2099-06-01T00:00:00Z';
/** Accounts that every caller moves money on. */
export const SHARED_ACCOUNTS = ['acc-0', 'acc-1', 'acc-2', 'acc-3'] as const;

/** A command as it was sent, under its key. */
export interface Sent {
  readonly as: Person;
  readonly path: string;
  readonly body: Body;
  readonly key: string;
}

/** A command that was answered well. */
export interface Acknowledged extends Sent {
  readonly status: number;
  readonly text: string;
  readonly answer: unknown;
}

/** What one caller does, command by command. Refusals are part of life: others freeze the same accounts meanwhile. */
type Story = (load: MixedLoad, id: string, accountId: string, otherId: string) => Promise<void>;

/**
 * Every kind of command, from many callers at once, until the process is gone. Notes what was answered, and what was not.
 */
export class MixedLoad {
  readonly acknowledged: Acknowledged[] = [];
  /** Sent, and not answered: what became of them nobody was told. */
  readonly unanswered = new Set<Sent>();
  readonly #ledger: Pick<Ledger, 'post'>;
  readonly #name: string;
  #over = false;

  /** @param name not used by another load: ids and keys begin with it */
  constructor(ledger: Pick<Ledger, 'post'>, name: string) {
    this.#ledger = ledger;
    this.#name = name;
  }

  stop(): void {
    this.#over = true;
  }

  /** Tells the stories in turn, each caller beginning with another, until the process is gone or it is told to stop. */
  async run(caller: number): Promise<void> {
    for (let n = caller; !this.#over; n += 1) {
      const story = STORIES[n % STORIES.length];
      const account = SHARED_ACCOUNTS[caller % SHARED_ACCOUNTS.length] ?? '';
      const other = SHARED_ACCOUNTS[(caller + 1) % SHARED_ACCOUNTS.length] ?? '';
      try {
        await story?.(this, `${this.#name}-${String(caller)}-${String(n)}`, account, other);
      } catch (error) {
        if (!isConnectionLost(error)) throw error;
        return;
      }
    }
  }

  async send(as: Person, path: string, body: Body, key: string): Promise<Answer> {
    const sent: Sent = { as, path, body, key };
    this.unanswered.add(sent);
    const answer = await this.#ledger.post(as, path, body, { key });
    this.unanswered.delete(sent);
    if (answer.status < 300) {
      this.acknowledged.push({ ...sent, status: answer.status, text: answer.text, answer: answer.body });
    }
    return answer;
  }
}

function isConnectionLost(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === 'ECONNRESET' || code === 'ECONNREFUSED' || code === 'EPIPE';
}

const STORIES: readonly Story[] = [
  async function moveMoney(load, id, accountId, otherId) {
    const account = `/v1/accounts/${accountId}`;
    await load.send(SERVICE, `${account}/deposits`, depositOf(`d-${id}`, '5'), `d-${id}`);
    await load.send(SERVICE, `${account}/transfers`, transferOf(`t-${id}`, otherId, '1'), `t-${id}`);
    for (const name of ['paid', 'kept']) {
      await load.send(SERVICE, `${account}/withdrawals`, withdrawalOf(`${name}-${id}`, '1'), `${name}-${id}`);
    }
    const paid = `${account}/withdrawals/paid-${id}`;
    await load.send(SERVICE, `${paid}/dispatch`, { reference: 'tx-1' }, `dispatch-${id}`);
    await load.send(SERVICE, `${paid}/settlement`, { reference: 'block-1' }, `settle-${id}`);
    const kept = `${account}/withdrawals/kept-${id}`;
    await load.send(SERVICE, `${kept}/cancellation`, { reason: 'asked' }, `cancel-${id}`);
    const reversal = { cause: 'mistake', reason: 'booked to another account' };
    await load.send(SERVICE, `${account}/deposits/d-${id}/reversal`, reversal, `reverse-${id}`);
  },
  async function freezeUntilDischarged(load, id, accountId) {
    const order = `${ORDERS}/o-${id}`;
    await load.send(OPS, ORDERS, orderOf(`o-${id}`, { accounts: [accountId] }), `o-${id}`);
    await load.send(APPROVER, `${order}/verification`, { method: 'call' }, `ov-${id}`);
    await load.send(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(`o-${id}`), `f-${id}`);
    await load.send(OPS, LETTERS, letterOf(`l-${id}`), `l-${id}`);
    await load.send(APPROVER, `${LETTERS}/l-${id}/answer`, grantUnder(`o-${id}`), `la-${id}`);
    await load.send(OPS, `${order}/changes`, endingOf('no'), `on-${id}`);
    await load.send(APPROVER, `${order}/changes/no/rejection`, { reason: 'another case' }, `onr-${id}`);
    await load.send(OPS, `${order}/changes`, endingOf('end'), `oe-${id}`);
    await load.send(APPROVER, `${order}/changes/end/verification`, { method: 'gazette' }, `oev-${id}`);
  },
  async function openNameAndClose(load, id) {
    await register(load, id);
    const account = `/v1/accounts/a-${id}`;
    await load.send(SERVICE, `${account}/deposits`, depositOf('d-1', '2'), `ad-${id}`);
    const orders = [`o-${id}`, `no-${id}`] as const;
    for (const orderId of orders) {
      const more = { expiresAt: FAR };
      await load.send(OPS, ORDERS, orderOf(orderId, { parties: [`p-${id}`], more }), `r-${orderId}`);
    }
    await load.send(APPROVER, `${ORDERS}/no-${id}/rejection`, { reason: 'no seal' }, `nor-${id}`);
    const order = `${ORDERS}/o-${id}`;
    await load.send(APPROVER, `${order}/verification`, { method: 'call' }, `ov-${id}`);
    await load.send(OPS, `${order}/freezes`, {}, `fa-${id}`);
    const { how: _, ...document } = endingOf('later');
    await load.send(OPS, `${order}/changes`, { ...document, kind: 'extension', expiresAt: FARTHER }, `ox-${id}`);
    await load.send(APPROVER, `${order}/changes/later/verification`, { method: 'call' }, `oxv-${id}`);
    const narrower = { ...document, changeId: 'less', kind: 'variation', scope: { ...DEBIT_OF_ALL, assets: ['EUR'] } };
    await load.send(OPS, `${order}/changes`, narrower, `ol-${id}`);
    await load.send(APPROVER, `${order}/changes/less/verification`, { method: 'call' }, `olv-${id}`);
    await load.send(OPS, `${order}/changes`, endingOf('end'), `oe-${id}`);
    await load.send(APPROVER, `${order}/changes/end/verification`, { method: 'gazette' }, `oev-${id}`);
    await load.send(SERVICE, `${account}/transfers`, transferOf(`at-${id}`, 'acc-0', '2'), `at-${id}`);
    await load.send(SERVICE, `${account}/closure`, { reason: 'asked' }, `ac-${id}`);
  },
  async function hitUntilCleared(load, id) {
    await register(load, id);
    for (const hitId of [`h-${id}`, `nh-${id}`]) {
      const subject = hitId.startsWith('n') ? { list: { id: 'eu', version: '2022-04-06', sha256: SHA256 } } : {};
      await load.send(OPS, HITS, hitOf(hitId, `p-${id}`, subject), hitId);
    }
    await load.send(APPROVER, `${HITS}/nh-${id}/dismissal`, { reason: 'a namesake' }, `nhd-${id}`);
    const hit = `${HITS}/h-${id}`;
    await load.send(APPROVER, `${hit}/confirmation`, {}, `hc-${id}`);
    await load.send(OPS, `${hit}/freezes`, {}, `hfa-${id}`);
    await load.send(OPS, `/v1/admin/accounts/a-${id}/freezes`, freezeUnderHit(`h-${id}`), `hf-${id}`);
    for (const [clearanceId, step, body] of [
      ['no', 'rejection', { reason: 'still listed' }],
      ['yes', 'approval', {}],
    ] as const) {
      await load.send(OPS, `${hit}/clearances`, clearanceOf(clearanceId), `${clearanceId}-${id}`);
      await load.send(APPROVER, `${hit}/clearances/${clearanceId}/${step}`, body, `${clearanceId}-${step}-${id}`);
    }
  },
  async function liftByTwo(load, id) {
    await register(load, id);
    await load.send(OPS, ORDERS, orderOf(`o-${id}`, { accounts: [`a-${id}`] }), `o-${id}`);
    await load.send(APPROVER, `${ORDERS}/o-${id}/verification`, { method: 'call' }, `ov-${id}`);
    const frozen = await load.send(OPS, `/v1/admin/accounts/a-${id}/freezes`, freezeOf(`o-${id}`), `f-${id}`);
    if (valueAt(frozen.body, 'freeze.freezeId') === undefined) return;
    const freezeId = textAt(frozen.body, 'freeze.freezeId');
    const lifts = `/v1/admin/freezes/${freezeId}/lift-requests`;
    await load.send(OPS, lifts, liftRequestOf('no'), `ln-${id}`);
    await load.send(APPROVER, `${lifts}/no/rejection`, { reason: 'the right account' }, `lnr-${id}`);
    const { subjects: _, scope: __, ...release } = orderOf(`rel-${id}`, {});
    const releasing = { ...release, effect: 'release', releases: { freezeIds: [freezeId] } };
    await load.send(OPS, ORDERS, releasing, `rel-${id}`);
    await load.send(APPROVER, `${ORDERS}/rel-${id}/verification`, { method: 'call' }, `relv-${id}`);
    const asked = { requestId: 'yes', ground: 'release-ordered', orderId: `rel-${id}` };
    await load.send(OPS, lifts, asked, `ly-${id}`);
    await load.send(APPROVER, `${lifts}/yes/approval`, {}, `lya-${id}`);
  },
  async function refuseALetter(load, id) {
    const code = `X${id.replaceAll(/[^0-9]/g, '')}`;
    await load.send(OPS, '/v1/assets', { code, scale: 2, kind: 'crypto' }, `x-${id}`);
    await load.send(OPS, LETTERS, letterOf(`l-${id}`), `l-${id}`);
    const refusal = { outcome: 'refused', reason: 'no instrument' };
    await load.send(APPROVER, `${LETTERS}/l-${id}/answer`, refusal, `la-${id}`);
  },
];

/** A party with an address, and an account of it. */
async function register(load: MixedLoad, id: string): Promise<void> {
  await load.send(SERVICE, '/v1/parties', { partyId: `p-${id}`, kind: 'person', externalRef: `crm:${id}` }, `p-${id}`);
  const identification = { method: 'passport', evidenceSha256: SHA256, identifiedAt: '2022-01-05T00:00:00Z' };
  await load.send(SERVICE, `/v1/parties/p-${id}/identification`, identification, `pi-${id}`);
  const address = { chain: 'bitcoin', address: `bc1q${id.replaceAll('-', '')}`, role: 'holder-controlled' };
  await load.send(SERVICE, `/v1/parties/p-${id}/addresses`, address, `pa-${id}`);
  const holders = [{ partyId: `p-${id}`, capacity: 'owner' }];
  await load.send(SERVICE, '/v1/accounts', { accountId: `a-${id}`, holders }, `a-${id}`);
}
