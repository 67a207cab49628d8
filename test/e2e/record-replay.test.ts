/** `khook record` and `khook replay` as a user runs them: processes, files, pipes, signals and exit codes. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EXIT_CODES } from '../../host/commands/exit-code.ts';
import { configLine, eventLine } from '../host/replay/recording-support.ts';
import { eventually } from '../support/eventually.ts';
import { MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { RunningHost } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';

class Khook {
  readonly child: ChildProcess;
  readonly done: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(t: TestContext, args: readonly string[], { input }: { input?: string } = {}) {
    const env = { PATH: process.env.PATH ?? '', HOME: '/', TMPDIR: tempDir(t) };
    this.child = spawn(resolve('scripts/khook'), args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.child.stdin?.on('error', () => undefined);
    this.child.stdin?.end(input ?? '');
    this.done = new Promise((done) => this.child.once('close', done));
    t.after(() => this.child.kill('SIGKILL'));
  }

  get lines(): Record<string, unknown>[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

function hookYaml(prompt = 'look', filter = 'true'): string {
  return JSON.stringify({
    apiVersion: 'kagent.dev/v1alpha2',
    kind: 'Hook',
    metadata: { name: 'h' },
    spec: { filter, eventConfigurations: [{ eventType: 'Happened', agentRef: { name: 'a' }, prompt }] },
  });
}

async function start(t: TestContext, flags: readonly string[] = []): Promise<RunningHost> {
  const mappings = 'mappings: [{ eventSource: puppet, eventType: happened, internalType: Happened }]';
  return RunningHost.start(t, { mappings, hooks: { 'h.yaml': hookYaml() }, flags });
}

async function emit(host: RunningHost, resourceName: string): Promise<void> {
  const body = JSON.stringify({ source: 'puppet', type: 'happened', resourceName, message: 'm' });
  const headers = { 'content-type': 'application/json' };
  assert.equal((await fetch(`${host.admin}/api/v1/emit`, { method: 'POST', headers, body })).status, 200);
}

function folder(t: TestContext, text: string): string {
  const directory = join(tempDir(t), 'hooks');
  mkdirSync(directory);
  writeFileSync(join(directory, 'h.yaml'), text);
  return directory;
}

describe('khook record', () => {
  it('follows until Ctrl-C, writes last what is on its way still, and can be replayed', async (t) => {
    // The agent never ends its task for `slow`.
    const agent = await MisbehavingAgent.start({
      states: ['working'],
      onSend: ({ text }) => (text.includes('slow') ? { kind: 'works' } : { kind: 'message' }),
    });
    t.after(() => agent.stop());
    const host = await start(t, ['--agent-url', agent.url]);
    host.write('config/hooks/h.yaml', hookYaml('look at {{.ResourceName}}'));
    await eventually(() => host.grep(/config/).some((line) => /reload/i.test(line)));
    const recorder = new Khook(t, ['record', '--url', host.admin]);
    await eventually(() => recorder.stdout.includes('"kind":"config"'));
    for (const name of ['quick', 'slow', 'quick']) await emit(host, name);
    await eventually(() => recorder.lines.length === 3);
    recorder.child.kill('SIGINT');
    assert.equal(await recorder.done, EXIT_CODES.OK);
    assert.deepEqual(
      recorder.lines.map(({ kind, resourceName, outcome }) => [kind, resourceName, outcome]),
      [
        ['config', undefined, undefined],
        ['event', 'quick', 'delivered'],
        ['event', 'quick', 'duplicate'],
        ['event', 'slow', null],
      ],
    );
    assert.match(recorder.stderr, /^khook record: 3 events recorded\n$/);

    const file = join(host.directory, 'events.ndjson');
    writeFileSync(file, recorder.stdout);
    const same = new Khook(t, ['replay', file, '--hooks', join(host.directory, 'config/hooks')]);
    assert.equal(await same.done, EXIT_CODES.OK, same.stdout + same.stderr);
    const edited = folder(t, hookYaml('look at {{.ResourceName}}', 'event.resourceName != "slow"'));
    const other = new Khook(t, ['replay', '-', '--hooks', edited], { input: readFileSync(file, 'utf8') });
    assert.equal(await other.done, EXIT_CODES.DIFFERENT);
    assert.match(other.stdout, /about slow\n {2}- default\/h does not fire any more: filtered: its filter is/);
  });

  it('ends by itself after a time and after so many events', async (t) => {
    const host = await start(t);
    const timed = new Khook(t, ['record', '--url', host.admin, '--for', '1500ms']);
    const limited = new Khook(t, ['record', '--url', host.admin, '--limit', '2']);
    await eventually(() => timed.stdout !== '' && limited.stdout !== '');
    for (const name of ['a', 'b', 'c']) await emit(host, name);
    assert.deepEqual([await limited.done, await timed.done], [EXIT_CODES.OK, EXIT_CODES.OK]);
    assert.equal(limited.lines.length, 3);
    const last = new Khook(t, ['record', '--url', host.admin, '--last', '2']);
    assert.equal(await last.done, EXIT_CODES.OK);
    assert.deepEqual(
      last.lines.flatMap(({ resourceName = [] }) => resourceName),
      ['b', 'c'],
    );
  });

  it('says so when its host is killed, and when there is none', async (t) => {
    const host = await start(t, ['--no-keeper']);
    const recorder = new Khook(t, ['record', '--url', host.admin]);
    await eventually(() => recorder.stdout !== '');
    await emit(host, 'a');
    await eventually(() => recorder.lines.length === 2);
    host.signal('SIGKILL');
    assert.equal(await recorder.done, EXIT_CODES.UNREACHABLE);
    assert.match(recorder.stderr, /the host has ended the stream; 1 event recorded\n$/);
    const late = new Khook(t, ['record', '--url', host.admin]);
    assert.equal(await late.done, EXIT_CODES.UNREACHABLE);
    assert.match(late.stderr, /^khook record: no host answers at http:.*\nStart one with 'khook run'/);
  });

  it('ends quietly when nobody reads on', async (t) => {
    const host = await start(t);
    const recorder = new Khook(t, ['record', '--url', host.admin]);
    await eventually(() => recorder.stdout !== '');
    recorder.child.stdout?.destroy();
    for (const name of ['a', 'b', 'c', 'd']) await emit(host, name);
    assert.equal(await recorder.done, EXIT_CODES.OK);
    assert.doesNotMatch(recorder.stderr, /EPIPE|Error/);
  });
});

describe('khook replay', () => {
  const MAPPED = configLine({ hooks: [] });
  const HOOK = hookYaml('look', 'true')
    .replace('Happened', 'PodRestart')
    .replace('"name":"h"', '"name":"h","namespace":"shop"');

  it('refuses a wrong command line and what it cannot read, each with its code', async (t) => {
    const directory = tempDir(t);
    const file = join(directory, 'events.ndjson');
    writeFileSync(file, `${MAPPED}\n${eventLine()}\n`);
    writeFileSync(join(directory, 'bare.ndjson'), `${eventLine()}\n`);
    writeFileSync(join(directory, 'bad.ndjson'), 'nonsense\n\n{"kind":"event"}\n');
    const hooks = folder(t, HOOK);
    const broken = folder(
      t,
      'kind: Hook\napiVersion: kagent.dev/v1alpha2\nmetadata: { name: h }\nspec: { eventConfigurations: 5 }\n',
    );
    const cases: readonly (readonly [args: string[], code: number, words: RegExp])[] = [
      [['replay', file], EXIT_CODES.USAGE, /--hooks must name the folder with the Hooks to try/],
      [['replay'], EXIT_CODES.USAGE, /takes 1 argument /],
      [['replay', file, '--hook', 'x'], EXIT_CODES.USAGE, /unknown flag --hook; did you mean 'hooks'\?/],
      [['replay', file, '--hooks', '/nowhere'], EXIT_CODES.USAGE, /--hooks: there is no folder \/nowhere/],
      [
        ['replay', file, '--hooks', hooks, '--baseline', '/nowhere'],
        EXIT_CODES.USAGE,
        /--baseline: there is no folder/,
      ],
      [['replay', '/nowhere', '--hooks', hooks], EXIT_CODES.FAILED, /\/nowhere cannot be read: ENOENT/],
      [['replay', file, '--hooks', broken], EXIT_CODES.CONFIG, /h\.yaml:4:\d+: .*\[HOST_ERR_HOOK\]/],
      [
        ['replay', join(directory, 'bad.ndjson'), '--hooks', hooks],
        EXIT_CODES.FAILED,
        /has no event that can be replayed/,
      ],
      [
        ['replay', join(directory, 'bare.ndjson'), '--hooks', hooks],
        EXIT_CODES.FAILED,
        /name a configuration with --config/,
      ],
    ];
    await Promise.all(
      cases.map(async ([args, code, words]) => {
        const khook = new Khook(t, args);
        assert.equal(await khook.done, code, `${args.join(' ')}\n${khook.stderr}`);
        assert.match(khook.stderr, words);
        assert.equal(khook.stdout, '');
      }),
    );
  });

  it('names broken lines, skips them, counts them, and lets them be without a say in the exit code', async (t) => {
    const input = [MAPPED, 'nonsense', eventLine({ order: 0 }), '{"kind":"event"}'].join('\n');
    const empty = join(tempDir(t), 'empty');
    mkdirSync(empty);
    const khook = new Khook(t, ['replay', '-', '--hooks', empty], { input });
    assert.equal(await khook.done, EXIT_CODES.OK, khook.stderr);
    assert.match(
      khook.stderr,
      /^khook replay: line 2 is skipped: it is not JSON: .*\nkhook replay: line 4 is skipped: 'source': /,
    );
    assert.match(khook.stdout, /^2 lines could not be used and are skipped\.$/m);
  });

  it('takes mappings and settings from a folder when it is asked to, and events alone then suffice', async (t) => {
    const directory = tempDir(t);
    writeFileSync(
      join(directory, 'event-mappings.yaml'),
      'mappings: [{ eventSource: kubernetes, eventType: pod-restart, internalType: PodRestart }]',
    );
    writeFileSync(join(directory, 'plugins.yaml'), 'settings: { dedup: { window: 1m } }');
    const at = (minute: number): string => `2026-01-01T00:0${minute}:00.000Z`;
    const event = (minute: number): string =>
      eventLine({ id: `e${minute}`, receivedAt: at(minute), timestamp: at(minute) });
    const input = [event(0), event(2), event(2)].join('\n');
    const flags = ['--hooks', folder(t, HOOK), '--config', directory, '--json', '--all', '--prompts'];
    const khook = new Khook(t, ['replay', '-', ...flags], { input });
    assert.equal(await khook.done, EXIT_CODES.OK, khook.stderr);
    const firings = khook.lines.filter(({ kind }) => kind === 'firing');
    assert.deepEqual(
      firings.map(({ change, event }) => [change, (event as { id: string }).id]),
      [
        ['same', 'e0'],
        ['same', 'e2'],
      ],
    );
    assert.match(JSON.stringify(firings[0]?.prompts), /"now":"look/);
    const { ends } = khook.lines.at(-1) as { ends: Record<string, { now: number }> };
    assert.equal(ends.duplicate?.now, 1);
  });

  it('says when what it writes cannot be written, and ends quietly when nobody reads on', async (t) => {
    const file = join(tempDir(t), 'events.ndjson');
    writeFileSync(
      file,
      [MAPPED, ...Array.from({ length: 2_000 }, (_, n) => eventLine({ order: n, resourceName: `r${n}` }))].join('\n'),
    );
    const command = `${resolve('scripts/khook')} replay ${file} --hooks ${folder(t, HOOK)} --all`;
    const shell = (line: string): Promise<{ code: number | null; stderr: string }> =>
      new Promise((done) => {
        const child = spawn('bash', ['-c', `set -o pipefail; ${line}`], { stdio: ['ignore', 'ignore', 'pipe'] });
        let stderr = '';
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          stderr += text;
        });
        child.once('close', (code) => done({ code, stderr }));
      });
    const full = await shell(`${command} > /dev/full`);
    assert.equal(full.code, EXIT_CODES.FAILED);
    assert.match(full.stderr, /^khook replay: standard output cannot be written: ENOSPC/);
    assert.deepEqual(await shell(`${command} | head -1`), { code: EXIT_CODES.OK, stderr: '' });
  });

  it('compares two folders of Hooks with each other', async (t) => {
    const input = [MAPPED, eventLine({ order: 0 }), eventLine({ id: 'k-1', order: 1, resourceName: 'web' })].join('\n');
    const [before, after] = [folder(t, HOOK), folder(t, HOOK.replace('"true"', '"event.resourceName == \\"web\\""'))];
    const khook = new Khook(t, ['replay', '-', '--hooks', after, '--baseline', before], { input });
    assert.equal(await khook.done, EXIT_CODES.DIFFERENT, khook.stderr);
    assert.match(
      khook.stdout,
      /kubernetes-a-1-0 .* about shop\/api\n {2}- shop\/h does not fire any more: filtered: its filter is event\.resourceName == "web"\n\nHook/,
    );
    assert.match(khook.stdout, /^shop\/h +2 +1 +0 +1 +0$/m);
    const equal = new Khook(t, ['replay', '-', '--hooks', before, '--baseline', before], { input });
    assert.equal(await equal.done, EXIT_CODES.OK);
  });
});
