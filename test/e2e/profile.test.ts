/** `go tool pprof http://localhost:6060/debug/pprof/profile`: profiles of the host and of plugins in both tiers, read as a Go program's are. */

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { tempDir } from '../support/temp-dir.ts';

type Tier = 'thread' | 'process';

function start(t: TestContext, isolation: Tier, config: object): Promise<AppHost> {
  const entry = { name: 'puppet', isolation, config, limits: { cpuShare: 1, memoryMb: 512 } };
  return AppHost.start(t, {
    plugins: JSON.stringify({ plugins: [entry], settings: { shutdownGrace: '1s' } }),
    bundles: { puppet: 'test/fixtures/plugins/puppet' },
  });
}

function ask(host: AppHost, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${host.app.ports.admin}/debug/pprof/${path}`);
}

/** Function name → sum of the last value, over all stacks it is in. */
async function weights(response: Response): Promise<Map<string, number>> {
  assert.equal(response.status, 200, response.ok ? '' : await response.clone().text());
  const bytes = gunzipSync(Buffer.from(await response.arrayBuffer()));
  const { sample, location, function: functions, stringTable } = Profile.decode(bytes);
  const names = new Map(functions.map(({ id, name }) => [id, stringTable.strings[Number(name)] ?? '']));
  const nameAt = new Map(location.map(({ id, line }) => [id, names.get(line[0]?.functionId ?? 0) ?? '']));
  const sums = new Map<string, number>();
  for (const { locationId, value } of sample) {
    for (const name of new Set(locationId.map((id) => nameAt.get(id) ?? '')))
      sums.set(name, (sums.get(name) ?? 0) + Number(value.at(-1)));
  }
  return sums;
}

/** The pprof of Go's tools, where there is one. */
function hasGo(): boolean {
  try {
    execFileSync('go', ['tool', 'pprof', '-h'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as { status?: number | null }).status === 2;
  }
}

describe('profiles', () => {
  for (const tier of ['thread', 'process'] as const) {
    it(`of a plugin's CPU name the function that takes it (${tier})`, async (t) => {
      const host = await start(t, tier, { spin: true });
      await host.plugin('puppet', 'running');
      const sums = await weights(await ask(host, 'profile?seconds=1&plugin=puppet'));
      const total = Math.max(...sums.values());
      assert.ok((sums.get('block') ?? 0) > total / 2, JSON.stringify([...sums]));
      assert.ok(total > 200e6 && total < 3e9, `${total} ns in a second`);
    });

    it(`of a plugin's memory name the function that keeps it (${tier})`, async (t) => {
      const host = await start(t, tier, { holdMb: 400 });
      await host.plugin('puppet', 'running');
      const sums = await weights(await ask(host, 'heap?seconds=1&plugin=puppet'));
      assert.ok((sums.get('hold') ?? 0) > 1_000_000, JSON.stringify([...sums]));
    });
  }

  it('of the host are there as well, and one is recorded at a time', async (t) => {
    const host = await start(t, 'thread', {});
    const first = ask(host, 'profile?seconds=2');
    await eventually(async () => {
      const second = await ask(host, 'heap?seconds=1');
      return second.status === 400 && /another profile is being recorded/.test(await second.text());
    });
    assert.ok((await weights(await first)).size > 0);
    // The host is in this process. At rest it keeps too little in a second for a sample to be certain.
    const held: unknown[] = [];
    const hold = setInterval(() => held.push(Array.from({ length: 10_000 }, (_, n) => ({ n }))), 20);
    t.after(() => clearInterval(hold));
    assert.ok((await weights(await ask(host, 'heap?seconds=1'))).size > 0, `${held.length} lists are held`);
  });

  it('are refused in words: of a plugin that does not run, of none, for too long', async (t) => {
    const host = await start(t, 'thread', { startMs: 0 });
    const cases: readonly [path: string, status: number, text: RegExp][] = [
      ['profile?plugin=nobody', 400, /plugin nobody does not run/],
      ['profile?seconds=0', 400, /'seconds' must be a whole number between 1 and 120, got '0'/],
      ['heap?second=1', 400, /unknown parameter 'second'/],
    ];
    for (const [path, status, text] of cases) {
      const response = await ask(host, path);
      assert.equal(response.status, status, path);
      assert.match(await response.text(), text);
    }
  });

  it('end with an error when their plugin ends meanwhile', async (t) => {
    const host = await start(t, 'process', { health: 'good' });
    await host.plugin('puppet', 'running');
    const profile = ask(host, 'profile?seconds=60&plugin=puppet');
    await fetch(`http://127.0.0.1:${host.app.ports.admin}/api/v1/plugins/puppet/restart`, { method: 'POST' });
    const response = await profile;
    assert.equal(response.status, 400);
    assert.match(await response.text(), /HOST_ERR_PROFILE/);
  });

  it('are read by go tool pprof', { skip: hasGo() ? false : 'there is no go on this machine' }, async (t) => {
    const host = await start(t, 'thread', { spin: true });
    await host.plugin('puppet', 'running');
    const url = `http://127.0.0.1:${host.app.ports.admin}/debug/pprof/profile?seconds=1&plugin=puppet`;
    const env = { ...process.env, PPROF_TMPDIR: tempDir(t) };
    const { stdout } = await promisify(execFile)('go', ['tool', 'pprof', '-top', url], { env });
    assert.match(stdout, /Type: cpu/);
    assert.match(stdout, /\bblock\b/);
  });
});
