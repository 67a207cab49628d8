/**
 * The life of one plugin. One supervisor per plugin name, alive from the first sight of the plugin until its bundle is gone.
 *
 *   disabled · blocked(grants | connection)
 *   idle ─start─▶ starting ─ready─▶ running ─stop─▶ draining ─done─▶ stopped
 *                    │ failed start     │ crash · exited · out of memory · unhealthy · …
 *                    ▼                  ▼
 *                backing-off ◀──────────┘          failed: bad configuration at once, or a crash loop
 *                    └─ delay elapsed ─▶ starting          left by a new plan, an operator, or one try after the quarantine
 *
 * starting     entered with a new generation; leaves when `start` resolved (running), or with an exit (backing-off, failed).
 * running      leaves when the vessel exits, when the health check fails three times in a row, or when it is told to stop.
 * backing-off  holds no vessel; a timer leads to starting. A new plan or an operator may lead there sooner.
 * draining     the stop ladder of generation.ts; exits that happen meanwhile are part of it and count as nothing.
 * failed       holds no vessel; after a crash loop a timer leads to one half-open try (restart-policy.ts).
 *
 * Only `#transition` assigns the state. Whoever waits (a timer, a promise of a generation) remembers the generation it belongs to
 * and does nothing when another one is current. Commands run one after the other, in the order they were given.
 */

import type { Timer } from '../../ipc/clock.ts';
import type { KubernetesConnection } from '../../ipc/control.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import type { Emitter } from '../base/emitter.ts';
import { isSamePlan, type PluginPlan, type PluginSpec } from '../config/plugin-plan.ts';
import { formatProblem } from '../config/problem.ts';
import type { Exit } from '../sandbox/exit.ts';
import type { Vessel } from '../sandbox/vessel.ts';
import type { SupervisionEvents } from './events.ts';
import { Generation, type GenerationOptions } from './generation.ts';
import { healthVoice } from './health-voice.ts';
import { HealthWatch } from './health-watch.ts';
import { Remains } from './remains.ts';
import { type LastExit, RunHistory } from './run-history.ts';
import type { PluginState } from './state.ts';
import type { RefusedStep } from './unstopped.ts';
import { vesselVoice } from './vessel-voice.ts';

export interface SupervisorOptions extends Omit<GenerationOptions, 'spec' | 'generation' | 'idPrefix' | 'listener'> {
  readonly name: string;
  /** Distinguishes the event ids of this host process from those of earlier ones. */
  readonly run: string;
  readonly events: Emitter<SupervisionEvents>;
  readonly random: () => number;
  /** The last generation of a plugin of this name that was removed; 0 when there was none. */
  readonly lastGeneration: number;
}

export class Supervisor {
  readonly name: string;
  readonly #options: SupervisorOptions;
  #state: PluginState = { kind: 'idle' };
  #plan: PluginPlan | null = null;
  #current: Generation | null = null;
  #stopping: Generation | null = null;
  #generation: number;
  readonly #history = new RunHistory();
  readonly #remains: Remains;
  #commands: Promise<void> = Promise.resolve();
  /** The timer of the current state: back-off, quarantine. */
  #timer: Timer | null = null;
  #watch: HealthWatch | null = null;

  constructor(options: SupervisorOptions) {
    this.name = options.name;
    this.#options = options;
    this.#generation = options.lastGeneration;
    const { clock, events, name: plugin } = options;
    this.#remains = new Remains({ clock, onWait: (count) => events.emit('plugin:lingering', { plugin, count }) });
  }

  get state(): PluginState {
    return this.#state;
  }

