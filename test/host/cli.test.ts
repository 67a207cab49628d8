import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { COMMANDS } from '../../host/cli.ts';
import { EXIT_CODES } from '../../host/commands/exit-code.ts';
import { khookVersion } from '../../host/commands/version.ts';
import { packed, tgz } from '../support/archive.ts';
import { khook, type Ran } from '../support/khook-command.ts';
import { freePort, RunningHost } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('khook', () => {
  it('lists its commands on --help, help and nothing at all', async () => {
    for (const args of [['--help'], ['help'], []]) {
      const { code, stdout, stderr } = await khook(args);
      assert.deepEqual([code, stderr], [EXIT_CODES.OK, '']);
      for (const { name, summary } of COMMANDS) assert.match(stdout, new RegExp(`^ {2}${name} +${summary}$`, 'm'));
    }
  });

  it('shows every flag of a command on --help, with default and variable', async () => {
    const [run, check] = await Promise.all([khook(['run', '--help']), khook(['help', 'check'])]);
    assert.deepEqual([run.code, check.code], [EXIT_CODES.OK, EXIT_CODES.OK]);
    for (const { name } of COMMANDS.find((command) => command.name === 'run')?.flags ?? []) {
      assert.match(run.stdout, new RegExp(`--${name}\\b`));
    }
    assert.match(run.stdout, /--metrics-port PORT +Metrics and read API\. \[default: 8080\] \[env: METRICS_PORT\]/);
    assert.match(check.stdout, /--json/);
  });

  it('shows the commands that share a word, and the flags of one of them', async () => {
    for (const args of [
      ['dead-letters', '--help'],
      ['help', 'dead-letters'],
    ]) {
      const { code, stdout } = await khook(args);
      assert.equal(code, EXIT_CODES.OK);
      for (const word of ['list', 'show', 'retry', 'drop'])
        assert.match(stdout, new RegExp(`^ {2}dead-letters ${word} +\\w`, 'm'));
      assert.doesNotMatch(stdout, /check/);
    }
    for (const args of [
      ['dead-letters', 'retry', '--help'],
      ['help', 'dead-letters', 'retry'],
    ]) {
      const { code, stdout } = await khook(args);
      assert.equal(code, EXIT_CODES.OK);
      assert.match(stdout, /^ {2}khook dead-letters retry \(ID\.\.\. \| --all\) \[flags\]$/m);
    }
  });

  it('says its version', async () => {
    const { code, stdout } = await khook(['--version']);
    assert.deepEqual([code, stdout], [EXIT_CODES.OK, `khook ${khookVersion()}\n`]);
  });

  it('refuses an unknown command, flag and argument, and suggests the nearest', async () => {
    const cases: readonly [args: string[], message: RegExp][] = [
      [['chek'], /^khook: unknown command 'chek'; did you mean 'check'\?/],
      [['check', '--jsn'], /^khook: unknown flag --jsn; did you mean 'json'\?/],
      [['emit', 'webhook'], /^khook: 'khook emit' takes 2 arguments \(SOURCE TYPE \[flags\]\), got 1/],
      [['dead-letters'], /Usage:\n {2}khook dead-letters COMMAND/],
      [['dead-letters', 'lst'], /^khook: unknown command 'dead-letters lst'; did you mean 'list'\?\n\nUsage:/],
      [['dead-letter', 'list'], /^khook: unknown command 'dead-letter'; did you mean 'dead-letters'\?/],
      [['dead-letters', 'show'], /'khook dead-letters show' takes 1 argument \(ID \[flags\]\), got 0/],
      [['dead-letters', 'list', 'x'], /'khook dead-letters list' takes no arguments, got 1/],
      [['dead-letters', 'retry'], /khook dead-letters retry: name dead letters by their ids .* or give --all/],
      [['dead-letters', 'drop', 'x', '--all'], /khook dead-letters drop: name dead letters, or give --all, not both/],
      [['dead-letters', 'drop', '--agent', 'a/b'], /--agent and --hook go with --all/],
      [['emit', 'a', 'b', '--metadata', '[]'], /--metadata must be a JSON object/],
      [['emit', 'a', 'b', '--tag', 'x'], /--tag must be KEY=VALUE, got 'x'/],
      [['run', '--metrics-port', '70000'], /--metrics-port must be a port between 0 and 65535, got '70000'/],
      [['run', '--agent-url', 'ftp://x'], /--agent-url must be an http:\/\/ or https:\/\/ URL/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await khook(args);
      assert.deepEqual([code, stdout], [EXIT_CODES.USAGE, ''], args.join(' '));
      assert.match(stderr, message);
    }
  });
});

describe('khook check', () => {
  function folder(t: TestContext, plugins: string): string {
    const directory = tempDir(t);
    mkdirSync(join(directory, 'config'));
    writeFileSync(join(directory, 'config/plugins.yaml'), plugins);
    cpSync('plugins/webhook', join(directory, 'plugins/webhook'), { recursive: true });
    return directory;
  }
  const GOOD =
    'plugins: [{ name: webhook, permissions: { net: { listen: [8090] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] } }]';
  const BAD = 'plugins:\n  - name: webhook\n    config: { port: 0 }\n';

  it('finds nothing wrong with the shipped configuration', async () => {
    const { code, stdout, stderr } = await khook(['check'], resolve('.'));
    assert.deepEqual([code, stderr], [EXIT_CODES.OK, '']);
    assert.match(stdout, /^webhook 1\.0\.0 +would run \(thread, 64 MB; webhook-received, webhook-error\)$/m);
    assert.match(stdout, /No problems found\./);
  });

  it('says what would become of each plugin, and exits with 0', async (t) => {
    const { code, stdout } = await khook(['check'], folder(t, GOOD));
    assert.equal(code, EXIT_CODES.OK);
    assert.match(stdout, /webhook 1\.0\.0 +would run/);
    const blocked = await khook(['check'], folder(t, ''));
    assert.equal(blocked.code, EXIT_CODES.OK);
    assert.match(blocked.stdout, /would be blocked: .*\n[\s\S]*permissions:/);
  });

  it('names each problem with file, line and what to do, and exits with 3', async (t) => {
    const { code, stdout, stderr } = await khook(['check'], folder(t, BAD));
    assert.equal(code, EXIT_CODES.CONFIG);
    assert.match(
      stderr,
      /plugins\.yaml:3:\d+: plugins\[0\]\.config\.port: configuration 'port' must be between 1 and 65535, got 0/,
    );
    assert.match(stdout, /1 problem found\./);
    const broken = await khook(['check'], folder(t, 'plugins: [{ name: webhook'));
    assert.equal(broken.code, EXIT_CODES.CONFIG);
    assert.match(broken.stderr, /plugins\.yaml:\d+:\d+/);
  });

  it('judges an archive without a data folder and without running it, and leaves nothing behind', async (t) => {
    const temporary = tempDir(t);
    const check = (archive: Buffer): Promise<Ran> => {
      const directory = folder(t, GOOD);
      writeFileSync(join(directory, 'plugins/packed-2.0.0.tgz'), archive);
      return khook(['check'], directory, { TMPDIR: temporary });
    };
    const khookField = { apiVersion: 1, eventTypes: ['happened'] };
    const manifest = JSON.stringify({ name: 'packed', version: '2.0.0', main: 'index.js', khook: khookField });
    const good = await check(packed({ 'package.json': manifest, 'index.js': 'process.exit(77)' }));
    assert.deepEqual([good.code, good.stderr], [EXIT_CODES.OK, '']);
    assert.match(good.stdout, /^packed 2\.0\.0 +would run \(thread, 64 MB; happened\)$/m);
    assert.match(good.stdout, /no mapping for packed:happened, .*\n {4}mappings:\n {6}- eventSource: packed\n/);
    const wrong = await check(packed({ 'package.json': manifest.replace('index.js', 'gone.js') }));
    assert.equal(wrong.code, EXIT_CODES.CONFIG);
    assert.match(wrong.stderr, /packed-2\.0\.0\.tgz\/package\.json:1:\d+: main: the entry 'gone\.js' does not exist/);
    const evil = await check(tgz({ name: 'package/etc', type: '2', linkname: '/etc' }));
    assert.equal(evil.code, EXIT_CODES.CONFIG);
    assert.match(
      evil.stderr,
      /packed-2\.0\.0\.tgz: the archive cannot be used: its entry 'package\/etc' is a symbolic link; .*\n$/,
    );
    assert.match(evil.stdout, /^packed +would not run; see the problems$/m);
    assert.deepEqual(readdirSync(temporary), []);
  });

  it('says the same as JSON', async (t) => {
    const [good, bad] = [
      await khook(['check', '--json'], folder(t, GOOD)),
      await khook(['check', '--json'], folder(t, BAD)),
    ];
    assert.deepEqual([good.code, bad.code], [EXIT_CODES.OK, EXIT_CODES.CONFIG]);
    const [fine, wrong] = [JSON.parse(good.stdout), JSON.parse(bad.stdout)];
    assert.deepEqual(fine, { ok: true, problems: [], plugins: [{ name: 'webhook', version: '1.0.0', kind: 'run' }] });
    assert.deepEqual([wrong.ok, wrong.problems[0].code, wrong.problems[0].line], [false, 'HOST_ERR_CONFIG_VALUE', 3]);
    assert.equal(bad.stderr, '');
  });
});

describe('khook emit', () => {
  it('tells what became of a mapped, an unmapped, a repeated and a refused event', async (t) => {
    const spec = { eventConfigurations: [{ eventType: 'webhook-received', agentRef: { name: 'a' }, prompt: 'look' }] };
    const hook = { apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata: { name: 'h' }, spec };
    const host = await RunningHost.start(t, {
      mappings: 'mappings: [{ eventSource: webhook, eventType: webhook-received, internalType: WebhookReceived }]',
      hooks: { 'h.yaml': JSON.stringify(hook) },
    });
    const emit = (...args: string[]): Promise<Ran> => khook(['emit', ...args, '--url', host.admin]);

    const mapped = await emit(
      'webhook',
      'webhook-received',
      '--resource',
      'api',
      '--tag',
      'team=shop',
      '--metadata',
      '{"n":1}',
    );
    assert.deepEqual([mapped.code, mapped.stderr], [EXIT_CODES.OK, '']);
    assert.match(mapped.stdout, /^emit-\S+ {2}webhook:webhook-received \(WebhookReceived\) about api$/m);
    assert.match(mapped.stdout, / matched: Hook default\/h \(webhook-received\)$/m);
    assert.match(mapped.stdout, /^ {2}outcome: (in flight|delivered)$/m);

    const repeated = await emit('webhook', 'webhook-received', '--resource', 'api', '--json');
    assert.deepEqual([repeated.code, JSON.parse(repeated.stdout).outcome], [EXIT_CODES.OK, 'duplicate']);

    const unmapped = await emit('webhook', 'never-heard-of', '-n', 'shop');
    assert.equal(unmapped.code, EXIT_CODES.OK);
    assert.match(unmapped.stdout, /about test in shop\n[\s\S]*outcome: unmapped/);

    const refused = await emit('webhook', 'webhook-received', '--message', '');
    assert.deepEqual([refused.code, refused.stdout], [EXIT_CODES.FAILED, '']);
    assert.match(refused.stderr, /the host refused the event: .*'message' cannot be empty/);
  });

  it('says where it looked for a host when there is none, and exits with 5', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout, stderr } = await khook(['emit', 'a', 'b', '--url', url]);
    assert.deepEqual([code, stdout], [EXIT_CODES.UNREACHABLE, '']);
    assert.ok(stderr.includes(`no host answers at ${url}`));
    assert.match(stderr, /khook run/);
  });
});
