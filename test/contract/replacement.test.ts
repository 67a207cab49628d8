/** One generation after another of the same plugin, in real threads: what the old one holds, and what it says late. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { Bus, type Consume } from '../../host/bus/bus.ts';
import { Inlet } from '../../host/bus/inlet.ts';
import { NO_PERMISSIONS } from '../../host/config/permissions.ts';
import type { PluginSpec } from '../../host/config/plugin-plan.ts';
import { Ledger } from '../../host/ledger/ledger.ts';
import { openThreadVessel } from '../../host/sandbox/thread-vessel.ts';
import { Plugins } from '../../host/supervision/plugins.ts';
import { systemClock } from '../../ipc/clock.ts';
import { eventually } from '../support/eventually.ts';
import { fixtureSpec } from '../support/plugin-spec.ts';
import { freePort } from '../support/running-host.ts';

interface House {
  readonly ledger: Ledger;
  readonly said: string[];
  run(spec: PluginSpec): Promise<void>;
}

function build(t: TestContext, consume: Consume): House {
  const ledger = new Ledger({ maxEvents: 10_000, maxBytes: 10_000_000 });
  const bus = new Bus({ clock: systemClock, ledger, consume, slots: 2, credit: { events: 200, bytes: 1_000_000 } });
  const plugins = new Plugins({
    clock: systemClock,
    run: 'r',
    random: () => 0.5,
    openVessel: (request) => openThreadVessel(request, { clock: systemClock, variables: {} }),
    openInlet: ({ spec, idPrefix, reply }) => new Inlet({ bus, spec, idPrefix, reply, wall: systemClock.wall }),
    connection: () => null,
    hostDirectory: process.cwd(),
  });
  const said: string[] = [];
  plugins.on('plugin:ready', ({ generation }) => said.push(`ready ${generation}`));
  plugins.on('plugin:crashed', ({ generation, exit }) => said.push(`crashed ${generation}: ${exit.detail}`));
  plugins.on('plugin:stopped', ({ generation, refused }) =>
    said.push(`stopped ${generation}${refused.map(({ step }) => `, refused ${step}`).join('')}`),
  );
  t.after(async () => {
    await plugins.stop('the test is over');
    bus.abandon('shutdown');
    await bus.drain();
    assert.deepEqual([ledger.counts.inFlight, ledger.counts.residual], [0, 0]);
  });
  return {
    ledger,
    said,
    run: (spec) => plugins.apply([{ kind: 'run', name: spec.name, version: spec.version, spec }]),
  };
}

const unmatched: Consume = async ({ entry }) => {
  entry.settleAll(() => 'unmatched');
  return [];
};

async function greeting(port: number): Promise<string> {
  return text(connect(port, '127.0.0.1'));
}

describe('replacement contract: thread', () => {
  it('gives the port of a plugin that does not stop to its successor', async (t) => {
    const house = build(t, unmatched);
    const port = await freePort();
    const net = { any: false, listen: [port], connect: [] };
    const generation = (name: string): PluginSpec => {
      const spec = fixtureSpec('port-holder', { config: { port, greeting: name }, fingerprint: name });
      return { ...spec, permissions: { ...NO_PERMISSIONS, net }, limits: { ...spec.limits, stopTimeoutMs: 50 } };
    };
    await house.run(generation('first'));
    await eventually(() => house.said.includes('ready 1'));
    assert.equal(await greeting(port), 'first');
    await house.run(generation('second'));
    await eventually(() => house.said.includes('ready 2'));
    assert.equal(await greeting(port), 'second');
    assert.deepEqual(house.said, ['ready 1', 'stopped 1, refused stop', 'ready 2']);
  });

  it('lets nothing in that a generation says after its end, and answers what it had said before', async (t) => {
    // So slow that what was sent cannot be acknowledged while it drains.
    const house = build(t, async ({ entry }) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      entry.settleAll(() => 'unmatched');
      return [];
    });
    const generation = (name: string): PluginSpec => {
      const spec = fixtureSpec('emitter', { config: { count: 100_000 }, fingerprint: name });
      return { ...spec, limits: { ...spec.limits, stopTimeoutMs: 40 } };
    };
    const entered = (prefix: string): number =>
      [...house.ledger.newestFirst()].filter(({ frame }) => frame.origin.idPrefix === prefix).length;
    await house.run(generation('first'));
    await eventually(() => entered('emitter-r-1') > 0);
    await house.run(generation('second'));
    const ofFirst = entered('emitter-r-1');
    assert.match(house.said.at(-1) ?? '', /^stopped 1, refused drain/);
    await eventually(() => house.ledger.counts.outcomes.unmatched > ofFirst + 100);
    assert.equal(entered('emitter-r-1'), ofFirst);
    const ids = [...house.ledger.newestFirst()].map(({ frame, index }) => frame.id(index));
    assert.equal(new Set(ids).size, house.ledger.counts.received);
    assert.deepEqual(
      house.said.filter((line) => line.startsWith('crashed')),
      [],
    );
  });
});
