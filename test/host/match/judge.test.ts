import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hook } from '../../../host/config/hook.ts';
import { newCell } from '../../../host/match/attempt.ts';
import { judgeFrame } from '../../../host/match/judge.ts';
import { CompiledRules, type Rules } from '../../../host/match/rules.ts';
import { FOR_THE_POOL, type JudgedPart, type JudgeTask } from '../../../host/match/task-message.ts';
import type { Frame } from '../../../ipc/frame.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { frame, hook, mapping, rules, type TestEvent, verdictsOf } from './fixtures.ts';

function judge(of: Frame, by: Rules, changes: Partial<JudgeTask> = {}): JudgedPart {
  const { types, typeIndex, lines, count } = of;
  const task: JudgeTask = {
    kind: 'judge',
    rulesVersion: by.version,
    rules: '',
    cell: newCell(),
    plugin: 'kubernetes',
    types,
    typeIndex,
    settled: String.fromCharCode(FOR_THE_POOL).repeat(types.length),
    lines,
    count,
    from: 0,
    to: count,
    skip: [],
    receivedAt: 0,
    sliceMs: 1_000,
    ...changes,
  };
  return judgeFrame(task, new CompiledRules(by), new FakeClock());
}

/** The Hooks that one event makes fire, in order. */
function fires(hooks: readonly Hook[], event: TestEvent, changes: Partial<Rules> = {}): string[] {
  return judge(frame([event]), rules({ hooks, ...changes })).firings.map(
    (firing) => `${firing.hook}#${firing.configuration}`,
  );
}

test('matching: a Hook names the raw type or the internal type, in either spelling', () => {
  for (const eventType of ['pod-restart', 'PodRestart']) {
    assert.deepEqual(fires([hook('h', eventType)], {}), ['shop/h#0']);
  }
  const renamed = { mappings: [mapping('pod-restart', 'ContainerBounced')] };
  for (const eventType of ['pod-restart', 'PodRestart', 'ContainerBounced', 'container-bounced']) {
    assert.deepEqual(fires([hook('h', eventType)], {}, renamed), ['shop/h#0'], eventType);
  }
  assert.deepEqual(fires([hook('h', 'oom-kill')], { type: 'oom-kill' }), ['shop/h#0']);
  assert.deepEqual(fires([hook('h', 'OOMKill')], { type: 'oom-kill' }), ['shop/h#0']);
  assert.deepEqual(fires([hook('h', 'oom-kill')], {}), []);
  assert.deepEqual(fires([hook('h', 'POD-RESTART')], {}), []);
});

test('matching: a configuration fires once though both names of the event match it', () => {
  const renamed = { mappings: [mapping('pod-restart', 'ContainerBounced')] };
  assert.deepEqual(fires([hook('h', 'pod-restart')], {}), ['shop/h#0']);
  assert.deepEqual(fires([hook('h', ['pod-restart', 'ContainerBounced'])], {}, renamed), ['shop/h#0', 'shop/h#1']);
});

test('matching: two configurations of one Hook fire under different keys, the first under the plain one', () => {
  const { firings } = judge(frame([{}]), rules({ hooks: [hook('h', ['pod-restart', 'PodRestart'])] }));
  const keys = firings.map((firing) => JSON.parse(firing.dedupKey) as unknown);
  assert.deepEqual(keys, [
    ['shop/h', 'kubernetes', 'PodRestart', 'shop', 'api'],
    ['shop/h', 'kubernetes', 'PodRestart', 'shop', 'api', 1],
  ]);
});

test('matching: a Hook sees events of its own namespace', () => {
  const hooks = [hook('a', 'pod-restart'), hook('b', 'pod-restart', { namespace: 'other' })];
  assert.deepEqual(fires(hooks, { namespace: 'shop' }), ['shop/a#0']);
  assert.deepEqual(fires(hooks, { namespace: 'other' }), ['other/b#0']);
  assert.deepEqual(fires(hooks, { namespace: 'third' }), []);
});

test('matching: only a Hook of the controller namespace may name others', () => {
  const hooks = [
    hook('all', 'pod-restart', { namespace: 'kagent', namespaces: ['*'] }),
    hook('some', 'pod-restart', { namespace: 'kagent', namespaces: ['shop', 'shop'] }),
    hook('greedy', 'pod-restart', { namespace: 'other', namespaces: ['*', 'shop'] }),
  ];
  assert.deepEqual(fires(hooks, { namespace: 'shop' }), ['kagent/all#0', 'kagent/some#0']);
  assert.deepEqual(fires(hooks, { namespace: 'kagent' }), ['kagent/all#0', 'kagent/some#0']);
  assert.deepEqual(fires(hooks, { namespace: 'nobody' }), ['kagent/all#0']);
  assert.deepEqual(fires(hooks, { namespace: 'other' }), ['kagent/all#0', 'other/greedy#0']);
});

