/** `khook explain --hook` against a running host: why a Hook that is set up wrong stays silent. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT_CODES } from '../../host/commands/exit-code.ts';
import { explained, start, steady } from './explain-support.ts';
import { MISCONFIGURATIONS } from './misconfigurations.ts';

interface Told {
  readonly faults: readonly { readonly cause: string; readonly fix: string }[];
  readonly misses: readonly { readonly cause: string; readonly fix: string }[];
}

describe('khook explain --hook', () => {
  it('names the right cause first, for each of these misconfigurations', async (t) => {
    const hooks = Object.fromEntries(MISCONFIGURATIONS.map(({ hook }, n) => [`m-${n}`, hook]));
    const host = await start(t, {
      hooks,
      plugins: [{ name: 'scoped', eventTypes: ['disk-full'], namespaces: ['mill'] }],
    });
    for (const [n, { event }] of MISCONFIGURATIONS.entries())
      if (event !== undefined) await host.emit({ namespace: 'shop', resourceName: `r-${n}`, ...event });
    const wrong: unknown[] = [];
    for (const [n, { what, hook, asked, cause, fix }] of MISCONFIGURATIONS.entries()) {
      const run = await explained(host, '--hook', asked ?? `${hook.namespace ?? 'shop'}/m-${n}`, '--json');
      const [told] = run.json<Told>();
      const first = told?.faults[0] ?? told?.misses[0] ?? { cause: run.stderr, fix: '' };
      if (first.cause !== cause || first.fix !== fix) wrong.push([what, first.cause, first.fix]);
    }
    assert.deepEqual(wrong, []);
  });

  it('tells of a Hook that fires when it did, and until when its duplicates are silent', async (t) => {
    const host = await start(t, { hooks: { h: { eventType: 'PodRestart' } } });
    for (const resourceName of ['web', 'web', 'api']) {
      await host.emit({ type: 'pod-restart', namespace: 'shop', resourceName });
    }
    const { code, stdout } = await explained(host, '--hook', 'shop/h');
    assert.equal(code, EXIT_CODES.OK);
    assert.deepEqual(steady(stdout, 'no id'), [
      'Hook shop/h',
      '  It is in force, listens to PodRestart (for shop/a) and sees events of shop.',
      '  It fired last at TIME.',
      '  Of the 3 events looked at it matched 3, 1 of them duplicates, the last of them silent until TIME, in N min.',
    ]);
  });
});
