/**
 * Judges recorded events by given rules: the matcher of the host, in its own thread. Many at a time, as a host does; then an event that
 * repeats another has its firing and its prompt, and is judged again alone when it must have its own.
 */

import { type Clock, systemClock } from '../../ipc/clock.ts';
import { FrameBuilder } from '../../ipc/frame.ts';
import { Matcher } from '../match/pool.ts';
import type { Rules } from '../match/rules.ts';
import type { TemplateProblem } from '../match/template-check.ts';
import { type Firing, type FrameVerdict, type Verdict, verdictAt } from '../match/verdict.ts';
import type { EventRead } from './recording-line.ts';

export type GivenRules = Omit<Rules, 'version'>;

export interface JudgedFiring {
  readonly firing: Firing;
  /** Its prompt was made from this event, not from the one that it repeats. */
  readonly isOwn: boolean;
}

export interface Judged {
  readonly verdict: Verdict;
  readonly causes: readonly string[];
  /** In the order of the Hooks. */
  readonly firings: readonly JudgedFiring[];
}

export interface JudgeOptions {
  /** Whose wall time stands in prompts where an event has none. */
  readonly clock: Clock;
  readonly frameTimeoutMs: number;
}

/** Types by plugin, as their manifests declare them. */
export type DeclaredTypes = ReadonlyMap<string, ReadonlySet<string>>;

export class Judge implements AsyncDisposable {
  readonly #options: JudgeOptions;
  /** Made when the first event comes: a judge that is never asked needs no thread. */
  #matcher: Matcher | null = null;
  #rules: GivenRules | null = null;
  #declared: DeclaredTypes = new Map();
  #places: ReadonlyMap<string, number> = new Map();
  /** Prompts that are no templates. */
  #broken: readonly TemplateProblem[] = [];

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  setRules(rules: GivenRules, declared: DeclaredTypes): void {
    this.#rules = rules;
    this.#broken = this.#matcher?.setRules(rules) ?? [];
    this.#declared = declared;
    this.#places = new Map(rules.hooks.map(({ namespace, name }, place) => [`${namespace}/${name}`, place]));
  }

  /** null for an event that cannot share a frame with others. Rejects with HOST_ERR_MATCH. */
  async together(events: readonly EventRead[]): Promise<(Judged | null)[]> {
    const judged = new Map<EventRead, Judged>();
    const frames = Map.groupBy(events.filter(canShare), (event) => JSON.stringify([event.source, isRefused(event)]));
    await Promise.all(
      [...frames.values()].flatMap(framesOf).map(async (frame) => {
        for (const [event, one] of await this.#judge(frame)) judged.set(event, one);
      }),
    );
    return events.map((event) => judged.get(event) ?? null);
  }

  /** Rejects with HOST_ERR_MATCH. */
  async alone(event: EventRead): Promise<Judged> {
    const judged = (await this.#judge([event])).get(event);
    if (judged === undefined) throw new Error('a frame of one event has no verdict');
    return judged;
  }

  /** Why the prompt of a firing is the raw text of its Hook; null: it is not. */
  problemOf({ hook, configuration }: Firing, { causes }: Judged): string | null {
    const broken = this.#broken.find((each) => each.hook === hook && each.configuration === configuration);
    if (broken !== undefined) return broken.problem;
    const words = `the prompt of Hook ${hook}, configuration ${configuration}, went out as its raw text: `;
    return causes.find((text) => text.startsWith(words))?.slice(words.length) ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#matcher?.[Symbol.asyncDispose]();
  }

  get #opened(): Matcher {
    if (this.#matcher !== null) return this.#matcher;
    const { clock, frameTimeoutMs } = this.#options;
    const matcher = new Matcher({ threads: 1, frameTimeoutMs, clock: { ...systemClock, wall: () => clock.wall() } });
    if (this.#rules !== null) this.#broken = matcher.setRules(this.#rules);
    this.#matcher = matcher;
    return matcher;
  }

  async #judge(events: readonly EventRead[]): Promise<ReadonlyMap<EventRead, Judged>> {
    const [first] = events;
    if (first === undefined) return new Map();
    const builder = new FrameBuilder();
    for (const { type, line } of events) builder.add(type, line);
    const frame = builder.cut(0, 0);
    // Only an event that the host refused can have had a type that its plugin did not declare: people may send any.
    const declared = isRefused(first) ? this.#declared.get(first.source) : undefined;
    const verdict = await this.#opened.judge(first.source, declared ?? new Set(frame.types), frame);
    return this.#byEvent(events, verdict);
  }

  #byEvent(events: readonly EventRead[], verdict: FrameVerdict): ReadonlyMap<EventRead, Judged> {
    const firings: JudgedFiring[][] = events.map(() => []);
    for (const firing of verdict.firings) {
      firings[firing.index]?.push({ firing, isOwn: true });
      for (const index of firing.repeats) firings[index]?.push({ firing, isOwn: false });
    }
    const causes = Map.groupBy(verdict.causes, ({ index }) => index);
    return new Map(
      events.map((event, index) => [
        event,
        {
          verdict: verdictAt(verdict, index),
          causes: (causes.get(index) ?? []).map(({ text }) => text),
          firings: (firings[index] ?? []).sort((a, b) => this.#compare(a.firing, b.firing)),
        },
      ]),
    );
  }

  #compare(a: Firing, b: Firing): number {
    return (this.#places.get(a.hook) ?? 0) - (this.#places.get(b.hook) ?? 0) || a.configuration - b.configuration;
  }
}

/** One without a time has that of its judging, and a line that is several lines would be counted as several events. */
function canShare({ hasTimestamp, line }: EventRead): boolean {
  return hasTimestamp && !line.includes('\n');
}

function isRefused({ outcome }: EventRead): boolean {
  return outcome === 'invalid';
}

/** As many to a frame as a plugin may put there. */
function framesOf(events: readonly EventRead[]): EventRead[][] {
  const frames: EventRead[][] = [];
  let builder: FrameBuilder | null = null;
  for (const event of events) {
    if (builder === null || builder.isFull) {
      builder = new FrameBuilder();
      frames.push([]);
    }
    builder.add(event.type, event.line);
    frames.at(-1)?.push(event);
  }
  return frames;
}
