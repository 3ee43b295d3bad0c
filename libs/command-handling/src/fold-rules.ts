import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** The libraries whose code folds and judges an event. */
export const FOLDING: readonly string[] = [
  'kernel',
  'assets',
  'parties',
  'legal-orders',
  'sanctions',
  'authority-requests',
  'freezes',
  'accounts',
  'replay',
];

/**
 * Names the code that folds streams: a hash of every module that has a part in it, as this process runs them, and of
 * what they rest on. Whoever changes a rule or a state need not remember to say so.
 * @param libraries the folder that they stand in
 * @param names of those that are to be named
 * @throws Error when one can't be read: then the service is not whole
 */
export function foldRules(libraries = fileURLToPath(new URL('../../', import.meta.url)), names = FOLDING): string {
  const parts = names.flatMap((library) => modulesIn(`${library}/src`, libraries));
  return hash('sha256', JSON.stringify([process.version, z.core.version, ...parts]), 'hex');
}

/** Name and content of each module, in the order of their names. */
function modulesIn(folder: string, libraries: string): readonly string[] {
  const names = readdirSync(`${libraries}/${folder}`, { recursive: true, encoding: 'utf8' });
  const modules = names.filter((name) => /(?<!\.spec|\.d)\.(ts|js)$/.test(name)).sort();
  if (modules.length === 0) throw new Error(`${folder} has no modules`);
  return modules.flatMap((name) => [`${folder}/${name}`, readFileSync(`${libraries}/${folder}/${name}`, 'utf8')]);
}
