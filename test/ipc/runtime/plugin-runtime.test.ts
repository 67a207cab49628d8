import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Birth, KubernetesConnection } from '../../../ipc/control.ts';
import type { ToHost, ToPlugin } from '../../../ipc/messages.ts';
import { ConfigError, definePlugin, type Plugin, type PluginContext } from '../../../ipc/plugin-api.ts';
import { PluginRuntime } from '../../../ipc/runtime/plugin-runtime.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { TestPort } from '../../support/test-port.ts';

const BIRTH: Birth = {
  plugin: 'webhook',
  version: '1.0.0',
  generation: 4,
  idPrefix: 'webhook-r-4',
  entry: 'file:///bundles/webhook/index.ts',
  config: { nested: { port: 8090 } },
  debug: false,
  connection: null,
  network: { any: false, listen: [8090], connect: [] },
  budget: { sockets: 10, files: 10, logLinesPerSecond: 200 },
  hostDirectory: '/',
};

const CONNECTION: KubernetesConnection = {
  server: 'https://127.0.0.1:6443',
  ca: null,
  token: 'old',
  clientCertificate: null,
  skipTlsVerify: false,
  namespace: 'default',
};

interface Rig {
  readonly runtime: PluginRuntime;
  readonly port: TestPort<ToHost, ToPlugin>;
  readonly clock: FakeClock;
  /** How often memory was given back. */
  readonly tidied: () => number;
}

function rig(loaded: unknown, birth: Partial<Birth> = {}): Rig {
  const port = new TestPort<ToHost, ToPlugin>();
  const clock = new FakeClock();
  const load = async (url: string): Promise<unknown> => {
    assert.equal(url, BIRTH.entry);
    if (loaded instanceof Error) throw loaded;
    return loaded;
  };
  let tidied = 0;
  const tidy = (): void => {
    tidied += 1;
  };
  const runtime = new PluginRuntime({ birth: { ...BIRTH, ...birth }, port, clock, load, tidy });
  return { runtime, port, clock, tidied: () => tidied };
}

const bundle = (plugin: Plugin): { default: Plugin } => ({ default: definePlugin(plugin) });

/** The context that a started plugin was given. */
async function contextOf(given: Rig, contexts: PluginContext[]): Promise<PluginContext> {
  await given.runtime.initialize();
  await given.runtime.start();
  const [context] = contexts;
  assert.ok(context !== undefined);
  return context;
}

