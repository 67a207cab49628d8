import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bench, bench, crashed, DELIVERY, exit, register } from './telemetry-support.ts';

type Act = (rooms: Bench['rooms']) => void;

const crash = exit('crash', 'boom', 'Error: boom\n    at index.ts:3');

/** Each grep of the troubleshooting guide, with its case, an event, and the line it must find. */
const GREPS: readonly (readonly [RegExp, string, Act])[] = [
  [
    /plugin/i,
    'Starting plugin webhook',
    (rooms) => rooms.supervision.emit('plugin:starting', { plugin: 'webhook', generation: 1 }),
  ],
  [
    /plugin-manager/i,
    'Successfully started plugin webhook in 42 ms',
    (rooms) => rooms.supervision.emit('plugin:ready', { plugin: 'webhook', generation: 1, bootMs: 42.2 }),
  ],
  [/Successfully registered.*plugin/, 'Successfully registered webhook plugin', (rooms) => register(rooms, 'webhook')],
  [
    /failed to.*plugin/i,
    'Failed to start plugin webhook: no port',
    (rooms) => crashed(rooms, { exit: exit('failed_start', 'no port') }),
  ],
  [
    /failed to initialize.*plugin/i,
    'Failed to initialize plugin webhook: token is too short',
    (rooms) =>
      rooms.supervision.emit('plugin:failed', {
        plugin: 'webhook',
        exit: exit('bad_config', 'token is too short'),
        retryMs: null,
      }),
  ],
  [
    /failed to.*plugin/i,
    'Failed to load plugin webhook: ',
    (rooms) =>
      rooms.config.emit('config:problem', {
        code: 'HOST_ERR_CONFIG_VALUE',
        message: "configuration 'port' must be between 1 and 65535, got 0",
        file: 'config/plugins.yaml',
        line: 5,
        column: 11,
        path: 'plugins[0].config.port',
        fix: '',
        subject: 'webhook',
      }),
  ],
  [
    /mapping/i,
    'Loaded event mapping',
    (rooms) =>
      rooms.config.emit('mapping:loaded', {
        source: 'webhook',
        eventType: 'webhook-received',
        internalType: 'WebhookReceived',
        severity: 'info',
        enabled: true,
      }),
  ],
  [
    /mapping/i,
    'Successfully loaded event mappings',
    (rooms) => rooms.config.emit('mappings:loaded', { file: 'config/event-mappings.yaml', count: 3 }),
  ],
  [
    /mapping/i,
    'No event mapping for webhook:odd',
    (rooms) => rooms.match.emit('type:unmapped', { source: 'webhook', type: 'odd', yaml: '- eventSource: webhook\n' }),
  ],
  [
    /invalid event/i,
    'Invalid event of plugin webhook: resourceName cannot be empty',
    (rooms) =>
      rooms.match.emit('event:invalid', {
        source: 'webhook',
        type: 'webhook-received',
        cause: 'resourceName cannot be empty',
      }),
  ],
  [
    /Invalid event/,
    'Invalid event of plugin webhook was refused: too large',
    (rooms) =>
      rooms.supervision.emit('plugin:event-refused', {
        plugin: 'webhook',
        code: 'EVENT_ERR_TOO_LARGE',
        message: 'too large',
      }),
  ],
  [
    /invalid event/i,
    'Invalid event mapping: ',
    (rooms) =>
      rooms.config.emit('config:problem', {
        code: 'HOST_ERR_MAPPING',
        message: 'severity is wrong',
        file: 'm.yaml',
        line: 1,
        column: 1,
        path: 'mappings[0]',
        fix: '',
        subject: 'a:b',
      }),
  ],
  [/panic|fatal/i, 'Plugin panicked', (rooms) => crashed(rooms, { exit: crash })],
  [/plugin panic: boom/, 'Plugin panicked', (rooms) => crashed(rooms, { exit: crash })],
  [
    /panic|fatal/i,
    'Plugin hit a fatal memory limit',
    (rooms) => crashed(rooms, { exit: exit('out_of_memory', '80 MB') }),
  ],
  [
    /plugin.*stopped/,
    'plugin webhook stopped: configuration changed',
    (rooms) =>
      rooms.supervision.emit('plugin:stopped', {
        plugin: 'webhook',
        generation: 1,
        why: 'configuration changed',
        forced: false,
        refused: [],
      }),
  ],
  [
    /plugin.*stopped/,
    'plugin stubborn did not stop within 2.5 s and was terminated; plugin stubborn stopped: shutdown',
    (rooms) =>
      rooms.supervision.emit('plugin:stopped', {
        plugin: 'stubborn',
        generation: 1,
        why: 'shutdown',
        forced: true,
        refused: [{ step: 'stop', afterMs: 2_500, error: '' }],
      }),
  ],
  [
    /plugin.*did not stop/,
    'plugin stubborn did not drain within 2.5 s, did not stop (it is busy) and was terminated',
    (rooms) =>
      rooms.supervision.emit('plugin:stopped', {
        plugin: 'stubborn',
        generation: 1,
        why: 'shutdown',
        forced: true,
        refused: [
          { step: 'drain', afterMs: 2_500, error: '' },
          { step: 'stop', afterMs: 1, error: 'it is busy' },
        ],
      }),
  ],
  [
    /plugin.*terminate/,
    'plugin stubborn did not stop within 5.0 s, did not terminate within 5.5 s; khook goes on without waiting for it',
    (rooms) =>
      rooms.supervision.emit('plugin:unstopped', {
        plugin: 'stubborn',
        generation: 1,
        refused: [
          { step: 'stop', afterMs: 5_000, error: '' },
          { step: 'terminate', afterMs: 5_500, error: '' },
        ],
      }),
  ],
  [
    /plugin.*failed/,
    'plugin leaky failed: memory 91 MB after collection, limit 64 MB; recycled, generation 4, next start in 0.8 s',
    (rooms) =>
      crashed(rooms, {
        plugin: 'leaky',
        generation: 4,
        exit: exit('leak', 'memory 91 MB after collection, limit 64 MB'),
      }),
  ],
  [
    /plugin.*failed/,
    'plugin webhook failed: crash: boom; recycled, generation 1, next start at once',
    (rooms) => crashed(rooms, { exit: crash, nextStartMs: 0 }),
  ],
  [
    /plugin.*failed/,
    'plugin leaky is in a crash loop: it failed again: memory 91 MB after collection, limit 64 MB; next try in 5 min',
    (rooms) => {
      const end = exit('leak', 'memory 91 MB after collection, limit 64 MB');
      crashed(rooms, { plugin: 'leaky', exit: end, nextStartMs: 300_000, isCrashLoop: true });
      rooms.supervision.emit('plugin:failed', { plugin: 'leaky', exit: end, retryMs: 300_000 });
    },
  ],
  [
    /Plugin health check failed/,
    'Plugin health check failed',
    (rooms) =>
      rooms.supervision.emit('plugin:unhealthy', { plugin: 'webhook', generation: 1, detail: 'it answered false' }),
  ],
  [
    /plugin.*stale/,
    'The source of plugin kubernetes is stale: no contact for 3 min',
    (rooms) =>
      rooms.supervision.emit('plugin:stale', { plugin: 'kubernetes', generation: 1, detail: 'no contact for 3 min' }),
  ],
  [
    /plugin.*fresh/,
    'The source of plugin kubernetes is fresh again',
    (rooms) => rooms.supervision.emit('plugin:fresh', { plugin: 'kubernetes', generation: 1 }),
  ],
  [
    /cluster-connection/,
    'Connection to https://api:6443 renewed: ca, token',
    (rooms) =>
      rooms.cluster.emit('connection:changed', { server: 'https://api:6443', origin: 'x', changed: ['ca', 'token'] }),
  ],
  [
    /cluster-connection/,
    'Connection to the cluster cannot be renewed; the last one stays in use: gone',
    (rooms) => rooms.cluster.emit('connection:unreadable', { reason: 'gone' }),
  ],
  [
    /config/i,
    'Configuration loaded',
    (rooms) => rooms.config.emit('config:loaded', { hash: 'abc', plugins: 1, mappings: 2, hooks: 3 }),
  ],
  [
    /config/i,
    'Configuration reloaded: plugins.yaml',
    (rooms) => rooms.config.emit('config:reloaded', { hash: 'abd', changed: ['plugins.yaml'] }),
  ],
  [
    /config/i,
    'Configuration file plugins.yaml cannot be used',
    (rooms) => rooms.config.emit('config:rejected', { file: 'plugins.yaml' }),
  ],
  [/Debug mode enabled for plugin/, 'Debug mode enabled for plugin', (rooms) => register(rooms, 'webhook', true)],
  [
    /kubernetes.*watcher/i,
    'EventsV1 watcher established',
    (rooms) =>
      rooms.supervision.emit('plugin:log', {
        plugin: 'kubernetes',
        generation: 1,
        record: { level: 'info', message: 'EventsV1 watcher established', at: 0, fields: '' },
      }),
  ],
  [
    /webhook.*server/i,
    'Webhook server started',
    (rooms) =>
      rooms.supervision.emit('plugin:log', {
        plugin: 'webhook',
        generation: 1,
        record: { level: 'info', message: 'Webhook server started', at: 0, fields: '' },
      }),
  ],
];

