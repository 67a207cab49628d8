/** What supervision may rely on, whatever a plugin runs in. Each vessel must pass all of it. */

import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { NO_PERMISSIONS } from '../../host/config/permissions.ts';
import type { PluginSpec } from '../../host/config/plugin-plan.ts';
import { openProcessVessel } from '../../host/sandbox/process-vessel.ts';
import { openThreadVessel } from '../../host/sandbox/thread-vessel.ts';
import type { Vessel, VesselRequest } from '../../host/sandbox/vessel.ts';
import { Watchdog } from '../../host/sandbox/watchdog.ts';
import { makeBirth } from '../../host/supervision/birth.ts';
import { systemClock } from '../../ipc/clock.ts';
import type { KubernetesConnection } from '../../ipc/control.ts';
import { NO_USES } from '../../ipc/uses.ts';
import { eventually } from '../support/eventually.ts';
import { fixtureSpec } from '../support/plugin-spec.ts';
import { freePort } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VesselRecorder } from '../support/vessel-recorder.ts';

const watchdog = new Watchdog({ clock: systemClock });
after(() => watchdog[Symbol.dispose]());

const VESSELS: Record<string, (request: VesselRequest, variables: Record<string, string>) => Vessel> = {
  thread: (request, variables) => openThreadVessel(request, { clock: systemClock, variables, watchdog }),
  process: (request, variables) => openProcessVessel(request, { clock: systemClock, variables, watchdog }),
};
const STOPPED = { reason: 'stopped', detail: 'the test is over', stack: '', code: '' } as const;
const DEADLINE = { deadlineMs: 5_000 };
const CONNECTION: KubernetesConnection = {
  server: 'https://127.0.0.1:6443',
  ca: null,
  token: 'old',
  clientCertificate: null,
  skipTlsVerify: false,
  namespace: 'default',
};