  get plan(): PluginPlan | null {
    return this.#plan;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Of the generation that starts or runs, or null. */
  get vessel(): Vessel | null {
    return this.#current?.vessel ?? null;
  }

  /** Of the stop that is under way: what the plugin refused so far. */
  get refused(): readonly RefusedStep[] {
    return this.#stopping?.refused ?? [];
  }

  /** Why what it listens to cannot be reached, by its own word; null while it can, and while it does not run. */
  get staleness(): string | null {
    return this.#watch?.staleness ?? null;
  }

  get restarts(): Readonly<Record<string, number>> {
    return this.#history.restarts;
  }

  get lastExit(): LastExit | null {
    return this.#history.lastExit;
  }

  /** Carries out what the configuration says. Nothing happens when the plan is the one in force. */
  apply(plan: PluginPlan): Promise<void> {
    return this.#command(async () => {
      const previous = this.#plan;
      this.#plan = plan;
      if (previous !== null && isSamePlan(previous, plan)) return;
      await this.#stopCurrent(plan.kind === 'run' ? 'its bundle or configuration changed' : `it is ${plan.kind}`);
      this.#history.forgive();
      if (plan.kind === 'run') {
        this.#announce(plan.spec);
        // The boot is not part of the command: another command may interrupt a start that takes long.
        this.#start();
      } else this.#rest(plan);
    });
  }

  /** Stop what runs, forget the failures, start again. */
  restart(why = 'an operator restarts it'): Promise<void> {
    return this.#command(async () => {
      if (this.#plan?.kind !== 'run') return;
      await this.#stopCurrent(why);
      this.#history.forgive();
      this.#start();
    });
  }

  /** Resolves when nothing of the plugin runs any more. `withinMs` counts where it is less than the plugin's own grace period. */
  stop(why: string, withinMs?: number): Promise<void> {
    return this.#command(async () => {
      await this.#stopCurrent(why, withinMs);
      if (this.#state.kind !== 'stopped') this.#transition({ kind: 'stopped' });
      this.#plan = null;
    });
  }

  setDebug(enabled: boolean): void {
    this.#current?.vessel.control.call('setDebug', { deadlineMs: 5_000, args: [enabled] }).catch(() => undefined);
  }

  /** New credentials. Another server needs another run: where a plugin may connect to is settled at its birth. */
  reconnect(connection: KubernetesConnection): void {
    if (this.#current?.reconnect(connection) === false) void this.restart('the API server has another address');
  }

  #command(action: () => Promise<void>): Promise<void> {
    const done = this.#commands.then(action);
    this.#commands = done.catch(() => undefined);
    return done;
  }

  #announce(spec: PluginSpec): void {
    const { name: plugin, version, eventTypes, isolation, debug } = spec;
    this.#options.events.emit('plugin:registered', { plugin, version, eventTypes, isolation, debug });
  }

  #rest(plan: Exclude<PluginPlan, { kind: 'run' }>): void {
    const { events } = this.#options;
    if (plan.kind === 'disabled') {
      this.#transition({ kind: 'disabled' });
      events.emit('plugin:disabled', { plugin: this.name });
    } else if (plan.kind === 'blocked') {
      const { why, reason, remedy } = plan;
      this.#transition({ kind: 'blocked', why, reason, remedy });
      events.emit('plugin:blocked', { plugin: this.name, why, reason, remedy });
    } else {
      const detail = plan.problems.map(formatProblem).join('\n');
      this.#fail({ reason: 'bad_config', detail, stack: '', code: plan.problems[0]?.code ?? '' }, null);
    }
  }

  #start(): void {
    if (this.#plan?.kind !== 'run') return;
    const { spec } = this.#plan;
    const { clock, events } = this.#options;
    this.#generation += 1;
    const generation = this.#generation;
    const since = clock.wall();
    const startedAt = clock.now();
    this.#transition({ kind: 'starting', generation, since });
    events.emit('plugin:starting', { plugin: this.name, generation });
    const idPrefix = this.#idPrefix;
    let current: Generation;
    try {
      current = new Generation({ ...this.#options, spec, generation, idPrefix, listener: this.#listener(generation) });
    } catch (error) {
      const code = codeOf(error) || 'PLUGIN_ERR_LOAD';
      this.#ended({ reason: 'failed_start', detail: messageOf(error), stack: '', code }, null);
      return;
    }
    this.#current = current;
    void current.boot().then((failure) => {
      if (this.#current !== current || this.#state.kind !== 'starting') return;
      // It may also have ended since its start was answered.
      const exit = failure ?? current.exited;
      if (exit !== null) {
        this.#current = null;
        this.#ended(exit, current);
        return;
      }
      this.#transition({ kind: 'running', generation, since: clock.wall() });
      events.emit('plugin:ready', { plugin: this.name, generation, bootMs: clock.now() - startedAt });
      this.#watchOver(current);
    });
  }

  /** What the ids of the present generation's events begin with. */
  get #idPrefix(): string {
    return `${this.name}-${this.#options.run}-${this.#generation.toString(36)}`;
  }

  #listener(generation: number): ReturnType<typeof vesselVoice> {
    const isLatest = (): boolean => this.#generation === generation;
    return vesselVoice({
      ...{ plugin: this.name, generation, events: this.#options.events, isLatest },
      exit: (exit) => {
        // A start that failed is reported by boot(), a stop by #stopCurrent(): only the end of a running one is news.
        if (this.#state.kind !== 'running' || this.#state.generation !== generation) return;
        const current = this.#current;
        this.#current = null;
        this.#ended(exit, current);
      },
    });
  }

  /** A generation ended that nobody asked to end; null when it could not even be opened. */
  #ended(exit: Exit, ended: Generation | null): void {
    const { clock, events, random } = this.#options;
    const { uptimeMs = 0, ranMs = 0 } = ended ?? {};
    if (ended !== null) this.#remains.add(ended.vessel.gone);
    const vitalSigns = ended?.vessel.history ?? [];
    const decision = this.#history.add({ exit, at: clock.wall() }, { now: clock.now(), ranMs, random: random() });
    const about = { plugin: this.name, id: this.#idPrefix, generation: this.#generation };
    const isCrashLoop = decision.kind === 'quarantine';
    const nextStartMs = decision.kind === 'give_up' ? null : decision.delayMs;
    events.emit('plugin:crashed', { ...about, exit, nextStartMs, isCrashLoop, uptimeMs, vitalSigns });
    if (decision.kind === 'restart') {
      this.#transition({ kind: 'backing-off', until: clock.wall() + decision.delayMs, lastExit: exit });
      this.#startAfter(decision.delayMs);
    } else {
      this.#fail(exit, nextStartMs);
    }
  }

  #fail(exit: Exit, retryMs: number | null): void {
    const { clock, events } = this.#options;
    const retryAt = retryMs === null ? null : clock.wall() + retryMs;
    this.#transition({ kind: 'failed', lastExit: exit, retryAt });
    events.emit('plugin:failed', { plugin: this.name, exit, retryMs });
    if (retryMs !== null) this.#startAfter(retryMs);
  }

  #startAfter(ms: number): void {
    const seen = this.#state;
    const start = (): Promise<void> =>
      this.#command(async () => {
        if (this.#state === seen) this.#start();
      });
    this.#timer = this.#options.clock.after(ms, () => void this.#remains.cleared().then(start));
  }

  async #stopCurrent(why: string, withinMs?: number): Promise<void> {
    const current = this.#current;
    if (current === null) {
      this.#timer?.cancel();
      return;
    }
    this.#transition({ kind: 'draining', generation: current.number, since: this.#options.clock.wall(), why });
    this.#current = null;
    this.#stopping = current;
    const refused = await current.stop(withinMs);
    this.#stopping = null;
    this.#transition({ kind: 'stopped' });
    const about = { plugin: this.name, generation: current.number };
    this.#options.events.emit('plugin:stopped', { ...about, why, forced: refused.length > 0, refused });
  }

  #watchOver(current: Generation): void {
    const { clock, events } = this.#options;
    const isCurrent = (): boolean => this.#current === current && this.#state.kind === 'running';
    const tell = healthVoice({ plugin: this.name, generation: current.number, events, isCurrent });
    this.#watch = new HealthWatch({ clock, generation: current, tell });
  }

  #transition(to: PluginState): void {
    const from = this.#state;
    this.#timer?.cancel();
    this.#timer = null;
    this.#watch?.stop();
    this.#watch = null;
    this.#state = to;
    this.#options.events.emit('plugin:state', { plugin: this.name, from, to });
  }
}
