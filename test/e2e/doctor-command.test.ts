/** `khook doctor` as it is typed: what it prints, how it exits, what is in its archive, and what it says when there is no host to ask. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
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

/** An agent that is named needs no port here. */
async function freePorts(): Promise<Record<string, string>> {
  const [metrics, health] = [await freePort(), await freePort()];
  return { METRICS_PORT: String(metrics), HEALTH_PORT: String(health), KAGENT_API_URL: 'http://localhost:1' };
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
      /1 warning\n\n1\. WARNING Hook default\/h is suspended.*\[HOOK_SUSPENDED\]\n {3}seen: {2}it stands in .*h\.yaml\n {3}fix: {3}set spec\.suspend: false\.\n/,
    );
    assert.match(seen[2]?.stdout ?? '', /1\. PROBLEM Plugin puppet is switched off/);
  });

  it('takes a host and a port for a URL', async (t) => {
    const well = await healthy(t);
    await well.plugin('puppet', 'running');
    const { code, stdout } = await khook(['doctor', '--url', `localhost:${well.app.ports.admin}`]);
    assert.equal(code, 0, stdout);
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
    const ports = await freePorts();
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
    const free = await freePorts();
    assert.equal(await first(`http://127.0.0.1:${silent}`, free), 'HOST_STALLED');
    assert.equal(await first(`http://127.0.0.1:${stranger}`, free), 'HOST_UNREACHABLE');
    const nobody = `http://127.0.0.1:${await freePort()}`;
    assert.equal(await first(nobody, { ...free, METRICS_PORT: String(stranger) }), 'PORT_TAKEN');
  });

  it('names who else has a port that khook or a plugin wants, where no host answers', async (t) => {
    const taken = String(
      await listening(
        t,
        createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0\r\n')),
      ),
    );
    const [directory, hooks] = [tempDir(t), tempDir(t)];
    cpSync('plugins/webhook', join(directory, 'plugins/webhook'), { recursive: true });
    const free = await freePorts();
    const found = async (args: readonly string[], env: Record<string, string> = free): Promise<string[]> => {
      const read = ['--config', directory, '--hooks', hooks, '--plugins', join(directory, 'plugins')];
      const url = args.includes('--url') ? [] : ['--url', `http://127.0.0.1:${await freePort()}`];
      const { stdout } = await khook(['doctor', ...read, ...url, '--json', ...args], directory, env);
      const { findings } = JSON.parse(stdout) as { findings: { code: string; problem: string }[] };
      return findings.map(({ code, problem }) => `${code}: ${problem}`);
    };
    const by = `PORT_TAKEN: Somebody else listens on port ${taken}, which khook wants for`;
    writeFileSync(join(directory, 'plugins.yaml'), 'plugins: [{ name: webhook, enabled: false }]');
    assert.equal((await found(['--health-port', taken]))[0], `${by} health.`);
    assert.equal((await found(['--url', `http://127.0.0.1:${taken}`]))[0], `${by} what changes something (admin).`);
    const { KAGENT_API_URL, ...noAgent } = free;
    assert.equal((await found(['--agent-port', taken], noAgent))[0], `${by} its embedded agent.`);
    assert.match((await found(['--agent-port', taken, '--agent-url', KAGENT_API_URL ?? '']))[0] ?? '', /UNREACHABLE/);
    assert.match((await found(['--agent-url', 'kagent:8083']))[0] ?? '', /^CONFIG_INVALID: --agent-url must be/);
    assert.match((await found([], { ...free, LEADER_ELECTION: 'true' }))[0] ?? '', /^CONNECTION: LEADER_ELECTION/);
    const listen = `permissions: { net: { listen: [${taken}] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] }`;
    writeFileSync(
      join(directory, 'plugins.yaml'),
      `plugins: [{ name: webhook, config: { port: ${taken} }, ${listen} }]`,
    );
    assert.equal((await found([]))[1], `${by} plugin webhook.`);
  });

  it('says where another khook answers', async (t) => {
    const host = await healthy(t);
    await host.plugin('puppet', 'running');
    const directory = tempDir(t);
    const read = ['--config', directory, '--hooks', directory, '--plugins', directory];
    const flags = ['--url', `http://127.0.0.1:${await freePort()}`, '--metrics-port', String(host.app.ports.metrics)];
    const { stdout } = await khook(['doctor', ...read, ...flags], directory, await freePorts());
    assert.match(stdout, new RegExp(`but one has port ${host.app.ports.metrics}`));
    // Its health port alone is in the way like that of anybody else.
    const health = String(host.app.ports.health);
    const other = await khook(
      ['doctor', ...read, ...flags.slice(0, 2), '--health-port', health],
      directory,
      await freePorts(),
    );
    assert.match(other.stdout, new RegExp(`1\\. PROBLEM Somebody else listens on port ${health}`));
  });

  it('says that a variable is corrected in the environment, not in a file', async (t) => {
    const directory = tempDir(t);
    const read = ['--config', directory, '--hooks', directory, '--plugins', directory];
    const flags = [...read, '--url', `http://127.0.0.1:${await freePort()}`];
    const { stdout } = await khook(['doctor', ...flags], directory, { ...(await freePorts()), LOG_LEVEL: 'verbose' });
    assert.match(stdout, /1\. PROBLEM LOG_LEVEL[\s\S]*fix: {3}Correct it in the environment of khook, and start/);
  });
});
