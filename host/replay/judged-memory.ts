/** What a running host remembers, judged again by what is in force: of this Hooks and events are explained. */

import { systemClock } from '../../ipc/clock.ts';
import type { Hook } from '../config/hook.ts';
import { DEFAULT_SETTINGS } from '../config/settings.ts';
import { rulesOf } from './dry-run.ts';
import { type GivenRules, Judge, type Judged } from './judge.ts';
import type { ConfigRead, EventRead } from './recording-line.ts';
import { WhyNot } from './why-not.ts';

export interface HostMemory {
  readonly config: ConfigRead;
  /** Oldest first. */
  readonly events: readonly EventRead[];
}

export interface ExplainScene {
  readonly rules: GivenRules;
  readonly whyNot: WhyNot;
  /** By the host's clock, in Unix milliseconds. */
  readonly now: number;
}

export interface JudgedEvent {
  readonly event: EventRead;
  /** null: it never reached the matcher. */
  readonly judged: Judged | null;
}

export interface JudgedMemory {
  readonly scene: ExplainScene;
  readonly events: readonly JudgedEvent[];
}

/** The newest so many, oldest first, each once. */
export function inOrder(events: readonly EventRead[], last: number): EventRead[] {
  const known = new Map(events.map((event) => [event.id, event]));
  const ordered = [...known.values()].sort((a, b) => a.receivedAt - b.receivedAt || (a.order ?? 0) - (b.order ?? 0));
  return last === 0 ? [] : ordered.slice(-last);
}

/** Judged at once. */
const WINDOW = 512;

/** Each event judged by what is in force now, in a thread of its own that is gone afterwards. Rejects with HOST_ERR_MATCH. */
export async function judgeMemory({ config, events }: HostMemory): Promise<JudgedMemory> {
  const rules: GivenRules = { ...rulesOf(config), hooks: hooksOf({ config }) };
  const declared = new Map(Object.entries(config.plugins).map(([name, { eventTypes }]) => [name, new Set(eventTypes)]));
  await using judge = new Judge({ clock: systemClock, frameTimeoutMs: DEFAULT_SETTINGS.matcher.frameTimeoutMs });
  judge.setRules(rules, declared);
  const told: JudgedEvent[] = [];
  for (let from = 0; from < events.length; from += WINDOW) {
    const window = events.slice(from, from + WINDOW);
    const reaching = window.filter(reachedMatcher);
    const verdicts = await judge.together(reaching);
    const byEvent = new Map(reaching.map((event, n) => [event, verdicts[n] ?? null]));
    for (const event of window) {
      const own = reachedMatcher(event) ? (byEvent.get(event) ?? (await judge.alone(event))) : null;
      told.push({ event, judged: own });
    }
  }
  return { scene: { rules, whyNot: new WhyNot(rules), now: config.at }, events: told };
}

/** One that a rate limit dropped did not. */
function reachedMatcher({ judgedAt }: EventRead): boolean {
  return judgedAt !== undefined;
}

export function hooksOf({ config }: Pick<HostMemory, 'config'>): Hook[] {
  return config.hooks.map((hook) => ({ ...hook, origin: 'the host' }));
}
