/** Reads the queries of the read API. A wrong value is answered in words, never guessed. */

import { OUTCOMES } from '../../ipc/event.ts';
import type { DeadLetterQuery, EventQuery } from './view.ts';

const KEYS = ['limit', 'plugin', 'outcome'];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;

export type QueryResult<Query = EventQuery> = { readonly query: Query } | { readonly error: string };

export function parseDeadLetterQuery(params: URLSearchParams): QueryResult<DeadLetterQuery> {
  const [limit, hook, agent] = [params.get('limit'), params.get('hook'), params.get('agent')];
  const error =
    keysFault(params, ['limit', 'hook', 'agent']) ??
    limitFault(limit) ??
    nameFault('hook', hook) ??
    nameFault('agent', agent);
  if (error !== null) return { error };
  return { query: { limit: limit === null ? DEFAULT_LIMIT : Number(limit), hook, agent } };
}

export function parseEventQuery(params: URLSearchParams): QueryResult {
  const limit = params.get('limit');
  const outcome = params.get('outcome');
  const plugin = params.get('plugin');
  const error = keysFault(params, KEYS) ?? limitFault(limit) ?? pluginFault(plugin) ?? outcomeFault(outcome);
  if (error !== null) return { error };
  return { query: { limit: limit === null ? DEFAULT_LIMIT : Number(limit), plugin, outcome } };
}

/** Of a path that takes nothing but `?plugin=`. */
export function parsePluginQuery(
  params: URLSearchParams,
): { readonly plugin: string | null } | { readonly error: string } {
  const plugin = params.get('plugin');
  const error = keysFault(params, ['plugin']) ?? pluginFault(plugin);
  return error === null ? { plugin } : { error };
}

const MAX_SECONDS = 120;

/** Of a profile: how long, and of which plugin; null is the host. */
export function parseProfileQuery(
  params: URLSearchParams,
  fallback: number,
): { readonly plugin: string | null; readonly seconds: number } | { readonly error: string } {
  const plugin = params.get('plugin');
  const text = params.get('seconds') ?? String(fallback);
  const isSeconds = /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_SECONDS;
  const seconds = isSeconds
    ? null
    : `'seconds' must be a whole number between 1 and ${MAX_SECONDS}, got '${text.slice(0, 50)}'`;
  const error = keysFault(params, ['plugin', 'seconds']) ?? pluginFault(plugin) ?? seconds;
  return error === null ? { plugin, seconds: Number(text) } : { error };
}

export function keysFault(params: URLSearchParams, known: readonly string[]): string | null {
  for (const key of params.keys()) {
    if (!known.includes(key)) return `unknown parameter '${key.slice(0, 50)}', expected ${known.join(', ')}`;
    if (params.getAll(key).length > 1) return `parameter '${key}' is given twice`;
  }
  return null;
}

function limitFault(limit: string | null): string | null {
  if (limit === null || isLimit(limit)) return null;
  return `'limit' must be a whole number between 1 and ${MAX_LIMIT}, got '${limit.slice(0, 50)}'`;
}

function outcomeFault(outcome: string | null): string | null {
  if (outcome === null || (OUTCOMES as readonly string[]).includes(outcome)) return null;
  return `'outcome' must be one of ${OUTCOMES.join(', ')}, got '${outcome.slice(0, 50)}'`;
}

export function pluginFault(plugin: string | null): string | null {
  if (plugin === null || /^[a-z][a-z0-9-]{0,63}$/.test(plugin)) return null;
  return `'plugin' must be the name of a plugin (a-z, 0-9, -), got '${plugin.slice(0, 50)}'`;
}

function nameFault(key: string, name: string | null): string | null {
  if (name === null || /^[^/\s]{1,253}\/[^/\s]{1,253}$/.test(name)) return null;
  return `'${key}' must be a namespace and a name (default/${key}-name), got '${name.slice(0, 50)}'`;
}

function isLimit(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_LIMIT;
}
