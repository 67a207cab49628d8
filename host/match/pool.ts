/**
 * The matcher as the host sees it: frames in, verdicts out. Runs on the host thread, which never reads a line; the lines are
 * read by pool threads, under a watch. The only file that knows Piscina.
 */

import { findPackageJSON } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import type { Clock } from '../../ipc/clock.ts';
import type { Frame } from '../../ipc/frame.ts';
import { Emitter, type Listener, type Subscribable } from '../base/emitter.ts';
import { HostError } from '../base/errors.ts';
import { type AttemptOutcome, attempt, newCell } from './attempt.ts';
import type { MatchEvents } from './events.ts';
import { FilterCheck, type FilterProblem } from './filter-check.ts';
import { FrameTrial, type TrialTask } from './frame-trial.ts';
import { MatchReporter } from './match-reporter.ts';
import { MappingIndex, type Rules } from './rules.ts';
import {
  type DescribeTask,
  type JudgeAnswer,
  type JudgedPart,
  type JudgeTask,
  type LineSummary,
  NOT_STARTED,
  POSITION_WORD,
  type PoolTask,
  type TranscribeTask,
} from './task-message.ts';
import { TemplateCheck, type TemplateProblem } from './template-check.ts';
import { Turnstile } from './turnstile.ts';
import { settledCauses, settledCodes, settleFrame, settleType } from './type-settlement.ts';
import type { FrameVerdict } from './verdict.ts';

export interface MatcherOptions {
  readonly threads: number;
  /** How long one event may take, and how long a thread works on a frame before others have their turn. */
  readonly frameTimeoutMs: number;
  readonly clock: Clock;
  /** How long a thread may take to be born or to compile rules. Default 10 s. */
  readonly startTimeoutMs?: number;
  /** JavaScript heap of a pool thread. Default 512. */
  readonly memoryMb?: number;
}

const MAX_WAITING = 1_024;
const TASK_FILE = new URL('./task.ts', import.meta.url);
/** What a pool thread must be able to read: its own code, and nothing else. */
const READABLE = ['.', '../base', '../config', '../../ipc'].map((folder) => new URL(`${folder}/`, import.meta.url));
const LIBRARIES = ['piscina', '@marcbachmann/cel-js', 're2js'].map((name) => new URL('.', manifestOf(name)));

export class Matcher implements Subscribable<MatchEvents>, AsyncDisposable {
  readonly #options: Required<MatcherOptions>;
  readonly #emitter = new Emitter<MatchEvents>();
  readonly #reporter = new MatchReporter(this.#emitter);
  readonly #templates = new TemplateCheck();
  readonly #filters = new FilterCheck();
  #filterProblems: readonly FilterProblem[] = [];
  readonly #pool: Piscina;
  readonly #turnstile: Turnstile;
  /** Cells of tries that ended well. */
  readonly #cells: Int32Array[] = [];
  #rules: Rules;
  /** JSON of the rules, made when a thread asks for the first time. */
  #rulesText: string | null = null;
  #mappings = new MappingIndex([]);
  #isClosed = false;

