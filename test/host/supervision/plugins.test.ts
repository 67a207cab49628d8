import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PluginPlan } from '../../../host/config/plugin-plan.ts';
import { stopLadder } from '../../../host/config/stop-ladder.ts';
import { Plugins } from '../../../host/supervision/plugins.ts';
import { settle } from '../../support/fake-clock.ts';
import { fixtureSpec } from '../../support/plugin-spec.ts';
import { NEVER } from '../../support/scripted-vessel.ts';
import { SupervisionBench } from './supervision-bench.ts';

const plan = (name: string, fingerprint = 'A'): PluginPlan => {
  const spec = { ...fixtureSpec('emitter', { fingerprint }), name };
  return { kind: 'run', name, version: '1.0.0', spec };
};

class Bench extends SupervisionBench {
  readonly plugins = new Plugins(this.options);
  readonly removed: string[] = [];

  constructor() {
    super();
    this.plugins.on('plugin:removed', ({ plugin }) => this.removed.push(plugin));
  }

  get running(): string[] {
    return this.harbour.alive.map(({ request }) => `${request.birth.plugin} ${request.birth.generation}`).toSorted();
  }

  async stopAll(): Promise<void> {
    const stopping = this.plugins.stop('the test is over');
    await this.pass(10_000);
    await stopping;
    assert.deepEqual([this.running, this.clock.pending, this.harbour.violations], [[], 0, []]);
  }
}

