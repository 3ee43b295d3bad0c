import { Worker, type ResourceLimits } from 'node:worker_threads';

/** Starts one of the threads of this library, from its source where this is run from source. */
export function startThread(
  script: 'worker' | 'part-worker',
  workerData: unknown,
  resourceLimits: ResourceLimits = {},
): Worker {
  const fromSource = import.meta.url.endsWith('.ts');
  return new Worker(new URL(`./thread/${script}.${fromSource ? 'ts' : 'js'}`, import.meta.url), {
    workerData,
    resourceLimits,
    ...(fromSource && { execArgv: ['--conditions=writ-source', '--disable-warning=ExperimentalWarning'] }),
  });
}
