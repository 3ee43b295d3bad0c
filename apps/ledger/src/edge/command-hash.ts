import { sha256Hex } from '#kernel';
import { Plan, type Dto } from '../validation/plan.ts';

/** What a key is remembered with: SHA-256 over `commandText`. */
export function commandHash(method: string, path: string, body: object): string {
  return sha256Hex(commandText(method, path, body));
}

/**
 * JSON of `{content, method, path}`. The fields of `comparable` come in canonical order already, so plain JSON is canonical
 * here, but for names of the caller's choosing that are whole numbers: JavaScript puts those first. It has to stay so, for
 * keys are remembered for good.
 * @param body as the DTO pipe gave it
 */
export function commandText(method: string, path: string, body: object): string {
  const content = Plan.of(body.constructor as Dto).comparable(body);
  return JSON.stringify({ content, method, path });
}
