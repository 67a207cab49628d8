/** Turns what becomes of firings and of Hooks into their status and into Events about them. It decides what is said; others write it. */

import type { Clock } from '../../ipc/clock.ts';
import type { Subscribable } from '../base/emitter.ts';
import type { HookStatus } from '../config/hook-status.ts';
import { ActiveEvents, type ActiveRecord, type TakenFiring } from './active-events.ts';
import type { EventRecorder } from './event-recorder.ts';
import * as words from './event-words.ts';
import type { FiringEvents } from './firing-events.ts';
import type { RuleProblem } from './hook-conditions.ts';
import type { HookStore, StoredHook } from './hook-store.ts';
import { desiredStatus, recordedEvents } from './status-merge.ts';
import type { StatusWriter } from './status-writer.ts';
import type { Urgency } from './write-schedule.ts';

export interface HookReporterOptions {
  readonly clock: Clock;
  readonly store: HookStore;
  readonly windowMs: number;
  readonly retentionMs: number;
}

export interface ReportOutlets {
  readonly status: Pick<StatusWriter, 'note'>;
  readonly recorder: Pick<EventRecorder, 'note'>;
}

/** The agents of one generation of a Hook: name → why the last call failed, or null. */
interface Answers {
  readonly generation: number;
  readonly byAgent: Map<string, string | null>;
}

const SWEEP_MS = 5_000;
/** The agent was reached: it took the message, and its task failed. */
const TASK_FAILED = 'HOST_ERR_AGENT_TASK';

export class HookReporter implements Disposable {
  readonly #options: HookReporterOptions;
  readonly #active: ActiveEvents;
  readonly #answers = new Map<string, Answers>();
  readonly #unsubscribe: (() => void)[] = [];
  #ruleProblems: ReadonlyMap<string, RuleProblem> = new Map();
  #outlets: ReportOutlets | null = null;

  constructor(options: HookReporterOptions) {
    this.#options = options;
    this.#active = new ActiveEvents(options);
  }

  /** From now on it is said what is heard. */
  start(outlets: ReportOutlets): void {
    this.#outlets = outlets;
    const sweep = this.#options.clock.every(SWEEP_MS, () => this.#sweep(outlets));
    this.#unsubscribe.push(() => sweep.cancel());
  }