for (const [grep, words, act] of GREPS) {
  for (const format of ['json', 'pretty'] as const) {
    test(`log lines (${format}): grep ${grep} finds '${words}'`, () => {
      using at = bench('info', format);
      act(at.rooms);
      const found = at.lines.raw.filter((line) => grep.test(line) && line.includes(words));
      assert.equal(found.length, 1, `among ${at.lines.raw.join('')}`);
    });
  }
}

test('log lines: a crash tells its cause and its end once each, with the stack, also when the plugin then fails for good', () => {
  using at = bench();
  const end = exit('crash', 'boom', 'Error: boom\n    at index.ts:3');
  crashed(at.rooms, { generation: 5, exit: end, nextStartMs: null });
  at.rooms.supervision.emit('plugin:failed', { plugin: 'webhook', exit: end, retryMs: null });
  assert.deepEqual(at.lines.messages, [
    'Plugin panicked',
    'plugin webhook failed for good: crash: boom; restart it with the admin API or change its bundle or configuration',
  ]);
  const [panic] = at.lines.parsed;
  assert.deepEqual([panic?.level, panic?.name, panic?.plugin], ['error', 'plugin-manager', 'webhook']);
  assert.equal(panic?.error, 'plugin panic: boom');
  assert.equal(panic?.stack, end.stack);
});

