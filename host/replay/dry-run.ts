/**
 * A recording against Hooks: every event in the order in which the host judged it, at its time, through the matcher and the dispatch of
 * the host. Nothing is sent. What comes out is compared, event by event, with what was recorded or with what other Hooks make of it.
 */

import { isDeepStrictEqual } from 'node:util';
import { HostError } from '../base/errors.ts';
import type { Hook } from '../config/hook.ts';
import type { Mapping } from '../config/mapping.ts';
import { type Change, changesOf, sideKey } from './change.ts';
import { History } from './history.ts';
import type { DeclaredTypes, GivenRules, Judged } from './judge.ts';
import type { ConfigRead, EventRead, RecordingRead } from './recording-line.ts';
import { isComplete, recordedSide, type Side, worldSide } from './sides.ts';
import { Timeline } from './timeline.ts';
import { VirtualClock } from './virtual-clock.ts';
import { WhyNot } from './why-not.ts';
import { World, type WorldEvent } from './world.ts';

/** In place of what the recording says. */
export interface GivenConfig {
  readonly mappings: readonly Mapping[];
  readonly pluginNamespaces: Readonly<Record<string, readonly string[] | null>>;
  readonly controllerNamespace: string;
  readonly maxPromptLength: number;
  readonly dedupWindowMs: number;
}

export interface DryRunOptions {
  readonly hooks: readonly Hook[];
  /** What is compared with: these Hooks, or null: what was recorded. */
  readonly baseline: readonly Hook[] | null;
  /** null: as recorded. */
  readonly config: GivenConfig | null;
  readonly frameTimeoutMs: number;
}

export interface ReplayedChange extends Change {
  /** Of `gone`: why it does not fire now. Of `new`: why it did not before. */
  readonly why: string;
}

export interface ReplayedEvent {
  readonly event: EventRead;
  readonly changes: readonly ReplayedChange[];
  /** `fires`, or how else an event ends. */
  readonly before: string;
  readonly now: string;
}

/** Events that are judged together. */
const WINDOW = 256;
/** A budget's digest goes out within the hour. */
const AFTERWARDS_MS = 2 * 3_600_000;

export class DryRun implements AsyncDisposable {
  readonly #options: DryRunOptions;
  readonly #clock = new VirtualClock();
  readonly #now: World;
  /** Of the baseline; one that stands for what was recorded is asked for prompts and reasons alone. */
  readonly #before: World;
  readonly #history = new History();
  readonly #timeline = new Timeline();
  #run: string | null = null;
  #why: { readonly now: WhyNot; readonly before: WhyNot } | null = null;
  /** The Hooks are those of the recording: their prompts are not worth a look. */
  #isSame = false;

  constructor(options: DryRunOptions) {
    const { frameTimeoutMs } = options;
    this.#options = options;
    this.#now = new World({ clock: this.#clock, frameTimeoutMs });
    this.#before = new World({ clock: this.#clock, frameTimeoutMs });
  }

  /** Digests that went out, by Hook; whole when the run is over. */
  get digests(): { readonly before: ReadonlyMap<string, number>; readonly now: ReadonlyMap<string, number> } {
    return { before: this.#before.digests, now: this.#now.digests };
  }

  /** `lines` in the order in which they happened. Throws HOST_ERR_RECORDING, HOST_ERR_MATCH. */
  async *run(lines: Iterable<RecordingRead>): AsyncGenerator<ReplayedEvent> {
    let window: EventRead[] = [];
    for (const line of lines) {
      if (line.kind === 'missed') continue;
      const isFull = window.length === WINDOW;
      if (line.kind === 'config' || isFull) {
        yield* this.#replay(window);
        window = [];
      }
      if (line.kind === 'config') this.#take(line);
      else window.push(line);
    }
    yield* this.#replay(window);
    await this.#clock.advanceTo(this.#clock.now() + AFTERWARDS_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#now, this.#before].map((world) => world[Symbol.asyncDispose]()));
  }

  #take(recorded: ConfigRead): void {
    const { hooks, baseline, config } = this.#options;
    const dedupWindowMs = config?.dedupWindowMs ?? recorded.dedupWindowMs;
    if (recorded.run !== this.#run)
      this.#begin(recorded.run, { recorded: recorded.dedupWindowMs, given: dedupWindowMs });
    const own = recorded.hooks.map((hook): Hook => ({ ...hook, origin: 'the recording' }));
    const given = config ?? rulesOf(recorded);
    const declared = new Map(
      Object.entries(recorded.plugins).map(([name, { eventTypes }]) => [name, new Set(eventTypes)]),
    );
    this.#set(
      { ...given, hooks },
      baseline === null ? { ...rulesOf(recorded), hooks: own } : { ...given, hooks: baseline },
      declared,
    );
  }

