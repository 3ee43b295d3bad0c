import { v7 } from 'uuid';

/** Ids of the caller's choosing: 1 to 64 of `A-Z a-z 0-9 . _ : -`, the first a letter or digit. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
export const ASSET_CODE_PATTERN = /^[A-Z0-9]{2,16}$/;
export const SHA256_PATTERN = /^[0-9a-f]{64}$/;
export const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Makes event ids. A port, so that tests and simulations can be deterministic. */
export type IdGenerator = () => string;

/** A new UUIDv7 (RFC 9562): unique, and rising with time within this process. */
export const uuidv7: IdGenerator = () => v7();
