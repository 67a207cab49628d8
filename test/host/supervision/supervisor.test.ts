import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SupervisionEvents } from '../../../host/supervision/events.ts';
import { PATIENCE_MS } from '../../../host/supervision/remains.ts';
import { CRASH_LOOP_SCORE, QUARANTINE_MS, STABLE_MS } from '../../../host/supervision/restart-policy.ts';
import { settle } from '../../support/fake-clock.ts';
import { frameOf } from '../../support/frames.ts';
import { crashOf, NEVER } from '../../support/scripted-vessel.ts';
import { BLOCKED, DISABLED, INVALID, running, runPlan, SupervisionBench, stopped } from './supervision-bench.ts';

describe('supervisor', () => {
  it('starts a plugin in the promised order, and stops it in the promised order', async () => {
    const bench = await running();
    await stopped(bench);
    assert.deepEqual(bench.harbour.last.asked, ['initialize', 'credit', 'start', 'drain', 'stop', 'terminate']);
    assert.deepEqual(bench.said, ['ready 1', 'stopped 1']);
    assert.deepEqual(
      bench.states.map(({ to }) => to.kind),
      ['starting', 'running', 'draining', 'stopped'],
    );
  });

  it('rests in the state of a plan that does not run', async () => {
    const bench = await running();
    for (const [plan, kind] of [
      [DISABLED, 'disabled'],
      [BLOCKED, 'blocked'],
      [INVALID, 'failed'],
    ] as const) {
      await bench.supervisor.apply(plan);
      assert.deepEqual([bench.kind, bench.harbour.alive.length, bench.clock.pending], [kind, 0, 0]);
      await bench.supervisor.apply(runPlan());
      await settle();
      assert.equal(bench.kind, 'running');
    }
    await stopped(bench);
  });

  it('leaves a plugin alone whose plan did not change, in whatever state it is', async () => {
    const bench = await running();
    await bench.supervisor.apply(runPlan());
    assert.equal(bench.harbour.vessels.length, 1);
    for (const plan of [DISABLED, BLOCKED, INVALID]) {
      await bench.supervisor.apply(plan);
      const before = bench.states.length;
      await bench.supervisor.apply(structuredClone(plan));
      assert.equal(bench.states.length, before);
    }
    await stopped(bench);
  });

  it('starts a successor only when its predecessor is gone', async () => {
    const bench = await running();
    bench.harbour.last.script = {
      drain: { kind: 'ok', afterMs: 100 },
      stop: { kind: 'ok', afterMs: 100 },
      terminateMs: 50,
    };
    const replaced = bench.supervisor.apply(runPlan('B'));
    await bench.pass(249);
    assert.deepEqual([bench.kind, bench.harbour.vessels.length], ['draining', 1]);
    await bench.pass(1);
    await replaced;
    await settle();
    assert.deepEqual([bench.supervisor.generation, bench.kind], [2, 'running']);
    assert.deepEqual(bench.said, ['ready 1', 'stopped 1', 'ready 2']);
    await stopped(bench);
  });

  it('waits with the next start for what its last run left behind, but not for ever', async () => {
    const bench = await running();
    bench.harbour.last.script = { lingers: true };
    bench.harbour.last.crash();
    await bench.pass(10_000);
    assert.deepEqual([bench.kind, bench.supervisor.generation], ['backing-off', 1]);
    assert.ok(bench.said.includes('lingering 1'));
    bench.harbour.vessels[0]?.leave();
    await settle();
    assert.deepEqual([bench.kind, bench.supervisor.generation], ['running', 2]);

    for (const generation of [2, 3]) {
      bench.harbour.last.script = { lingers: true };
      bench.harbour.last.crash();
      await bench.pass(PATIENCE_MS);
      assert.equal(bench.supervisor.generation, generation, 'it is still waited for');
      await bench.pass(PATIENCE_MS * (generation - 2) + 10_000);
      assert.deepEqual([bench.kind, bench.supervisor.generation], ['running', generation + 1]);
    }
    await stopped(bench);
  });

  it('does not start when it was told to stop while it waited for what was left behind', async () => {
    const bench = await running();
    bench.harbour.last.script = { lingers: true };
    bench.harbour.last.crash();
    await bench.pass(10_000);
    await bench.supervisor.apply(DISABLED);
    bench.harbour.vessels[0]?.leave();
    await bench.pass(PATIENCE_MS * 2);
    assert.deepEqual([bench.kind, bench.supervisor.generation, bench.clock.pending], ['disabled', 1, 0]);
  });

  it('backs off after a crash and starts again with a new generation and new event ids', async () => {
    const bench = await running();
    bench.harbour.last.crash();
    assert.equal(bench.kind, 'backing-off');
    assert.deepEqual(bench.supervisor.restarts, { crash: 1 });
    assert.equal(bench.supervisor.lastExit?.exit.detail, 'a bug');
    await bench.pass(250);
    assert.equal(bench.kind, 'running');
    assert.deepEqual(
      bench.harbour.vessels.map(({ request }) => request.birth.idPrefix),
      ['emitter-r-1', 'emitter-r-2'],
    );
    await stopped(bench);
  });

  for (const method of ['initialize', 'start'] as const) {
    it(`calls a crash inside ${method} by its reason`, async () => {
      const bench = new SupervisionBench();
      bench.harbour.script = { [method]: NEVER };
      await bench.supervisor.apply(runPlan());
      await settle();
      bench.harbour.last.crash({ ...crashOf(), reason: 'exited' });
      await settle();
      assert.deepEqual([bench.kind, bench.said], ['backing-off', ['crashed 1 exited']]);
      await stopped(bench);
    });

    it(`ends a plugin whose ${method} takes too long, as a failed start`, async () => {
      const bench = new SupervisionBench();
      bench.harbour.script = { [method]: NEVER };
      await bench.supervisor.apply(runPlan());
      await bench.pass(9_999);
      assert.equal(bench.kind, 'starting');
      await bench.pass(1);
      assert.deepEqual(
        [bench.kind, bench.said, bench.harbour.alive.length],
        ['backing-off', ['crashed 1 failed_start'], 0],
      );
      const { detail, code, stack } = bench.supervisor.lastExit?.exit ?? {};
      assert.match(detail ?? '', new RegExp(`^its '${method}' did not end within 10 s \\(limits.startTimeout\\)`));
      assert.deepEqual([code, stack], ['IPC_ERR_DEADLINE', '']);
      await stopped(bench);
    });

    if (method === 'initialize')
      it('says of a plugin that is not even loaded in time that it is not', async () => {
        const bench = new SupervisionBench();
        bench.harbour.script = { initialize: NEVER, isLoaded: { kind: 'ok', value: false } };
        await bench.supervisor.apply(runPlan());
        await bench.pass(10_000);
        const detail = bench.supervisor.lastExit?.exit.detail ?? '';
        assert.match(
          detail,
          /^its files were not loaded within 10 s \(limits.startTimeout\): a top-level await may wait/,
        );
        await stopped(bench);
      });

    it(`gives up when ${method} says that the configuration is wrong, until it changes`, async () => {
      const bench = new SupervisionBench();
      bench.harbour.script = { [method]: { kind: 'error', code: 'PLUGIN_ERR_CONFIG', message: 'no such port' } };
      await bench.supervisor.apply(runPlan());
      await settle();
      assert.deepEqual([bench.kind, bench.clock.pending, bench.harbour.alive.length], ['failed', 0, 0]);
      assert.deepEqual(bench.said, ['crashed 1 bad_config', 'failed bad_config null']);
      await bench.supervisor.apply(runPlan());
      await bench.pass(3_600_000);
      assert.equal(bench.harbour.vessels.length, 1);
      bench.harbour.script = {};
      await bench.supervisor.apply(runPlan('B'));
      await settle();
      assert.equal(bench.kind, 'running');
      await stopped(bench);
    });
  }

  it('sees a crash in the very moment in which the start is answered', async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      const bench = new SupervisionBench();
      const applied = bench.supervisor.apply(runPlan());
      await applied;
      const vessel = bench.harbour.last;
      vessel.onAnswer = (name) => {
        if (name !== 'start') return;
        let left = turns;
        const later = (): void => {
          left -= 1;
          if (left < 0) vessel.crash();
          else queueMicrotask(later);
        };
        later();
      };
      await settle();
      assert.deepEqual([bench.kind, bench.harbour.alive.length], ['backing-off', 0], `${turns} turns after the answer`);
      assert.deepEqual(bench.supervisor.restarts, { crash: 1 });
      await stopped(bench);
    }
  });

  it('quarantines a crash loop, then tries once, and again only after another quarantine, twice as long', async () => {
    const bench = new SupervisionBench();
    bench.harbour.script = { start: { kind: 'error', code: 'PLUGIN_ERR_THROWN', message: 'not today' } };
    await bench.supervisor.apply(runPlan());
    await bench.pass(120_000);
    const tries = bench.harbour.vessels.length;
    assert.deepEqual([bench.kind, tries], ['failed', CRASH_LOOP_SCORE + 1]);
    const { state } = bench.supervisor;
    const retryAt = state.kind === 'failed' ? (state.retryAt ?? 0) : 0;
    await bench.pass(retryAt - bench.clock.wall() - 1);
    assert.equal(bench.harbour.vessels.length, tries);
    await bench.pass(1);
    assert.deepEqual([bench.kind, bench.harbour.vessels.length], ['failed', tries + 1]);
    await bench.pass(2 * QUARANTINE_MS - 1);
    assert.equal(bench.harbour.vessels.length, tries + 1);
    bench.harbour.script = {};
    await bench.pass(1);
    assert.equal(bench.kind, 'running');
    await stopped(bench);
  });

  it('takes a try that runs for a stable time as the end of the loop, and one that does not as a part of it', async () => {
    for (const [ranMs, kind] of [
      [STABLE_MS - 1, 'failed'],
      [STABLE_MS, 'backing-off'],
    ] as const) {
      const bench = new SupervisionBench();
      bench.harbour.script = { start: { kind: 'error', code: 'PLUGIN_ERR_THROWN', message: 'not today' } };
      await bench.supervisor.apply(runPlan());
      await bench.pass(120_000);
      bench.harbour.script = {};
      await bench.pass(QUARANTINE_MS - 60_000);
      const { state } = bench.supervisor;
      await bench.pass(state.kind === 'failed' ? (state.retryAt ?? 0) - bench.clock.wall() : 0);
      assert.equal(bench.kind, 'running');
      await bench.pass(ranMs);
      bench.harbour.last.crash();
      assert.equal(bench.kind, kind);
      await stopped(bench);
    }
  });

  it('lets an operator end a quarantine and forgets the failures', async () => {
    const bench = new SupervisionBench();
    bench.harbour.script = { start: { kind: 'error', code: 'PLUGIN_ERR_THROWN', message: 'not today' } };
    await bench.supervisor.apply(runPlan());
    await bench.pass(120_000);
    assert.equal(bench.kind, 'failed');
    await bench.supervisor.restart();
    await settle();
    assert.equal(bench.kind, 'backing-off');
    bench.harbour.script = {};
    await bench.supervisor.restart();
    await settle();
    assert.deepEqual([bench.kind, bench.harbour.alive.length], ['running', 1]);
    await bench.supervisor.restart();
    await settle();
    assert.deepEqual([bench.kind, bench.harbour.alive.length], ['running', 1]);
    await stopped(bench);
    await bench.supervisor.restart();
    assert.equal(bench.kind, 'stopped');
  });

  it('starts once when the delay elapses in the very turn in which an operator restarts it', async () => {
    const bench = await running();
    const elapses: (() => void)[] = [];
    const after = bench.clock.after.bind(bench.clock);
    bench.clock.after = (ms, action) => {
      elapses.push(action);
      return after(ms, action);
    };
    bench.harbour.last.crash();
    const delayElapses = elapses.at(-1);
    const restarted = bench.supervisor.restart();
    delayElapses?.();
    await restarted;
    await settle();
    assert.deepEqual([bench.kind, bench.supervisor.generation, bench.harbour.violations], ['running', 2, []]);
    await stopped(bench);
  });

  it('treats a vessel that cannot be opened as a failed start', async () => {
    const bench = new SupervisionBench();
    bench.harbour.failure = new Error('no more threads');
    await bench.supervisor.apply(runPlan());
    assert.deepEqual([bench.kind, bench.said], ['backing-off', ['crashed 1 failed_start']]);
    await bench.pass(2_000);
    assert.equal(bench.kind, 'running');
    await bench.supervisor.stop('the test is over');
    assert.deepEqual([bench.harbour.alive.length, bench.clock.pending], [0, 0]);
  });

  it('lets nothing that an old generation says late change anything, but hears its last words', async () => {
    const bench = await running();
    const old = bench.harbour.last;
    old.crash();
    await bench.pass(1);
    assert.equal(bench.kind, 'running');
    const before = bench.states.length;
    const heard: string[] = [];
    bench.events.on('plugin:metric', () => heard.push('metric'));
    bench.events.on('plugin:event-refused', () => heard.push('refusal'));
    bench.events.on('plugin:log', ({ generation, record }) => heard.push(`log ${generation} ${record.message}`));
    const { listener } = old.request;
    listener.exit(crashOf('again'));
    listener.frame(frameOf(1));
    listener.metric({ type: 'counter', name: 'n', help: '', labels: {}, value: 1 });
    listener.eventRefused('EVENT_ERR_TOO_LARGE', 'too large');
    listener.log({ level: 'info', message: 'farewell', at: 0, fields: '' });
    await settle();
    assert.deepEqual([bench.kind, bench.states.length, bench.harbour.alive.length], ['running', before, 1]);
    assert.deepEqual(bench.supervisor.restarts, { crash: 1 });
    assert.deepEqual(heard, ['log 1 farewell']);
    await stopped(bench);
  });

  it('tells of a crash what the flight record needs: which run, how long, its readings, what follows', async () => {
    const bench = await running();
    const crashes: SupervisionEvents['plugin:crashed'][] = [];
    bench.events.on('plugin:crashed', (crash) => crashes.push(crash));
    await bench.pass(700);
    bench.harbour.last.crash();
    await bench.pass(300);
    bench.harbour.last.crash();
    const [first, second] = crashes;
    assert.deepEqual(
      [first?.id, first?.uptimeMs, first?.nextStartMs, first?.isCrashLoop],
      ['emitter-r-1', 700, 0, false],
    );
    assert.deepEqual([second?.id, second?.uptimeMs, second?.nextStartMs], ['emitter-r-2', 300, 375]);
    assert.equal(first?.vitalSigns, bench.harbour.vessels[0]?.history);
    await stopped(bench);
  });

  it('ends a generation that sends what its inlet refuses', async () => {
    const bench = await running();
    bench.frameFault = 'more events than it had credit for';
    bench.harbour.last.request.listener.frame(frameOf(1));
    await settle();
    assert.deepEqual(bench.said, ['ready 1', 'crashed 1 flood']);
    assert.match(bench.supervisor.lastExit?.exit.detail ?? '', /more events than it had credit for/);
    await stopped(bench);
  });

  it('carries out commands in the order they were given', async () => {
    const bench = new SupervisionBench();
    const { supervisor } = bench;
    const commands = [
      supervisor.apply(runPlan('A')),
      supervisor.restart(),
      supervisor.apply(DISABLED),
      supervisor.apply(runPlan('B')),
      supervisor.stop('enough'),
      supervisor.apply(runPlan('C')),
    ];
    await bench.pass(100);
    await Promise.all(commands);
    assert.equal(bench.kind, 'running');
    assert.equal(supervisor.plan?.kind === 'run' && supervisor.plan.spec.fingerprint, 'C');
    assert.deepEqual(bench.harbour.violations, []);
    await stopped(bench);
  });
});
