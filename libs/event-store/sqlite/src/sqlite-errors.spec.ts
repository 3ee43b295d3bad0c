import { expect, it } from '@jest/globals';
import { isUnread } from './sqlite-errors.ts';

it('a disk that does not give what a file has is told from one that does not take what is written', () => {
  const [ioErrRead, ioErrShortRead, ioErrWrite, ioErrFsync, full] = [266, 522, 778, 1034, 13];
  for (const errcode of [ioErrRead, ioErrShortRead]) expect(isUnread({ errcode })).toBe(true);
  for (const errcode of [ioErrWrite, ioErrFsync, full, undefined]) expect(isUnread({ errcode })).toBe(false);
});
