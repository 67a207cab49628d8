// Runs in a pool thread.
/** One verdict for each event of a frame, and the firings. Pure but for the cell: the same events give the same verdicts. */

import type { Clock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import { typeAt } from '../../ipc/frame.ts';
import { redactText } from '../base/redact.ts';
import { type DecodedEvent, decodeEvent } from './event.ts';
import { Fence } from './fence.ts';
import { FilterEvent } from './filter-event.ts';
import { type PromptData, promptData, renderPrompt } from './prompt.ts';
import { type CompiledRules, dedupKey, type Match, type TypeRules } from './rules.ts';
import {
  type BrokenPrompt,
  type FailedFilter,
  FOR_THE_POOL,
  type JudgedPart,
  type JudgeTask,
  POSITION_WORD,
} from './task-message.ts';
import { type Cause, type Firing, VERDICTS } from './verdict.ts';
import { workloadOf } from './workload.ts';

const INVALID = VERDICTS.indexOf('invalid');
const UNMATCHED = VERDICTS.indexOf('unmatched');
const FILTERED = VERDICTS.indexOf('filtered');
const FIRES = VERDICTS.indexOf('fires');
/** A part is handed back when its prompts reach this many characters: one answer must not fill the host's memory. */
const MAX_PROMPT_CHARACTERS = 4 * 1024 * 1024;
/** Hooks that a cause names. */
const MAX_NAMED = 3;
const MAX_BROKEN = 16;
const MAX_FAILED = 16;

/** A firing that may still gain repeats. */
type FreshFiring = Firing & { readonly repeats: number[]; occurredAt: number };

export function judgeFrame(task: JudgeTask, rules: CompiledRules, clock: Clock): JudgedPart {
  return new FrameJudge(task, rules).run(clock);
}

class FrameJudge {
  readonly #task: JudgeTask;
  readonly #rules: CompiledRules;
  readonly #lines: readonly string[];
  readonly #types: readonly (TypeRules | undefined)[];
  readonly #causes: Cause[] = [];
  readonly #firings = new Map<string, FreshFiring>();
  readonly #broken: BrokenPrompt[] = [];
  readonly #failed: FailedFilter[] = [];
  #promptCharacters = 0;

  constructor(task: JudgeTask, rules: CompiledRules) {
    this.#task = task;
    this.#rules = rules;
    this.#lines = task.lines.split('\n');
    this.#types = task.types.map((type) => rules.type(task.plugin, type));
  }

  run(clock: Clock): JudgedPart {
    const { from, to, cell, sliceMs } = this.#task;
    const started = clock.now();
    let verdicts = '';
    let index = from;
    while (index < to) {
      Atomics.store(cell, POSITION_WORD, index);
      const verdict = this.#event(index);
      verdicts += String.fromCharCode(verdict);
      index += 1;
      // Only firings take long enough for the clock to be worth a look.
      if (verdict === FIRES && (clock.now() - started > sliceMs || this.#promptCharacters > MAX_PROMPT_CHARACTERS))
        break;
    }
    const firings = [...this.#firings.values()];
    const told = { causes: this.#causes, broken: this.#broken, failedFilters: this.#failed };
    return { kind: 'judged', upTo: index, verdicts, firings, ...told };
  }

  #event(index: number): number {
    const { typeIndex, settled, skip } = this.#task;
    if (skip.includes(index)) return INVALID;
    const position = typeIndex.charCodeAt(index);
    const verdict = settled.charCodeAt(position);
    if (verdict !== FOR_THE_POOL) return verdict;
    const type = this.#types[position];
    if (type === undefined) return VERDICTS.indexOf('unmapped');
    const fault = this.#countFault(index);
    if (fault !== null) return this.#verdict(INVALID, index, fault);
    const event = decodeEvent(this.#lines[index] ?? '');
    if (typeof event === 'string') return this.#verdict(INVALID, index, event);
    const matches = type.matches(event.namespace ?? '');
    if (matches.length === 0) return UNMATCHED;
    try {
      return this.#fire(index, event, { type, matches });
    } catch (error) {
      // A bug of ours must cost one event, not the frame.
      return this.#verdict(INVALID, index, `judging this event failed: ${messageOf(error)}`);
    }
  }

  /** A frame must have as many lines as it announced. Lines too many have no event of their own: the last one is blamed. */
  #countFault(index: number): string | null {
    const { count } = this.#task;
    const lines = this.#lines.length;
    if (index >= lines) return `its line is missing: the frame announced ${count} events and carried ${lines} lines`;
    if (index < count - 1 || lines <= count) return null;
    return `a line is one event: the frame announced ${count} events and carried ${lines} lines`;
  }

  #fire(index: number, event: DecodedEvent, to: { type: TypeRules; matches: readonly Match[] }): number {
    const awake = to.matches.filter((match) => !match.candidate.isSuspended);
    if (awake.length === 0) return this.#verdict(UNMATCHED, index, suspendedCause(to.matches));
    const { wanted, refusals } = this.#filtered(index, event, { type: to.type, matches: awake });
    if (wanted.length === 0) return this.#verdict(FILTERED, index, refusalCause(refusals));
    for (const { hook, problem } of refusals) {
      if (problem !== null)
        this.#verdict(FILTERED, index, `Hook ${hook} did not match, because its filter failed: ${problem}`);
    }
    let data: PromptData | null = null;
    let workload: string | null = null;
    const fence = new Fence(this.#lines[index] ?? '');
    const namespace = event.namespace ?? '';
    const repeated: FreshFiring[] = [];
    const fresh: FreshFiring[] = [];
    for (const match of wanted) {
      const isGrouped = match.candidate.groupBy === 'workload';
      if (isGrouped) workload ??= workloadOf(event);
      const key = dedupKey(match, namespace, isGrouped && workload !== null ? workload : event.resourceName);
      const earlier = this.#firings.get(key);
      if (earlier !== undefined) {
        repeated.push(earlier);
        continue;
      }
      data ??= this.#promptData(index, event, to.type);
      fresh.push(this.#firing(index, event, { type: to.type, match, data, key, fence }));
    }
    // Nothing above may leave half of an event behind when it throws.
    for (const earlier of repeated) {
      earlier.repeats.push(index);
      // What happened again after its window must not be silenced by an old event in front of it.
      earlier.occurredAt = Math.max(earlier.occurredAt, this.#occurredAt(event));
    }
    for (const firing of fresh) this.#firings.set(firing.dedupKey, firing);
    return FIRES;
  }

  /** A filter is asked once for an event, however many configurations its Hook has for it. */
  #filtered(
    index: number,
    event: DecodedEvent,
    { type, matches }: { type: TypeRules; matches: readonly Match[] },
  ): { readonly wanted: readonly Match[]; readonly refusals: readonly Refusal[] } {
    if (matches.every(({ candidate }) => candidate.filter === null)) return { wanted: matches, refusals: [] };
    const view = new FilterEvent(event, {
      source: this.#task.plugin,
      type: typeAt(this.#task, index),
      mapping: type.mapping,
      receivedAt: this.#task.receivedAt,
      size: this.#lines[index]?.length ?? 0,
    });
    const refusals = new Map<string, Refusal>();
    const wanted = matches.filter(({ candidate: { filter, hook } }) => {
      const answer = filter === null ? true : filter().evaluate(view);
      if (answer === true) return true;
      const problem = answer === false ? null : answer;
      // One that is broken from the start was told when the rules came.
      const isNew = problem !== null && filter?.().problem === null && !refusals.has(hook);
      if (isNew && this.#failed.length < MAX_FAILED) this.#failed.push({ hook, problem });
      refusals.set(hook, { hook, problem });
      return false;
    });
    return { wanted, refusals: [...refusals.values()] };
  }

  #promptData(index: number, event: DecodedEvent, type: TypeRules): PromptData {
    const { plugin, receivedAt } = this.#task;
    return promptData(event, { source: plugin, type: typeAt(this.#task, index), mapping: type.mapping, receivedAt });
  }

  #firing(
    index: number,
    event: DecodedEvent,
    by: { type: TypeRules; match: Match; data: PromptData; key: string; fence: Fence },
  ): FreshFiring {
    const { hook, configuration, eventType, agent, prompt, isFenced, limits } = by.match.candidate;
    const fence = isFenced ? by.fence : null;
    const rendered = renderPrompt(prompt(), by.data, { eventType, maxLength: this.#rules.maxPromptLength, fence });
    this.#promptCharacters += rendered.text.length;
    // A prompt that is no template at all was told when the rules came.
    if (rendered.problem !== null && prompt().problem === null) {
      const text = `the prompt of Hook ${hook}, configuration ${configuration}, went out as its raw text: ${rendered.problem}`;
      this.#causes.push({ index, text });
      if (this.#broken.length < MAX_BROKEN) this.#broken.push({ hook, configuration, problem: rendered.problem });
    }
    return {
      index,
      repeats: [],
      occurredAt: this.#occurredAt(event),
      hook,
      configuration,
      agent,
      prompt: rendered.text,
      dedupKey: by.key,
      source: this.#task.plugin,
      eventType,
      internalType: by.type.mapping.internalType,
      severity: by.type.mapping.severity,
      resourceName: event.resourceName,
      namespace: event.namespace ?? '',
      ...limits,
    };
  }

  #occurredAt({ timestamp }: DecodedEvent): number {
    return timestamp === undefined || timestamp === null ? this.#task.receivedAt : Date.parse(timestamp);
  }

  /** The words may quote the event. */
  #verdict(verdict: number, index: number, text: string): number {
    this.#causes.push({ index, text: redactText(text) });
    return verdict;
  }
}

function suspendedCause(matches: readonly Match[]): string {
  const hooks = [...new Set(matches.map((match) => match.candidate.hook))];
  return hooks.length === 1 ? `Hook ${named(hooks)} is suspended` : `Hooks ${named(hooks)} are suspended`;
}

/** Why a Hook that listens to an event does not fire for it: its filter says no, or failed. */
interface Refusal {
  readonly hook: string;
  readonly problem: string | null;
}

function refusalCause(refusals: readonly Refusal[]): string {
  const refused = refusals.flatMap(({ hook, problem }) => (problem === null ? [hook] : []));
  const failed = refusals.flatMap(({ hook, problem }) =>
    problem === null ? [] : [`that of ${hook} failed: ${problem}`],
  );
  const whose = refused.length === 1 ? 'the filter of Hook' : 'the filters of Hooks';
  const words = refused.length === 0 ? [] : [`refused by ${whose} ${named(refused)}`];
  const more = failed.length > MAX_NAMED ? [`${failed.length - MAX_NAMED} more failed`] : [];
  return [...(words.length === 0 ? ['refused by a filter'] : words), ...failed.slice(0, MAX_NAMED), ...more].join('; ');
}

function named(hooks: readonly string[]): string {
  const more = hooks.length > MAX_NAMED ? ` and ${hooks.length - MAX_NAMED} more` : '';
  return `${hooks.slice(0, MAX_NAMED).join(', ')}${more}`;
}
