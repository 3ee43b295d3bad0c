import { describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { EventExports } from './event-exports.ts';

const response = (): ServerResponse => new ServerResponse(new IncomingMessage(new Socket()));

describe('exports of the log', () => {
  it('are so many at once, and count until their answer is over', () => {
    const exports = new EventExports();
    const first = response();
    exports.begin(first);
    for (let n = 1; n < exports.bound.most; n += 1) exports.begin(response());
    expect(exports.bound.inUse()).toBe(8);
    expect(() => exports.begin(response())).toThrow(/Too many exports/);
    first.emit('close');
    expect(exports.bound.inUse()).toBe(7);
    exports.begin(response());
  });

  it('do not count whose reader has gone before they begin', () => {
    const exports = new EventExports();
    const gone = response();
    gone.destroy();
    exports.begin(gone);
    expect(exports.bound.inUse()).toBe(0);
  });
});
