/** Supervision over real threads and processes, with the real bus and ledger: each way in which a plugin can break ends where it should. */

import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { Bus, type Consume } from '../../host/bus/bus.ts';
import { Inlet } from '../../host/bus/inlet.ts';
import type { PluginPlan, PluginSpec } from '../../host/config/plugin-plan.ts';
import { Ledger } from '../../host/ledger/ledger.ts';
import { openProcessVessel } from '../../host/sandbox/process-vessel.ts';
import { openThreadVessel } from '../../host/sandbox/thread-vessel.ts';
import type { Vessel, VesselRequest } from '../../host/sandbox/vessel.ts';
import { Watchdog } from '../../host/sandbox/watchdog.ts';
import { Plugins } from '../../host/supervision/plugins.ts';
import type { Supervisor } from '../../host/supervision/supervisor.ts';
import { systemClock } from '../../ipc/clock.ts';
import { eventually } from '../support/eventually.ts';
import { fixtureSpec } from '../support/plugin-spec.ts';
import { tempDir } from '../support/temp-dir.ts';

interface House {
  readonly plugins: Plugins;
  readonly ledger: Ledger;
  readonly bus: Bus;
  readonly said: string[];
  run(spec: PluginSpec): Promise<Supervisor>;
}

const unmatched: Consume = async ({ entry }) => {
  entry.settleAll(() => 'unmatched');
  return [];
};

const watchdog = new Watchdog({ clock: systemClock });
after(() => watchdog[Symbol.dispose]());

type Open = (request: VesselRequest) => Vessel;

const VESSELS: Readonly<Record<string, Open>> = {
  thread: (request) => openThreadVessel(request, { clock: systemClock, variables: {}, watchdog }),
  process: (request) => openProcessVessel(request, { clock: systemClock, variables: {}, watchdog }),
};

function houseOf(t: TestContext, openVessel: Open, consume: Consume = unmatched): House {
  const ledger = new Ledger({ maxEvents: 10_000, maxBytes: 10_000_000 });
  const credit = { events: 200, bytes: 1_000_000 };
  const bus = new Bus({ clock: systemClock, ledger, consume, slots: 2, credit });
  const plugins = new Plugins({
    clock: systemClock,
    run: 'r',
    random: () => 0.5,
    openVessel,
    openInlet: ({ spec, idPrefix, reply }) => new Inlet({ bus, spec, idPrefix, reply, wall: systemClock.wall }),
    connection: () => null,
    hostDirectory: process.cwd(),
  });
  const said: string[] = [];
  plugins.on('plugin:ready', ({ generation }) => said.push(`ready ${generation}`));
  plugins.on('plugin:crashed', ({ generation, exit }) => said.push(`crashed ${generation} ${exit.reason}`));
  plugins.on('plugin:stopped', ({ generation, forced }) =>
    said.push(`stopped ${generation}${forced ? ' forced' : ''}`),
  );
  plugins.on('plugin:log', ({ record }) => said.push(`log ${record.message}`));
  t.after(async () => {
    await plugins.stop('the test is over');
    bus.abandon('shutdown');
    await bus.drain();
    assert.deepEqual([ledger.counts.inFlight, ledger.counts.residual], [0, 0]);
  });
  return {
    plugins,
    ledger,
    bus,
    said,
    async run(spec) {
      const plan: PluginPlan = { kind: 'run', name: spec.name, version: spec.version, spec };
      await plugins.apply([plan]);
      const supervisor = plugins.find(spec.name);
      assert.ok(supervisor !== null);
      return supervisor;
    },
  };
}

