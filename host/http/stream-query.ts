/** Reads the queries of the paths that stream. A wrong value is answered in words, never guessed. */

import { OUTCOMES } from '../../ipc/event.ts';
import { keysFault, pluginFault } from './query.ts';
import { type RecordingQuery, STREAM_KINDS, type StreamQuery } from './stream.ts';

const MAX_LAST = 1_000_000;
const SWITCHES = ['inFlight', 'follow', 'raw'] as const;

type Parsed<Query> = { readonly query: Query } | { readonly error: string };

export function parseStreamQuery(params: URLSearchParams): Parsed<StreamQuery> {
  const kinds = listOf(params, 'kind', STREAM_KINDS);
  const common = parseCommon(params, ['kind']);
  const error = common.error ?? kinds.error;
  if (error !== null) return { error };
  return { query: { kinds: kinds.values, plugins: common.plugins, outcomes: common.outcomes } };
}

export function parseRecordingQuery(params: URLSearchParams): Parsed<RecordingQuery> {
  const last = params.get('last') ?? '0';
  const common = parseCommon(params, ['last', ...SWITCHES]);
  const error = common.error ?? lastFault(last) ?? switchFault(params);
  if (error !== null) return { error };
  const isOn = (name: (typeof SWITCHES)[number]): boolean => params.get(name) === 'true';
  const { plugins, outcomes } = common;
  const switches = { inFlight: isOn('inFlight'), follow: isOn('follow'), raw: isOn('raw') };
  return { query: { plugins, outcomes, last: Number(last), ...switches } };
}

function parseCommon(
  params: URLSearchParams,
  others: readonly string[],
): Pick<StreamQuery, 'plugins' | 'outcomes'> & { readonly error: string | null } {
  const plugins = params.get('plugin')?.split(',') ?? null;
  const outcomes = listOf(params, 'outcome', OUTCOMES);
  const pluginError = plugins?.map(pluginFault).find((fault) => fault !== null) ?? null;
  const error = keysFault(params, ['plugin', 'outcome', ...others]) ?? pluginError ?? outcomes.error;
  return { plugins, outcomes: outcomes.values, error };
}

/** `a,b`: any of them. */
function listOf<Word extends string>(
  params: URLSearchParams,
  key: string,
  known: readonly Word[],
): { readonly values: readonly Word[] | null; readonly error: string | null } {
  const words = params.get(key)?.split(',') ?? null;
  if (words === null) return { values: null, error: null };
  const values = words.flatMap((word) => known.find((each) => each === word) ?? []);
  if (values.length === words.length) return { values, error: null };
  const wrong = words.find((word) => !(known as readonly string[]).includes(word)) ?? '';
  return { values: null, error: `'${key}' must be one or several of ${known.join(', ')}, got '${wrong.slice(0, 50)}'` };
}

function lastFault(last: string): string | null {
  if (/^\d{1,7}$/.test(last) && Number(last) <= MAX_LAST) return null;
  return `'last' must be a whole number between 0 and ${MAX_LAST}, got '${last.slice(0, 50)}'`;
}

function switchFault(params: URLSearchParams): string | null {
  for (const name of SWITCHES) {
    const value = params.get(name) ?? 'false';
    if (value !== 'true' && value !== 'false') return `'${name}' must be true or false, got '${value.slice(0, 50)}'`;
  }
  return null;
}
