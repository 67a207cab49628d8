/** Dead letters and a host that is killed: what an operator was told is on its way arrives, once, under its messageId. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { khook } from '../support/khook-command.ts';
import { type Manners, MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { RunningHost } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';

const REFUSES: Manners = { onSend: () => ({ kind: 'says', status: 404, body: 'no such agent' }) };
const HANGS: Manners = { onSend: () => ({ kind: 'hangs' }) };

interface Ledger {
  readonly restored: number;
  readonly inFlight: number;
  readonly residual: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

interface Given {
  readonly agent: MisbehavingAgent;
  /** On the same data each time. */
  start(): Promise<RunningHost>;
}

async function given(t: TestContext): Promise<Given> {
  const agent = await MisbehavingAgent.start(REFUSES);
  t.after(() => agent.stop());
  const data = tempDir(t);
  const configuration = { eventType: 'Happened', agentRef: { name: 'agent' }, prompt: 'Look at {{.ResourceName}}' };
  const hook = {
    apiVersion: 'kagent.dev/v1alpha2',
    kind: 'Hook',
    metadata: { name: 'h' },
    spec: { eventConfigurations: [configuration] },
  };
  const start = (): Promise<RunningHost> =>
    RunningHost.start(t, {
      mappings: 'mappings: [{ eventSource: webhook, eventType: happened, internalType: Happened }]',
      hooks: { 'h.yaml': JSON.stringify(hook) },
      flags: ['--no-keeper', '--agent-url', agent.url, '--data', data],
    });
  return { agent, start };
}

async function kill(host: RunningHost): Promise<void> {
  host.signal('SIGKILL');
  await host.exit;
}

async function emit(host: RunningHost, resourceName: string): Promise<{ id: string; outcome: string | null }> {
  const event = { source: 'webhook', type: 'happened', resourceName, namespace: 'default', message: 'm' };
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${host.admin}/api/v1/emit`, { method: 'POST', headers, body: JSON.stringify(event) });
  return (await answer.json()) as { id: string; outcome: string | null };
}

async function ids(host: RunningHost): Promise<string[]> {
  const answer = await fetch(`${host.admin}/api/v1/dead-letters?limit=1000`);
  const { deadLetters } = (await answer.json()) as { deadLetters: { id: string }[] };
  return deadLetters.map(({ id }) => id);
}

/** Whether the host said that it is on its way. */
async function retry(host: RunningHost, id: string): Promise<boolean> {
  try {
    return (await fetch(`${host.admin}/api/v1/dead-letters/${id}/retry`, { method: 'POST' })).status === 200;
  } catch {
    return false;
  }
}

describe('dead letters and a killed host', () => {
  it('one that was sent again before the kill is delivered by the next host, and the ledger adds up', async (t) => {
    const { agent, start } = await given(t);
    const first = await start();
    const { id: eventId } = await emit(first, 'api');
    const [id = ''] = await eventually(async () => {
      const found = await ids(first);
      return found.length === 1 ? found : null;
    });
    agent.reform(HANGS);
    const { code, stdout } = await khook(['dead-letters', 'retry', '--all', '--url', first.admin]);
    assert.deepEqual([code, stdout], [0, `sent again: ${id} of default/h for default/agent\n`]);
    await kill(first);

    agent.reform({});
    const second = await start();
    const ledger = await eventually(async () => {
      const now = await second.json<Ledger>('/api/v1/ledger');
      return now.outcomes.delivered === 1 ? now : null;
    });
    assert.deepEqual([ledger.restored, ledger.inFlight, ledger.residual], [1, 0, 0]);
    assert.deepEqual(await ids(second), []);
    assert.deepEqual(new Set(agent.sends.map(({ messageId }) => messageId)), new Set([id]));
    assert.equal(agent.taken.get(id), 1);
    assert.equal((await emit(second, 'api')).outcome, 'duplicate', 'its key is silent from then on');
    const event = await second.json<{ trail: { step: string }[] }>(`/api/v1/events/${eventId}`);
    assert.ok(event.trail.some(({ step }) => step === 'restored'));
  });

  it('none is lost and none is doubled, whenever the host is killed while they are sent again', async (t) => {
    const { agent, start } = await given(t);
    let host = await start();
    const count = 40;
    for (let n = 0; n < count; n += 1) await emit(host, `r-${n}`);
    const all = await eventually(async () => {
      const found = await ids(host);
      return found.length === count ? found : null;
    });
    agent.reform({});
    const promised = new Set<string>();
    for (let life = 0; life < 4; life += 1) {
      const killed = new Promise<void>((done) => setTimeout(done, 5 + Math.random() * 60)).then(() => kill(host));
      for (const id of await ids(host).catch(() => [])) {
        if (!(await retry(host, id))) break;
        promised.add(id);
      }
      await killed;
      host = await start();
      const { residual } = await host.json<Ledger>('/api/v1/ledger');
      assert.equal(residual, 0);
    }
    for (const id of promised) assert.ok(!(await ids(host)).includes(id), `${id} was promised and is a dead letter`);
    for (const id of await ids(host)) assert.ok(await retry(host, id));
    const ledger = await eventually(async () => {
      const now = await host.json<Ledger>('/api/v1/ledger');
      return now.inFlight === 0 ? now : null;
    });
    assert.equal(ledger.residual, 0);
    assert.deepEqual(await ids(host), []);
    assert.deepEqual([...agent.taken.keys()].sort(), [...all].sort());
    const resources = new Map(agent.sends.map(({ messageId, text }) => [messageId, text]));
    assert.equal(new Set(resources.values()).size, count, 'no resource under two messageIds');
  });
});
