/** The command line of `khook record`, read and checked. Pure. */

import { OUTCOMES, type Outcome } from '../../ipc/event.ts';
import { didYouMean } from '../config/suggest.ts';
import { parseDurationMs } from '../config/units.ts';
import { flagList, flagText, type Invocation } from './command.ts';

export interface RecordPlan {
  /** Go on with what comes, after the last ones. */
  readonly follow: boolean;
  readonly last: number;
  readonly limit: number | null;
  readonly forMs: number | null;
  /** Empty: of all. */
  readonly plugins: readonly string[];
  readonly outcomes: readonly Outcome[];
  readonly raw: boolean;
}

const MAX_COUNT = 1_000_000;
/** The longest that a timer can wait. */
const MAX_FOR_MS = 2 ** 31 - 1;

/** The plan, or what is wrong with the command line. */
export function readRecordPlan(invocation: Invocation): RecordPlan | string {
  const last = flagText(invocation, 'last');
  const limit = flagText(invocation, 'limit');
  const duration = flagText(invocation, 'for');
  const plugins = flagList(invocation, 'plugin');
  const outcomes = flagList(invocation, 'outcome');
  const faults = [
    countFault('last', last),
    countFault('limit', limit),
    durationFault(duration),
    ...plugins.map(pluginFault),
    ...outcomes.map(outcomeFault),
  ];
  const fault = faults.find((each) => each !== null) ?? null;
  if (fault !== null) return fault;
  const forMs = duration === null ? null : parseDurationMs(duration);
  return {
    follow: last === null || forMs !== null || invocation.flags.follow === true,
    last: Number(last ?? 0),
    limit: limit === null ? null : Number(limit),
    forMs,
    plugins,
    outcomes: OUTCOMES.filter((outcome) => outcomes.includes(outcome)),
    raw: invocation.flags.raw === true,
  };
}

function countFault(name: string, text: string | null): string | null {
  if (text === null || (/^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_COUNT)) return null;
  return `--${name} must be a whole number between 1 and ${MAX_COUNT}, got '${text}'`;
}

function durationFault(text: string | null): string | null {
  if (text === null) return null;
  const ms = parseDurationMs(text) ?? 0;
  return ms > 0 && ms <= MAX_FOR_MS
    ? null
    : `--for must be a duration such as 10m or 1h30m, at most 24 days, got '${text}'`;
}

function pluginFault(name: string): string | null {
  return /^[a-z][a-z0-9-]{0,63}$/.test(name) ? null : `--plugin must be the name of a plugin, got '${name}'`;
}

function outcomeFault(name: string): string | null {
  if ((OUTCOMES as readonly string[]).includes(name)) return null;
  const hint = didYouMean(name, OUTCOMES);
  return `--outcome must be one of ${OUTCOMES.join(', ')}, got '${name}'${hint === '' ? '' : `; ${hint}`}`;
}
