/** A plugin that is well and cannot hear its source: it is left alone, and everybody who looks can see it. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';

it('a source that cannot be reached is shown everywhere, and does not cost the plugin its life', async (t) => {
  const plugins = (health: string): string => `plugins:
  - { name: puppet, required: true, config: { health: ${health} } }
settings: { healthCheckInterval: 50ms }
`;
  const host = await AppHost.start(t, {
    plugins: plugins('stale'),
    bundles: { puppet: 'test/fixtures/plugins/puppet' },
  });
  await host.plugin('puppet', 'running');
  const ready = async (): Promise<[number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${host.app.ports.health}/readyz?verbose`);
    return [answer.status, await answer.text()];
  };
  await eventually(async () => (await host.metric('khook_plugin_source_stale{plugin="puppet"}')) === 1);
  const [status, text] = await ready();
  assert.equal(status, 503);
  assert.match(text, /^\[-\]plugin-puppet failed: its source is stale: nobody answers$/m);
  // Far more checks than end an unhealthy plugin.
  await eventually(async () => (await host.metric('khook_plugin_custom_checks_total{plugin="puppet"}')) > 10);
  const puppet = await host.plugin('puppet', 'running');
  assert.deepEqual([puppet.generation, puppet.reason], [1, 'its source is stale: nobody answers']);
  assert.equal(host.grep(/The source of plugin puppet is stale: nobody answers/).length, 1, 'said once');

  writeFileSync(join(host.directory, 'config/plugins.yaml'), plugins('good'));
  await eventually(async () => (await ready())[0] === 200);
  assert.equal(await host.metric('khook_plugin_source_stale{plugin="puppet"}'), 0);
});