  constructor(options: MatcherOptions) {
    this.#options = { startTimeoutMs: 10_000, memoryMb: 512, ...options };
    this.#turnstile = new Turnstile(options.threads, MAX_WAITING);
    this.#rules = NO_RULES;
    this.#pool = new Piscina({
      filename: fileURLToPath(TASK_FILE),
      name: 'judge',
      minThreads: options.threads,
      maxThreads: options.threads,
      maxQueue: options.threads,
      // A thread without work sleeps in a futex: no CPU, and it wakes faster than an event loop does.
      atomics: 'sync',
      recordTiming: false,
      env: {},
      execArgv: [
        '--permission',
        '--no-warnings',
        '--no-addons',
        ...[...READABLE, ...LIBRARIES].map((folder) => `--allow-fs-read=${fileURLToPath(folder)}`),
      ],
      resourceLimits: { maxOldGenerationSizeMb: this.#options.memoryMb },
    });
    // A thread that dies between tasks: the pool has replaced it, and no event was in it.
    this.#pool.on('error', () => {});
  }

  on<Name extends keyof MatchEvents>(name: Name, listener: Listener<MatchEvents[Name]>): () => void {
    return this.#emitter.on(name, listener);
  }

  /**
   * In force for every part of a frame that starts from now on. Returns the prompts that are no templates: their Hooks fire
   * with the raw text. `hook:template-broken` is said for those that were not broken before.
   */
  setRules(rules: Omit<Rules, 'version'>): readonly TemplateProblem[] {
    this.#rules = { ...rules, version: this.#rules.version + 1 };
    this.#rulesText = null;
    this.#mappings = new MappingIndex(rules.mappings);
    const { problems, fresh } = this.#templates.check(rules.hooks);
    for (const problem of fresh) this.#emitter.emit('hook:template-broken', problem);
    const filters = this.#filters.check(rules.hooks);
    this.#filterProblems = filters.problems;
    this.#reporter.forgetFilters();
    for (const problem of filters.fresh) this.#emitter.emit('hook:filter-broken', problem);
    this.#emitter.emit('rules:changed', this.#rules);
    return problems;
  }

  /** The filters of the rules in force that are no CEL expressions: their Hooks match nothing. */
  get filterProblems(): readonly FilterProblem[] {
    return this.#filterProblems;
  }

  /**
   * One verdict per event. Rejects with HOST_ERR_MATCH when the pool cannot work at all, with HOST_ERR_STOPPING when it is
   * being closed; an event that breaks the pool does not reject, it is `invalid`.
   */
  async judge(plugin: string, declaredTypes: ReadonlySet<string>, frame: Frame): Promise<FrameVerdict> {
    const mappings = this.#mappings;
    const settlements = frame.types.map((type) => settleType(type, { plugin, declaredTypes, mappings }));
    this.#reporter.types(plugin, frame.types, settlements);
    const isForThePool = settlements.some((settlement) => settlement.kind === 'mapped');
    if (isForThePool) return this.#inPool(plugin, frame, settledCodes(settlements), settledCauses(frame, settlements));
    const verdict = settleFrame(frame, settlements);
    this.#reporter.invalid(plugin, frame, verdict);
    return verdict;
  }

  /** What the mapping in force makes of a type; null when there is none. */
  internalType(plugin: string, type: string): string | null {
    return this.#mappings.find(plugin, type)?.internalType ?? null;
  }

  /** What a trail shows of the lines at `indices` of a frame's text. Rejects with HOST_ERR_MATCH. */
  async describe(lines: string, indices: readonly number[]): Promise<LineSummary[]> {
    return this.#read('describe', (cell): DescribeTask => ({ kind: 'describe', cell, lines, indices }));
  }

  /** Events of a frame as a recording has them. Rejects with HOST_ERR_MATCH. */
  async transcribe(frame: Frame, indices: readonly number[], isRaw: boolean): Promise<string[]> {
    const { lines, count } = frame;
    return this.#read('transcribe', (cell): TranscribeTask => {
      return { kind: 'transcribe', cell, lines, count, indices, isRaw };
    });
  }

  /** What events are judged by. */
  get rules(): Rules {
    return this.#rules;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#turnstile.close();
    await this.#pool.destroy();
  }

  async #inPool(plugin: string, frame: Frame, settled: string, causes: FrameVerdict['causes']): Promise<FrameVerdict> {
    const { frameTimeoutMs, clock } = this.#options;
    const trial = new FrameTrial({ count: frame.count, frameTimeoutMs, causes });
    const receivedAt = clock.wall();
    for (let next = trial.next(); next !== null; next = trial.next()) {
      const outcome = await this.#judgePart(next, { plugin, frame, settled, receivedAt });
      const poison = trial.take(outcome);
      if (poison !== null) this.#reporter.poisonous(plugin, frame, poison);
      if (outcome.kind === 'answered') {
        this.#reporter.broken(outcome.answer.broken);
        this.#reporter.failed(outcome.answer.failedFilters);
      }
    }
    const verdict = trial.verdict();
    this.#reporter.invalid(plugin, frame, verdict, trial.poisonous);
    return verdict;
  }

  async #judgePart(
    part: TrialTask,
    of: { plugin: string; frame: Frame; settled: string; receivedAt: number },
  ): Promise<AttemptOutcome<JudgedPart>> {
    const { types, typeIndex, lines, count } = of.frame;
    const { plugin, settled, receivedAt } = of;
    const sliceMs = this.#options.frameTimeoutMs / 2;
    const task = (rules: string) => {
      return (cell: Int32Array): JudgeTask => {
        const rulesVersion = this.#rules.version;
        const about = { plugin, types, typeIndex, settled, lines, count, receivedAt, sliceMs };
        return { kind: 'judge', rulesVersion, rules, cell, ...about, ...part };
      };
    };
    const first = await this.#run<JudgeAnswer>('judge', task(''));
    const outcome = isRefused(first) ? await this.#run<JudgeAnswer>('judge', task(this.#rulesAsText())) : first;
    if (isRefused(outcome)) throw new HostError('HOST_ERR_MATCH', 'a pool thread asked for the rules twice');
    return outcome as AttemptOutcome<JudgedPart>;
  }

  async #read<Answer>(name: string, make: (cell: Int32Array) => DescribeTask | TranscribeTask): Promise<Answer> {
    const outcome = await this.#run<Answer>(name, make);
    if (outcome.kind === 'answered') return outcome.answer;
    const why = outcome.kind === 'died' ? outcome.error : 'it took too long';
    throw new HostError('HOST_ERR_MATCH', `the matcher pool could not read lines to ${name} them: ${why}`);
  }

  async #run<Answer>(name: string, make: (cell: Int32Array) => PoolTask): Promise<AttemptOutcome<Answer>> {
    return this.#turnstile.pass(async () => {
      const cell = this.#cells.pop() ?? newCell();
      Atomics.store(cell, POSITION_WORD, NOT_STARTED);
      const { clock, frameTimeoutMs, startTimeoutMs } = this.#options;
      const run = (signal: AbortSignal): Promise<Answer> => this.#pool.run(make(cell), { name, signal });
      const outcome = await attempt(cell, run, { clock, frameTimeoutMs, startTimeoutMs });
      if (this.#isClosed && outcome.kind !== 'answered') {
        throw new HostError('HOST_ERR_STOPPING', 'the matcher pool is stopping; the frame was not judged');
      }
      // After a kill the old thread may still write: its cell is let go.
      if (outcome.kind === 'answered') this.#cells.push(cell);
      return outcome;
    });
  }

  #rulesAsText(): string {
    this.#rulesText ??= JSON.stringify(this.#rules);
    return this.#rulesText;
  }
}

/** What a library's own files are resolved with, at its root. */
function manifestOf(library: string): URL {
  const path = findPackageJSON(library, import.meta.url);
  if (path === undefined) throw new HostError('HOST_ERR_MATCH', `the library ${library} is not installed; run npm ci`);
  return pathToFileURL(path);
}

function isRefused(outcome: AttemptOutcome<JudgeAnswer>): boolean {
  return outcome.kind === 'answered' && outcome.answer.kind === 'send-rules';
}

const NO_RULES: Rules = {
  version: 0,
  mappings: [],
  hooks: [],
  controllerNamespace: '',
  pluginNamespaces: {},
  maxPromptLength: 0,
};
