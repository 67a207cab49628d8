import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { createLog } from '../../../host/telemetry/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Lines } from './telemetry-support.ts';

function logTo(lines: Lines, format: 'json' | 'pretty' | 'auto' = 'json') {
  const clock = new FakeClock(Date.parse('2026-01-02T03:04:05.678Z'));
  return createLog({ level: 'info', format, clock, destination: lines });
}

test('log: a line is JSON with the level as a word, ISO time, component, plugin, fields and msg', () => {
  const lines = new Lines();
  logTo(lines, 'auto').component('plugin-manager', 'webhook').info('hello', { port: 8090 });
  assert.deepEqual(lines.parsed, [
    {
      level: 'info',
      time: '2026-01-02T03:04:05.678Z',
      name: 'plugin-manager',
      plugin: 'webhook',
      port: 8090,
      msg: 'hello',
    },
  ]);
  assert.equal(lines.raw[0]?.split('\n').length, 2, 'one line, ended');
});

test('log: a field cannot overwrite or double a key of the line', () => {
  const lines = new Lines();
  logTo(lines).component('host', 'a').info('true', { level: 'error', time: 0, name: 'x', plugin: 'b', msg: 'forged' });
  assert.equal(lines.raw[0]?.match(/"(level|time|name|plugin|msg)":/g)?.length, 5);
  assert.equal(lines.parsed[0]?.plugin, 'a');
  assert.equal(lines.parsed[0]?.plugin_, 'b');
});

test('log: the level changes at run time for loggers that exist already', () => {
  const lines = new Lines();
  const log = logTo(lines);
  const host = log.component('host');
  const webhook = log.component('webhook-plugin', 'webhook');
  host.debug('1');
  log.setLevel('debug', null);
  host.debug('2');
  webhook.debug('3');
  log.setLevel('error', 'webhook');
  webhook.warn('4');
  host.debug('5');
  log.setLevel('silent', null);
  host.error('6');
  assert.deepEqual(lines.messages, ['2', '3', '5']);
  assert.equal(log.levelOf('webhook'), 'silent', 'a level for all ends the level of one');
});

test('log: debug of one plugin shows the debug lines of that plugin only, until it is forgotten', () => {
  const lines = new Lines();
  const log = logTo(lines);
  log.setDebug('a', true);
  log.component('a-plugin', 'a').debug('of a');
  log.component('b-plugin', 'b').debug('of b');
  log.forget('a');
  log.component('a-plugin', 'a').debug('of a, later');
  assert.deepEqual(lines.messages, ['of a']);
});

test('log: secrets are redacted at every depth and inside text', () => {
  const lines = new Lines();
  const env = [
    { name: 'WEBHOOK_TOKEN', value: 'hush1' },
    { name: 'HOME', value: '/home' },
  ];
  logTo(lines)
    .component('host')
    .info('called with Authorization: Bearer hush2hush2 at https://me:hush3@host/', {
      token: 'hush4',
      headers: { authorization: 'hush5', 'X-Api-Key': 'hush6', accept: '*/*' },
      deep: { deeper: { password: 'hush7', clientSecret: ['hush8'] } },
      env,
      note: 'token=hush9 and "password":"hush10"',
      tokens: 512,
      tokenCount: 3,
    });
  assert.doesNotMatch(lines.raw[0] ?? '', /hush/);
  const line = lines.parsed[0] ?? {};
  assert.equal(line.tokens, 512);
  assert.equal(line.tokenCount, 3);
  assert.deepEqual(line.headers, { authorization: '[redacted]', 'X-Api-Key': '[redacted]', accept: '*/*' });
  assert.deepEqual(line.env, [
    { name: 'WEBHOOK_TOKEN', value: '[redacted]' },
    { name: 'HOME', value: '/home' },
  ]);
});

test('log: a line stays bounded whatever its fields are', () => {
  const lines = new Lines();
  const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 'x'.repeat(1_000)]));
  let deep: unknown = 'end';
  for (let i = 0; i < 5_000; i += 1) deep = { deep };
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const list = Array.from({ length: 100_000 }, () => wide);
  logTo(lines)
    .component('host')
    .info('m'.repeat(1_000_000), { wide, deep, circular, list, big: 10n, f: () => {} });
  assert.ok((lines.raw[0]?.length ?? 0) < 200_000, `${lines.raw[0]?.length} characters`);
  assert.equal(lines.parsed.length, 1);
});

test('log: an error as a field becomes code, message and stack', () => {
  const lines = new Lines();
  logTo(lines)
    .component('host')
    .error('oh', { error: Object.assign(new Error('boom'), { code: 'E_X' }) });
  const error = lines.parsed[0]?.error as Record<string, string>;
  assert.equal(error.code, 'E_X');
  assert.equal(error.message, 'boom');
  assert.match(error.stack ?? '', /log\.test\.ts/);
});

test('pretty log: is for people, keeps the words of the greps, and shows a remedy as it was written', () => {
  const lines = new Lines();
  const log = logTo(lines, 'pretty');
  log.component('plugin-manager', 'webhook').warn('plugin webhook stopped', { remedy: 'a:\n  b: true\n' });
  assert.match(
    lines.raw[0] ?? '',
    /^\[\d\d:\d\d:\d\d\.678\] WARN \(plugin-manager\): plugin webhook stopped .*\n {4}a:\n {6}b: true\n$/,
  );
});

test('pretty log: text of a plugin can neither move the cursor nor forge a line', () => {
  const lines = new Lines();
  const evil = '\u001b[2J\u009b2J\r\nlevel=error forged\u202e';
  logTo(lines, 'pretty')
    .component('x-plugin', 'x')
    .info(evil, { fields: { [evil]: evil }, stack: `\u001b[1m` });
  const text = lines.raw.join('');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  assert.doesNotMatch(text, /^level=error/m);
});

test('json log: text of a plugin can neither move the cursor nor forge a line', () => {
  const lines = new Lines();
  logTo(lines)
    .component('x-plugin', 'x')
    .info('\u001b[2J\u009b2J\n{"level":"error"}\u202e', { fields: { a: '\u009b' } });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  assert.doesNotMatch(lines.raw.join(''), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  assert.equal(lines.raw.join('').trimEnd().split('\n').length, 1);
});

test('log: a flush before exit leaves nothing behind on a pipe', () => {
  const script = `
    import { createLog } from './host/telemetry/log.ts';
    import { systemClock } from './ipc/clock.ts';
    const log = createLog({ level: 'info', format: 'auto', clock: systemClock });
    for (let i = 0; i < 20000; i += 1) log.component('host').info('line ' + i);
    log.flush();
    // Without the libraries' own attempts at the exit.
    process.removeAllListeners('exit');
    process.exit(0);`;
  const child = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  assert.equal(child.stderr, '');
  const written = child.stdout.trimEnd().split('\n');
  const numbers = new Set(written.map((line) => (JSON.parse(line) as { msg: string }).msg));
  assert.equal(numbers.size, 20_000);
});
