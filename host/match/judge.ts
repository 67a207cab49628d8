// Runs in a pool thread.
/** One verdict for each event of a frame, and the firings. Pure but for the cell: the same events give the same verdicts. */

import type { Clock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import { typeAt } from '../../ipc/frame.ts';
import { type DecodedEvent, decodeEvent } from './event.ts';
import { type PromptData, promptData, renderPrompt } from './prompt.ts';
import { type CompiledRules, dedupKey, type Match, type TypeRules } from './rules.ts';
import { type BrokenPrompt, FOR_THE_POOL, type JudgedPart, type JudgeTask, POSITION_WORD } from './task-message.ts';
import { type Cause, type Firing, VERDICTS } from './verdict.ts';

const INVALID = VERDICTS.indexOf('invalid');
const UNMATCHED = VERDICTS.indexOf('unmatched');
const FIRES = VERDICTS.indexOf('fires');
/** A part is handed back when its prompts reach this many characters: one answer must not fill the host's memory. */
const MAX_PROMPT_CHARACTERS = 4 * 1024 * 1024;
/** Suspended Hooks that a cause names. */
const MAX_NAMED = 3;
const MAX_BROKEN = 16;

/** A firing that may still gain repeats. */
type FreshFiring = Firing & { readonly repeats: number[] };

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
    return { kind: 'judged', upTo: index, verdicts, causes: this.#causes, firings, broken: this.#broken };
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
    let data: PromptData | null = null;
    const namespace = event.namespace ?? '';
    const repeated: number[][] = [];
    const fresh: FreshFiring[] = [];
    for (const match of awake) {
      const key = dedupKey(match, namespace, event.resourceName);
      const earlier = this.#firings.get(key);
      if (earlier !== undefined) {
        repeated.push(earlier.repeats);
        continue;
      }
      data ??= this.#promptData(index, event, to.type);
      fresh.push(this.#firing(index, event, { type: to.type, match, data, key }));
    }
    // Nothing above may leave half of an event behind when it throws.
    for (const repeats of repeated) repeats.push(index);
    for (const firing of fresh) this.#firings.set(firing.dedupKey, firing);
    return FIRES;
  }

  #promptData(index: number, event: DecodedEvent, type: TypeRules): PromptData {
    const { plugin, receivedAt } = this.#task;
    return promptData(event, { source: plugin, type: typeAt(this.#task, index), mapping: type.mapping, receivedAt });
  }

  #firing(
    index: number,
    event: DecodedEvent,
    by: { type: TypeRules; match: Match; data: PromptData; key: string },
  ): FreshFiring {
    const { hook, configuration, eventType, agent, prompt } = by.match.candidate;
    const rendered = renderPrompt(prompt(), by.data, { eventType, maxLength: this.#rules.maxPromptLength });
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
    };
  }

  #verdict(verdict: number, index: number, text: string): number {
    this.#causes.push({ index, text });
    return verdict;
  }
}

function suspendedCause(matches: readonly Match[]): string {
  const hooks = [...new Set(matches.map((match) => match.candidate.hook))];
  const more = hooks.length > MAX_NAMED ? ` and ${hooks.length - MAX_NAMED} more` : '';
  const named = `${hooks.slice(0, MAX_NAMED).join(', ')}${more}`;
  return hooks.length === 1 ? `Hook ${named} is suspended` : `Hooks ${named} are suspended`;
}
