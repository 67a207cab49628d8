/** A disk that is full, read-only or damaged under a real host: who is told what, and that all goes on by itself without a loss. */

import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EXIT_CODES } from '../../host/commands/exit-code.ts';
import { eventually } from '../support/eventually.ts';
import { khook, type Ran } from '../support/khook-command.ts';
import { type Manners, MisbehavingAgent, type Reaction, WORKS } from '../support/misbehaving-agent.ts';
import { freePort, RunningHost } from '../support/running-host.ts';
import { NO_DISKS, SmallDisk } from '../support/small-disk.ts';
import { tempDir } from '../support/temp-dir.ts';

const REFUSED: Reaction = { kind: 'says', status: 404, body: 'no such agent' };
/** The agent refuses what is about a resource whose name begins like this. */
const REFUSES_SOME: Manners = { onSend: ({ text }) => (/about refused/.test(text) ? REFUSED : WORKS) };

interface Ledger {
  readonly inFlight: number;
  readonly residual: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

interface Given {
  readonly agent: MisbehavingAgent;
  readonly port: number;
  start(data: string): Promise<RunningHost>;
  /** The status that the webhook's client sees. */
  post(resource: string, length?: number): Promise<number>;
}

async function given(t: TestContext, creditEvents = 4): Promise<Given> {
  const agent = await MisbehavingAgent.start(REFUSES_SOME);
  t.after(() => agent.stop());
  const port = await freePort();
  const plugin = {
    name: 'webhook',
    required: true,
    config: { port, host: '127.0.0.1' },
    permissions: { net: { listen: [port] }, env: ['WEBHOOK_TOKEN', 'WEBHOOK_SECRET'] },
  };
  const prompt = 'about {{.ResourceName}}: {{.Message}}';
  const configuration = { eventType: 'Happened', agentRef: { name: 'agent' }, prompt };
  const spec = { eventConfigurations: [configuration] };
  const hook = { apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata: { name: 'h' }, spec };
  const start = async (data: string): Promise<RunningHost> => {
    const host = await RunningHost.start(t, {
      plugins: JSON.stringify({ plugins: [plugin], settings: { shutdownGrace: '2s', bus: { creditEvents } } }),
      mappings: 'mappings: [{ eventSource: webhook, eventType: webhook-received, internalType: Happened }]',
      hooks: { 'h.yaml': JSON.stringify(hook) },
      bundles: { webhook: 'plugins/webhook' },
      flags: ['--no-keeper', '--agent-url', agent.url, '--data', data],
    });
    await host.plugin('webhook', 'running');
    return host;
  };
  const post = async (resource: string, length = 1): Promise<number> => {
    const body = JSON.stringify({ resource, message: 'm'.repeat(length) });
    return (await fetch(`http://127.0.0.1:${port}/webhook`, { method: 'POST', body })).status;
  };
  return { agent, port, start, post };
}

async function readiness(host: RunningHost): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${host.health}/readyz?verbose`);
  return { status: answer.status, text: await answer.text() };
}

function letters(host: RunningHost, ...args: string[]): Promise<Ran> {
  return khook(['dead-letters', ...args, '--url', host.admin]);
}

async function deadLetterIds(host: RunningHost): Promise<string[]> {
  const { deadLetters } = await host.json<{ deadLetters: { id: string }[] }>('/api/v1/dead-letters?limit=1000');
  return deadLetters.map(({ id }) => id);
}

async function outcomes(host: RunningHost): Promise<Readonly<Record<string, number>>> {
  const { residual, outcomes: counts } = await host.json<Ledger>('/api/v1/ledger');
  assert.equal(residual, 0);
  return counts;
}

function outboxLines(host: RunningHost, level: string): string[] {
  return host.log.filter((line) => line.name === 'outbox' && line.level === level).map(({ msg }) => msg);
}

/** In place, as a broken disk does. */
function damage(data: string): void {
  for (const name of ['outbox.db', 'outbox.db-wal']) {
    const path = join(data, name);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0) continue;
    const descriptor = openSync(path, 'r+');
    writeSync(descriptor, Buffer.alloc(size, 0xff), 0);
    closeSync(descriptor);
  }
}

/** Posts until an answer does not come; the posts that wait. */
async function fill({ post }: Given, host: RunningHost): Promise<{ stored: number; waiting: Promise<number>[] }> {
  for (let n = 0; ; n += 1) {
    const answer = post(`r-${n}`, 20_000);
    const isFull = eventually(async () => (await readiness(host)).status === 503);
    if (await Promise.race([answer.then(() => false), isFull])) return { stored: n, waiting: [answer] };
    isFull.catch(() => undefined);
  }
}

/** Of the doctor, with what it saw. */
async function firstFinding(host: RunningHost): Promise<string> {
  const { findings } = await host.json<{ findings: { code: string; evidence: string[] }[] }>('/api/v1/doctor');
  return findings.map(({ code, evidence }) => `${code}: ${evidence.join(' ')}`)[0] ?? '';
}

describe('a full disk under a running host', { skip: NO_DISKS }, () => {
  it('is told to everybody, loses nothing, and all goes on when there is space', async (t) => {
    const small = SmallDisk.mount(t, 900);
    if (small === null) return t.skip('nothing can be mounted here');
    const at = await given(t);
    const host = await at.start(small.path);
    assert.equal(await at.post('refused-1'), 200);
    const [id = ''] = await eventually(async () => {
      const ids = await deadLetterIds(host);
      return ids.length === 1 ? ids : null;
    });
    // A slow agent: what was accepted stands on the disk.
    at.agent.reform({ states: ['working'] });
    const { stored, waiting } = await fill(at, host);
    assert.ok(stored > 2, `${stored} were stored`);

    const line = await eventually(() => outboxLines(host, 'error')[0]);
    assert.match(
      line,
      /^Outbox at fault: .*no space is left for .*outbox\.db\. Nothing is lost; sources wait\. Free space/,
    );
    assert.match((await readiness(host)).text, /\[-\]outbox failed: .*no space is left/);
    assert.match(await firstFinding(host), /^STORAGE: .*no space is left/);
    // Within the credit of the webhook requests wait; past it they are refused at once.
    const more = ['a', 'b', 'c'].map((resource) => at.post(resource));
    await eventually(async () => (await at.post('over-credit')) === 503);
    const list = await letters(host, 'list');
    assert.deepEqual([list.code, list.stdout.includes(id)], [EXIT_CODES.OK, true], 'dead letters can be read');
    for (const command of ['retry', 'drop']) {
      const { code, stderr } = await letters(host, command, id);
      assert.equal(code, EXIT_CODES.FAILED);
      assert.match(stderr, /no space is left.*Free space on that volume/);
    }

    small.grow(8_000);
    assert.deepEqual(await Promise.all([...waiting, ...more]), [200, 200, 200, 200]);
    await eventually(async () => (await readiness(host)).status === 200);
    assert.match(outboxLines(host, 'info').at(-1) ?? '', /^Outbox works again after \S+ s; sources go on$/);
    at.agent.reform({});
    const retried = await letters(host, 'retry', id);
    assert.equal(retried.code, EXIT_CODES.OK);
    await eventually(async () => (await outcomes(host)).delivered === stored + 5);
    const counts = await outcomes(host);
    assert.deepEqual([counts.dropped, counts.dead_lettered], [0, 1]);
  });

  it('and a host that is killed meanwhile lose nothing that was acknowledged', async (t) => {
    const small = SmallDisk.mount(t, 900);
    if (small === null) return t.skip('nothing can be mounted here');
    const at = await given(t);
    at.agent.reform({ states: ['working'] });
    const first = await at.start(small.path);
    const { stored, waiting } = await fill(at, first);
    const unanswered = Promise.allSettled(waiting);
    first.signal('SIGKILL');
    await first.exit;
    await unanswered;
    at.agent.reform({});
    small.grow(8_000);
    const second = await at.start(small.path);
    await eventually(async () => ((await outcomes(second)).delivered ?? 0) >= stored);
    for (let n = 0; n < stored; n += 1)
      assert.ok(
        at.agent.sends.some(({ text }) => text.startsWith(`about r-${n}:`)),
        `r-${n} was acknowledged`,
      );
  });
});

describe('a data folder that cannot be written', { skip: NO_DISKS }, () => {
  it('is told from the start on, and what stands in it is taken up when it can', async (t) => {
    const small = SmallDisk.mount(t, 4_000);
    if (small === null) return t.skip('nothing can be mounted here');
    const at = await given(t, 1);
    at.agent.reform({ states: ['working'] });
    const first = await at.start(small.path);
    assert.equal(await at.post('api'), 200);
    await eventually(() => at.agent.calls.some(({ method }) => method === 'GetTask'));
    first.signal('SIGKILL');
    await first.exit;
    small.remount('ro');

    at.agent.reform({});
    const second = await at.start(small.path);
    assert.match(
      outboxLines(second, 'error')[0] ?? '',
      /cannot be opened for writing.*Make the folder and its files writable/,
    );
    assert.match((await readiness(second)).text, /\[-\]outbox failed: .*cannot be opened for writing/);
    assert.match(await firstFinding(second), /^STORAGE: .*cannot be opened for writing/);
    const waits = at.post('web');
    await eventually(async () => (await at.post('db')) === 503);
    const list = await letters(second, 'list');
    assert.deepEqual([list.code, list.stdout], [EXIT_CODES.FAILED, '']);
    assert.match(list.stderr, /^khook dead-letters list: The outbox cannot be written: .*Make the folder/);
    assert.equal((await fetch(`${second.metrics}/api/v1/dead-letters`)).status, 503);
    assert.equal(at.agent.sends.length, 1, 'nothing is sent of which it is not known whether it was');

    small.remount('rw');
    assert.equal(await waits, 200);
    await eventually(async () => (await outcomes(second)).delivered === 2);
    assert.equal((await readiness(second)).status, 200);
    assert.equal(at.agent.sends.length, 2, 'the task of the first life was followed, not started again');
  });
});

describe('a damaged outbox', () => {
  it('at the start is left to a person, and is taken up when a sound copy is put back', async (t) => {
    const data = tempDir(t);
    const at = await given(t, 1);
    at.agent.reform({ states: ['working'] });
    const first = await at.start(data);
    assert.equal(await at.post('api'), 200);
    first.signal('SIGTERM');
    await first.exit;
    const sound = join(tempDir(t), 'sound.db');
    renameSync(join(data, 'outbox.db'), sound);
    const descriptor = openSync(join(data, 'outbox.db'), 'w');
    writeSync(descriptor, 'this was an outbox once. '.repeat(1_000));
    closeSync(descriptor);

    at.agent.reform({});
    const second = await at.start(data);
    const [line = ''] = outboxLines(second, 'error');
    assert.match(
      line,
      /outbox\.db is damaged.*khook leaves it as it is.*Put a sound copy in its place, or move it away/,
    );
    assert.match((await readiness(second)).text, /\[-\]outbox failed: .*is damaged/);
    const list = await letters(second, 'list');
    assert.equal(list.code, EXIT_CODES.FAILED);
    assert.match(list.stderr, /is damaged/);
    const waits = at.post('web');
    await eventually(async () => (await at.post('db')) === 503);
    assert.deepEqual(
      readdirSync(data).filter((name) => name.includes('damaged')),
      [],
    );

    renameSync(sound, join(data, 'outbox.db'));
    assert.equal(await waits, 200);
    await eventually(async () => (await outcomes(second)).delivered === 2);
    assert.equal((await readiness(second)).status, 200);
  });

  it('of a running host is set aside, and nothing that was accepted is lost', async (t) => {
    const data = tempDir(t);
    const at = await given(t, 200);
    const host = await at.start(data);
    // More than SQLite keeps in memory: what is damaged has to be read again.
    for (let n = 0; n < 250; n += 1) assert.equal(await at.post(`refused-${n}`, 8_000), 200);
    const oldest = await eventually(async () => {
      const ids = await deadLetterIds(host);
      return ids.length === 250 ? ids.at(-1) : null;
    });
    at.agent.reform({ states: ['working'] });
    assert.equal(await at.post('api'), 200);
    damage(data);
    const retried = await letters(host, 'retry', oldest);
    assert.equal(retried.code, EXIT_CODES.FAILED);
    await eventually(() => outboxLines(host, 'info').some((line) => /^Outbox works again/.test(line)));
    const [fault = '', aside = ''] = outboxLines(host, 'error');
    assert.match(fault, /is damaged.*sets the file aside and writes a new one; the dead letters in it are lost/);
    assert.match(aside, /^Outbox file set aside as .*outbox\.db\.damaged-\d{8}T\d{6}Z; a new one is written/);
    const [name = ''] = readdirSync(data).filter((each) => /damaged-[^-]*$/.test(each));
    assert.ok(statSync(join(data, name)).size > 1_000_000, 'the old one is kept');
    assert.equal((await readiness(host)).status, 200);
    assert.equal(await at.post('web'), 200);

    host.signal('SIGKILL');
    await host.exit;
    at.agent.reform({});
    const second = await at.start(data);
    await eventually(async () => ((await outcomes(second)).delivered ?? 0) >= 2);
    for (const resource of ['api', 'web'])
      assert.equal(
        new Set(
          at.agent.sends.filter(({ text }) => text.startsWith(`about ${resource}:`)).map(({ messageId }) => messageId),
        ).size,
        1,
      );
  });
});
