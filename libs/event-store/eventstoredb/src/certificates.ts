import { StoreError } from '#event-store';
import { readFileSync } from 'node:fs';
import type { Certificates } from './client.ts';
import { messageOf } from './failures.ts';
import type { Connection } from './settings.ts';

/** Reads them once: a client that is made anew later needs no file. @throws StoreError `store-unavailable`, naming the file */
export function readCertificates({ caFile, userCertFile, userKeyFile }: Connection): Certificates {
  return {
    ...(caFile === undefined ? {} : { rootCertificate: readPem(caFile) }),
    ...(userCertFile === undefined ? {} : { userCertFile: readPem(userCertFile) }),
    ...(userKeyFile === undefined ? {} : { userKeyFile: readPem(userKeyFile) }),
  };
}

function readPem(path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new StoreError('store-unavailable', `TLS with the event store: ${path} can't be read: ${messageOf(error)}`);
  }
  if (!bytes.includes('-----BEGIN ')) {
    throw new StoreError('store-unavailable', `TLS with the event store: ${path} has no certificate or key (PEM)`);
  }
  return bytes;
}