test('log lines: what is wrong with an entry is told where it is read; its end says the first of it, in one line', () => {
  using at = bench();
  const detail = ['plugins.yaml:2:5: port: must be a number', 'plugins.yaml:3:5: unknown key', 'and this'].join('\n');
  const end = { ...exit('bad_config', detail), code: 'HOST_ERR_CONFIG_VALUE' };
  at.rooms.supervision.emit('plugin:failed', { plugin: 'webhook', exit: end, retryMs: null });
  assert.deepEqual(at.lines.messages, [
    'plugin webhook failed for good: bad config: plugins.yaml:2:5: port: must be a number (and 2 more); it starts again when its bundle or its configuration changes',
  ]);
});

test('log lines: a blocked plugin prints the reason and the YAML that would unblock it', () => {
  using at = bench('info', 'pretty');
  const remedy = 'plugins:\n  - name: webhook\n    permissions: { net: { listen: [8090] } }';
  at.rooms.supervision.emit('plugin:blocked', {
    plugin: 'webhook',
    why: 'grants',
    reason: 'net.listen 8090 is not granted',
    remedy,
  });
  const text = at.lines.raw.join('');
  assert.match(text, /plugin webhook is blocked \(grants\): net\.listen 8090 is not granted/);
  assert.match(text, /\n {4}plugins:\n {6}- name: webhook\n {8}permissions: \{ net: \{ listen: \[8090\] \} \}\n/);
});

test('log lines: a debug record of a plugin has the prefix and is shown only in its debug mode', () => {
  using at = bench();
  const record = { level: 'debug', message: 'polled', at: 0, fields: '' } as const;
  register(at.rooms, 'quiet');
  register(at.rooms, 'chatty', true);
  at.lines.raw.length = 0;
  for (const plugin of ['quiet', 'chatty']) at.rooms.supervision.emit('plugin:log', { plugin, generation: 1, record });
  assert.deepEqual(at.lines.messages, ['[DEBUG] polled']);
  assert.equal(at.lines.parsed[0]?.name, 'chatty-plugin');
});

