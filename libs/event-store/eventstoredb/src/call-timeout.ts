/** No answer came in time. */
export class CallTimeout extends Error {
  constructor() {
    super('no answer in time');
    this.name = 'CallTimeout';
  }
}

/**
 * Waits for what may never end.
 * @throws CallTimeout when it did not in time; what becomes of it later is let go
 */
export async function within<Value>(work: Promise<Value>, timeoutMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CallTimeout()), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
