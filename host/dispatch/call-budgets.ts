/**
 * The budgets of all Hooks that have one. A delivery within its Hook's budget runs by itself; what is over is held and goes out with a
 * digest, one for each agent, when the hour is over. Counted in memory: a restart of khook begins a new hour.
 */

import type { Clock, Timer } from '../../ipc/clock.ts';
import type { Emitter } from '../base/emitter.ts';
import { agentId } from './agent-client.ts';
import { afterDigest, BUDGET_WINDOW_MS, type BudgetWindow, decideCall, MAX_HELD } from './call-budget.ts';
import type { Delivery } from './delivery.ts';
import { digestPrompt } from './digest.ts';
import type { DispatchEvents } from './events.ts';
import { HeldRun, type Run } from './held-run.ts';

export interface CallBudgetsOptions {
  readonly clock: Clock;
  readonly events: Emitter<DispatchEvents>;
  /** The way of a delivery that goes out now. */
  readonly open: (delivery: Delivery) => Run;
}

interface HookBudget {
  window: BudgetWindow | null;
  readonly held: Set<HeldRun>;
  timer: Timer | null;
}

/** Hooks remembered; one that is idle for an hour is forgotten when there are more. */
const MAX_HOOKS = 20_000;

export class CallBudgets {
  readonly #options: CallBudgetsOptions;
  readonly #hooks = new Map<string, HookBudget>();

  constructor(options: CallBudgetsOptions) {
    this.#options = options;
  }

  runOf(delivery: Delivery): Run {
    const { hook, callsPerHour } = delivery.firing;
    if (callsPerHour === undefined) return this.#options.open(delivery);
    const budget = this.#of(hook);
    const now = this.#options.clock.now();
    const leftMs = this.#leftMs(budget);
    const used = leftMs === 0 ? { calls: 0, forMs: null } : { calls: budget.window?.calls ?? 0, forMs: leftMs };
    this.#options.events.emit('firing:budgeted', { delivery, callsPerHour, ...used });
    // What an earlier life has begun to send is not taken back.
    const held = delivery.state.kind === 'queued' ? budget.held.size : 0;
    const decision = decideCall(budget.window, { now, callsPerHour, held });
    if (decision.kind === 'call') budget.window = decision.window;
    if (decision.kind === 'call' || delivery.state.kind !== 'queued') return this.#options.open(delivery);
    return new HeldRun(delivery, {
      hold: (run) => this.#hold(budget, run, callsPerHour),
      forget: (run) => this.#forget(budget, run),
      dueInMs: () => this.#leftMs(budget),
    });
  }

  /** An hour of this Hook began at `startedAt`, and so many calls were made in it that were not counted here. */
  takeOver(hook: string, { startedAt, calls }: BudgetWindow): void {
    const budget = this.#of(hook);
    const running = this.#leftMs(budget) === 0 ? null : budget.window;
    budget.window =
      running === null
        ? { startedAt, calls }
        : { startedAt: Math.min(startedAt, running.startedAt), calls: calls + running.calls };
  }

  #hold(budget: HookBudget, run: HeldRun, callsPerHour: number): void {
    const { clock, events } = this.#options;
    const forMs = this.#leftMs(budget);
    budget.held.add(run);
    events.emit('firing:held', { delivery: run.delivery, callsPerHour, forMs });
    if (budget.held.size >= MAX_HELD) this.#flush(budget, callsPerHour);
    else budget.timer ??= clock.after(forMs, () => this.#flush(budget, callsPerHour));
  }

  #forget(budget: HookBudget, run: HeldRun): void {
    budget.held.delete(run);
    if (budget.held.size === 0) this.#disarm(budget);
  }

  #flush(budget: HookBudget, callsPerHour: number): void {
    this.#disarm(budget);
    const byAgent = Map.groupBy(budget.held, ({ delivery }) => agentId(delivery));
    budget.held.clear();
    budget.window = afterDigest(budget.window, this.#options.clock.now(), byAgent.size);
    for (const [agent, runs] of byAgent) this.#send(agent, runs, callsPerHour);
  }

  /** The newest leads: its age is what counts when a delivery is given up as too old. */
  #send(agent: string, runs: readonly HeldRun[], callsPerHour: number): void {
    const { events, open } = this.#options;
    const leader = runs.at(-1);
    if (leader === undefined) return;
    const { delivery } = leader;
    if (runs.length === 1) {
      void leader.lead(open(delivery));
      return;
    }
    const prompt = digestPrompt(
      runs.map((run) => run.delivery.firing),
      callsPerHour,
    );
    const { messageId, firing } = delivery;
    events.emit('digest:sent', { hook: firing.hook, agent, messageId, firings: runs.length });
    const end = leader.lead(open({ ...delivery, firing: { ...firing, prompt } }));
    for (const run of runs.slice(0, -1)) {
      events.emit('firing:digested', { delivery: run.delivery, messageId, firings: runs.length });
      void run.follow(end);
    }
  }

  #leftMs({ window }: HookBudget): number {
    return window === null ? 0 : Math.max(0, window.startedAt + BUDGET_WINDOW_MS - this.#options.clock.now());
  }

  #disarm(budget: HookBudget): void {
    budget.timer?.cancel();
    budget.timer = null;
  }

  #of(hook: string): HookBudget {
    let budget = this.#hooks.get(hook);
    if (budget === undefined) {
      if (this.#hooks.size >= MAX_HOOKS) this.#sweep();
      budget = { window: null, held: new Set(), timer: null };
      this.#hooks.set(hook, budget);
    }
    return budget;
  }

  #sweep(): void {
    for (const [hook, budget] of this.#hooks)
      if (budget.held.size === 0 && this.#leftMs(budget) === 0) this.#hooks.delete(hook);
  }
}
