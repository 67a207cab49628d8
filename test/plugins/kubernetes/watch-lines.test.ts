import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { apiErrorFrom } from '../../../plugins/kubernetes/api-error.ts';
import { RESOURCES } from '../../../plugins/kubernetes/resource.ts';
import { WatchLines } from '../../../plugins/kubernetes/watch-lines.ts';
import { TestPluginContext } from '../../support/plugin-context.ts';

const FORBIDDEN = apiErrorFrom({ code: 403, message: 'cannot' }, { status: 403, verb: 'watch' });

function lines(t: TestContext) {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const ctx = new TestPluginContext('kubernetes');
  const watch = new WatchLines(ctx.log, { resource: RESOURCES.pods, namespace: '' });
  const fail = (error: unknown): void => {
    watch.reconnecting({ kind: 'reconnecting', error, delayMs: 1, relists: false }, String(error));
  };
  const pass = (seconds: number): void => {
    now += seconds * 1_000;
  };
  const levels = (): string[] => ctx.lines.map(({ level, message }) => `${level} ${message.split(':')[0]}`);
  return { watch, fail, pass, levels, ctx };
}

test('watch lines: a denial is told at once where nothing was allowed before, and only once', (t) => {
  const { fail, levels } = lines(t);
  fail(FORBIDDEN);
  fail(FORBIDDEN);
  assert.deepEqual(levels(), ['error Kubernetes event watcher is not allowed to watch pods in all namespaces']);
});

test('watch lines: an API server that denies what it has allowed is believed after a while', (t) => {
  const { watch, fail, pass, levels } = lines(t);
  watch.established();
  fail(FORBIDDEN);
  pass(9);
  fail(FORBIDDEN);
  assert.deepEqual(levels().slice(1), [
    'warn Kubernetes event watcher reconnecting',
    'debug Kubernetes event watcher reconnecting',
  ]);
  pass(2);
  fail(FORBIDDEN);
  assert.equal(levels().at(-1), 'error Kubernetes event watcher is not allowed to watch pods in all namespaces');
});

test('watch lines: an outage has a beginning and an end, and the routine has neither', (t) => {
  const { watch, fail, pass, levels, ctx } = lines(t);
  watch.established();
  for (const error of [null, apiErrorFrom({ code: 410 }, { status: 410, verb: 'watch' })]) {
    fail(error);
    watch.established();
  }
  assert.deepEqual(
    levels().map((line) => line.split(' ')[0]),
    ['info', 'debug', 'debug', 'debug', 'debug'],
  );
  fail(new Error('reset'));
  pass(70);
  fail(new Error('refused'));
  watch.established();
  assert.deepEqual(
    levels()
      .slice(5)
      .map((line) => line.split(' ')[0]),
    ['warn', 'debug', 'info'],
  );
  assert.equal(ctx.lines.at(-1)?.fields.cutOffSeconds, 70);
});
