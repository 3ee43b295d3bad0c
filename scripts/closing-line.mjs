/** A jest reporter: the run's last line says in plain words how many tests passed and failed. */
export default class ClosingLine {
  onRunComplete(_contexts, results) {
    // A file that could not be loaded ran none of its tests: it counts as one failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const parts = [`${results.numPassedTests} passed`, `${failed} failed`];
    if (skipped > 0) parts.push(`${skipped} skipped`);
    // jest's own summary comes after every reporter of ours.
    process.once('exit', () => process.stdout.write(`${parts.join(', ')}\n`));
  }
}
