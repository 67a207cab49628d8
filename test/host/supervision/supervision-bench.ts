/** One supervisor over scripted vessels, with everything it said. */

import assert from 'node:assert/strict';
import { Emitter } from '../../../host/base/emitter.ts';
import type { PluginPlan, PluginSpec } from '../../../host/config/plugin-plan.ts';
import type { SupervisionEvents } from '../../../host/supervision/events.ts';
import type { PluginState } from '../../../host/supervision/state.ts';
import { Supervisor, type SupervisorOptions } from '../../../host/supervision/supervisor.ts';
import type { Frame } from '../../../ipc/frame.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { fixtureSpec } from '../../support/plugin-spec.ts';
import { ScriptedHarbour } from '../../support/scripted-vessel.ts';

export const PLUGIN = 'emitter';

export function runPlan(fingerprint = 'A', overrides: Partial<PluginSpec> = {}): PluginPlan {
  const spec = fixtureSpec(PLUGIN, { fingerprint, ...overrides });
  return { kind: 'run', name: spec.name, version: spec.version, spec };
}

export const DISABLED: PluginPlan = { kind: 'disabled', name: PLUGIN, version: '1.0.0' };
export const BLOCKED: PluginPlan = {
  kind: 'blocked',
  name: PLUGIN,
  version: '1.0.0',
  why: 'grants',
  reason: 'it asks for more than it was granted',
  remedy: 'permissions: { env: [TOKEN] }',
  required: false,
};
export const INVALID: PluginPlan = {
  kind: 'invalid',
  name: PLUGIN,
  version: '1.0.0',
  problems: [
    {
      code: 'HOST_ERR_CONFIG_VALUE',
      message: "configuration 'port' must be between 1 and 65535, got 0",
      file: 'config/plugins.yaml',
      line: 5,
      column: 11,
      path: 'plugins[0].config.port',
      fix: '',
      subject: PLUGIN,
    },
  ],
  required: false,
};

export class SupervisionBench {
  readonly clock = new FakeClock();
  readonly harbour = new ScriptedHarbour(this.clock);
  readonly events = new Emitter<SupervisionEvents>();
  readonly said: string[] = [];
  readonly states: { readonly from: PluginState; readonly to: PluginState }[] = [];
  frameFault: string | null = null;
  openInlets = 0;
  readonly options: Omit<SupervisorOptions, 'name' | 'events' | 'lastGeneration'> = {
    clock: this.clock,
    run: 'r',
    random: () => 0.5,
    openVessel: this.harbour.open,
    openInlet: () => {
      this.openInlets += 1;
      let isOpen = true;
      return {
        accept: (_frame: Frame) => this.frameFault,
        credit: { events: 10, bytes: 1_000 },
        close: () => {
          if (isOpen) this.openInlets -= 1;
          isOpen = false;
        },
      };
    },
    connection: () => null,
    hostDirectory: '/',
  };
  readonly supervisor = new Supervisor({
    ...this.options,
    name: PLUGIN,
    lastGeneration: 0,
    events: this.events,
  });

  constructor() {
    const say = (text: string): void => void this.said.push(text);
    this.events.on('plugin:ready', ({ generation }) => say(`ready ${generation}`));
    this.events.on('plugin:crashed', ({ generation, exit }) => say(`crashed ${generation} ${exit.reason}`));
    this.events.on('plugin:failed', ({ exit, retryMs }) => say(`failed ${exit.reason} ${retryMs}`));
    this.events.on('plugin:stopped', ({ generation, forced }) =>
      say(`stopped ${generation}${forced ? ' forced' : ''}`),
    );
    this.events.on('plugin:unhealthy', ({ generation }) => say(`unhealthy ${generation}`));
    this.events.on('plugin:recovered', ({ generation }) => say(`recovered ${generation}`));
    this.events.on('plugin:lingering', ({ count }) => say(`lingering ${count}`));
    this.events.on('plugin:stale', ({ detail }) => say(`stale ${detail}`));
    this.events.on('plugin:fresh', ({ generation }) => say(`fresh ${generation}`));
    this.events.on('plugin:credentials-refused', () => say('credentials refused'));
    this.events.on('plugin:disabled', () => say('disabled'));
    this.events.on('plugin:blocked', ({ remedy }) => say(`blocked ${remedy}`));
    this.events.on('plugin:state', ({ from, to }) => this.states.push({ from, to }));
  }

  /** Lets commands begin, then time pass. */
  async pass(ms: number): Promise<void> {
    await settle();
    await this.clock.advance(ms);
  }

  get kind(): PluginState['kind'] {
    return this.supervisor.state.kind;
  }
}

export async function running(): Promise<SupervisionBench> {
  const bench = new SupervisionBench();
  await bench.supervisor.apply(runPlan());
  await settle();
  assert.equal(bench.kind, 'running');
  return bench;
}

export async function stopped(bench: SupervisionBench): Promise<void> {
  const stopping = bench.supervisor.stop('the test is over');
  await bench.pass(10_000);
  await stopping;
  assert.deepEqual(
    [bench.kind, bench.harbour.alive.length, bench.clock.pending, bench.openInlets],
    ['stopped', 0, 0, 0],
  );
  assert.deepEqual(bench.harbour.violations, []);
}