describe('plugins', () => {
  it('brings what runs in line with the plans: only what changed restarts', async () => {
    const bench = new Bench();
    await bench.plugins.apply([plan('a'), plan('b'), plan('c')]);
    await settle();
    assert.deepEqual(bench.running, ['a 1', 'b 1', 'c 1']);
    await bench.plugins.apply([plan('a'), plan('b', 'B'), plan('d')]);
    await settle();
    assert.deepEqual(bench.running, ['a 1', 'b 2', 'd 1']);
    assert.deepEqual(bench.removed, ['c']);
    assert.deepEqual(
      bench.plugins.all.map(({ name }) => name),
      ['a', 'b', 'd'],
    );
    assert.equal(bench.plugins.find('c'), null);
    assert.equal(bench.plugins.find('d')?.state.kind, 'running');
    await bench.stopAll();
  });

  it('does not let a plugin that will not stop delay another', async () => {
    const bench = new Bench();
    await bench.plugins.apply([plan('a'), plan('b')]);
    await settle();
    for (const vessel of bench.harbour.alive) {
      if (vessel.request.birth.plugin === 'a') vessel.script = { drain: NEVER, stop: NEVER };
    }
    const applied = bench.plugins.apply([plan('a', 'B'), plan('b', 'B'), plan('c')]);
    await settle();
    assert.deepEqual(bench.running, ['a 1', 'b 2', 'c 1']);
    await bench.pass(1_000);
    await applied;
    await settle();
    assert.deepEqual(bench.running, ['a 2', 'b 2', 'c 1']);
    await bench.stopAll();
  });

  it('goes on counting generations when a bundle comes back, so that no event id is given twice', async () => {
    const bench = new Bench();
    for (let n = 1; n <= 3; n += 1) {
      await bench.plugins.apply([plan('a')]);
      await settle();
      assert.deepEqual(bench.running, [`a ${n}`]);
      await bench.plugins.apply([]);
      await settle();
    }
    const prefixes = bench.harbour.vessels.map(({ request }) => request.birth.idPrefix);
    assert.equal(new Set(prefixes).size, 3);
    assert.deepEqual(bench.removed, ['a', 'a', 'a']);
    await bench.stopAll();
  });

  it('never runs a plugin twice, though its bundle comes back while the old one still stops', async () => {
    const bench = new Bench();
    await bench.plugins.apply([plan('a')]);
    await settle();
    bench.harbour.last.script = { drain: NEVER, stop: NEVER };
    const removed = bench.plugins.apply([]);
    await bench.pass(100);
    const again = bench.plugins.apply([]);
    const back = bench.plugins.apply([plan('a', 'B')]);
    await bench.pass(100);
    assert.deepEqual(bench.running, ['a 1']);
    await bench.pass(1_000);
    await Promise.all([removed, again, back]);
    await settle();
    assert.deepEqual([bench.running, bench.harbour.violations], [['a 2'], []]);
    assert.equal(bench.plugins.find('a')?.state.kind, 'running');
    assert.deepEqual(bench.removed, []);
    await bench.stopAll();
  });

  it('says once that a bundle was removed, when nothing of it runs any more', async () => {
    const bench = new Bench();
    await bench.plugins.apply([plan('a')]);
    await settle();
    bench.harbour.last.script = { stop: NEVER };
    const first = bench.plugins.apply([]);
    const second = bench.plugins.apply([]);
    await bench.pass(100);
    assert.deepEqual([bench.removed, bench.running], [[], ['a 1']]);
    await bench.pass(1_000);
    await Promise.all([first, second]);
    assert.deepEqual([bench.removed, bench.running], [['a'], []]);
    await bench.stopAll();
  });

  it('stop: waits for those too that were being removed', async () => {
    const bench = new Bench();
    await bench.plugins.apply([plan('a'), plan('b')]);
    await settle();
    for (const vessel of bench.harbour.alive) vessel.script = { stop: NEVER };
    const removed = bench.plugins.apply([plan('b')]);
    await settle();
    let isStopped = false;
    const stopping = bench.plugins.stop('the host stops').then(() => {
      isStopped = true;
      assert.deepEqual(bench.running, []);
    });
    await bench.pass(100);
    assert.equal(isStopped, false);
    await bench.pass(1_000);
    await Promise.all([removed, stopping]);
    await bench.stopAll();
  });

  it('stop: reports who did not stop when asked, and what each refused', async () => {
    const bench = new Bench();
    await bench.plugins.apply([plan('a'), plan('b'), plan('c')]);
    await settle();
    for (const vessel of bench.harbour.alive) {
      if (vessel.request.birth.plugin === 'a') vessel.script = { stop: NEVER };
      if (vessel.request.birth.plugin === 'b') vessel.script = { drain: NEVER, stop: NEVER };
    }
    const stopping = bench.plugins.stop('the host stops', stopLadder(1_000));
    await bench.pass(550);
    assert.deepEqual(await stopping, [
      { plugin: 'a', generation: 1, refused: [{ step: 'stop', afterMs: 500, error: '' }] },
      {
        plugin: 'b',
        generation: 1,
        refused: [
          { step: 'drain', afterMs: 250, error: '' },
          { step: 'stop', afterMs: 250, error: '' },
        ],
      },
    ]);
    assert.deepEqual([bench.running, bench.clock.pending], [[], 0]);
  });

  it('stop: does not wait for a plugin that cannot even be terminated, and says so', async () => {
    const bench = new Bench();
    await bench.plugins.apply([plan('a'), plan('b')]);
    await settle();
    const stuck = bench.harbour.alive.find(({ request }) => request.birth.plugin === 'a');
    assert.ok(stuck !== undefined);
    stuck.script = { drain: NEVER, terminateMs: 60_000 };
    const said: unknown[] = [];
    bench.plugins.on('plugin:unstopped', (unstopped) => said.push(unstopped));
    const stopping = bench.plugins.stop('the host stops', stopLadder(1_000));
    await bench.pass(550);
    const refused = [
      { step: 'drain', afterMs: 250, error: '' },
      { step: 'terminate', afterMs: 550, error: '' },
    ];
    assert.deepEqual(await stopping, [{ plugin: 'a', generation: 1, refused }]);
    assert.deepEqual(said, [{ plugin: 'a', generation: 1, refused }]);
    await bench.pass(60_000);
    assert.deepEqual([bench.running, bench.clock.pending], [[], 0]);
  });
});
