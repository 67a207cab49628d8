/** `npm run test:crash -- [--kills N] [--seed N]`: kills a host under load many times and reports what the agent was sent. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' }, seed: { type: 'string' } } });
const { kills, seed } = values;
if (!/^\d+$/.test(kills) || (seed !== undefined && !/^\d+$/.test(seed))) {
  process.stderr.write('crash-test: --kills and --seed take whole numbers\n');
  process.exit(2);
}
const root = join(import.meta.dirname, '..');
const timeoutMs = 60_000 + Number(kills) * 10_000;
const { status } = spawnSync(
  process.execPath,
  ['--test', `--test-timeout=${timeoutMs}`, join(root, 'test/e2e/crash.test.ts')],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CRASH_KILLS: kills, ...(seed === undefined ? {} : { CRASH_SEED: seed }) },
  },
);
process.exit(status ?? 1);