for (const [kind, open] of Object.entries(VESSELS)) {
  const board = (
    t: TestContext,
    spec: PluginSpec,
    variables: Record<string, string> = {},
    connection: KubernetesConnection | null = null,
  ): { vessel: Vessel; seen: VesselRecorder } => {
    const seen = new VesselRecorder();
    const birth = makeBirth({
      spec,
      generation: 1,
      idPrefix: `${spec.name}-test-1`,
      debug: spec.debug,
      connection,
      hostDirectory: process.cwd(),
    });
    const vessel = open({ spec, birth, listener: seen }, variables);
    t.after(() => vessel.terminate(STOPPED));
    return { vessel, seen };
  };
  const start = async (vessel: Vessel): Promise<void> => {
    await vessel.control.call('initialize', DEADLINE);
    await vessel.control.call('start', DEADLINE);
  };

  describe(`vessel contract: ${kind}`, () => {
    it('starts a plugin, grants credit, receives its events in order and acknowledges them', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('emitter', { config: { count: 1000 } }));
      seen.onFrame = (frame) => {
        vessel.post({
          kind: 'ack',
          sequence: frame.sequence,
          refusals: [],
          events: frame.count,
          bytes: frame.lines.length + 1,
        });
      };
      await vessel.control.call('initialize', DEADLINE);
      vessel.post({ kind: 'credit', events: 300, bytes: 1_000_000 });
      await vessel.control.call('start', DEADLINE);
      await eventually(() => seen.logs.find((record) => record.message === 'all emitted'));
      const numbers = seen.frames.flatMap((frame) =>
        frame.lines.split('\n').map((line) => JSON.parse(line).metadata.n),
      );
      assert.deepEqual(
        numbers,
        Array.from({ length: 1000 }, (_, n) => n),
      );
      assert.deepEqual(
        seen.frames.map((frame) => frame.sequence),
        seen.frames.map((_, n) => n),
      );
    });

    it('sends nothing without credit and never more than its credit', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('emitter', { config: { count: 1000 } }));
      await vessel.control.call('initialize', DEADLINE);
      await vessel.control.call('start', DEADLINE);
      await vessel.control.call('healthCheck', DEADLINE);
      assert.equal(seen.frames.length, 0);
      vessel.post({ kind: 'credit', events: 7, bytes: 1_000_000 });
      await eventually(() => seen.frames.length > 0);
      await vessel.control.call('healthCheck', DEADLINE);
      assert.equal(
        seen.frames.reduce((sum, frame) => sum + frame.count, 0),
        7,
      );
    });

    it('refuses in the thread what could not be sent, and says so to the host', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('refused'));
      seen.onFrame = (frame) => {
        vessel.post({
          kind: 'ack',
          sequence: frame.sequence,
          refusals: [],
          events: frame.count,
          bytes: frame.lines.length + 1,
        });
      };
      await vessel.control.call('initialize', DEADLINE);
      vessel.post({ kind: 'credit', events: 100, bytes: 1_000_000 });
      await vessel.control.call('start', DEADLINE);
      assert.deepEqual(seen.refused, ['EVENT_ERR_SOURCE', 'EVENT_ERR_TOO_LARGE', 'EVENT_ERR_NOT_SERIALISABLE']);
    });

    it('tells what a plugin uses of what it may, and how often it was refused', async (t) => {
      const port = await freePort();
      const net = { any: false, listen: [port - 1, port], connect: ['127.0.0.1:2'] };
      const permissions = { ...NO_PERMISSIONS, net };
      const { vessel } = board(t, fixtureSpec('toucher', { config: { port }, permissions }));
      await start(vessel);
      await vessel.sample();
      const held = { sockets: 1, files: 1, connections: 1, listening: 0b10 };
      const denied = { deniedNetwork: 1, deniedFiles: 2, deniedOther: 1 };
      await eventually(async () => {
        await vessel.sample();
        // The socket that was refused is closed a moment after it has said so.
        return vessel.uses.deniedNetwork > 0 && vessel.uses.sockets === held.sockets;
      });
      assert.deepEqual(vessel.uses, { ...held, ...denied });
      await vessel.control.call('healthCheck', DEADLINE);
      await eventually(async () => {
        await vessel.sample();
        return vessel.uses.sockets === 0;
      });
      assert.deepEqual(vessel.uses, { ...held, sockets: 0, files: 0, listening: 0, ...denied });
    });

    it('counts nothing of a plugin that does nothing but start', async (t) => {
      const { vessel } = board(t, fixtureSpec('puppet', { config: { count: 0 } }));
      await start(vessel);
      await vessel.sample();
      assert.deepEqual(vessel.uses, NO_USES);
    });

    it('reports the error with which a plugin ended, and rejects the calls that wait', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('thrower', { config: { where: 'later' } }));
      await vessel.control.call('initialize', DEADLINE);
      await vessel.control.call('start', DEADLINE);
      const exit = await eventually(() => seen.exits[0]);
      assert.equal(exit.reason, 'crash');
      assert.equal(exit.detail, 'a bug in a callback');
      assert.match(exit.stack, /thrower\/index\.ts:\d+/);
      await assert.rejects(vessel.control.call('healthCheck', DEADLINE), { code: 'IPC_ERR_CLOSED' });
    });

    it('reports an exit without an error as exited, once', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('thrower', { config: { where: 'exit' } }));
      await vessel.control.call('initialize', DEADLINE);
      await vessel.control.call('start', DEADLINE);
      await eventually(() => seen.exits.length > 0);
      assert.deepEqual([seen.exits.length, seen.exits[0]?.reason], [1, 'exited']);
      await vessel.terminate(STOPPED);
      assert.equal(seen.exits.length, 1);
    });

    it('reports a rejection that nobody caught like any other error', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('thrower', { config: { where: 'rejection' } }));
      await start(vessel);
      const exit = await eventually(() => seen.exits[0]);
      assert.deepEqual([exit.reason, exit.detail], ['crash', 'nobody caught this']);
    });

    it('says what a plugin died of, not what its death did to the call that waited', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('thrower', { config: { where: 'crash in start' } }));
      await vessel.control.call('initialize', DEADLINE);
      await assert.rejects(vessel.control.call('start', DEADLINE), { code: 'IPC_ERR_CLOSED' });
      // As supervision does with a start that failed.
      await vessel.terminate({ reason: 'failed_start', detail: 'the start failed', stack: '', code: '' });
      assert.deepEqual(
        seen.exits.map(({ reason, detail }) => [reason, detail]),
        [['crash', 'a bug beside the start']],
      );
    });

    it('ends a plugin without asking it, at once and once, while it starts and while it is blocked', async (t) => {
      for (const where of ['never starts', 'blocked']) {
        const { vessel, seen } = board(t, fixtureSpec('thrower', { config: { where } }));
        await vessel.control.call('initialize', DEADLINE);
        const starting = assert.rejects(vessel.control.call('start', DEADLINE), { code: 'IPC_ERR_CLOSED' });
        await eventually(() => seen.logs.find(({ message }) => message === 'starting'));
        const startedAt = performance.now();
        await Promise.all([vessel.terminate(STOPPED), vessel.terminate(STOPPED)]);
        assert.ok(performance.now() - startedAt < 5_000);
        await starting;
        assert.deepEqual(seen.exits, [STOPPED]);
      }
    });

    it('takes what it is told after its end without harm, and says nothing any more', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('emitter', { config: { count: 10 } }));
      await start(vessel);
      await vessel.terminate(STOPPED);
      vessel.post({ kind: 'credit', events: 100, bytes: 1_000_000 });
      await vessel.sample();
      await assert.rejects(vessel.control.call('stop', DEADLINE), { code: 'IPC_ERR_CLOSED' });
      assert.deepEqual([seen.frames.length, seen.exits.length], [0, 1]);
      assert.ok(vessel.history.length > 0);
    });

    it('carries log lines with their level and fields, and debug lines from the moment they are wanted', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('talker'));
      await start(vessel);
      assert.equal(await vessel.control.call('healthCheck', DEADLINE), true);
      await eventually(() => seen.logs.length >= 5);
      const before = seen.logs.map(({ level, message, fields }) => [level, message, fields]);
      assert.deepEqual(before.sort(), [
        ['error', 'a line of stderr', ''],
        ['error', 'error line', ''],
        ['info', 'a line of stdout', ''],
        ['info', 'info line', '{"text":"ü „quoted“ 😀"}'],
        ['warn', 'warn line', ''],
      ]);
      await vessel.control.call('setDebug', { ...DEADLINE, args: [true] });
      await vessel.control.call('healthCheck', DEADLINE);
      await eventually(() => seen.logs.find(({ level, message }) => level === 'debug' && message === 'debug line'));
    });

    it('asks for new credentials, and uses what it is given', async (t) => {
      const permissions = { ...NO_PERMISSIONS, kubernetes: true };
      const { vessel, seen } = board(t, fixtureSpec('renewer', { permissions }), {}, CONNECTION);
      await start(vessel);
      const answer = vessel.control.call('healthCheck', DEADLINE);
      await eventually(() => seen.renewals === 1);
      await vessel.control.call('reconnect', { ...DEADLINE, args: [{ ...CONNECTION, token: 'new' }] });
      assert.equal(await answer, 'it has new');
    });

    it('carries metrics as deltas, and large ones as well', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('talker', { config: { series: 700 } }));
      await start(vessel);
      await vessel.control.call('healthCheck', DEADLINE);
      await eventually(() => seen.metrics.length >= 702);
      const named = (name: string): unknown => seen.metrics.find((record) => record.name === name);
      assert.deepEqual(named('polls_total'), {
        type: 'counter',
        name: 'polls_total',
        help: 'Polls.',
        labels: { result: 'ok' },
        value: 3,
      });
      assert.deepEqual(named('lag_seconds'), {
        type: 'gauge',
        name: 'lag_seconds',
        help: 'Lag.',
        labels: {},
        value: 2.5,
      });
    });

    it('hears the last words before a crash', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('talker', { config: { lastWords: true } }));
      await start(vessel);
      await vessel.control.call('healthCheck', DEADLINE).catch(() => undefined);
      const exit = await eventually(() => seen.exits[0]);
      assert.equal(exit.reason, 'crash');
      assert.equal(seen.logs.filter(({ message }) => message.startsWith('last words')).length, 100);
    });

    it('tells the plugin which of its events were refused by the host', async (t) => {
      const { vessel, seen } = board(t, fixtureSpec('talker', { config: { emits: true } }));
      seen.onFrame = (frame) => {
        const refusals = [{ index: 1, code: 'EVENT_ERR_INVALID', message: 'resourceName must not be empty' }];
        vessel.post({ kind: 'ack', sequence: frame.sequence, refusals, events: 3, bytes: 0 });
      };
      await vessel.control.call('initialize', DEADLINE);
      vessel.post({ kind: 'credit', events: 100, bytes: 1_000_000 });
      await vessel.control.call('start', DEADLINE);
      const told = await eventually(() => seen.logs.find(({ message }) => message === 'told'));
      assert.deepEqual(JSON.parse(told.fields).answers, ['talker-test-1-0', 'EVENT_ERR_INVALID', 'talker-test-1-2']);
      const lines = seen.frames[0]?.lines.split('\n').map((line) => JSON.parse(line).message);
      assert.deepEqual(lines, ['ä', '„"\\\n', '😀'.repeat(1_000)]);
    });

    it('ends a plugin whose loop stands still, and one that holds too much', async (t) => {
      const { limits } = fixtureSpec('puppet');
      for (const [reason, config, own] of [
        ['hang', { blockMs: 60_000 }, { hangTimeoutMs: 300 }],
        ['leak', { holdMb: 2_000 }, { memoryBytes: 40 * 1024 * 1024, hangTimeoutMs: 10_000 }],
      ] as const) {
        const { vessel, seen } = board(t, fixtureSpec('puppet', { config, limits: { ...limits, ...own } }));
        await start(vessel);
        const exit = await eventually(() => seen.exits[0]);
        assert.equal(exit.reason, reason, exit.detail);
        assert.ok((vessel.history.at(-1)?.residentBytes ?? 0) > 0);
      }
    });

    it('keeps the code of an error across the boundary', async (t) => {
      const { vessel } = board(t, fixtureSpec('thrower', { config: { where: 'config' } }));
      await assert.rejects(vessel.control.call('initialize', DEADLINE), {
        code: 'PLUGIN_ERR_CONFIG',
        message: "configuration 'where' must not be 'config'",
      });
    });

    it('gives a call its deadline, and outlives the answer that comes too late', async (t) => {
      const { vessel } = board(t, fixtureSpec('stubborn'));
      await vessel.control.call('initialize', DEADLINE);
      await vessel.control.call('start', DEADLINE);
      await assert.rejects(vessel.control.call('stop', { deadlineMs: 30 }), { code: 'IPC_ERR_DEADLINE' });
      assert.equal(await vessel.control.call('healthCheck', DEADLINE), null);
    });

    it('denies files, network and environment that were not granted', async (t) => {
      const directory = tempDir(t);
      const secret = join(directory, 'secret');
      writeFileSync(secret, 'top secret');
      const server = createServer().listen(0, '127.0.0.1');
      t.after(() => server.close());
      await eventually(() => server.listening);
      const { port } = server.address() as { port: number };
      const { vessel, seen } = board(t, fixtureSpec('prober', { config: { secret, port } }), {
        PATH: '/bin',
        TOKEN: 'x',
      });
      await vessel.control.call('initialize', DEADLINE);
      await vessel.control.call('start', DEADLINE);
      const record = await eventually(() => seen.logs.find((log) => log.message === 'probe'));
      assert.deepEqual(JSON.parse(record.fields), {
        'read secret': 'ERR_ACCESS_DENIED',
        'read passwd': 'ERR_ACCESS_DENIED',
        'read working directory': 'ERR_ACCESS_DENIED',
        'write file': 'ERR_ACCESS_DENIED',
        'read own manifest': 'ok: true',
        environment: '',
        'connect loopback': 'ERR_ACCESS_DENIED',
      });
    });

    it('grants exactly the folders and variables that were granted', async (t) => {
      const directory = mkdtempSync(join(tempDir(t), 'granted-'));
      const secret = join(directory, 'secret');
      writeFileSync(secret, 'for you');
      const spec = fixtureSpec('prober', { config: { secret } });
      const permissions = { ...spec.permissions, read: [directory], env: ['TOKEN'] };
      const { vessel, seen } = board(t, { ...spec, permissions }, { PATH: '/bin', TOKEN: 'x' });
      await vessel.control.call('initialize', DEADLINE);
      await vessel.control.call('start', DEADLINE);
      const record = await eventually(() => seen.logs.find((log) => log.message === 'probe'));
      const probe = JSON.parse(record.fields);
      assert.deepEqual(
        [probe['read secret'], probe['read passwd'], probe.environment],
        ['ok: for you', 'ERR_ACCESS_DENIED', 'TOKEN'],
      );
    });

    it('reads vital signs from outside', async (t) => {
      const { vessel } = board(t, fixtureSpec('stubborn'));
      await vessel.control.call('initialize', DEADLINE);
      await vessel.sample();
      assert.ok(vessel.vitals.heapBytes > 1_000_000, `heap ${vessel.vitals.heapBytes}`);
      assert.ok(vessel.vitals.cpuSeconds > 0);
    });
  });
}
