import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsServer } from '../../../host/http/metrics-server.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { serve, view } from './http-support.ts';

test('dashboard routes: hand out every file that the page and its modules name, under a policy that lets nothing else in', async (t) => {
  const url = await serve(t, metricsServer(view(), { clock: systemClock }));
  const waiting = ['/'];
  const seen = new Set<string>();
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const answer = await fetch(url + path);
    assert.equal(answer.status, 200, path);
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:/);
    const text = await answer.text();
    const named =
      path === '/' ? text.matchAll(/(?:href|src)="(\/dashboard\/[^"]+)"/g) : text.matchAll(/from '\.\/([\w-]+\.js)'/g);
    for (const [, name = ''] of named) waiting.push(name.startsWith('/') ? name : `/dashboard/${name}`);
    assert.doesNotMatch(text, /<script>|style="|onclick=/, path);
  }
  assert.ok(seen.size > 12, [...seen].join(' '));
});

test('dashboard routes: hand out nothing else', async (t) => {
  const url = await serve(t, metricsServer(view(), { clock: systemClock }));
  for (const path of [
    '/dashboard/package.json',
    '/dashboard/..%2Fhttp%2Fserver.ts',
    '/dashboard/constructor',
    '/dashboard/',
  ]) {
    assert.equal((await fetch(url + path)).status, 404, path);
  }
});