for (const [kind, openVessel] of Object.entries(VESSELS)) {
  describe(`supervision contract: ${kind}`, () => {
    const build = (t: TestContext, consume?: Consume): House => houseOf(t, openVessel, consume);
    const ways = [
      { where: 'initialize', reason: 'failed_start', detail: /cannot initialise today/ },
      { where: 'start', reason: 'failed_start', detail: /cannot start today/ },
      { where: 'later', reason: 'crash', detail: /a bug in a callback/ },
      { where: 'rejection', reason: 'crash', detail: /nobody caught this/ },
      { where: 'exit', reason: 'exited', detail: /code 7/ },
      { where: 'exit in start', reason: 'exited', detail: /code 4/ },
      { where: 'crash in start', reason: 'crash', detail: /a bug beside the start/ },
    ] as const;
    for (const { where, reason, detail } of ways) {
      it(`starts a plugin again that breaks in '${where}', with the right reason`, async (t) => {
        const house = build(t);
        const supervisor = await house.run(fixtureSpec('thrower', { config: { where } }));
        await eventually(() => supervisor.state.kind === 'backing-off');
        assert.match(supervisor.lastExit?.exit.detail ?? '', detail);
        await eventually(() => (supervisor.restarts[reason] ?? 0) >= 2);
        assert.deepEqual(Object.keys(supervisor.restarts), [reason]);
        assert.ok(supervisor.generation >= 2);
      });
    }

    it('says where a health check throws', async (t) => {
      const house = build(t);
      const spec = fixtureSpec('thrower', { config: { where: 'health' }, healthCheckIntervalMs: 20 });
      const supervisor = await house.run(spec);
      const { detail } = (await eventually(() => supervisor.lastExit)).exit;
      assert.match(
        detail,
        /3 times in a row: no pulse \(at Object\.healthCheck \(file:.+thrower\/index\.ts:\d+:\d+\)\)$/,
      );
    });

    it('says of a start that takes too long what it was at', async (t) => {
      const house = build(t);
      const limits = { ...fixtureSpec('thrower').limits, startTimeoutMs: 3_000 };
      const supervisor = await house.run(fixtureSpec('thrower', { config: { where: 'never starts' }, limits }));
      const { exit } = await eventually(() => supervisor.lastExit);
      assert.match(exit.detail, /^its 'start' did not end within 3 s \(limits\.startTimeout\)/);
      assert.deepEqual([exit.code, exit.stack], ['IPC_ERR_DEADLINE', '']);
    });

    it('says so of a bundle that is not loaded in time', async (t) => {
      const house = build(t);
      const directory = tempDir(t);
      const entry = join(directory, 'index.mjs');
      writeFileSync(entry, 'await new Promise(() => {});\nexport default { start() {} };\n');
      const limits = { ...fixtureSpec('thrower').limits, startTimeoutMs: 1_500 };
      const supervisor = await house.run(fixtureSpec('late', { directory, entry, limits }));
      const { exit } = await eventually(() => supervisor.lastExit);
      assert.match(exit.detail, /^its files were not loaded within 1\.5 s \(limits\.startTimeout\)/);
    });

    it("gives up on a plugin that breaks in 'config'", async (t) => {
      const house = build(t);
      const supervisor = await house.run(fixtureSpec('thrower', { config: { where: 'config' } }));
      await eventually(() => supervisor.state.kind === 'failed');
      const { state } = supervisor;
      assert.ok(state.kind === 'failed' && state.retryAt === null);
      assert.deepEqual(
        [state.lastExit.reason, state.lastExit.detail],
        ['bad_config', "configuration 'where' must not be 'config'"],
      );
      assert.deepEqual(house.said, ['crashed 1 bad_config']);
    });

    it('does not start a plugin into whose folders somebody has put a way out since its plan was made', async (t) => {
      const house = build(t);
      const folder = tempDir(t);
      const spec = fixtureSpec('emitter');
      symlinkSync('/etc', join(folder, 'etc'));
      const supervisor = await house.run({ ...spec, permissions: { ...spec.permissions, read: [folder] } });
      await eventually(() => supervisor.state.kind === 'backing-off');
      const { exit } = supervisor.lastExit ?? {};
      assert.deepEqual([exit?.reason, exit?.code], ['failed_start', 'HOST_ERR_FOLDER']);
      assert.match(exit?.detail ?? '', /holds a link that leads out of it: 'etc'/);
      rmSync(join(folder, 'etc'));
      await eventually(() => supervisor.state.kind === 'running');
    });

    it('starts a replacement only after the old plugin has stopped, and loses no event of either', async (t) => {
      const house = build(t);
      await house.run(fixtureSpec('emitter', { config: { count: 500 }, fingerprint: 'A' }));
      await eventually(() => house.said.includes('log all emitted'));
      await house.run(fixtureSpec('emitter', { config: { count: 300 }, fingerprint: 'B' }));
      await eventually(() => house.said.filter((text) => text === 'log all emitted').length === 2);
      assert.deepEqual(
        house.said.filter((text) => !text.startsWith('log')),
        ['ready 1', 'stopped 1', 'ready 2'],
      );
      const { received, outcomes, residual } = house.ledger.counts;
      assert.deepEqual([received, outcomes.unmatched, residual], [800, 800, 0]);
      const ids = [...house.ledger.newestFirst()].map(({ frame, index }) => frame.id(index));
      assert.equal(new Set(ids).size, 800);
    });

    it('acknowledges what was taken before it stops a plugin that is in the middle of emitting', async (t) => {
      const house = build(t, async ({ entry }) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        entry.settleAll(() => 'unmatched');
        return [];
      });
      const supervisor = await house.run(fixtureSpec('emitter', { config: { count: 100_000 } }));
      await eventually(() => house.ledger.counts.outcomes.unmatched > 500);
      await supervisor.stop('in the middle');
      assert.equal(house.said.at(-1)?.startsWith('stopped 1'), true, house.said.join('\n'));
      assert.ok(!house.said.includes('stopped 1 forced'));
      const { received, inFlight } = house.ledger.counts;
      assert.deepEqual([received < 100_000, inFlight], [true, 0]);
    });

    it('ends a plugin by force that does not stop, within its grace period', async (t) => {
      const house = build(t);
      const spec = fixtureSpec('stubborn');
      const supervisor = await house.run({ ...spec, limits: { ...spec.limits, stopTimeoutMs: 200 } });
      await eventually(() => supervisor.state.kind === 'running');
      const start = systemClock.now();
      await supervisor.stop('enough');
      assert.ok(systemClock.now() - start < 5_000);
      assert.deepEqual(house.said, ['ready 1', 'stopped 1 forced']);
    });

    it('stops a plugin that is still starting', async (t) => {
      const house = build(t);
      const supervisor = await house.run(fixtureSpec('stubborn'));
      await supervisor.stop('changed its mind');
      assert.equal(supervisor.state.kind, 'stopped');
      assert.deepEqual(
        house.said.filter((text) => text.startsWith('crashed')),
        [],
      );
    });

    it('brings a plugin back that was removed, without giving an event id twice', async (t) => {
      const house = build(t);
      for (let n = 1; n <= 2; n += 1) {
        await house.run(fixtureSpec('emitter', { config: { count: 50 } }));
        await eventually(() => house.ledger.counts.outcomes.unmatched === 50 * n);
        await house.plugins.apply([]);
      }
      const ids = [...house.ledger.newestFirst()].map(({ frame, index }) => frame.id(index));
      assert.deepEqual([ids.length, new Set(ids).size], [100, 100]);
    });
  });
}