test('matching: an event without a namespace is seen within the scope of its plugin', () => {
  const hooks = ['a', 'b', 'c'].map((namespace) => hook('h', 'pod-restart', { namespace }));
  const event = { namespace: '' };
  assert.deepEqual(fires(hooks, event), ['a/h#0', 'b/h#0', 'c/h#0']);
  assert.deepEqual(fires(hooks, event, { pluginNamespaces: { kubernetes: null } }), ['a/h#0', 'b/h#0', 'c/h#0']);
  assert.deepEqual(fires(hooks, event, { pluginNamespaces: { kubernetes: ['c', 'a', 'none', 'c'] } }), [
    'a/h#0',
    'c/h#0',
  ]);
  assert.deepEqual(fires(hooks, event, { pluginNamespaces: { kubernetes: [] } }), []);
  assert.deepEqual(fires(hooks, { namespace: 'b' }, { pluginNamespaces: { kubernetes: [] } }), ['b/h#0']);
});

test('matching: names of Object.prototype are only names', () => {
  const hooks = [hook('h', 'constructor', { namespace: '__proto__' })];
  const by = { mappings: [mapping('constructor', 'toString')] };
  assert.deepEqual(fires(hooks, { type: 'constructor', namespace: '__proto__' }, by), ['__proto__/h#0']);
  assert.deepEqual(fires(hooks, { type: 'constructor', namespace: 'valueOf' }, by), []);
});

test('matching: a suspended Hook does not match, and the cause says so', () => {
  const asleep = hook('asleep', 'pod-restart', { suspend: true });
  const part = judge(frame([{}]), rules({ hooks: [asleep] }));
  assert.deepEqual(verdictsOf(part), ['unmatched']);
  assert.deepEqual(part.causes, [{ index: 0, text: 'Hook shop/asleep is suspended' }]);
  assert.deepEqual(fires([asleep, hook('awake', 'pod-restart')], {}), ['shop/awake#0']);
});

test('judging: verdicts stand in the order of the events', () => {
  const events = [{}, '{"message":"m"}', { namespace: 'none' }, 'not json', { resourceName: 'b' }];
  const part = judge(frame(events), rules({ hooks: [hook('h', 'pod-restart')] }));
  assert.deepEqual(verdictsOf(part), ['fires', 'invalid', 'unmatched', 'invalid', 'fires']);
  assert.deepEqual(
    part.causes.map((cause) => cause.index),
    [1, 3],
  );
  assert.equal(part.causes[0]?.text, 'resourceName cannot be empty');
  assert.deepEqual(
    part.firings.map(({ index, resourceName }) => [index, resourceName]),
    [
      [0, 'api'],
      [4, 'b'],
    ],
  );
});

test('judging: later events with the same key become repeats of the first', () => {
  const events = [{ message: 'first' }, { resourceName: 'b' }, { message: 'second' }, { message: 'third' }];
  const part = judge(frame(events), rules({ hooks: [hook('h', 'pod-restart', { prompt: '{{.Message}}' })] }));
  assert.deepEqual(verdictsOf(part), ['fires', 'fires', 'fires', 'fires']);
  assert.deepEqual(
    part.firings.map(({ index, repeats }) => [index, repeats]),
    [
      [0, [2, 3]],
      [1, []],
    ],
  );
  assert.match(part.firings[0]?.prompt ?? '', /^first\n/);
});

test('judging: keys cannot be made equal by punctuation', () => {
  const events = [
    { namespace: 'shop', resourceName: '","x' },
    { namespace: 'shop', resourceName: '"' },
  ];
  assert.equal(judge(frame(events), rules({ hooks: [hook('h', 'pod-restart')] })).firings.length, 2);
});

test('judging: a firing carries what dispatch needs', () => {
  const by = rules({ hooks: [hook('h', 'PodRestart', { prompt: 'Look at {{.ResourceName}}' })] });
  assert.deepEqual(judge(frame([{ reason: 'BackOff' }]), by).firings[0], {
    index: 0,
    repeats: [],
    hook: 'shop/h',
    configuration: 0,
    agent: { namespace: 'kagent', name: 'sre' },
    prompt: 'Look at api\nNamespace: shop\nReason: BackOff\nMessage: m',
    dedupKey: '["shop/h","kubernetes","PodRestart","shop","api"]',
    source: 'kubernetes',
    eventType: 'PodRestart',
    internalType: 'PodRestart',
    severity: 'warning',
    resourceName: 'api',
    namespace: 'shop',
    occurredAt: 0,
  });
});

