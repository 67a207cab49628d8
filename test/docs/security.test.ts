/** docs/security.md says what this version holds and what it does not: every row of its tables is tried in a real plugin thread. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { NO_PERMISSIONS, type Permissions } from '../../host/config/permissions.ts';
import type { ExitReason } from '../../host/sandbox/exit.ts';
import { openThreadVessel } from '../../host/sandbox/thread-vessel.ts';
import { makeBirth } from '../../host/supervision/birth.ts';
import { systemClock } from '../../ipc/clock.ts';
import { AppHost } from '../support/app-host.ts';
import { ATTACKS } from '../support/archive-attacks.ts';
import { readDoc, section, tableRows } from '../support/docs.ts';
import { eventually } from '../support/eventually.ts';
import { fixtureSpec } from '../support/plugin-spec.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VesselRecorder } from '../support/vessel-recorder.ts';

const page = readDoc('security.md');
const GRANTABLE = tableRows(section(page, '## Files, environment, network, programs'));
const WIRES = tableRows(section(page, '## What passes through the wires'));
const WATCHED_FOR = tableRows(section(page, '## What is read from outside'));
const ARCHIVES = tableRows(section(page, '## What an archive may hold'));
const GUARDED = tableRows(section(page, '## What a permission cannot hold'));
/** Why the host ends a run by itself. */
const WATCHED: readonly ExitReason[] = ['protocol', 'flood', 'leak', 'out_of_memory', 'hang'];
const DEADLINE = { deadlineMs: 5_000 };
const OVER = { reason: 'stopped', detail: 'the test is over', stack: '', code: '' } as const;

interface Surroundings {
  readonly folder: string;
  readonly port: number;
}

async function surroundings(t: TestContext): Promise<Surroundings> {
  const folder = tempDir(t);
  writeFileSync(join(folder, 'secret'), 'x');
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await eventually(() => server.listening);
  return { folder, port: (server.address() as { port: number }).port };
}

/** In the words of the page. */
async function outcome(
  t: TestContext,
  attempt: string,
  around: Surroundings,
  granted: Partial<Permissions>,
): Promise<string> {
  const { folder, port } = around;
  const config = { attempt, folder, file: join(folder, 'secret'), port };
  const base = fixtureSpec('climber', { config });
  const limits = { ...base.limits, memoryBytes: 16 * 1024 * 1024 };
  const spec = { ...base, limits, permissions: { ...NO_PERMISSIONS, ...granted } };
  const seen = new VesselRecorder();
  const about = { generation: 1, idPrefix: 'climber-test-1', debug: false, connection: null };
  const birth = makeBirth({ spec, ...about, hostDirectory: process.cwd() });
  const variables = { TOKEN: 'x' };
  const vessel = openThreadVessel({ spec, birth, listener: seen }, { clock: systemClock, variables });
  t.after(() => vessel.terminate(OVER));
  // An ended run rejects the call; its exit says why.
  await vessel.control.call('initialize', DEADLINE).catch(() => undefined);
  await vessel.control.call('start', DEADLINE).catch(() => undefined);
  const told = await eventually(() => seen.exits[0] ?? seen.logs.find(({ message }) => message === 'attempted'));
  if ('reason' in told) {
    if (told.code === 'ERR_ACCESS_DENIED') return 'denied, and its run ends';
    return WATCHED.includes(told.reason) ? 'its run is ended' : told.reason;
  }
  return JSON.parse(told.fields).result === 'done' ? 'works' : 'denied';
}

describe('docs/security.md', () => {
  it('tells of each attempt what comes of it without a grant, and with one', async (t) => {
    const around = await surroundings(t);
    const { folder, port } = around;
    const net = { any: false, listen: [port, 0], connect: [`127.0.0.1:${port}`] };
    const all: Partial<Permissions> = { net, read: [folder], write: [folder], env: ['TOKEN'] };
    const seen: string[][] = [];
    for (const [attempt = ''] of GRANTABLE) {
      seen.push([attempt, await outcome(t, attempt, around, {}), await outcome(t, attempt, around, all)]);
    }
    // No third cell: a grant makes no difference.
    const told = GRANTABLE.map(([attempt, without, granted]) => [attempt, without, granted === '' ? without : granted]);
    assert.deepEqual(told, seen);
  });

  it('tells what comes of meddling with the wires, and of what a permission cannot hold', async (t) => {
    const around = await surroundings(t);
    const told = [...WIRES, ...WATCHED_FOR, ...GUARDED];
    const seen: string[][] = [];
    for (const [attempt = ''] of told) seen.push([attempt, await outcome(t, attempt, around, {})]);
    assert.deepEqual(told, seen);
  });

  it('leaves out no attempt that the climber knows', async (t) => {
    const around = await surroundings(t);
    const { folder, port } = around;
    const spec = fixtureSpec('climber', { config: { attempt: 'none', folder, port } });
    const seen = new VesselRecorder();
    const about = { generation: 1, idPrefix: 'climber-test-1', debug: false, connection: null };
    const birth = makeBirth({ spec, ...about, hostDirectory: process.cwd() });
    const vessel = openThreadVessel({ spec, birth, listener: seen }, { clock: systemClock, variables: {} });
    t.after(() => vessel.terminate(OVER));
    await vessel.control.call('initialize', DEADLINE);
    await vessel.control.call('start', DEADLINE);
    const told = await eventually(() => seen.logs.find(({ message }) => message === 'attempted'));
    const [, known = ''] = JSON.parse(told.fields).result.split('there are: ');
    const documented = [...GRANTABLE, ...WIRES, ...WATCHED_FOR, ...GUARDED].map(([attempt]) => attempt);
    assert.deepEqual(documented.sort(), known.split('; ').sort());
  });

  it('names every archive that is refused, and no other; test/host/config/archive-stream.test.ts makes them all', () => {
    assert.deepEqual(
      ARCHIVES,
      ATTACKS.map(({ what }) => [what]),
    );
  });

  it('is right that links lead out of a granted folder', async (t) => {
    const { folder, port } = await surroundings(t);
    const inside = join(folder, 'granted');
    mkdirSync(inside);
    symlinkSync(join(folder, 'secret'), join(inside, 'secret'));
    const around = { folder: inside, port };
    assert.equal(await outcome(t, 'read a file outside its bundle', around, { read: [inside] }), 'works');
  });

  it('is right that the end of a plugin’s own process is not the end of khook', async (t) => {
    const children = `/proc/${process.pid}/task/${process.pid}/children`;
    if (!existsSync(children)) return t.skip('no /proc');
    const host = await AppHost.start(t, {
      plugins: 'plugins: [{ name: puppet, isolation: process }]\nsettings: { shutdownGrace: 50ms }',
      bundles: { puppet: 'test/fixtures/plugins/puppet' },
    });
    await host.plugin('puppet', 'running');
    const [child = 0, ...others] = readFileSync(children, 'utf8').trim().split(' ').map(Number);
    assert.ok(child > 0 && others.length === 0);
    process.kill(child, 'SIGKILL');
    await eventually(async () => (await host.plugin('puppet', 'running')).generation === 2);
  });

  it('is right that three unanswered health checks end a run', async (t) => {
    const host = await AppHost.start(t, {
      plugins: `plugins: [{ name: puppet, config: { health: never }, limits: { healthCheckTimeout: 20ms } }]
settings: { healthCheckInterval: 20ms, shutdownGrace: 50ms }`,
      bundles: { puppet: 'test/fixtures/plugins/puppet' },
    });
    await eventually(
      () => host.grep(/plugin puppet failed: unhealthy: its health check failed 3 times in a row/).length > 0,
    );
  });
});
