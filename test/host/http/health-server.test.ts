import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthServer } from '../../../host/http/health-server.ts';
import type { Check } from '../../../host/http/view.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { serve, view } from './http-support.ts';

const surroundings = { clock: systemClock };
const FAILING: readonly Check[] = [
  { name: 'config', ok: true, detail: '' },
  { name: 'plugin-webhook', ok: false, detail: 'blocked: net.listen 8090 is not granted' },
];

test('health server: both checks are 200 ok', async (t) => {
  const url = await serve(t, healthServer(view(), surroundings));
  for (const path of ['/healthz', '/readyz']) {
    const response = await fetch(url + path);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
    assert.equal(await response.text(), 'ok');
  }
});

test('health server: ?verbose lists each check as the API server does', async (t) => {
  const url = await serve(t, healthServer(view(), surroundings));
  const response = await fetch(`${url}/readyz?verbose`);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '[+]config ok\n[+]plugin-webhook ok\nreadyz check passed\n');
});

test('health server: a failing check is 503 and named, and readiness says nothing about liveness', async (t) => {
  const url = await serve(t, healthServer(view({ readyz: () => FAILING }), surroundings));
  const response = await fetch(`${url}/readyz`);
  assert.equal(response.status, 503);
  assert.equal(
    await response.text(),
    '[+]config ok\n[-]plugin-webhook failed: blocked: net.listen 8090 is not granted\nreadyz check failed\n',
  );
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test('health server: a check that throws is a failing check', async (t) => {
  const healthz = (): readonly Check[] => {
    throw new Error('the loop is gone');
  };
  const url = await serve(t, healthServer(view({ healthz }), surroundings));
  const response = await fetch(`${url}/healthz`);
  assert.equal(response.status, 503);
  assert.match(await response.text(), /\[-\]checks failed: the loop is gone/);
});
