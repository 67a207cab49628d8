/** The supervisor under random commands, crashes and slowness: what must hold at every moment, whatever happens. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { PluginPlan } from '../../../host/config/plugin-plan.ts';
import { EXIT_REASONS } from '../../../host/sandbox/exit.ts';
import type { PluginStateKind } from '../../../host/supervision/state.ts';
import { frameOf } from '../../support/frames.ts';
import { type Answer, crashOf, NEVER, OK, type Script } from '../../support/scripted-vessel.ts';
import { BLOCKED, DISABLED, INVALID, runPlan, SupervisionBench } from './supervision-bench.ts';

const RESTING: readonly PluginStateKind[] = ['disabled', 'blocked', 'failed'];
/** From which state which may follow; whatever holds no vessel may be told to stop or to follow another plan. */
const MOVES: Readonly<Record<PluginStateKind, readonly PluginStateKind[]>> = {
  idle: ['starting', 'stopped', ...RESTING],
  disabled: ['starting', 'stopped', ...RESTING],
  blocked: ['starting', 'stopped', ...RESTING],
  starting: ['running', 'backing-off', 'failed', 'draining'],
  running: ['backing-off', 'failed', 'draining'],
  'backing-off': ['starting', 'stopped', ...RESTING],
  draining: ['stopped'],
  stopped: ['starting', ...RESTING],
  failed: ['starting', 'stopped', ...RESTING],
};

type Command =
  | { readonly do: 'apply'; readonly plan: PluginPlan }
  | { readonly do: 'restart' | 'stop' | 'crash' | 'late exit' | 'bad frame' | 'cannot open' | 'stale frame' }
  | { readonly do: 'script'; readonly script: Script; readonly isLive: boolean }
  | { readonly do: 'pass'; readonly ms: number };

const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Answer>(OK) },
  { weight: 2, arbitrary: fc.constantFrom(1, 300, 700, 6_000).map((afterMs): Answer => ({ kind: 'ok', afterMs })) },
  { weight: 1, arbitrary: fc.constant<Answer>(NEVER) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('PLUGIN_ERR_THROWN', 'PLUGIN_ERR_CONFIG')
      .map((code): Answer => ({ kind: 'error', code, message: 'm' })),
  },
  { weight: 1, arbitrary: fc.constant<Answer>({ kind: 'ok', value: false }) },
);
const script: fc.Arbitrary<Script> = fc.record(
  {
    initialize: answer,
    start: answer,
    drain: answer,
    stop: answer,
    healthCheck: answer,
    terminateMs: fc.constantFrom(0, 0, 50),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const plan = fc.constantFrom(runPlan('A'), runPlan('A'), runPlan('B'), runPlan('B'), DISABLED, BLOCKED, INVALID);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: plan.map((plan): Command => ({ do: 'apply', plan })) },
  {
    weight: 5,
    arbitrary: fc.constantFrom(0, 1, 100, 600, 2_000, 31_000, 310_000).map((ms): Command => ({ do: 'pass', ms })),
  },
  {
    weight: 3,
    arbitrary: fc.record({ script, isLive: fc.boolean() }).map((given): Command => ({ do: 'script', ...given })),
  },
  { weight: 3, arbitrary: fc.constant<Command>({ do: 'crash' }) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('restart' as const, 'stop', 'late exit', 'bad frame', 'cannot open', 'stale frame')
      .map((name): Command => ({ do: name })),
  },
);

class Model {
  readonly bench = new SupervisionBench();
  #seenStates = 0;
  #generation = 0;
  readonly commands: Promise<void>[] = [];

