import { describe, expect, it } from '@jest/globals';
import { nodeVersionProblem } from './node-version.ts';

describe('the Node that the service is started with', () => {
  it.each(['v24.0.0', 'v24.21.0', 'v26.1.0', 'v100.0.0'])('%s will do', (version) => {
    expect(nodeVersionProblem(version)).toBeUndefined();
  });

  it.each(['v8.17.0', 'v20.20.2', 'v23.11.1'])('%s is too old, and the message says what to do', (version) => {
    const problem = nodeVersionProblem(version);
    expect(problem).toContain('24 or newer');
    expect(problem).toContain(version);
    expect(problem).toContain('npm start');
  });
});
