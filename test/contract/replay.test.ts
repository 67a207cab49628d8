/**
 * A replay that disagrees with the host is worthless: what a real host did with events of every fate is recorded, and the same Hooks
 * must make the same of it. Then each edit of the Hooks must be told as exactly what it is.
 */

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EXIT_CODES } from '../../host/commands/exit-code.ts';
import { record } from '../../host/commands/record.ts';
import { replay } from '../../host/commands/replay.ts';
import { AppHost } from '../support/app-host.ts';
import { runCommand } from '../support/command-run.ts';
import { eventually } from '../support/eventually.ts';
import { MisbehavingAgent } from '../support/misbehaving-agent.ts';

const MAPPINGS = `
mappings:
  - { eventSource: puppet, eventType: happened, internalType: Happened, severity: warning, tags: { team: shop } }
  - { eventSource: puppet, eventType: retired, internalType: Retired, enabled: false }
  - { eventSource: puppet, eventType: stormed, internalType: Stormed }
  - { eventSource: puppet, eventType: picked, internalType: Picked }
  - { eventSource: other, eventType: seen, internalType: Seen }
  - { eventSource: reciter, eventType: happened, internalType: Happened }
  - { eventSource: reciter, eventType: stormed, internalType: Stormed }
`;
const IN_SHOP = { namespace: 'shop', message: 'm' };
/** In frames of several: good, bad, and repeating each other. */
const RECITED = [
  ...['r1', 'r2', 'r1'].map((resourceName) => ({ ...IN_SHOP, type: 'happened', resourceName })),
  { ...IN_SHOP, type: 'happened', resourceName: 'bad', message: '' },
  { ...IN_SHOP, type: 'happened', resourceName: 'late', timestamp: 'yesterday' },
  { ...IN_SHOP, type: 'undeclared', resourceName: 'x' },
  ...Array.from({ length: 5 }, (_, n) => ({ ...IN_SHOP, type: 'stormed', resourceName: `db-${n}` })),
  { type: 'happened', resourceName: 'everywhere', message: 'it has no namespace' },
];

interface HookWords {
  readonly namespace?: string;
  readonly spec?: object;
  readonly eventType?: string;
  readonly prompt?: string;
  readonly agent?: string;
}

function hookFile(name: string, words: HookWords = {}): string {
  const { namespace = 'shop', spec = {}, eventType = 'Happened', prompt = 'look', agent = 'sre' } = words;
  const eventConfigurations = [{ eventType, agentRef: { name: agent }, prompt }];
  return JSON.stringify({
    apiVersion: 'kagent.dev/v1alpha2',
    kind: 'Hook',
    metadata: { name, namespace },
    spec: { eventConfigurations, ...spec },
  });
}

const HOOKS: Readonly<Record<string, string>> = {
  plain: hookFile('plain', { prompt: 'look at {{.ResourceName}}' }),
  picky: hookFile('picky', { eventType: 'picked', spec: { filter: 'event.reason == "BackOff"' } }),
  failing: hookFile('failing', { spec: { filter: 'event.metadata.code == 7' } }),
  suspended: hookFile('suspended', { spec: { suspend: true } }),
  broken: hookFile('broken', { prompt: 'look at {{if}' }),
  grouped: hookFile('grouped', { eventType: 'stormed', spec: { groupBy: 'workload' } }),
  thrifty: hookFile('thrifty', { eventType: 'Stormed', spec: { callsPerHour: 2 } }),
  elsewhere: hookFile('elsewhere', { namespace: 'bank' }),
  doomed: hookFile('doomed', { eventType: 'Seen', prompt: 'doomed' }),
};

function files(hooks: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(hooks).map(([name, text]) => [`${name}.yaml`, text]));
}

/** Its agents take everything but what begins with `doomed`. */
async function start(t: TestContext, settings: object, recited: readonly object[] = []): Promise<AppHost> {
  const agent = await MisbehavingAgent.start({
    onSend: ({ text }) => (text.startsWith('doomed') ? { kind: 'says', status: 400, body: 'no' } : { kind: 'message' }),
  });
  t.after(() => agent.stop());
  const plugins = [{ name: 'reciter', config: { events: recited }, namespaces: ['bank'] }];
  return AppHost.start(t, {
    plugins: JSON.stringify({ plugins, settings }),
    mappings: MAPPINGS,
    hooks: files(HOOKS),
    bundles: { puppet: 'test/fixtures/plugins/puppet', reciter: 'test/fixtures/plugins/reciter' },
    flags: ['--agent-url', agent.url],
  });
}

