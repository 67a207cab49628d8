/** The pages for operators are tried: their Hook fires, their call is answered, and khook takes their YAML. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { codeBlocks, readDoc } from '../support/docs.ts';
import { eventually } from '../support/eventually.ts';
import { khook } from '../support/khook-command.ts';
import { freePort, RunningHost } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('getting-started.md', () => {
  it('leads to a fired Hook with what khook ships, and to one of your own while it runs', async (t) => {
    const page = readDoc('getting-started.md');
    const port = await freePort();
    const shipped = (name: string): string => readFileSync(join('config', name), 'utf8');
    const host = await RunningHost.start(t, {
      plugins: shipped('plugins.yaml'),
      mappings: shipped('event-mappings.yaml'),
      hooks: Object.fromEntries(readdirSync('config/hooks').map((name) => [name, shipped(`hooks/${name}`)])),
      bundles: { webhook: 'plugins/webhook', kubernetes: 'plugins/kubernetes' },
      env: { WEBHOOK_PORT: String(port) },
    });
    await host.plugin('webhook', 'running');
    const body = /-d '(\{.*\})'/.exec(page)?.[1] ?? '';
    const send = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/webhook`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    assert.match(await (await send()).text(), /^\{"status":"received","id":"webhook-/);
    await eventually(() => host.grep(/about api at .*Embedded agent was sent a prompt/).length === 1);
    await send();
    const outcome = async (): Promise<unknown> =>
      (await host.json<{ events: { outcome: string | null }[] }>('/api/v1/events?limit=1')).events[0]?.outcome;
    await eventually(async () => (await outcome()) === 'duplicate');

    host.write('config/hooks/first.yaml', codeBlocks(page, 'yaml')[0] ?? '');
    const line = /^npm run -s khook -- (emit .*)$/m.exec(page)?.[1] ?? '';
    const args = line.replace(/'([^']*)'/, (_, words: string) => words.replaceAll(' ', '_')).split(' ');
    const tried = await eventually(async () => {
      const { stdout } = await khook([...args, '--url', host.admin]);
      return stdout.includes('Hook default/first') ? stdout : null;
    });
    assert.match(tried, /^emit-\S+ {2}kubernetes:oom-kill \(OOMKill\) about web-0 in default$/m);
  });
});

describe('troubleshooting.md', () => {
  it('shows entries and mappings that khook takes', async (t) => {
    const blocks = codeBlocks(readDoc('troubleshooting.md'), 'yaml');
    const shown = blocks.filter((block) => /^(plugins|mappings):/.test(block));
    assert.ok(shown.length > 6);
    await Promise.all(
      shown.map(async (block) => {
        const folder = tempDir(t);
        mkdirSync(join(folder, 'config'));
        mkdirSync(join(folder, 'plugins'));
        for (const [name, from] of [
          ['webhook', 'plugins/webhook'],
          ['thrower', 'test/fixtures/plugins/thrower'],
        ] as const) {
          cpSync(from, join(folder, 'plugins', name), { recursive: true });
        }
        const file = block.startsWith('plugins') ? 'plugins.yaml' : 'event-mappings.yaml';
        writeFileSync(join(folder, 'config', file), block);
        const args = ['check', '--config', join(folder, 'config'), '--plugins', join(folder, 'plugins')];
        const { code, stdout, stderr } = await khook(args, folder);
        assert.equal(code, 0, `${block}\n${stdout}${stderr}`);
      }),
    );
  });
});
