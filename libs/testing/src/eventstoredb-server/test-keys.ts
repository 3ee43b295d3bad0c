import { fileURLToPath } from 'node:url';

const file = (name: string): string => fileURLToPath(new URL(`test-keys/${name}`, import.meta.url));

/**
 * Keys of tests alone, committed with them, good until 2120: nothing may trust them. The CA that signed the server's
 * certificate; its own key was thrown away.
 */
export const TEST_CA_FILE = file('test-ca.crt');
/** A CA that signed nothing that is in use: whoever trusts it alone refuses the server. */
export const OTHER_TEST_CA_FILE = file('other-test-ca.crt');
/** For `localhost`, 127.0.0.1 and ::1. */
export const SERVER_CERTIFICATE_FILE = file('test-server.crt');
export const SERVER_KEY_FILE = file('test-server.key');