test('log lines: LOG_LEVEL=debug is found by grep -i debug', () => {
  using at = bench('debug');
  at.rooms.supervision.emit('plugin:state', { plugin: 'a', from: { kind: 'idle' }, to: { kind: 'stopped' } });
  assert.match(at.lines.raw[0] ?? '', /debug/i);
});

test('log lines: fields of a plugin stand under fields, redacted, and cannot become keys of ours', () => {
  using at = bench();
  const say = (fields: string): void =>
    at.rooms.supervision.emit('plugin:log', {
      plugin: 'a',
      generation: 1,
      record: { level: 'warn', message: 'm', at: 0, fields },
    });
  say('{"level":"error","msg":"forged","token":"hush","__proto__":{"plugin":"b"}}');
  say('not json, password=hush');
  say(`{"long":"${'x'.repeat(100_000)}"}`);
  const [first, second, third] = at.lines.parsed;
  assert.deepEqual([first?.level, first?.msg, first?.plugin], ['warn', 'm', 'a']);
  const fields = '{"level":"error","msg":"forged","token":"[redacted]","__proto__":{"plugin":"b"}}';
  assert.deepEqual(first?.fields, JSON.parse(fields));
  assert.equal(second?.fields, 'not json, password=[redacted]');
  assert.ok(String(third?.fields).length < 10_000);
  assert.doesNotMatch(at.lines.raw.join(''), /hush/);
});

test('log lines: a flood of invalid events is one line at once and one count per 10 s', async () => {
  using at = bench();
  for (let second = 0; second < 30; second += 1) {
    for (let i = 0; i < 100; i += 1) {
      at.rooms.match.emit('event:invalid', { source: 'webhook', type: 't', cause: 'message cannot be empty' });
    }
    await at.clock.advance(1_000);
  }
  assert.deepEqual(at.lines.messages, [
    'Invalid event of plugin webhook: message cannot be empty',
    'Invalid events of plugin webhook: 999 more in 10 s, the latest: message cannot be empty',
    'Invalid events of plugin webhook: 1000 more in 10 s, the latest: message cannot be empty',
    'Invalid events of plugin webhook: 1000 more in 10 s, the latest: message cannot be empty',
  ]);
});

test('log lines: throttled, dropped, failed and duplicate events are sampled per plugin', async () => {
  using at = bench();
  for (let i = 0; i < 1_000; i += 1) {
    at.rooms.bus.emit('frame:throttled', { plugin: 'a', events: 256, waitMs: 12.3 });
    at.rooms.bus.emit('frame:dropped', { plugin: 'a', events: 2, reason: 'rate_limited' });
    at.rooms.bus.emit('frame:failed', { plugin: 'b', events: 3, error: 'the pool is gone' });
    at.rooms.dispatch.emit('firing:duplicate', { eventId: `e${i}`, hook: 'ns/h', dedupKey: 'k', until: 0 });
    at.rooms.supervision.emit('plugin:logs-dropped', { plugin: 'c', count: 10 });
    at.telemetry.emit('metric:refused', { plugin: 'c', metric: 'm', reason: 'name', detail: 'bad name' });
    at.rooms.dispatch.emit('call:error', {
      delivery: DELIVERY,
      agent: 'ns/a',
      code: 'X',
      message: 'no',
      durationMs: 1,
      retryInMs: 1,
    });
  }
  await at.clock.advance(10_000);
  assert.ok(at.lines.raw.length <= 60, `${at.lines.raw.length} lines`);
  assert.ok(at.lines.messages.includes('Dropped 2 events of plugin a: rate_limited'));
  assert.ok(at.lines.messages.includes('Dropped 1998 more events of plugin a in 10 s: rate_limited'));
  assert.ok(
    at.lines.messages.includes('9990 more log lines in 10 s of plugin c were dropped: it says more than its share'),
  );
});