test('judging: a firing happened when the newest of its events did', () => {
  const old = { timestamp: '2026-01-02T03:00:00Z' };
  const recent = { timestamp: '2026-01-02T04:30:00.5+01:00' };
  const by = rules({ hooks: [hook('h', 'pod-restart')] });
  const [firing] = judge(frame([old, recent, old]), by).firings;
  assert.equal(firing?.occurredAt, Date.parse('2026-01-02T03:30:00.500Z'));
});

test('judging: types that the host has settled keep their verdict, whatever their lines are', () => {
  const of = frame([{}, { type: 'unknown' }, {}]);
  const settled = String.fromCharCode(FOR_THE_POOL, 1);
  const lines = of.lines.split('\n').with(1, 'garbage').join('\n');
  const part = judge({ ...of, lines }, rules({ hooks: [hook('h', 'pod-restart')] }), { settled });
  assert.deepEqual(verdictsOf(part), ['fires', 'unmapped', 'fires']);
});

test('judging: a frame with too few or too many lines is not believed where they differ', () => {
  const of = frame([{}, {}, {}]);
  const by = rules({ hooks: [hook('h', 'pod-restart')] });
  const [line = ''] = of.lines.split('\n');
  const few = judge({ ...of, lines: line }, by);
  assert.deepEqual(verdictsOf(few), ['fires', 'invalid', 'invalid']);
  assert.match(few.causes[0]?.text ?? '', /announced 3 events and carried 1 lines/);
  const many = judge({ ...of, lines: [line, line, line, line].join('\n') }, by);
  assert.deepEqual(verdictsOf(many), ['fires', 'fires', 'invalid']);
  assert.match(many.causes[0]?.text ?? '', /announced 3 events and carried 4 lines/);
});

test('judging: a prompt that does not fit an event goes out raw, and both the event and the Hook say so', () => {
  const part = judge(frame([{}]), rules({ hooks: [hook('h', 'pod-restart', { prompt: '{{index .Metadata 1}}' })] }));
  assert.deepEqual(verdictsOf(part), ['fires']);
  assert.match(part.firings[0]?.prompt ?? '', /^\{\{index \.Metadata 1\}\}\n/);
  assert.match(part.causes[0]?.text ?? '', /prompt of Hook shop\/h, configuration 0, went out as its raw text: 1:3: /);
  assert.equal(part.broken[0]?.hook, 'shop/h');
});

test('filter: an event that only filters refuse is filtered, and the cause names whose', () => {
  const hooks = [
    hook('a', 'pod-restart', { filter: 'event.reason == "OOM"' }),
    hook('b', 'pod-restart', { filter: 'event.metadata.exitCode == 137' }),
    hook('c', 'oom-kill'),
  ];
  const part = judge(frame([{ reason: 'BackOff' }, { reason: 'BackOff', namespace: 'none' }]), rules({ hooks }));
  assert.deepEqual(verdictsOf(part), ['filtered', 'unmatched']);
  assert.match(
    part.causes[0]?.text ?? '',
    /^refused by the filter of Hook shop\/a; that of shop\/b failed: 1:16: No such key: exitCode/,
  );
  assert.deepEqual(
    part.failedFilters.map(({ hook, problem }) => [hook, problem.slice(0, 27)]),
    [['shop/b', '1:16: No such key: exitCode']],
  );
});

test('filter: it is for all configurations of its Hook, and lets others fire', () => {
  const hooks = [
    hook('big', ['pod-restart', 'PodRestart'], { filter: 'event.metadata.count > 5' }),
    hook('any', 'pod-restart'),
    hook('bad', ['pod-restart', 'PodRestart'], { filter: 'event.metadata.no' }),
  ];
  assert.deepEqual(fires(hooks, { metadata: { count: 9 } }), ['shop/big#0', 'shop/big#1', 'shop/any#0']);
  assert.deepEqual(fires(hooks, { metadata: { count: 1 } }), ['shop/any#0']);
  const part = judge(frame([{ metadata: { count: 1 } }]), rules({ hooks }));
  assert.equal(part.causes.length, 1);
  assert.match(part.causes[0]?.text ?? '', /^Hook shop\/bad did not match, because its filter failed: 1:16: /);
  assert.equal(part.failedFilters.length, 1);
});

test('filter: each event is asked about, also one that would be a repeat', () => {
  const hooks = [hook('h', 'pod-restart', { filter: 'event.message.contains("bad")' })];
  const part = judge(
    frame([{ message: 'good' }, { message: 'bad 1' }, { message: 'good' }, { message: 'bad 2' }]),
    rules({ hooks }),
  );
  assert.deepEqual(verdictsOf(part), ['filtered', 'fires', 'filtered', 'fires']);
  assert.deepEqual(
    part.firings.map(({ index, repeats }) => [index, repeats]),
    [[1, [3]]],
  );
});

