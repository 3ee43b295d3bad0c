import { canonicalJson, sealEvent, type EventMetadata } from '#kernel';
import { DepositBody } from '../accounts/movement.dto.ts';
import { RegisterAssetBody } from '../assets/asset.dto.ts';
import { commandHash, commandText } from '../edge/command-hash.ts';
import { readBody } from '../validation/dto.pipe.ts';

const ASSET = { code: 'BTC', scale: 8, kind: 'crypto' };
const STREAM = 'asset-BTC';
const UNSEALED: Omit<EventMetadata, 'hash'> = {
  actor: { id: 'alice', roles: ['ops'] },
  causationId: null,
  commandHash: commandHash('POST', '/v1/assets', readBody(RegisterAssetBody, ASSET)),
  correlationId: 'c-1',
  key: { caller: 'alice', homeStream: STREAM, value: 'asset-1' },
  previousHash: null,
  recordedAt: '2022-02-15T12:00:00.000Z',
};
const EVENT = {
  id: '017efd40-f600-7000-8000-000000000001',
  type: 'AssetRegistered',
  schemaVersion: 1,
  data: ASSET,
  metadata: UNSEALED,
};

const DEPOSIT_PATH = '/v1/accounts/acc-1/deposits';
const DEPOSIT = { depositId: 'dep-1', asset: 'BTC', amount: '0.50', source: { kind: 'bank', reference: 'stmt-7' } };

/** How whoever has the events alone sees that they are whole, with an event made by the code that makes them all. */
export function describeVerification(): string {
  const { texts } = sealEvent(STREAM, 0, EVENT);
  const { id, type, schemaVersion } = EVENT;
  const [data, metadata] = [JSON.parse(texts.data), JSON.parse(texts.metadata)] as unknown[];
  const shown = {
    position: '0000000000000001',
    stream: STREAM,
    revision: '0',
    id,
    type,
    schemaVersion,
    data,
    metadata,
  };
  return `## To verify a stream

\`metadata.hash\` is the SHA-256, in lower-case hexadecimal, of the UTF-8 bytes of the canonical JSON (RFC 8785) of one object
with these members and no others:

| member | what it is |
| --- | --- |
| \`data\`, \`id\`, \`schemaVersion\`, \`stream\`, \`type\` | as stored: \`data\` in the version that it was written in |
| \`metadata\` | all of its members but \`hash\`; those that are null are there |
| \`revision\` | a string of decimal digits: \`"12"\` |

\`position\` is not among them. In each stream the revisions count from 0 without a gap, \`previousHash\` of the event at 0 is
null, and that of any other is the \`hash\` of the one before it. A stream is whole, as far as it goes, when all of this
holds. What else has to be compared is under
[what a check does not find](operations.md#what-a-check-does-not-find).

\`GET /v1/audit/events\` and \`GET /v1/audit/streams/{stream}\` answer with these very members, and with \`position\`. Where
\`data\` is withheld it is null, and the hash can't be made anew. In SQLite (table \`events\`) the revision is an INTEGER, the
version the column \`schema_version\`, and \`data\` and \`metadata\` are texts: parse them and write them anew, for what is
hashed is what they say. On EventStoreDB the number of an event is its revision, the version stands in its metadata as
\`schemaVersion\`, to be taken out of there, and the stream's name is without the prefix of \`WRIT_EVENTSTOREDB_PREFIX\`.

An event, as the audit shows it:

\`\`\`json
${JSON.stringify(shown, undefined, 2)}
\`\`\`

What is hashed of it, in one line:

\`\`\`text
${hashedText()}
\`\`\`

## What a command's hash says

\`metadata.commandHash\` is the SHA-256, likewise, of the JSON of \`{"content": …, "method": "POST", "path": …}\`, members in the
order of their names at every depth, without blanks:

- \`path\` is that of the route, without host and query, each id in it percent-encoded (\`acc%3A1\`).
- \`content\` is the body, \`{}\` for none. What was left out is left out, lists stay in their order, and everything is as it
  was sent but for two: amounts have no zeros at the end behind their point (\`0.50\` is \`0.5\`, \`7.0\` is \`7\`), times are UTC with
  milliseconds (\`2022-02-15T12:00:00.000Z\`).
- Names that the caller chose (ids, asset codes) and that are whole numbers below 4294967295 come before the others, by their
  size: \`9\` before \`10\`, which RFC 8785 has the other way round.

So of this request

\`\`\`text
POST ${DEPOSIT_PATH}
${JSON.stringify(DEPOSIT)}
\`\`\`

this is hashed, to \`${commandHash('POST', DEPOSIT_PATH, readBody(DepositBody, DEPOSIT))}\`:

\`\`\`text
${commandText('POST', DEPOSIT_PATH, readBody(DepositBody, DEPOSIT))}
\`\`\`

It stands where \`key\` does, and is null elsewhere. Each freeze of a command that freezes everything bears the hash of that
one command. It shows whoever has kept a request that this one was carried out under the key, and no other; the service
compares it when the key comes again. It shows no more: the request is not in the log. Of many commands it can be put
together from the event and the scale of its asset, but not of all. A freeze that asked for the basis's own scope and one
that asked for none make the same event, and \`shares\` stand in none. No check holds this hash against anything else.
`;
}

function hashedText(): string {
  return canonicalJson({ ...EVENT, stream: STREAM, revision: '0' });
}