  #begin(run: string, dedup: { readonly recorded: number; readonly given: number }): void {
    this.#run = run;
    this.#timeline.begin();
    this.#history.begin({ dedupWindowMs: dedup.recorded });
    this.#now.begin({ dedupWindowMs: dedup.given });
    this.#before.begin({ dedupWindowMs: dedup.given });
  }

  #set(now: GivenRules, before: GivenRules, declared: DeclaredTypes): void {
    this.#now.setRules(now, declared);
    this.#before.setRules(before, declared);
    this.#why = { now: new WhyNot(now), before: new WhyNot(before) };
    this.#isSame = this.#options.baseline === null && isDeepStrictEqual(withoutOrigins(now), withoutOrigins(before));
  }

  async *#replay(window: readonly EventRead[]): AsyncGenerator<ReplayedEvent> {
    if (window.length === 0) return;
    if (this.#why === null) this.#takeGiven();
    const [now, before] = await Promise.all([
      this.#now.judge.together(window),
      this.#isSame ? window.map(() => null) : this.#before.judge.together(window),
    ]);
    for (const [n, event] of window.entries()) {
      const replayed = await this.#event(event, { now: now[n] ?? null, before: before[n] ?? null });
      yield replayed;
    }
  }

  /** A recording that somebody wrote by hand may have events alone. */
  #takeGiven(): void {
    const { config, hooks, baseline } = this.#options;
    if (config === null) {
      const message = 'the recording does not say by what its events were judged; name a configuration with --config';
      throw new HostError('HOST_ERR_RECORDING', message, { kind: 'user' });
    }
    this.#begin('', { recorded: config.dedupWindowMs, given: config.dedupWindowMs });
    this.#set({ ...config, hooks }, { ...config, hooks: baseline ?? hooks }, new Map());
  }

  async #event(
    event: EventRead,
    judged: { readonly now: Judged | null; readonly before: Judged | null },
  ): Promise<ReplayedEvent> {
    const isUnjudged = event.outcome === 'dropped' && event.judgedAt === undefined;
    if (isUnjudged) return { event, changes: [], before: 'dropped', now: 'dropped' };
    const at = this.#timeline.at(event);
    await this.#clock.advanceTo(at);
    const inherited = this.#history.next(event, at);
    const now = await this.#now.fire(event, { judged: judged.now, inherited });
    const isRecorded = this.#options.baseline === null;
    const before = isRecorded ? null : await this.#before.fire(event, { judged: judged.before, inherited });
    const sides = {
      now: worldSide(now, this.#now.judge),
      before: before === null ? recordedSide(event) : worldSide(before, this.#before.judge),
    };
    const isBeforeComplete = before !== null || isComplete(event);
    const changes = changesOf({
      ...sides,
      before: await this.#withPrompts(event, sides, judged.before),
      isBeforeComplete,
    });
    const was = before?.judged ?? judged.before ?? now.judged;
    return {
      event,
      changes: changes.map((change) => ({ ...change, why: this.#reason(event, change, { now: now.judged, was }) })),
      before: before === null ? recordedEnd(event, sides.before) : worldEnd(before),
      now: worldEnd(now),
    };
  }

  /** What the Hooks in force at that time would have asked, where that can be known and is worth a look. */
  async #withPrompts(
    event: EventRead,
    sides: { readonly before: Side; readonly now: Side },
    judged: Judged | null,
  ): Promise<Side> {
    const isAsked = this.#options.baseline === null && !this.#isSame && sides.before.size > 0;
    if (!isAsked || ![...sides.before.values()].some(({ state }) => state !== 'silent')) return sides.before;
    const { judge } = this.#before;
    let own = judged ?? (await judge.alone(event));
    if (own.firings.some(({ isOwn }) => !isOwn)) own = await judge.alone(event);
    const asked = worldSide(
      { judged: own, firings: own.firings.map(({ firing }) => ({ firing, decision: { kind: 'sent' } })) },
      judge,
    );
    return new Map(
      [...sides.before].map(([key, view]) => {
        const { prompt = null, problem = null } = asked.get(sideKey(view)) ?? {};
        return [key, { ...view, prompt, problem }];
      }),
    );
  }

  #reason(
    event: EventRead,
    { kind, hook, now, before }: Change,
    judged: { readonly now: Judged; readonly was: Judged },
  ): string {
    if (this.#why === null || kind === 'same' || kind === 'changed') return '';
    if (kind === 'gone') return now === null ? this.#why.now.say(event, hook, judged.now) : `duplicate ${now.detail}`;
    return before === null ? this.#why.before.say(event, hook, judged.was) : `duplicate ${before.detail}`;
  }
}

/** All but its Hooks. */
export function rulesOf({
  mappings,
  plugins,
  controllerNamespace,
  maxPromptLength,
}: ConfigRead): Omit<GivenRules, 'hooks'> {
  const pluginNamespaces = Object.fromEntries(
    Object.entries(plugins).map(([name, { namespaces }]) => [name, namespaces]),
  );
  return { mappings, pluginNamespaces, controllerNamespace, maxPromptLength };
}

function withoutOrigins({ hooks, mappings, ...rules }: GivenRules): unknown {
  return {
    ...rules,
    mappings: mappings.map(({ description, ...mapping }) => mapping),
    hooks: hooks.map(({ origin, ...hook }) => hook),
  };
}

function recordedEnd({ outcome }: EventRead, side: Side): string {
  const states = [...side.values()].map(({ state }) => state);
  const isDone = outcome === 'delivered' || outcome === 'dead_lettered';
  if (isDone || states.some((state) => state !== 'silent')) return 'fires';
  return outcome ?? 'in flight';
}

function worldEnd({ judged, firings }: WorldEvent): string {
  if (firings.some(({ decision }) => decision.kind !== 'duplicate')) return 'fires';
  return firings.length > 0 ? 'duplicate' : judged.verdict;
}