describe('plugin runtime', () => {
  it('gives back once what loading and starting left behind, and not while the plugin may still be starting', async () => {
    const { runtime, clock, tidied } = rig(bundle({ start: () => undefined }));
    await runtime.initialize();
    await clock.advance(60_000);
    assert.equal(tidied(), 0);
    await runtime.start();
    assert.equal(tidied(), 0);
    await clock.advance(60_000);
    assert.equal(tidied(), 1);
  });

  it('names what is wrong with an entry that is no plugin', async () => {
    for (const loaded of [{}, { default: null }, { default: () => 1 }, { default: {} }, { default: { start: 1 } }]) {
      await assert.rejects(rig(loaded).runtime.initialize(), { code: 'PLUGIN_ERR_NOT_A_PLUGIN' });
    }
  });

  it('says why an entry cannot be imported, also when what it throws defies reading', async () => {
    const hostile = new Error('x');
    Object.defineProperty(hostile, 'code', {
      get() {
        throw new Error('no code for you');
      },
    });
    for (const error of [Object.assign(new Error('Cannot find module'), { code: 'ERR_MODULE_NOT_FOUND' }), hostile]) {
      await assert.rejects(rig(error).runtime.initialize(), { code: 'PLUGIN_ERR_LOAD' });
    }
  });

  it('says what an entry exports in place of a plugin', async () => {
    for (const [loaded, text] of [
      [{}, 'no exports at all'],
      [{ plugin: {}, other: 1 }, 'no default export, only plugin, other'],
      [{ default: { run: () => 1 } }, "an object of run without a function 'start'"],
      [{ default: {} }, "an empty object without a function 'start'"],
      [{ default: () => 1 }, 'a function'],
      [{ default: null }, 'null'],
    ] as const) {
      const message = `the entry must export default definePlugin({ start(ctx) {…} }), got ${text}`;
      await assert.rejects(rig(loaded).runtime.initialize(), { code: 'PLUGIN_ERR_NOT_A_PLUGIN', message });
    }
  });

  it('takes the default export of CommonJS that was compiled from an ES module', async () => {
    let isStarted = false;
    const start = (): void => {
      isStarted = true;
    };
    const { runtime } = rig({ default: { __esModule: true, default: definePlugin({ start }) } });
    await runtime.initialize();
    await runtime.start();
    assert.ok(isStarted);
  });

  it('says whether its bundle is loaded', async () => {
    const { runtime } = rig(bundle({ initialize: () => new Promise(() => undefined), start() {} }));
    assert.equal(await runtime.isLoaded(), false);
    void runtime.initialize();
    await settle();
    assert.equal(await runtime.isLoaded(), true);
  });

  it('gives the plugin a configuration of its own, and keeps the code of a ConfigError', async () => {
    let seen: unknown;
    const { runtime } = rig(
      bundle({
        initialize(config) {
          seen = config;
          (config as { nested: { port: number } }).nested.port = 1;
          throw new ConfigError('no such port');
        },
        start() {},
      }),
    );
    await assert.rejects(runtime.initialize(), { code: 'PLUGIN_ERR_CONFIG', kind: 'user' });
    assert.deepEqual([seen, BIRTH.config], [{ nested: { port: 1 } }, { nested: { port: 8090 } }]);
  });

  it('aborts the signal before it asks the plugin to stop, and refuses events from then on', async () => {
    const order: string[] = [];
    const contexts: PluginContext[] = [];
    const given = rig(
      bundle({
        start(ctx) {
          contexts.push(ctx);
          ctx.signal.addEventListener('abort', () => order.push('aborted'));
        },
        stop() {
          order.push('stop');
        },
      }),
    );
    const context = await contextOf(given, contexts);
    await given.runtime.drain();
    await given.runtime.stop();
    assert.deepEqual(order, ['aborted', 'stop']);
    await assert.rejects(context.emit({ type: 'a', resourceName: 'r', message: 'm' }), { code: 'EVENT_ERR_STOPPING' });
  });

  it('sends the last log lines and metrics before it has stopped, also when stop throws', async () => {
    for (const fails of [false, true]) {
      const given = rig(
        bundle({
          start(ctx) {
            ctx.metrics.counter({ name: 'n', help: '' }).inc();
            ctx.log.info('last words');
          },
          stop() {
            if (fails) throw new Error('will not');
          },
        }),
      );
      await given.runtime.initialize();
      await given.runtime.start();
      await given.runtime.stop().catch(() => undefined);
      assert.deepEqual(
        given.port
          .take()
          .map(({ kind }) => kind)
          .toSorted(),
        ['log', 'metric'],
      );
      assert.equal(given.clock.pending, 0);
    }
  });

  it('asks for new credentials once for all who want them, and lets nobody wait for ever', async () => {
    const contexts: PluginContext[] = [];
    const given = rig(bundle({ start: (ctx) => void contexts.push(ctx) }), { connection: CONNECTION });
    const ctx = await contextOf(given, contexts);
    const asked = (): number => given.port.take().filter(({ kind }) => kind === 'renew').length;
    const both = Promise.all([ctx.renewKubernetes(), ctx.renewKubernetes()]);
    assert.equal(asked(), 1);
    await given.runtime.reconnect({ ...CONNECTION, token: 'new' });
    await both;
    assert.equal(ctx.kubernetes?.token, 'new');

    const unanswered = ctx.renewKubernetes();
    assert.equal(asked(), 1);
    await given.clock.advance(10_000);
    await unanswered;
    const stopping = ctx.renewKubernetes();
    await given.runtime.drain();
    await stopping;
    assert.equal(given.clock.pending, 0);
    const without = rig(bundle({ start: (each) => void contexts.push(each) }));
    await without.runtime.initialize();
    await without.runtime.start();
    await contexts[1]?.renewKubernetes();
    assert.deepEqual(without.port.take(), [], 'who has no connection asks nobody');
  });

  it('takes only true for healthy, and nothing for no opinion', async () => {
    const health = async (healthCheck?: () => unknown): Promise<boolean | string | null> => {
      const plugin = { start() {}, ...(healthCheck === undefined ? {} : { healthCheck }) } as Plugin;
      const { runtime } = rig(bundle(plugin));
      await runtime.initialize();
      return runtime.healthCheck();
    };
    assert.equal(await health(), null);
    assert.equal(await health(() => true), true);
    for (const answer of [false, undefined, 'yes', 1, { stale: '' }, { stale: true }])
      assert.equal(await health(async () => answer), false);
    assert.equal(await health(() => ({ stale: 'no contact for 2 min' })), 'no contact for 2 min');
    assert.equal(String(await health(() => ({ stale: 'x'.repeat(100_000) }))).length, 1_024);
    await assert.rejects(
      health(() => Promise.reject(new Error('sick'))),
      /sick/,
    );
  });

  it('calls the plugin’s methods on the plugin', async () => {
    class Counter {
      healthy = true;
      start(): void {}
      stop(): void {
        this.healthy = false;
      }
      healthCheck(): boolean {
        return this.healthy;
      }
    }
    const { runtime } = rig({ default: new Counter() });
    await runtime.initialize();
    await runtime.start();
    assert.equal(await runtime.healthCheck(), true);
    await runtime.stop();
    assert.equal(await runtime.healthCheck(), false);
  });

  it('gives a context that cannot be changed, whose parts may be used apart from it', async () => {
    const contexts: PluginContext[] = [];
    const given = rig(bundle({ start: (ctx) => void contexts.push(ctx) }));
    const context = await contextOf(given, contexts);
    assert.throws(() => Object.assign(context, { name: 'kubernetes' }), TypeError);
    const { emit, tryEmit, log, metrics } = context;
    const { counter } = metrics;
    counter({ name: 'n', help: '' }).inc();
    log.info('apart');
    assert.equal(tryEmit({ type: 'a', resourceName: 'r', message: 'm' }), null);
    given.port.deliver({ kind: 'credit', events: 1, bytes: 1_000 });
    void emit({ type: 'a', resourceName: 'r', message: 'm' });
    await settle();
    await given.clock.advance(250);
    const sent = given.port.take();
    assert.deepEqual(sent.map(({ kind }) => kind).toSorted(), ['frame', 'log', 'metric']);
    for (const message of sent) assert.equal(message.generation, 4);
  });

  it('hands out the connection of the moment, and debug as it is switched', async () => {
    const contexts: PluginContext[] = [];
    const given = rig(bundle({ start: (ctx) => void contexts.push(ctx) }));
    const context = await contextOf(given, contexts);
    assert.deepEqual([context.kubernetes, context.debug], [null, false]);
    const connection = {
      server: 'https://10.0.0.1:443',
      ca: null,
      token: 'new',
      clientCertificate: null,
      skipTlsVerify: false,
      namespace: 'default',
    };
    await given.runtime.reconnect(connection);
    await given.runtime.setDebug(true);
    assert.deepEqual([context.kubernetes?.token, context.debug], ['new', true]);
  });
});
