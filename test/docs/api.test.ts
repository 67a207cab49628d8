import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { AppHost, type AppHostFiles } from '../support/app-host.ts';
import { codeBlocks, readDoc, section } from '../support/docs.ts';
import { eventually } from '../support/eventually.ts';
import { MisbehavingAgent } from '../support/misbehaving-agent.ts';

const PORTS = { '## Port 8080': 'metrics', '## Port 8081': 'health', '## Port 6060': 'admin' } as const;
/** Body of those that need one. */
const BODIES: Readonly<Record<string, unknown>> = {
  '/api/v1/emit': { source: 'puppet', type: 'happened', resourceName: 'r', message: 'm' },
  '/api/v1/log-level': { level: 'debug', plugin: 'puppet' },
};

/** Empty until a plugin breaks, or an agent refuses. */
const FLIGHT_RECORDS = '/api/v1/flight-records';
const DEAD_LETTERS = '/api/v1/dead-letters';

/** Their shape is not there from the first moment: the first has a test of its own below, the other in test/host/snapshots. */
const UNEVEN = [FLIGHT_RECORDS, '/api/v1/history'];

interface Documented {
  readonly method: string;
  readonly path: string;
  readonly example: string;
}

function documentedRoutes(text: string): Documented[] {
  return [...text.matchAll(/^### `(\w+) (\S+)`$/gm)].map(([heading, method = '', path = '']) => {
    const [json = ''] = codeBlocks(section(text, heading), 'json');
    return { method, path, example: json };
  });
}

/** Keys and types, with the first element standing for a list; what an example leaves null may be anything. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  if (typeof value !== 'object' || value === null) return value === null ? null : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shape(item)]));
}

function start(t: TestContext, files: AppHostFiles = {}): Promise<AppHost> {
  const spec = { eventConfigurations: [{ eventType: 'happened', agentRef: { name: 'a' }, prompt: 'look' }] };
  const hook = { apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata: { name: 'h' }, spec };
  return AppHost.start(t, {
    mappings: 'mappings: [{ eventSource: puppet, eventType: happened, internalType: Happened }]',
    hooks: { 'h.yaml': JSON.stringify(hook) },
    bundles: { puppet: 'test/fixtures/plugins/puppet' },
    ...files,
  });
}

describe('docs/api.md', () => {
  const text = readDoc('api.md');

  it('has a section for each route of each port, and none for any other', async (t) => {
    const { app } = await start(t);
    for (const [heading, port] of Object.entries(PORTS)) {
      // An unknown path is answered with what there is.
      const answer = await fetch(`http://127.0.0.1:${app.ports[port]}/nowhere`);
      const { routes } = (await answer.json()) as { routes: string[] };
      const documented = documentedRoutes(section(text, heading)).map(({ method, path }) => `${method} ${path}`);
      assert.deepEqual(documented.sort(), [...routes].sort(), heading);
    }
  });

  it('shows answers as they come', async (t) => {
    const host = await start(t);
    await host.plugin('puppet', 'running');
    const { id } = await host.emit({});
    await eventually(async () => (await host.json<{ outcome: string | null }>(`/api/v1/events/${id}`)).outcome);
    for (const [heading, port] of Object.entries(PORTS)) {
      for (const { method, path, example } of documentedRoutes(section(text, heading))) {
        if (example === '' || UNEVEN.includes(path) || path.startsWith(DEAD_LETTERS)) continue;
        const url = `http://127.0.0.1:${host.app.ports[port]}${path.replace(':namespace/:name', 'default/h').replace(':id', id).replace(':name', 'puppet')}`;
        const headers = { 'content-type': 'application/json' };
        const body = BODIES[path];
        const answer = await fetch(url, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
        assert.equal(answer.status, 200, path);
        const real = shape(await answer.json());
        assert.deepEqual(real, shape(sameOutcome(JSON.parse(example), real)), `${method} ${path}`);
      }
    }
  });

  it('shows a flight record as it comes', async (t) => {
    const plugins = 'plugins: [{ name: breaker, config: { afterMs: 300 } }]';
    const host = await start(t, { bundles: { breaker: 'test/fixtures/plugins/breaker' }, plugins });
    const [, json = ''] = /```json\n([\s\S]*?)```/.exec(section(text, `### \`GET ${FLIGHT_RECORDS}\``)) ?? [];
    // One that ends before its first reading, or on a busy machine before its event was taken, shows less.
    await eventually(async () => {
      const { flightRecords } = await host.json<{ flightRecords: unknown[] }>(FLIGHT_RECORDS);
      const shapes = flightRecords.map((record) => shape({ flightRecords: [record] }));
      const wanted = shape(JSON.parse(json));
      const found = shapes.find((each) => isDeepStrictEqual(each, wanted)) ?? shapes[0];
      assert.deepEqual(found, wanted);
      return true;
    }, 30_000);
  });

  it('shows dead letters as they come', async (t) => {
    const agent = await MisbehavingAgent.start({ onSend: () => ({ kind: 'says', status: 404, body: '' }) });
    t.after(() => agent.stop());
    const host = await start(t, { flags: ['--agent-url', agent.url] });
    const ids = async (): Promise<string[]> =>
      (await host.json<{ deadLetters: { id: string }[] }>(DEAD_LETTERS)).deadLetters.map(({ id }) => id);
    await host.emit({ resourceName: 'a' });
    await host.emit({ resourceName: 'b' });
    await eventually(async () => (await ids()).length === 2);
    const [dropped = '', retried = ''] = await ids();
    for (const [heading, port] of Object.entries(PORTS)) {
      for (const { method, path, example } of documentedRoutes(section(text, heading))) {
        if (!path.startsWith(DEAD_LETTERS) || example === '') continue;
        const id = method === 'DELETE' ? dropped : retried;
        const answer = await fetch(`http://127.0.0.1:${host.app.ports[port]}${path.replace(':id', id)}`, { method });
        assert.equal(answer.status, 200, `${method} ${path}`);
        assert.deepEqual(shape(await answer.json()), shape(JSON.parse(example)), `${method} ${path}`);
      }
    }
  });

  it('shows the checks of health and readiness as they come', async (t) => {
    const { app } = await start(t);
    for (const path of ['healthz', 'readyz']) {
      const real = await (await fetch(`http://127.0.0.1:${app.ports.health}/${path}?verbose`)).text();
      const [example = ''] = codeBlocks(section(text, `### \`GET /${path}\``), 'text');
      assert.equal(example.replace(/^\[\+\]plugin-.*\n/gm, ''), real);
    }
  });
});

/** A firing that has just begun has no outcome yet: that may differ. */
function sameOutcome(example: Record<string, unknown>, real: unknown): unknown {
  const outcome = (real as { outcome?: unknown }).outcome;
  return outcome === null ? { ...example, outcome: null } : example;
}
