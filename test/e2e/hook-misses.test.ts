/** `GET /api/v1/hooks/:namespace/:name` of a real host: why a Hook is silent, told by the host itself, as `khook explain --hook` tells it. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { HookDetail } from '../../host/http/view.ts';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { explained } from './explain-support.ts';

function hook(id: string, spec: Record<string, unknown>): string {
  const [namespace, name] = id.split('/');
  const { eventType = 'Happened', ...rest } = spec;
  const eventConfigurations = [{ eventType, agentRef: { name: 'a' }, prompt: 'look' }];
  const metadata = { namespace, name };
  return JSON.stringify({
    apiVersion: 'kagent.dev/v1alpha2',
    kind: 'Hook',
    metadata,
    spec: { ...rest, eventConfigurations },
  });
}

function start(t: TestContext): Promise<AppHost> {
  return AppHost.start(t, {
    mappings: 'mappings: [{ eventSource: puppet, eventType: happened, internalType: Happened }]',
    bundles: { puppet: 'test/fixtures/plugins/puppet' },
    hooks: {
      'a.yaml': hook('shop/look', {}),
      'b.yaml': hook('mill/elsewhere', {}),
      'c.yaml': hook('shop/mistyped', { eventType: 'Hapened' }),
      'd.yaml': hook('shop/picky', { filter: 'event.metadata.password == "x" || event.reason == "Killing"' }),
    },
  });
}

const detail = (host: AppHost, id: string): Promise<HookDetail> => host.json<HookDetail>(`/api/v1/hooks/${id}`);

describe('GET /api/v1/hooks/:namespace/:name', () => {
  it('tells faults and nearest misses as khook explain --hook does, secrets taken out', async (t) => {
    const host = await start(t);
    await host.plugin('puppet', 'running');
    const { id } = await host.emit({ namespace: 'shop', metadata: { password: 'hunter2' }, reason: 'BackOff' });
    for (const hook of ['shop/look', 'mill/elsewhere', 'shop/mistyped', 'shop/picky']) {
      const told = await detail(host, hook);
      const { json } = await explained(host, '--hook', hook, '--json');
      const [said] = json<Pick<HookDetail, 'faults' | 'misses' | 'says'>>();
      assert.deepEqual(told.says, said?.says, hook);
      assert.deepEqual(told.faults, said?.faults, hook);
      assert.deepEqual(told.misses.map(remedyOf), said?.misses.map(remedyOf), hook);
      assert.doesNotMatch(JSON.stringify(told), /hunter2/);
    }
    const [miss] = (await detail(host, 'shop/picky')).misses;
    assert.match(miss?.cause ?? '', /event\.reason is "BackOff"$/);
    assert.deepEqual([miss?.event.id, miss?.event.resourceName, miss?.event.namespace], [id, 'r', 'shop']);
    assert.deepEqual((await detail(host, 'shop/look')).misses, []);
  });

  it('judges once for all who ask within a few seconds, then anew', async (t) => {
    const host = await start(t);
    await host.plugin('puppet', 'running');
    await host.emit({ resourceName: 'first' });
    const asked = ['shop/look', 'mill/elsewhere', 'shop/picky'].flatMap((hook) => Array(10).fill(hook) as string[]);
    const looked = await Promise.all(asked.map(async (hook) => (await detail(host, hook)).looked));
    assert.deepEqual([...new Set(looked)], [1]);
    await host.emit({ resourceName: 'second' });
    assert.equal((await detail(host, 'shop/look')).looked, 1);
    await eventually(async () => (await detail(host, 'shop/look')).looked === 2);
  });

  it('looks at no more than the newest 256 events, and says when there is no such Hook', async (t) => {
    const host = await start(t);
    await host.plugin('puppet', 'running');
    for (let n = 0; n < 300; n += 1) await host.emit({ resourceName: `r-${n}` });
    assert.equal((await detail(host, 'mill/elsewhere')).looked, 256);
    const answer = await fetch(`http://127.0.0.1:${host.app.ports.admin}/api/v1/hooks/shop/nobody`);
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /there is no Hook shop\/nobody in force/);
  });
});

function remedyOf({ cause, fix }: { readonly cause: string; readonly fix: string }): unknown {
  return { cause, fix };
}
