/** Why a Hook fires or not: whether it is in force, what keeps it silent whatever happens, and its nearest misses. Pure. */

import { type Hook, hookId } from '../config/hook.ts';
import { nearestWord } from '../config/suggest.ts';
import { hookFaults, type RunningPlugins } from './hook-faults.ts';
import type { ExplainScene, JudgedEvent } from './judged-memory.ts';
import { type Miss, missOf, NearestMisses } from './nearest-misses.ts';
import type { Remedy } from './remedy.ts';
import { untilWords } from './until-words.ts';

export interface ExplainedHook {
  readonly hook: string;
  readonly says: readonly string[];
  /** What is wrong whatever happens. */
  readonly faults: readonly Remedy[];
  /** Nearest first. */
  readonly misses: readonly Miss[];
  readonly isInForce: boolean;
}

/** How it is, by the host's word. */
export interface HookState {
  /** RFC 3339. */
  readonly lastFired: string | null;
  readonly ready: boolean;
  readonly reason: string;
}

const MAX_MISSES = 5;
const MAX_NAMED = 10;

/** Of a name that no Hook in force has. */
export function explainNoHook(wanted: string, hooks: readonly Hook[]): ExplainedHook {
  const [, name = ''] = wanted.split('/');
  const ids = hooks.map(hookId);
  const elsewhere = hooks.filter((hook) => hook.name === name).map(hookId)[0];
  const near = elsewhere ?? nearestWord(wanted, ids) ?? nearHook(name, hooks);
  const list = ids.slice(0, MAX_NAMED).join(', ');
  const more = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : '';
  const cause = `there is no Hook ${wanted} in force${near === null ? '' : `; did you mean ${near}?`}`;
  const fix = `khook check names what keeps a Hook out; in force ${ids.length === 0 ? 'is none' : `are ${list}${more}`}`;
  return { hook: wanted, says: [], faults: [{ cause, fix }], misses: [], isInForce: false };
}

function nearHook(name: string, hooks: readonly Hook[]): string | null {
  const near = nearestWord(
    name,
    hooks.map((hook) => hook.name),
  );
  const found = hooks.find((hook) => hook.name === near);
  return found === undefined ? null : hookId(found);
}

/** `snapshot`: of the Hook; null: it has come or gone just now. */
export function explainHook(
  hook: Hook,
  events: readonly JudgedEvent[],
  { scene, plugins, snapshot }: ExplainHookBy,
): ExplainedHook {
  const id = hookId(hook);
  const misses = new NearestMisses();
  for (const { event, judged } of events) {
    const hasFired = event.firings?.some((firing) => firing.hook === id) ?? false;
    const fires = judged?.firings.some(({ firing }) => firing.hook === id) ?? false;
    const miss = judged === null || hasFired || fires ? null : missOf(event, judged, { ...scene, hook });
    if (miss !== null) misses.add(miss);
  }
  return {
    hook: id,
    says: [
      headLine(hook, scene),
      firedLine(snapshot),
      countLine(id, events, scene),
      ...droppedLine(events),
      ...notReady(snapshot),
    ],
    faults: hookFaults(hook, scene.rules, plugins),
    misses: misses.sorted.slice(0, MAX_MISSES),
    isInForce: true,
  };
}

interface ExplainHookBy {
  readonly scene: ExplainScene;
  readonly plugins: RunningPlugins;
  readonly snapshot: HookState | null;
}

function headLine(hook: Hook, { rules }: ExplainScene): string {
  const types = hook.eventConfigurations.map(
    ({ eventType, agent }) => `${eventType} (for ${agent.namespace}/${agent.name})`,
  );
  const others = hook.namespace === rules.controllerNamespace ? hook.namespaces : [];
  const sees = others.includes('*') ? 'all namespaces' : [...new Set([hook.namespace, ...others])].join(', ');
  const filter = hook.filter === undefined ? '' : '; it has a filter';
  return `It is in force, listens to ${types.join(', ')} and sees events of ${sees}${filter}.`;
}

function firedLine(snapshot: HookState | null): string {
  const lastFired = snapshot?.lastFired ?? null;
  return lastFired === null ? 'It has not fired since khook started.' : `It fired last at ${lastFired}.`;
}

function countLine(id: string, events: readonly JudgedEvent[], { now }: ExplainScene): string {
  const firings = events.flatMap(({ event }) => event.firings?.filter(({ hook }) => hook === id) ?? []);
  const silent = firings.filter(({ decision }) => decision === 'duplicate');
  const until = Math.max(0, ...silent.map((firing) => firing.until ?? 0));
  const end = until > now ? `, the last of them silent until ${untilWords(until, now)}` : '';
  const duplicates = silent.length === 0 ? '' : `, ${silent.length} of them duplicates${end}`;
  if (events.length === 0) return 'No event is remembered.';
  return `Of the ${events.length} ${events.length === 1 ? 'event' : 'events'} looked at it matched ${firings.length === 0 ? 'none' : firings.length}${duplicates}.`;
}

/** What a limit has hidden may be what the Hook waits for. */
function droppedLine(events: readonly JudgedEvent[]): string[] {
  const dropped = events.filter(({ judged }) => judged === null);
  const plugins = [...new Set(dropped.map(({ event }) => event.source))].slice(0, MAX_NAMED).join(', ');
  return dropped.length === 0
    ? []
    : [
        `Of them ${dropped.length} ${dropped.length === 1 ? 'was' : 'were'} dropped before the matcher, from ${plugins}.`,
      ];
}

function notReady(snapshot: HookState | null): string[] {
  return snapshot === null || snapshot.ready ? [] : [`It is not ready: ${snapshot.reason}`];
}