  follow(dispatch: Subscribable<FiringEvents>): void {
    this.#unsubscribe.push(
      dispatch.on('firing:accepted', (taken) => {
        this.#active.fired(taken);
        this.#outlets?.status.note(taken.firing.hook, 'fired');
        this.#record(taken.firing.hook, words.eventFiring(taken.firing));
      }),
      dispatch.on('firing:restored', (taken) => {
        this.#active.fired(taken);
        this.#outlets?.status.note(taken.firing.hook, 'fired');
      }),
      dispatch.on('firing:duplicate', ({ hook, dedupKey }) => {
        if (!this.#active.seen(dedupKey)) return;
        this.#outlets?.status.note(hook, 'seen');
        const known = this.#active.find(dedupKey);
        if (known !== null) this.#record(hook, words.duplicateEventIgnored(known));
      }),
      dispatch.on('call:accepted', ({ delivery, agent }) => {
        const isNews = this.#active.notified(delivery);
        if (this.#answered(delivery.firing.hook, agent, null) || isNews) this.#note(delivery, 'sent');
      }),
      dispatch.on('call:error', ({ delivery, agent, code, message }) => {
        const { firing } = delivery;
        this.#record(firing.hook, words.agentCallFailure(firing, message));
        if (code !== TASK_FAILED && this.#answered(firing.hook, agent, message)) this.#note(delivery, 'changed');
      }),
      dispatch.on('firing:settled', (settled) => this.#settled(settled)),
    );
  }

  /** What its status should be now. */
  desired(stored: StoredHook): HookStatus {
    const answers = this.#answers.get(stored.id);
    const isCurrent = answers?.generation === stored.generation;
    return desiredStatus({
      stored,
      ruleProblem: this.#ruleProblems.get(stored.id) ?? null,
      answers: isCurrent ? [...answers.byAgent].map(([agent, error]) => ({ agent, error })) : [],
      events: this.#active.of(stored.id),
      now: this.#options.clock.wall(),
    });
  }

  /** The Hooks were read anew, and this is wrong with their rules. */
  judge(problems: ReadonlyMap<string, RuleProblem>): void {
    this.#ruleProblems = problems;
    for (const { id } of this.#options.store.all) this.#outlets?.status.note(id, 'changed');
  }

  /** Takes over what stands in the status of all Hooks, and returns it. */
  adoptRecorded(): readonly ActiveRecord[] {
    const recorded = this.#options.store.all.flatMap(recordedEvents);
    this.#active.adopt(recorded);
    return recorded;
  }

  /** Takes over what an earlier life of this khook knew and could not write any more. */
  adoptKnown(known: readonly Omit<ActiveRecord, 'namespace' | 'source' | 'messageId' | 'lastNotified'>[]): void {
    this.#active.adopt(known.map((record) => ({ ...completed(record), state: 'firing' })));
  }

  forget(hook: string): void {
    this.#active.forget(hook);
    this.#answers.delete(hook);
  }

  [Symbol.dispose](): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  #settled({ delivery, outcome, detail }: FiringEvents['firing:settled']): void {
    const { firing, contextId } = delivery;
    if (outcome === 'delivered') {
      // One that went out with the message of another was never called for itself.
      this.#active.notified(delivery);
      this.#record(firing.hook, words.agentCallSuccess(firing, contextId));
    } else if (outcome === 'dead_lettered') {
      this.#active.failed(delivery);
      this.#record(firing.hook, words.eventProcessingError(firing, detail));
    } else return;
    this.#note(delivery, 'sent');
  }

  #sweep({ status }: ReportOutlets): void {
    const { resolved, left } = this.#active.sweep();
    for (const record of resolved) this.#record(record.hook, words.eventResolved(record));
    for (const hook of new Set([...left, ...resolved.map((record) => record.hook)])) status.note(hook, 'changed');
  }

  /** True when that is news. */
  #answered(hook: string, agent: string, error: string | null): boolean {
    const generation = this.#options.store.find(hook)?.generation;
    if (generation === undefined) return false;
    let answers = this.#answers.get(hook);
    if (answers?.generation !== generation) {
      answers = { generation, byAgent: new Map() };
      this.#answers.set(hook, answers);
    }
    const before = answers.byAgent.get(agent);
    answers.byAgent.set(agent, error);
    return before === undefined || (before === null) !== (error === null);
  }

  #note({ firing }: TakenFiring, urgency: Urgency): void {
    this.#outlets?.status.note(firing.hook, urgency);
  }

  #record(hook: string, said: words.EventWords): void {
    const stored = this.#options.store.find(hook);
    if (stored === undefined) return;
    const { namespace, name, uid } = stored;
    this.#outlets?.recorder.note({ namespace, name, uid }, said);
  }
}

function partsOf(dedupKey: string): string[] {
  try {
    return (JSON.parse(dedupKey) as unknown[]).map(String);
  } catch {
    return [];
  }
}

/** The key tells what a record of the data directory does not: it is the JSON of [hook, source, internalType, namespace, …]. */
function completed(record: Omit<ActiveRecord, 'namespace' | 'source' | 'messageId' | 'lastNotified'>): ActiveRecord {
  const { hook, dedupKey, eventType, resourceName, firstSeen, lastSeen } = record;
  const [, source = '', , namespace = ''] = partsOf(dedupKey);
  const what = { hook, dedupKey, eventType, resourceName, namespace, source };
  return { ...what, messageId: '', firstSeen, lastSeen, lastNotified: firstSeen };
}