test('filter: a broken one lets nothing through', () => {
  const part = judge(frame([{}]), rules({ hooks: [hook('h', 'pod-restart', { filter: 'event.reason ==' })] }));
  assert.deepEqual(verdictsOf(part), ['filtered']);
  assert.match(part.causes[0]?.text ?? '', /that of shop\/h failed: 1:16: Unexpected token/);
  assert.deepEqual(part.failedFilters, [], 'it was told when the rules came');
});

test('filter: a suspended Hook is not asked', () => {
  const hooks = [hook('h', 'pod-restart', { filter: 'false', suspend: true })];
  assert.deepEqual(verdictsOf(judge(frame([{}]), rules({ hooks }))), ['unmatched']);
});

test('grouping: pods of a workload have one key when the Hook wants it', () => {
  const events = ['web-7d4b9c6f5-abcde', 'web-7d4b9c6f5-x2x7k', 'db-0'].map((resourceName) => ({ resourceName }));
  const keys = (changes: Partial<Hook>): unknown[] =>
    judge(frame(events), rules({ hooks: [hook('h', 'pod-restart', changes)] })).firings.map(({ dedupKey, repeats }) => [
      (JSON.parse(dedupKey) as string[])[4],
      repeats.length,
    ]);
  assert.deepEqual(keys({ groupBy: 'workload' }), [
    ['web', 1],
    ['db', 0],
  ]);
  assert.deepEqual(keys({ groupBy: 'resource' }), keys({}));
  assert.equal(keys({}).length, 3);
});

test('judging: a firing carries the limits of its Hook', () => {
  const by = rules({ hooks: [hook('h', 'pod-restart', { timeoutMs: 5_000, callsPerHour: 3 })] });
  const [firing] = judge(frame([{}]), by).firings;
  assert.deepEqual([firing?.timeoutMs, firing?.callsPerHour, firing?.resourceName], [5_000, 3, 'api']);
});

test('judging: free text of an event is fenced unless the Hook says otherwise', () => {
  const hooks = [hook('fenced', 'pod-restart'), hook('bare', 'pod-restart', { fence: false })];
  const { firings } = judge(frame([{ message: 'two words' }]), rules({ hooks }));
  assert.match(firings[0]?.prompt ?? '', /Message: <untrusted-event-data-[0-9a-f]{12}>two words<\/untrusted/);
  assert.equal(firings[1]?.prompt, 'api\nNamespace: shop\nMessage: two words');
});

test('judging: a frame is handed back in slices', () => {
  const of = frame([{}, { resourceName: 'b' }, { resourceName: 'c' }]);
  const by = rules({ hooks: [hook('h', 'pod-restart')] });
  const first = judge(of, by, { sliceMs: -1 });
  assert.equal(first.upTo, 1);
  assert.deepEqual(verdictsOf(first), ['fires']);
  const rest = judge(of, by, { from: 1, skip: [1] });
  assert.deepEqual([rest.upTo, verdictsOf(rest)], [3, ['invalid', 'fires']]);
});

for (const filter of [undefined, 'event.message == "m"'])
  test(`matching: ten thousand Hooks ${filter === undefined ? '' : 'with filters '}cost an event about what ten do`, () => {
    const events = Array.from({ length: 256 }, (_, i) => ({
      resourceName: `pod-${i}`,
      namespace: i % 2 === 0 ? 'ns3' : 'none',
    }));
    const of = frame(events);
    const cost = (count: number): number => {
      const hooks = Array.from({ length: count }, (_, i) =>
        hook(`h${i}`, 'pod-restart', {
          namespace: `ns${i}`,
          ...(filter !== undefined && { filter: `${filter} && ${i} >= 0` }),
        }),
      );
      const by = rules({ hooks });
      const compiled = new CompiledRules(by);
      const task = {
        kind: 'judge',
        rulesVersion: 1,
        rules: '',
        cell: newCell(),
        plugin: 'kubernetes',
        from: 0,
        to: 256,
      } as const;
      const rest = {
        ...of,
        kind: task.kind,
        settled: String.fromCharCode(FOR_THE_POOL),
        skip: [],
        receivedAt: 0,
        sliceMs: 1e9,
      };
      const clock = new FakeClock();
      const run = (): number => {
        const started = performance.now();
        for (let i = 0; i < 10; i += 1)
          assert.equal(judgeFrame({ ...rest, ...task }, compiled, clock).firings.length, 128);
        return performance.now() - started;
      };
      run();
      return Math.min(...Array.from({ length: 8 }, run));
    };
    const few = Math.min(cost(10), cost(10));
    const many = cost(10_000);
    assert.ok(many <= few * 2.5, `10 Hooks: ${few.toFixed(2)} ms, 10 000 Hooks: ${many.toFixed(2)} ms`);
  });
