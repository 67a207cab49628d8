/** `khook doctor` as it is typed: what it prints, how it exits, what is in its archive, and what it says when there is no host to ask. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { khook } from '../support/khook-command.ts';
import { freePort } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';
import { findingsOf, healthy, hook, puppet } from './doctor-support.ts';

async function listening(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as { port: number }).port;
}

describe('khook doctor on the command line', () => {
  it('exits with 0 where nothing is wrong, 1 with warnings, 2 with problems', async (t) => {
    const well = await healthy(t);
    await well.plugin('puppet', 'running');
    const suspended = await healthy(t, { hooks: { 'h.yaml': hook({ suspend: true }) } });
    const broken = await healthy(t, { plugins: puppet('enabled: false') });
    const seen = await Promise.all(
      [well, suspended, broken].map((host) => khook(['doctor', '--url', `http://127.0.0.1:${host.app.ports.admin}`])),
    );
    assert.deepEqual(
      seen.map(({ code }) => code),
      [0, 1, 2],
    );
    assert.match(seen[0]?.stdout ?? '', /: nothing is wrong\.\n$/);
    assert.match(
      seen[1]?.stdout ?? '',
      /1 warning\n\n1\. WARNING Hook default\/h is suspended.*\[HOOK_SUSPENDED\]\n {3}fix: {3}set spec\.suspend: false\.\n/,
    );
    assert.match(seen[2]?.stdout ?? '', /1\. PROBLEM Plugin puppet is switched off/);
  });

  it('speaks JSON, by the read port as well', async (t) => {
    const host = await healthy(t, { plugins: puppet('enabled: false') });
    const { stdout } = await khook(['doctor', '--json', '--url', `http://127.0.0.1:${host.app.ports.metrics}`]);
    const { findings } = JSON.parse(stdout) as { findings: unknown };
    assert.deepEqual(findings, await findingsOf(host));
  });

  it('writes an archive that holds what khook knows, and no secret', async (t) => {
    const host = await healthy(t, {
      plugins: puppet(`config: { logLines: 1 }, enabled: true`),
      hooks: {
        'h.yaml': hook({
          eventConfigurations: [{ eventType: 'happened', agentRef: { name: 'a' }, prompt: 'token=hunter2' }],
        }),
      },
    });
    await host.plugin('puppet', 'running');
    await host.emit({ message: 'failed with password=hunter2' });
    await eventually(async () => (await host.outcomes()).delivered === 1);
    const file = join(tempDir(t), 'bundle.tgz');
    const { code, stderr } = await khook([
      'doctor',
      '--url',
      `http://127.0.0.1:${host.app.ports.admin}`,
      '--bundle',
      file,
    ]);
    assert.equal(code, 0, stderr);
    const names = execFileSync('tar', ['tzf', file], { encoding: 'utf8' }).trim().split('\n').sort();
    assert.deepEqual(
      names,
      [
        ...['cluster.json', 'configuration.json', 'dead-letters.json', 'events.json', 'findings.json', 'findings.txt'],
        ...[
          'flight-records.json',
          'health.json',
          'history.json',
          'hooks.json',
          'host.json',
          'ledger.json',
          'machine.json',
        ],
        ...['metrics.txt', 'plans.json', 'plugins.json', 'status.json'],
      ].map((name) => `khook-bundle/${name}`),
    );
    const everything = execFileSync('tar', ['xzOf', file], { encoding: 'utf8' });
    assert.doesNotMatch(everything, /hunter2/);
    assert.match(everything, /khook_events_total/);
    assert.equal((readFileSync(file)[0] ?? 0) === 0x1f, true, 'gzip');
  });

  it('says when the archive cannot be written', async (t) => {
    const host = await healthy(t);
    await host.plugin('puppet', 'running');
    const file = join(tempDir(t), 'nowhere', 'bundle.tgz');
    const { code, stderr } = await khook([
      'doctor',
      '--url',
      `http://127.0.0.1:${host.app.ports.admin}`,
      '--bundle',
      file,
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /cannot be written to .*nowhere.*ENOENT/);
  });

  it('says that no host answers, and what is wrong with what it would read', async (t) => {
    const directory = tempDir(t);
    writeFileSync(join(directory, 'plugins.yaml'), 'plugins: [{ name: nobody }]');
    const url = `http://127.0.0.1:${await freePort()}`;
    const ports = { METRICS_PORT: String(await freePort()), HEALTH_PORT: String(await freePort()) };
    const empty = tempDir(t);
    const flags = ['--url', url, '--config', directory, '--hooks', empty, '--plugins', empty, '--json'];
    const { code, stdout } = await khook(['doctor', ...flags], directory, ports);
    assert.equal(code, 2);
    const { findings } = JSON.parse(stdout) as { findings: { code: string }[] };
    assert.deepEqual(
      findings.map((finding) => finding.code),
      ['HOST_UNREACHABLE', 'PLUGIN_MISSING'],
    );
    const wrong = await khook(['doctor', ...flags], directory, { ...ports, LOG_LEVEL: 'loud' });
    assert.match(wrong.stdout, /"code": "CONFIG_INVALID"[\s\S]*LOG_LEVEL[\s\S]*HOST_UNREACHABLE/);
  });

  it('tells a host that hangs, somebody else, and a port that is taken from each other', async (t) => {
    const silent = await listening(
      t,
      createServer((socket) => t.after(() => socket.destroy())),
    );
    const stranger = await listening(
      t,
      createHttpServer((_, response) => response.end('hello')),
    );
    const first = async (url: string, env: Record<string, string> = {}): Promise<string> => {
      const directory = tempDir(t);
      const read = ['--config', directory, '--hooks', directory, '--plugins', directory, '--json'];
      const { stdout } = await khook(['doctor', '--url', url, ...read], directory, env);
      return (JSON.parse(stdout) as { findings: { code: string }[] }).findings[0]?.code ?? '';
    };
    const free = { METRICS_PORT: String(await freePort()), HEALTH_PORT: String(await freePort()) };
    assert.equal(await first(`http://127.0.0.1:${silent}`, free), 'HOST_STALLED');
    assert.equal(await first(`http://127.0.0.1:${stranger}`, free), 'HOST_UNREACHABLE');
    const nobody = `http://127.0.0.1:${await freePort()}`;
    assert.equal(await first(nobody, { ...free, METRICS_PORT: String(stranger) }), 'PORT_TAKEN');
  });
});
