import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openWatchers } from '../../../plugins/kubernetes/watchers.ts';
import { ApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { TestPluginContext } from '../../support/plugin-context.ts';
import { eventObject, FAST } from './support.ts';

test('kubernetes: whatever a proxy in between may write, it goes on', async (t) => {
  const api = new ApiServer();
  const ctx = new TestPluginContext('kubernetes');
  ctx.kubernetes = await api.open();
  const { all } = openWatchers({ namespace: '', namespaces: [], sources: [], debug: true }, ctx, FAST);
  const running = Promise.all(all.map((watcher) => watcher.run()));
  t.after(async () => {
    ctx.drain();
    await running;
    await api.close();
  });
  const anything = fc.jsonValue({ maxDepth: 2 });
  // No version that is still to come: who believes it, as any client must, is not told what happens up to it.
  const known = fc.record({ uid: anything, resourceVersion: fc.constant('100'), name: anything });
  const metadata = fc.oneof(known, anything);
  const status = fc.oneof(fc.record({ conditions: anything, containerStatuses: anything }), anything);
  const full = fc.record({ metadata, status, regarding: anything, type: anything, reason: anything, note: anything });
  const object = fc.oneof(anything, full);
  const type = fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR', '?');
  const line = fc.oneof(
    fc.string(),
    fc.record({ type, object }).map((value) => JSON.stringify(value)),
  );
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 5 }), async (lines) => {
      await eventually(() => api.openWatches === 3);
      for (const each of lines) api.say(each.replaceAll('\n', ' '));
      n += 1;
      api.put(eventObject(`good-${n}`));
      await eventually(() => ctx.events.some(({ metadata: about }) => about?.uid === `good-${n}`));
    }),
    { numRuns: 100 },
  );
  assert.ok(n >= 100);
});
