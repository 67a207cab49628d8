import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RefusedStep } from '../../../host/supervision/unstopped.ts';
import { settle } from '../../support/fake-clock.ts';
import { NEVER, OK } from '../../support/scripted-vessel.ts';
import { running, runPlan, SupervisionBench, stopped } from './supervision-bench.ts';

describe('supervisor: health and stop', () => {
  it('recycles a plugin that is unhealthy three times in a row', async () => {
    const bench = await running();
    bench.harbour.last.script = { healthCheck: { kind: 'ok', value: false } };
    await bench.pass(60_000);
    assert.deepEqual([bench.kind, bench.said], ['running', ['ready 1', 'unhealthy 1', 'unhealthy 1']]);
    bench.harbour.script = {};
    await bench.pass(30_000);
    assert.deepEqual(bench.said.slice(3), ['unhealthy 1', 'crashed 1 unhealthy', 'ready 2']);
    assert.deepEqual([bench.kind, bench.supervisor.restarts], ['running', { unhealthy: 1 }]);
    await stopped(bench);
  });

  it('forgets earlier bad answers once a plugin is healthy again, and says so', async () => {
    const bench = await running();
    const bad = [
      { kind: 'ok', value: false },
      { kind: 'error', code: 'PLUGIN_ERR_THROWN', message: 'no source' },
      NEVER,
    ] as const;
    for (let round = 0; round < 3; round += 1) {
      for (const answer of bad.slice(round % 2, (round % 2) + 2)) {
        bench.harbour.last.script = { healthCheck: answer };
        await bench.pass(30_000);
      }
      await bench.pass(2_000);
      bench.harbour.last.script = { healthCheck: round === 1 ? OK : { kind: 'ok', value: true } };
      await bench.pass(28_000);
    }
    assert.deepEqual(bench.said.slice(1), new Array(3).fill(['unhealthy 1', 'unhealthy 1', 'recovered 1']).flat());
    assert.equal(bench.harbour.vessels.length, 1);
    await stopped(bench);
  });

  it('leaves a plugin running whose source is stale, and says so when it begins and when it is over', async () => {
    const bench = await running();
    for (const value of ['gone for 1 min', 'gone for 2 min', 'gone for 3 min', 'gone for 4 min']) {
      bench.harbour.last.script = { healthCheck: { kind: 'ok', value } };
      await bench.pass(30_000);
      assert.equal(bench.supervisor.staleness, value);
    }
    bench.harbour.last.script = { healthCheck: { kind: 'ok', value: true } };
    await bench.pass(30_000);
    assert.equal(bench.supervisor.staleness, null);
    assert.deepEqual([bench.kind, bench.said], ['running', ['ready 1', 'stale gone for 1 min', 'fresh 1']]);
    bench.harbour.last.script = { healthCheck: { kind: 'ok', value: 'gone again' } };
    await bench.pass(30_000);
    await stopped(bench);
    assert.equal(bench.supervisor.staleness, null, 'what does not run is not stale');
  });

  it('does not cut a drain short because a health check went unanswered', async () => {
    const bench = await running();
    bench.harbour.last.script = { healthCheck: NEVER };
    // Two bad answers, and a third question that is open when the stop comes.
    await bench.pass(90_000);
    assert.deepEqual(bench.said, ['ready 1', 'unhealthy 1', 'unhealthy 1']);
    bench.harbour.last.script = { healthCheck: NEVER, drain: { kind: 'ok', afterMs: 400 } };
    await bench.pass(900);
    const stopping = bench.supervisor.stop('the test is over');
    await bench.pass(10_000);
    await stopping;
    assert.deepEqual(bench.said.slice(3), ['stopped 1']);
    assert.deepEqual(bench.harbour.last.asked.slice(-3), ['drain', 'stop', 'terminate']);
    assert.equal(bench.clock.pending, 0);
  });

  const refuse = { kind: 'error', code: 'PLUGIN_ERR_THROWN', message: 'will not\nat all' } as const;
  const unwilling = {
    'ignores stop': [{ stop: NEVER }, [{ step: 'stop', afterMs: 1_000, error: '' }]],
    'ignores stop after a slow drain': [
      { drain: { kind: 'ok', afterMs: 300 }, stop: NEVER },
      [{ step: 'stop', afterMs: 700, error: '' }],
    ],
    'ignores drain': [{ drain: NEVER }, [{ step: 'drain', afterMs: 500, error: '' }]],
    'ignores both': [
      { drain: NEVER, stop: NEVER },
      [
        { step: 'drain', afterMs: 500, error: '' },
        { step: 'stop', afterMs: 500, error: '' },
      ],
    ],
    'throws in stop': [{ stop: refuse }, [{ step: 'stop', afterMs: 0, error: 'will not at all' }]],
  } as const;
  for (const [name, [script, refused]] of Object.entries(unwilling)) {
    it(`ends a plugin by force that ${name}, within its deadline, and says what it refused`, async () => {
      const bench = await running();
      bench.harbour.last.script = script;
      let isStopped = false;
      let report: readonly RefusedStep[] = [];
      bench.events.on('plugin:stopped', (event) => {
        report = event.refused;
      });
      const stopping = bench.supervisor.stop('the test is over').then(() => {
        isStopped = true;
      });
      await bench.pass(1_000);
      assert.equal(isStopped, true);
      await stopping;
      assert.deepEqual(bench.said, ['ready 1', 'stopped 1 forced']);
      assert.deepEqual(report, refused);
      assert.ok(bench.harbour.last.asked.includes('stop'));
      await stopped(bench);
    });
  }

  it('gives a plugin no more time than whoever stops it has', async () => {
    const bench = await running();
    bench.harbour.last.script = { drain: NEVER, stop: NEVER };
    const stopping = bench.supervisor.stop('the test is over', 100);
    await bench.pass(99);
    assert.equal(bench.kind, 'draining');
    await bench.pass(1);
    await stopping;
    assert.equal(bench.kind, 'stopped');
  });

  it('takes an exit while draining as part of the stop', async () => {
    const bench = await running();
    bench.harbour.last.script = { drain: NEVER };
    const stopping = bench.supervisor.stop('the test is over');
    await settle();
    assert.equal(bench.kind, 'draining');
    bench.harbour.last.crash();
    await stopping;
    assert.deepEqual([bench.said, bench.supervisor.restarts], [['ready 1', 'stopped 1 forced'], {}]);
    assert.equal(bench.clock.pending, 0);
  });

  it('interrupts a start that takes long, and starts nothing after it', async () => {
    for (const method of ['initialize', 'start'] as const) {
      const bench = new SupervisionBench();
      bench.harbour.script = { [method]: { kind: 'ok', afterMs: 300 }, drain: { kind: 'ok', afterMs: 400 } };
      await bench.supervisor.apply(runPlan());
      await bench.pass(100);
      const stopping = bench.supervisor.stop('changed its mind');
      await bench.pass(1_000);
      await stopping;
      const { asked } = bench.harbour.last;
      const expected = method === 'start' ? ['initialize', 'credit', 'start'] : ['initialize'];
      assert.deepEqual(asked, [...expected, 'drain', 'stop', 'terminate']);
      assert.deepEqual(bench.said, ['stopped 1']);
      await stopped(bench);
    }
  });
});