type Emitted = Promise<{ id: string; outcome: string | null }>;

function emitter(host: AppHost): (event: object) => Emitted {
  return (event) => host.emit({ namespace: 'shop', ...event });
}

/** Everything that can become of an event, some of it more than once. */
async function act(host: AppHost): Promise<void> {
  await eventually(() => host.grep(/all recited/).length > 0);
  const emit = emitter(host);
  for (const resourceName of ['a', 'b', 'a', 'b', 'c']) await emit({ resourceName });
  for (const reason of ['BackOff', 'Killing']) await emit({ type: 'picked', resourceName: `f-${reason}`, reason });
  for (const code of [7, 8, 'x']) await emit({ resourceName: `m-${code}`, metadata: { code, password: 'hunter2' } });
  await emit({ type: 'retired' });
  await emit({ type: 'nobody-knows' });
  await emit({ namespace: 'bank', resourceName: 'vault' });
  await emit({ namespace: 'nowhere' });
  for (let n = 0; n < 6; n += 1) await emit({ type: 'stormed', resourceName: `web-7d4b9c6f5-abcd${n}` });
  // Its deliveries fail, and each gives its key back.
  for (let n = 0; n < 3; n += 1) {
    const { id } = await emit({ source: 'other', type: 'seen', resourceName: 'x' });
    await eventually(async () => (await host.json<{ outcome: string | null }>(`/api/v1/events/${id}`)).outcome);
  }
  // The window of `a` is over.
  await eventually(async () => (await emit({ resourceName: 'a' })).outcome !== 'duplicate');
  await emit({ resourceName: 'a' });
}

async function recorded(host: AppHost, ...flags: string[]): Promise<string> {
  const run = await runCommand(record, ['--url', `http://127.0.0.1:${host.app.ports.admin}`, ...flags]);
  assert.equal(run.code, EXIT_CODES.OK, run.stderr);
  const path = join(host.directory, `recording${flags.join('')}.ndjson`);
  writeFileSync(path, run.stdout);
  return path;
}

/** The Hooks of the host but for these; '' takes one away. */
function edited(host: AppHost, changes: Readonly<Record<string, string>>): string {
  const directory = join(host.directory, 'edited', Object.keys(changes).join('-'));
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files({ ...HOOKS, ...changes })))
    if (text !== '') writeFileSync(join(directory, name), text);
  return directory;
}

/** What is told of single events, without what differs from run to run. */
function told(stdout: string): string {
  return stdout
    .slice(0, Math.max(0, stdout.indexOf('\n\nHook') + 1))
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/emit-[a-z0-9]+-([a-z0-9]+)/g, 'emit-$1');
}

interface Summary {
  readonly events: number;
  readonly ends: Readonly<Record<string, { readonly before: number; readonly now: number }>>;
}

