/** A plugin that logs by a library which writes to descriptor 1 by itself: the real pino, brought along in the bundle. */

import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { writePlugin } from '../support/npm-pack.ts';
import { tempDir } from '../support/temp-dir.ts';

const CODE = `import pino from 'pino';
export default {
  start(ctx) {
    const logger = pino({ base: null, timestamp: false });
    logger.warn({ pod: 'web-0' }, 'by pino');
    pino({ base: null, timestamp: false }, pino.destination(2)).error('to stderr');
    ctx.log.info('by khook');
  },
};
`;

/** A package and what it needs, as \`npm install\` lays them side by side. */
function install(folder: string, name: string): void {
  const from = resolve('node_modules', name);
  cpSync(from, join(folder, 'node_modules', name), { recursive: true });
  const { dependencies = {} } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  for (const each of Object.keys(dependencies)) install(folder, each);
}

describe('a library that logs', () => {
  for (const isolation of ['thread', 'process']) {
    it(`prints lines of its plugin, in the ${isolation} tier`, async (t) => {
      const bundle = tempDir(t);
      writePlugin(bundle, { name: 'chatty', code: CODE });
      install(bundle, 'pino');
      const plugins = `plugins:\n  - { name: chatty, isolation: ${isolation} }\n`;
      const host = await AppHost.start(t, { plugins, bundles: { chatty: bundle } });
      await eventually(() => host.log.some(({ plugin, msg }) => plugin === 'chatty' && msg === 'by khook'));
      await eventually(() => host.grep(/to stderr/).length > 0);
      const said = host.log.filter(({ plugin, name }) => plugin === 'chatty' && name === 'chatty-plugin');
      // The level is the library's own, whatever it was printed to.
      assert.deepEqual(said.map(({ level, msg }) => `${level}: ${msg}`).sort(), [
        'error: to stderr',
        'info: by khook',
        'warn: by pino',
      ]);
      assert.deepEqual(said.find(({ msg }) => msg === 'by pino')?.fields, { pod: 'web-0' });
      assert.equal((await host.plugin('chatty', 'running')).generation, 1);
    });
  }
});