test('log lines: the summary still owed is written when the host stops, and nothing after it', () => {
  const at = bench();
  for (let i = 0; i < 3; i += 1) at.rooms.match.emit('event:invalid', { source: 'a', type: 't', cause: 'c' });
  at[Symbol.dispose]();
  assert.equal(at.lines.raw.length, 2);
  assert.equal(at.clock.pending, 0);
  at.rooms.match.emit('event:invalid', { source: 'a', type: 't', cause: 'c' });
  assert.equal(at.lines.raw.length, 2);
});

test('log lines: every event of dispatch has its line', () => {
  using at = bench('debug');
  const { dispatch } = at.rooms;
  const agent = 'kagent/helper';
  dispatch.emit('firing:accepted', DELIVERY);
  dispatch.emit('call:started', { delivery: DELIVERY, agent, attempt: 1 });
  dispatch.emit('call:accepted', { delivery: DELIVERY, agent, taskId: 't', durationMs: 3 });
  dispatch.emit('task:completed', { delivery: DELIVERY, agent, taskId: 't', durationMs: 3 });
  dispatch.emit('firing:settled', { delivery: DELIVERY, outcome: 'delivered', detail: '' });
  dispatch.emit('firing:settled', { delivery: DELIVERY, outcome: 'dead_lettered', detail: 'no attempt is left' });
  dispatch.emit('circuit:opened', { agent });
  dispatch.emit('circuit:closed', { agent });
  assert.deepEqual(
    at.lines.parsed.map((line) => [line.level, line.name]),
    [
      ['debug', 'dispatch'],
      ['debug', 'kagent-client'],
      ['info', 'kagent-client'],
      ['info', 'kagent-client'],
      ['debug', 'dispatch'],
      ['error', 'dispatch'],
      ['warn', 'kagent-client'],
      ['info', 'kagent-client'],
    ],
  );
});

test('log lines: dead letters, a full outbox and a clock that was set have their lines', () => {
  using at = bench();
  const { dispatch } = at.rooms;
  dispatch.emit('firing:redriven', DELIVERY);
  dispatch.emit('dead-letter:dropped', DELIVERY);
  dispatch.emit('dead-letters:forgotten', { count: 3, why: 'age' });
  dispatch.emit('outbox:full', { firings: 10 });
  dispatch.emit('outbox:roomy', { forMs: 1_500 });
  dispatch.emit('clock:stepped', { byMs: -3_600_000 });
  dispatch.emit('outbox:set-aside', { path: '/data/outbox.db', to: '/data/outbox.db.damaged-1' });
  assert.deepEqual(
    at.lines.parsed.map((line) => [line.level, line.name, line.msg]),
    [
      ['info', 'dispatch', 'Dead letter of default/on-webhook is sent again'],
      ['info', 'dispatch', 'Dead letter of default/on-webhook was dropped by a person'],
      ['warn', 'outbox', 'Dead letters forgotten: 3, the oldest, over settings.deadLetters.maxAge'],
      ['warn', 'outbox', 'Outbox is full: 10 firings wait for their agents, and sources wait for room'],
      ['info', 'outbox', 'Outbox has room again after 1.5 s; sources go on'],
      [
        'warn',
        'outbox',
        'The clock of this machine was set back by 3600 s; dedup windows, delays and ages stay as they were',
      ],
      ['error', 'outbox', 'Outbox file set aside as /data/outbox.db.damaged-1; a new one is written from memory'],
    ],
  );
});

test('log lines: ten thousand dead letters that are sent again are a few lines', async () => {
  using at = bench();
  for (let n = 0; n < 10_000; n += 1) at.rooms.dispatch.emit('firing:redriven', DELIVERY);
  await at.clock.advance(10_000);
  assert.ok(at.lines.raw.length <= 25, `${at.lines.raw.length} lines`);
});

test('log lines: ten thousand mappings are a hundred lines and a count', () => {
  using at = bench();
  for (let i = 0; i < 10_000; i += 1) {
    at.rooms.config.emit('mapping:loaded', {
      source: 's',
      eventType: `t${i}`,
      internalType: 'T',
      severity: 'info',
      enabled: true,
    });
  }
  at.rooms.config.emit('mappings:loaded', { file: 'm.yaml', count: 10_000 });
  assert.equal(at.lines.raw.length, 101);
});