describe('replay', () => {
  it('makes of recorded events what the host made of them, whatever that was', async (t) => {
    const host = await start(t, { dedup: { window: '400ms' }, delivery: { attempts: 1 } }, RECITED);
    await act(host);
    for (const [outcome, count] of Object.entries(await host.outcomes()))
      if (outcome !== 'dropped') assert.ok(count > 0, `nothing is ${outcome}`);
    for (const flags of [
      ['--last', '1000'],
      ['--last', '1000', '--raw'],
      ['--last', '20'],
      ['--last', '3'],
    ]) {
      const path = await recorded(host, ...flags);
      const run = await runCommand(replay, [path, '--hooks', join(host.directory, 'config/hooks'), '--json']);
      assert.equal(run.code, EXIT_CODES.OK, `${flags.join(' ')}\n${run.stdout}`);
      const [summary] = run.json<Summary>();
      assert.ok(summary !== undefined && summary.events > 0);
      for (const [end, { before, now }] of Object.entries(summary.ends)) assert.equal(now, before, `${flags} ${end}`);
    }
  });

  it('tells each edit of a Hook as what it is', async (t) => {
    const host = await start(t, { delivery: { attempts: 1 } });
    const emit = emitter(host);
    await emit({ resourceName: 'a' });
    await emit({ resourceName: 'a' });
    await emit({ type: 'picked', resourceName: 'f', reason: 'BackOff' });
    for (let n = 0; n < 3; n += 1) await emit({ type: 'stormed', resourceName: `web-${n}` });
    await emit({ namespace: 'bank', resourceName: 'vault' });
    const path = await recorded(host, '--last', '1000', '--plugin', 'puppet');
    const first = 'TIME emit-0 puppet:happened (Happened) about shop/a\n';
    const second = 'TIME emit-1 puppet:happened (Happened) about shop/a\n';
    const picked = 'TIME emit-2 puppet:picked (Picked) about shop/f\n';
    const web = (n: number): string => `TIME emit-${n + 3} puppet:stormed (Stormed) about shop/web-${n}\n`;
    const edits: readonly (readonly [changes: Record<string, string>, told: string, flags?: readonly string[]])[] = [
      [{ plain: '' }, `${first}  - shop/plain does not fire any more: there is no such Hook\n`],
      [
        { plain: hookFile('plain', { prompt: 'look at {{.ResourceName}}', spec: { suspend: true } }) },
        `${first}  - shop/plain does not fire any more: suspended\n`,
      ],
      [
        { picky: hookFile('picky', { eventType: 'picked', spec: { filter: 'event.reason ==\n  "Killing"' } }) },
        `${picked}  - shop/picky does not fire any more: filtered: its filter is event.reason == "Killing"\n`,
      ],
      [
        { picky: hookFile('picky', { eventType: 'picked', spec: { filter: 'event.metadata.a == 1' } }) },
        `${picked}  - shop/picky does not fire any more: filtered: its filter failed: 1:16: No such key: a; if it may be missing, ask with has() first, or write .?a.orValue(…)\n`,
      ],
      [
        { picky: hookFile('picky', { eventType: 'Happened' }) },
        `${first}  + shop/picky fires now, for shop/sre; before: type: it listens to picked, not to Happened\n${picked}  - shop/picky does not fire any more: type: it listens to Happened, not to Picked\n`,
      ],
      [
        { plain: hookFile('plain', { namespace: 'bank', prompt: 'look at {{.ResourceName}}' }) },
        `${first}  - shop/plain does not fire any more: there is no such Hook\nTIME emit-6 puppet:happened (Happened) about bank/vault\n  + bank/plain fires now, for bank/sre; before: there is no such Hook\n`,
      ],
      [{ suspended: hookFile('suspended') }, `${first}  + shop/suspended fires now, for shop/sre; before: suspended\n`],
      [
        { plain: hookFile('plain', { prompt: 'look at {{.ResourceName}}', agent: 'dba' }) },
        `${first}  ~ shop/plain fires as before, but: agent shop/dba in place of shop/sre\n`,
      ],
      [
        { plain: hookFile('plain', { prompt: 'look at {{range}}' }) },
        `${first}  ~ shop/plain fires as before, but: its prompt is the raw text: 1:16: missing value for range\n`,
      ],
      [
        { broken: hookFile('broken') },
        `${first}  ~ shop/broken fires as before, but: another prompt\n    | -look at {{if}\n    | +look\n    |  Namespace: shop\n    |  Message: m\n`,
        ['--prompts'],
      ],
      [
        { grouped: hookFile('grouped', { eventType: 'stormed' }) },
        [1, 2]
          .map(
            (n) =>
              `${web(n)}  + shop/grouped fires now, for shop/sre; before: duplicate of an earlier firing, until TIME\n`,
          )
          .join(''),
      ],
      [
        { thrifty: hookFile('thrifty', { eventType: 'Stormed', spec: { callsPerHour: 1 } }) },
        `${web(1)}  ~ shop/thrifty fires as before, but: held for a digest\n`,
      ],
      [
        { thrifty: hookFile('thrifty', { eventType: 'Stormed' }) },
        `${web(2)}  ~ shop/thrifty fires as before, but: goes out at once, not with a digest\n`,
      ],
      // What was a duplicate fires when what it repeats does not fire any more.
      [
        {
          plain: hookFile('plain', {
            prompt: 'look at {{.ResourceName}}',
            spec: { filter: 'event.timestamp > timestamp("LATER")' },
          }),
        },
        `${first}  - shop/plain does not fire any more: filtered: its filter is event.timestamp > timestamp("TIME")\n${second}  + shop/plain fires now, for shop/sre; before: duplicate of an earlier firing, until TIME\n`,
      ],
    ];
    const { events } = await host.json<{ events: { receivedAt: string }[] }>('/api/v1/events?plugin=puppet&limit=100');
    const later = events.at(-1)?.receivedAt ?? '';
    for (const [changes, words, flags = []] of edits) {
      const actual = Object.entries(changes).map(([name, text]) => [name, text.replace('LATER', later)]);
      const run = await runCommand(replay, [path, '--hooks', edited(host, Object.fromEntries(actual)), ...flags]);
      assert.equal(told(run.stdout), words, Object.keys(changes).join());
      assert.equal(run.code, EXIT_CODES.DIFFERENT);
    }
  });
});
