import { describe, expect, it } from '@jest/globals';
import { type Failure, failureOfCall } from './failures.ts';

/** An error as a call ends with it: its code, what it says, and the trailer by which the server names an exception. */
function ended(message: string, code?: number, exception?: string): Error {
  const metadata = { getMap: () => (exception === undefined ? {} : { exception }) };
  return Object.assign(new Error(message), code === undefined ? {} : { code, details: message, metadata });
}

type Row = readonly [what: string, error: unknown, failure: Partial<Failure>];

const MAY_BE_STORED = { kind: 'transient', unsent: false } as const;
const NOT_SENT = { kind: 'transient', unsent: true } as const;

describe('what ends a call', () => {
  it.each<Row>([
    [
      'nobody listens',
      ended('No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1 (2022-02-15T12:00:00Z)', 14),
      NOT_SENT,
    ],
    ['the server was killed with the call in flight', ended('read ECONNRESET', 14), MAY_BE_STORED],
    ['pings are not answered', ended('Connection dropped', 14), MAY_BE_STORED],
    ['the server is not ready', ended('Server Is Not Ready', 14), MAY_BE_STORED],
    ['the server was stopped in order', ended('Received RST_STREAM with code 2', 13), MAY_BE_STORED],
    ['the server cancelled it', ended('Cancelled', 1), MAY_BE_STORED],
    ['a deadline passed', ended('Deadline exceeded', 4), MAY_BE_STORED],
    ['the consumer was too slow', ended('Consumer too slow to handle event while live', 10), MAY_BE_STORED],
    ['another node leads', ended('Leader info available', 5, 'not-leader'), MAY_BE_STORED],
    ['something without any code', new Error('the server ended the call'), MAY_BE_STORED],
    ['nothing that is known', undefined, MAY_BE_STORED],
    ['access is denied, by name', ended('Access Denied', 7, 'access-denied'), { kind: 'refused', why: 'permission' }],
    ['access is denied, by code', ended('Access Denied', 7), { kind: 'refused', why: 'permission' }],
    ['nobody knows the user', ended('Authentication failed', 16), { kind: 'refused', why: 'credentials' }],
    ['the stream is no more', ended('Deleted', 9, 'stream-deleted'), { kind: 'refused', why: 'deleted' }],
    ['the server knows no such call', ended('Unimplemented', 12), { kind: 'refused', why: 'other' }],
    ['the call is malformed', ended('Position is wrong', 3), { kind: 'refused', why: 'other' }],
  ])('%s', (_, error, failure) => {
    expect(failureOfCall(error)).toMatchObject(failure);
  });
});
