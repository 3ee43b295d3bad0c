import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { nameOf, readConnection } from './settings.ts';

const read = (connectionString: string, caFile?: string): ReturnType<typeof readConnection> =>
  readConnection({ connectionString, ...(caFile === undefined ? {} : { caFile }) });

describe('readConnection', () => {
  it.each(['esdb', 'kurrentdb', 'kurrent', 'kdb'])('takes %s:// with and without +discover', (scheme) => {
    expect(read(`${scheme}://db.example`)).toMatchObject({
      kind: 'node',
      endpoints: [{ address: 'db.example', port: 2113 }],
      tls: true,
      credentials: undefined,
    });
    expect(read(`${scheme}+discover://db.example:2200`)).toMatchObject({
      kind: 'discover',
      endpoints: [{ address: 'db.example', port: 2200 }],
    });
  });

  it('takes several hosts for gossip, and options in any spelling', () => {
    const connection = read('esdb://a:1,b.example,[::1]:3/?TLS=false&keep_alive_interval=20000&connectionName=w%20x');
    expect(connection).toMatchObject({
      kind: 'gossip',
      tls: false,
      connectionName: 'w x',
      numbers: { keepAliveInterval: 20_000 },
    });
    expect(nameOf(connection)).toBe('a:1, b.example:2113, [::1]:3');
  });

  it('takes user and password, percent-encoded', () => {
    const { credentials, caFile } = read('esdb://app:s%40cr%3Fet%3A@db:2113?tlsCAFile=%2Fca.pem');
    expect(credentials?.reveal()).toEqual({ username: 'app', password: 's@cr?et:' });
    expect(caFile).toBe('/ca.pem');
    expect(read('esdb://app:x@db', '/other.pem').caFile).toBe('/other.pem');
  });

  it('shows the password in nothing that is printed', () => {
    const connection = read('esdb://app:s3cret@db:2113');
    expect(inspect(connection, { depth: 9, showHidden: true }) + JSON.stringify(connection)).not.toContain('s3cret');
  });

  it.each([
    ['', 'begins with'],
    ['http://db', 'begins with'],
    ['esdb://', 'host 1'],
    ['esdb://a:2113,', 'host 2'],
    ['esdb://a:99999', 'port of host 1'],
    ['esdb://a:0', 'port of host 1'],
    ['esdb+discover://a,b', '+discover takes one name'],
    ['esdb://s3cret@db', 'a user and a password'],
    ['esdb://app:@db', 'a user and a password'],
    ['esdb://app:s3cret%zz@db', 'percent-encoded'],
    ['esdb://app:s3c?ret@db', 'percent-encoded'],
    ['esdb://app:s3cret/@x@db:x', 'host 1'],
    ['esdb://app:s3cret@db?s3cret=1', 'an option is none of'],
    ['esdb://db?tls=s3cret', 'tls is true or false'],
    ['esdb://db?tls=true&tls=true', 'stands twice'],
    ['esdb://db?keepAliveInterval=s3cret', 'keepAliveInterval is a whole number'],
    ['esdb://db?keepAliveTimeout=-1', 'keepAliveTimeout is a whole number'],
    ['esdb://db?tlsVerifyCert=false', 'tlsVerifyCert=false is not possible'],
    ['esdb://db?throwOnAppendFailure=false', 'throwOnAppendFailure=false is not possible'],
    ['esdb://db?userCertFile=/c.pem', 'go together'],
    ['esdb://db?tls=false&tlsCAFile=/c.pem', 'CA file means nothing'],
    ['esdb://app:s3cret@db?tls=false', 'never sent without TLS'],
  ])('refuses %s in one line that quotes nothing', (connectionString, words) => {
    let refusal: unknown;
    try {
      read(connectionString);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: 'store-unavailable', message: expect.stringContaining(words) });
    expect(inspect(refusal)).not.toContain('s3c');
    expect((refusal as Error).message).not.toContain('\n');
  });
});
