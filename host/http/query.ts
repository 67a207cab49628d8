/** Reads the query of `/api/v1/events`. A wrong value is answered in words, never guessed. */

import { OUTCOMES } from '../../ipc/event.ts';
import type { EventQuery } from './view.ts';

const KEYS = ['limit', 'plugin', 'outcome'];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;

export type QueryResult = { readonly query: EventQuery } | { readonly error: string };

export function parseEventQuery(params: URLSearchParams): QueryResult {
  for (const key of params.keys()) {
    if (!KEYS.includes(key)) return { error: `unknown parameter '${key.slice(0, 50)}', expected ${KEYS.join(', ')}` };
    if (params.getAll(key).length > 1) return { error: `parameter '${key}' is given twice` };
  }
  const limit = params.get('limit');
  const outcome = params.get('outcome');
  const plugin = params.get('plugin');
  if (limit !== null && !isLimit(limit)) {
    return { error: `'limit' must be a whole number between 1 and ${MAX_LIMIT}, got '${limit.slice(0, 50)}'` };
  }
  if (outcome !== null && !(OUTCOMES as readonly string[]).includes(outcome)) {
    return { error: `'outcome' must be one of ${OUTCOMES.join(', ')}, got '${outcome.slice(0, 50)}'` };
  }
  if (plugin !== null && !/^[a-z][a-z0-9-]{0,63}$/.test(plugin)) {
    return { error: `'plugin' must be the name of a plugin (a-z, 0-9, -), got '${plugin.slice(0, 50)}'` };
  }
  return { query: { limit: limit === null ? DEFAULT_LIMIT : Number(limit), plugin, outcome } };
}

function isLimit(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_LIMIT;
}
