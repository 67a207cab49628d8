/** `khook plugin list` and `show` against a real host: what stands there is what the plugins do. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { PluginSnapshot } from '../../host/http/view.ts';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { khook, type Ran } from '../support/khook-command.ts';
import { freePort } from '../support/running-host.ts';

interface Started {
  readonly host: AppHost;
  readonly port: number;
  run(...args: string[]): Promise<Ran>;
}

async function start(t: TestContext, isolation: 'thread' | 'process' = 'thread'): Promise<Started> {
  const port = await freePort();
  const entry = {
    name: 'toucher',
    config: { port },
    isolation,
    permissions: { net: { listen: [port], connect: ['wide.example:443'] }, env: ['TOUCHER_TOKEN', 'TOUCHER_UNSET'] },
  };
  const host = await AppHost.start(t, {
    plugins: JSON.stringify({ plugins: [entry, { name: 'port-holder', config: { port: 9 } }] }),
    bundles: { toucher: 'test/fixtures/plugins/toucher', 'port-holder': 'test/fixtures/plugins/port-holder' },
    env: { TOUCHER_TOKEN: 'hush' },
  });
  await host.plugin('toucher', 'running');
  const url = ['--url', `http://127.0.0.1:${host.app.ports.admin}`];
  return { host, port, run: (...args) => khook(['plugin', ...args, ...url], host.directory) };
}

/** The cells of the row that begins so. */
function row(text: string, name: string): string[] {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `)) ?? '';
  return line.split(/ {2,}/);
}

describe('khook plugin', () => {
  it('list shows what is loaded, what each asked for, was granted and uses, and what to paste for one that is blocked', async (t) => {
    const { port, run } = await start(t);
    const { code, stdout } = await run('list');
    assert.equal(code, 0);
    const [name, version, state, generation, isolation, memory = '', asked, granted, used] = row(stdout, 'toucher');
    assert.deepEqual([name, version, state, generation, isolation], ['toucher', '1.0.0', 'running', '1', 'thread']);
    assert.match(memory, /^\d+ of 64 MB$/);
    assert.equal(asked, `listen ${port}, env TOUCHER_TOKEN, env TOUCHER_UNSET`);
    assert.equal(granted, 'all of it');
    assert.equal(used, `listens ${port}, 1 socket, 1 file, env TOUCHER_TOKEN, 5 DENIED`);
    assert.deepEqual(row(stdout, 'port-holder').slice(2), [
      ...['blocked(grants)', '0', 'thread', '-', 'listen 9', 'not listen 9', '-'],
    ]);
    assert.match(
      stdout,
      /\nport-holder is blocked\(grants\): .* does not grant: listen on port 9\n# .*plugins\.yaml:1: /,
    );
    assert.match(stdout, /\nplugins:\n {2}- name: port-holder\n {4}permissions:\n {6}net:\n {8}listen:\n {10}- 9\n$/);
    assert.doesNotMatch(stdout, /hush/);
  });

  it('show has a line for each permission: asked for, granted, used', async (t) => {
    const { port, run } = await start(t);
    const { code, stdout } = await run('show', 'toucher');
    assert.equal(code, 0);
    assert.deepEqual(row(stdout, `listen ${port}`), [`listen ${port}`, 'yes', 'yes', 'listens']);
    assert.deepEqual(row(stdout, 'env TOUCHER_TOKEN'), ['env TOUCHER_TOKEN', 'yes', 'yes', 'handed over']);
    assert.deepEqual(row(stdout, 'env TOUCHER_UNSET'), ['env TOUCHER_UNSET', 'yes', 'yes', 'not set in the host']);
    const beyond = 'connect wide.example:443';
    assert.deepEqual(row(stdout, beyond), [beyond, 'no', 'yes', 'never: it does not ask for it']);
    assert.match(stdout, /^sockets: {6}1 open of 1024; 0 connections begun$/m);
    assert.match(stdout, /^denied: {7}network 2, files 2, other 1$/m);
    const blocked = await run('show', 'port-holder');
    assert.deepEqual(row(blocked.stdout, 'listen 9'), ['listen 9', 'yes', 'NO', '-']);
  });

  it('shows the same of a plugin in a process of its own, as soon as it has been read', async (t) => {
    const { port, run } = await start(t, 'process');
    await eventually(async () => {
      const { stdout } = await run('show', 'toucher', '--json');
      const { permissions } = JSON.parse(stdout) as PluginSnapshot;
      return permissions?.used?.listening[0] === port && permissions.used.denied.files === 2;
    }, 15_000);
  });

  it('shows a wider grant as soon as it is written, and the plugin runs on as it did', async (t) => {
    const { host, run } = await start(t);
    const file = join(host.directory, 'config/plugins.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('wide.example:443', 'wider.example:443'));
    const beyond = 'connect wider.example:443';
    await eventually(async () => row((await run('show', 'toucher')).stdout, beyond)[2] === 'yes');
    const { generation } = await host.plugin('toucher', 'running');
    assert.equal(generation, 1);
  });

  it('counts anew with each run', async (t) => {
    const { host, run } = await start(t);
    await fetch(`http://127.0.0.1:${host.app.ports.admin}/api/v1/plugins/toucher/restart`, { method: 'POST' });
    await host.plugin('toucher', 'running');
    const used = row((await run('list')).stdout, 'toucher').at(-1);
    assert.match(used ?? '', /, 5 DENIED$/);
  });

  it('says which plugins there are when there is none of that name, and what to do when there is no host', async (t) => {
    const { run } = await start(t);
    const { code, stderr } = await run('show', 'nobody');
    assert.equal(code, 1);
    assert.match(stderr, /^khook plugin show: there is no plugin 'nobody', there are: port-holder, toucher\n$/);
    assert.equal((await khook(['plugin', 'list', '--url', 'http://127.0.0.1:1'])).code, 5);
  });
});