  carryOut(command: Command): void {
    const { supervisor, harbour } = this.bench;
    const [alive] = harbour.alive;
    if (command.do === 'apply') this.commands.push(supervisor.apply(command.plan));
    else if (command.do === 'restart') this.commands.push(supervisor.restart());
    else if (command.do === 'stop') this.commands.push(supervisor.stop('told to'));
    else if (command.do === 'crash') alive?.crash();
    else if (command.do === 'cannot open') harbour.failure = new Error('no more threads');
    else if (command.do === 'script') {
      harbour.script = command.script;
      if (command.isLive && alive !== undefined) alive.script = command.script;
    } else if (command.do === 'bad frame') {
      this.bench.frameFault = 'what it should not have';
      alive?.request.listener.frame(frameOf(1));
      this.bench.frameFault = null;
    } else this.#disturb(command.do === 'late exit');
  }

  /** An old generation speaks up; nothing may change. */
  #disturb(withExit: boolean): void {
    const old = this.bench.harbour.vessels.findLast((vessel) => !vessel.isAlive);
    const before = this.bench.supervisor.state;
    if (withExit) old?.request.listener.exit(crashOf('long ago'));
    else old?.request.listener.frame(frameOf(1));
    assert.equal(this.bench.supervisor.state, before, 'an old generation changed the state');
  }

  check(): void {
    const { supervisor, harbour, states } = this.bench;
    const { state } = supervisor;
    assert.deepEqual(harbour.violations, []);
    const alive = harbour.alive;
    assert.ok(alive.length <= 1);
    const holdsVessel = state.kind === 'starting' || state.kind === 'running' || state.kind === 'draining';
    assert.equal(alive.length, holdsVessel ? 1 : 0, `${alive.length} vessels live in state ${state.kind}`);
    if (holdsVessel) assert.equal(alive[0]?.generation, state.generation);
    assert.ok(supervisor.generation >= this.#generation, 'a generation number fell');
    this.#generation = supervisor.generation;
    const generations = harbour.vessels.map(({ generation }) => generation);
    assert.deepEqual(
      generations,
      [...new Set(generations)].toSorted((a, b) => a - b),
    );
    for (const { from, to } of states.slice(this.#seenStates)) {
      assert.ok(MOVES[from.kind].includes(to.kind), `from ${from.kind} to ${to.kind}`);
    }
    for (let n = Math.max(1, this.#seenStates); n < states.length; n += 1)
      assert.equal(states[n]?.from, states[n - 1]?.to);
    this.#seenStates = states.length;
    for (const { asked } of harbour.vessels) {
      const boot = asked.filter((name) => ['initialize', 'credit', 'start'].includes(name));
      assert.deepEqual(boot, ['initialize', 'credit', 'start'].slice(0, boot.length));
      const stop = asked.findIndex((name) => name === 'drain' || name === 'stop');
      if (stop !== -1) assert.ok(!asked.slice(stop).includes('start'), 'started after it was told to stop');
      if (asked.includes('stop')) assert.ok(asked.indexOf('drain') < asked.indexOf('stop'));
    }
    for (const reason of Object.keys(supervisor.restarts)) assert.ok(EXIT_REASONS.some((known) => known === reason));
  }

  async end(): Promise<void> {
    const { bench } = this;
    const stopping = bench.supervisor.stop('the test is over');
    // Each command that still waits may have a whole stop ladder before it.
    await bench.pass(2_000 * (this.commands.length + 1));
    await Promise.all([...this.commands, stopping]);
    this.check();
    assert.deepEqual([bench.kind, bench.harbour.alive.length, bench.openInlets], ['stopped', 0, 0]);
    assert.equal(bench.clock.pending, 0, 'a timer outlived the stop');
    const before = bench.states.length;
    await bench.pass(1_000_000);
    assert.equal(bench.states.length, before);
  }
}

describe('supervisor model', () => {
  it('keeps its invariants under any sequence of commands, crashes and delays', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(command, fc.boolean()), { maxLength: 30 }), async (commands) => {
        const model = new Model();
        for (const [command, isAtOnce] of commands) {
          model.carryOut(command);
          if (command.do === 'pass') await model.bench.pass(command.ms);
          if (isAtOnce) continue;
          await model.bench.pass(0);
          model.check();
        }
        await model.end();
      }),
      { numRuns: 150 },
    );
  });
});
