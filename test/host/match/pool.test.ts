import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import type { MatchEvents } from '../../../host/match/events.ts';
import { Matcher, type MatcherOptions } from '../../../host/match/pool.ts';
import type { Rules } from '../../../host/match/rules.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { codeOf } from '../../../ipc/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { frame, hook, mapping, rules, type TestEvent, verdictsOf } from './fixtures.ts';

const TYPES: ReadonlySet<string> = new Set(['pod-restart', 'oom-kill', 'unknown', 'switched-off']);

function matcher(t: TestContext, by: Partial<Rules>, options: Partial<MatcherOptions> = {}): Matcher {
  const made = new Matcher({ threads: 1, frameTimeoutMs: 1_000, clock: systemClock, ...options });
  t.after(() => made[Symbol.asyncDispose]());
  made.setRules(rules(by));
  return made;
}

function collect<Name extends keyof MatchEvents>(from: Matcher, name: Name): MatchEvents[Name][] {
  const said: MatchEvents[Name][] = [];
  from.on(name, (payload) => said.push(payload));
  return said;
}

/** The threads that are born during a test, as Node tells of them. */
function threads(t: TestContext): Worker[] {
  const born: Worker[] = [];
  const add = (worker: Worker): unknown => born.push(worker);
  process.on('worker', add);
  t.after(() => process.off('worker', add));
  return born;
}

/** Hooks whose prompts take about all the steps that a template may, for one resource alone: each sorts a large map, often. */
function slowHooks(count: number): Rules['hooks'] {
  const prompt =
    '{{if eq .ResourceName "poison"}}{{range 9}}{{range $.Metadata}}{{end}}{{end}}{{end}}{{.ResourceName}}';
  return Array.from({ length: count }, (_, i) => hook(`h${i}`, 'pod-restart', { prompt }));
}

function poison(changes: TestEvent = {}): TestEvent {
  const keys = Array.from({ length: 5_000 }, (_, i) => [`k${(i * 7_919) % 5_000}`, i] as const);
  return { resourceName: 'poison', metadata: Object.fromEntries(keys), ...changes };
}

test('matcher: verdicts and firings come in the order of the events', async (t) => {
  const made = matcher(t, { hooks: [hook('h', 'PodRestart')] });
  const events = [
    { resourceName: 'a' },
    '{}',
    { resourceName: 'b', namespace: 'none' },
    { type: 'oom-kill' },
    { resourceName: 'c' },
  ];
  const verdict = await made.judge('kubernetes', TYPES, frame(events));
  assert.deepEqual(verdictsOf(verdict), ['fires', 'invalid', 'unmatched', 'unmatched', 'fires']);
  assert.deepEqual(
    verdict.firings.map((firing) => firing.resourceName),
    ['a', 'c'],
  );
});

test('matcher: a frame of which no type is mapped is settled without the pool', async (t) => {
  const disabled = mapping('switched-off', 'SwitchedOff', { enabled: false });
  const made = matcher(t, { mappings: [disabled] });
  // Disposed: whatever needed a thread now would reject.
  await made[Symbol.asyncDispose]();
  const events = [{ type: 'unknown' }, { type: 'switched-off' }, { type: 'undeclared' }, { type: 'unknown' }];
  const verdict = await made.judge('kubernetes', TYPES, frame(events));
  assert.deepEqual(verdictsOf(verdict), ['unmapped', 'mapping_disabled', 'invalid', 'unmapped']);
  assert.deepEqual(verdict.causes, [
    { index: 2, text: "type 'undeclared' is not declared in the manifest of plugin kubernetes" },
  ]);
  const pooled = made.judge('kubernetes', new Set(['pod-restart']), frame([{ type: 'pod-restart' }]));
  assert.deepEqual(verdictsOf(await pooled), ['unmapped']);
});

test('matcher: undeclared and unmapped events of a mixed frame have their verdicts beside the judged ones', async (t) => {
  const made = matcher(t, { hooks: [hook('h', 'PodRestart')] });
  const invalid = collect(made, 'event:invalid');
  const events = [{ type: 'forged' }, {}, { type: 'unknown' }, '{"message":""}', { type: 'forged' }];
  const verdict = await made.judge('kubernetes', TYPES, frame(events));
  assert.deepEqual(verdictsOf(verdict), ['invalid', 'fires', 'unmapped', 'invalid', 'invalid']);
  const forged = "type 'forged' is not declared in the manifest of plugin kubernetes";
  assert.deepEqual(verdict.causes, [
    { index: 0, text: forged },
    { index: 3, text: 'resourceName cannot be empty; message cannot be empty' },
    { index: 4, text: forged },
  ]);
  assert.deepEqual(
    invalid.map((said) => said.cause),
    [forged, 'resourceName cannot be empty; message cannot be empty'],
  );
});

test('matcher: an unmapped type is told once, with the YAML that would map it', async (t) => {
  const made = matcher(t, { mappings: [mapping('switched-off', 'X', { enabled: false })] });
  const unmapped = collect(made, 'type:unmapped');
  const disabled = collect(made, 'type:mapping-disabled');
  for (let i = 0; i < 3; i += 1) {
    await made.judge('kubernetes', TYPES, frame([{ type: 'pod-restart' }, { type: 'switched-off' }]));
  }
  assert.deepEqual(disabled, [{ source: 'kubernetes', type: 'switched-off' }]);
  assert.equal(unmapped.length, 1);
  assert.match(
    unmapped[0]?.yaml ?? '',
    /eventSource: kubernetes\n {4}eventType: pod-restart\n {4}internalType: PodRestart/,
  );
});

test('matcher: new rules are in force for the next frame', async (t) => {
  const made = matcher(t, { hooks: [hook('old', 'PodRestart')] });
  const fired = async (): Promise<string[]> => {
    const { firings } = await made.judge('kubernetes', TYPES, frame([{}]));
    return firings.map((firing) => firing.hook);
  };
  assert.deepEqual(await fired(), ['shop/old']);
  made.setRules(rules({ hooks: [hook('new', 'PodRestart')] }));
  assert.deepEqual(await fired(), ['shop/new']);
  made.setRules(rules({ hooks: [] }));
  assert.deepEqual(await fired(), []);
});

test('matcher: a broken prompt is told when the rules come, once, and its Hook fires with the raw text', async (t) => {
  const made = matcher(t, {});
  const broken = collect(made, 'hook:template-broken');
  const by = rules({ hooks: [hook('good', 'PodRestart'), hook('bad', 'PodRestart', { prompt: 'x\n{{if}}' })] });
  const expected = [{ hook: 'shop/bad', configuration: 0, problem: '2:5: missing value for if' }];
  assert.deepEqual(made.setRules(by), expected);
  assert.deepEqual(made.setRules(by), expected);
  assert.deepEqual(broken, expected);
  const { firings } = await made.judge('kubernetes', TYPES, frame([{}]));
  assert.match(firings[1]?.prompt ?? '', /^x\n\{\{if\}\}\nNamespace: shop\n/);
  assert.deepEqual(made.setRules(rules({})), []);
});

test('matcher: a broken filter is told when the rules come, once, and its Hook fires for nothing', async (t) => {
  const made = matcher(t, {});
  const broken = collect(made, 'hook:filter-broken');
  const by = rules({ hooks: [hook('good', 'PodRestart'), hook('bad', 'PodRestart', { filter: 'event.reason ==' })] });
  const expected = [{ hook: 'shop/bad', problem: '1:16: Unexpected token: EOF' }];
  for (let i = 0; i < 2; i += 1) {
    assert.deepEqual(made.setRules(by), []);
    assert.deepEqual(made.filterProblems, expected);
  }
  assert.deepEqual(broken, expected);
  const verdict = await made.judge('kubernetes', TYPES, frame([{}]));
  assert.deepEqual(
    verdict.firings.map((firing) => firing.hook),
    ['shop/good'],
  );
  made.setRules(rules({}));
  assert.deepEqual(made.filterProblems, []);
});

test('matcher: a filter that fails for events is told once for each place, and again when the rules are new', async (t) => {
  const by = rules({
    hooks: [hook('h', 'PodRestart', { filter: 'event.metadata.a == 1 || event.tags[event.message] == "x"' })],
  });
  const made = matcher(t, by);
  const failed = collect(made, 'hook:filter-failed');
  const events = Array.from({ length: 20 }, (_, i) => ({ message: `${i}`, metadata: i % 2 === 0 ? {} : { a: 2 } }));
  const verdict = await made.judge('kubernetes', TYPES, frame(events));
  assert.deepEqual(new Set(verdictsOf(verdict)), new Set(['filtered']));
  await made.judge('kubernetes', TYPES, frame(events));
  assert.ok(failed.length >= 1 && failed.length <= 2, JSON.stringify(failed));
  assert.match(failed[0]?.problem ?? '', /^1:\d+: No such key/);
  const before = failed.length;
  made.setRules(by);
  await made.judge('kubernetes', TYPES, frame(events));
  assert.equal(failed.length, before * 2);
});

test('matcher: a filter and its pattern run in the pool', async (t) => {
  const filter = 'event.message.matches("^(a+)+$") && event.metadata.n >= 2';
  const made = matcher(t, { hooks: [hook('h', 'PodRestart', { filter })] });
  const message = 'a'.repeat(2_000);
  const events = [
    { message, metadata: { n: 2 } },
    { message: `${message}!`, metadata: { n: 2 } },
    { message, metadata: { n: 1 } },
  ];
  const verdict = await made.judge('kubernetes', TYPES, frame(events));
  assert.deepEqual(verdictsOf(verdict), ['fires', 'filtered', 'filtered']);
});

test('matcher: a prompt that does not fit an event is told once', async (t) => {
  const made = matcher(t, { hooks: [hook('h', 'PodRestart', { prompt: '{{index .Metadata 1}}' })] });
  const broken = collect(made, 'hook:template-broken');
  const first = await made.judge('kubernetes', TYPES, frame([{}]));
  await made.judge('kubernetes', TYPES, frame([{ resourceName: 'b' }]));
  assert.equal(broken.length, 1);
  assert.match(first.causes[0]?.text ?? '', /went out as its raw text/);
});

test('matcher: a poisonous event is named and set aside, the others are judged once each', async (t) => {
  const made = matcher(t, { hooks: slowHooks(400) }, { frameTimeoutMs: 150 });
  const poisonous = collect(made, 'event:poisonous');
  const invalid = collect(made, 'event:invalid');
  const events = [{ resourceName: 'a' }, { resourceName: 'b' }, poison(), { resourceName: 'c' }];
  const verdict = await made.judge('kubernetes', TYPES, frame(events));
  assert.deepEqual(verdictsOf(verdict), ['fires', 'fires', 'invalid', 'fires']);
  const cause = 'judging this event took longer than 150 ms';
  assert.deepEqual(verdict.causes, [{ index: 2, text: cause }]);
  assert.deepEqual(poisonous, [{ source: 'kubernetes', type: 'pod-restart', cause }]);
  assert.deepEqual(invalid, []);
  const fired = verdict.firings.map((firing) => `${firing.index} ${firing.hook}`);
  assert.equal(fired.length, 3 * 400);
  assert.equal(new Set(fired).size, fired.length);
  assert.deepEqual(verdictsOf(await made.judge('kubernetes', TYPES, frame([{ resourceName: 'd' }]))), ['fires']);
});

test('matcher: a frame that takes long in sum, but never at one event, is judged in full', async (t) => {
  // One slow Hook in each namespace: every event costs a part of the timeout, all together several times the timeout.
  const hooks = slowHooks(4).map((each, i) => ({ ...each, namespace: `n${i}` }));
  const made = matcher(t, { hooks }, { frameTimeoutMs: 100 });
  const poisonous = collect(made, 'event:poisonous');
  const events = Array.from({ length: 60 }, (_, i) => poison({ namespace: `n${i % 4}`, message: `${i}` }));
  const started = performance.now();
  const frames = Array.from({ length: 4 }, (_, i) => frame(events.slice(i * 4, i * 4 + 4)));
  const verdicts = await Promise.all(frames.map((each) => made.judge('kubernetes', TYPES, each)));
  assert.ok(performance.now() - started > 100);
  assert.deepEqual(poisonous, []);
  for (const verdict of verdicts) {
    assert.deepEqual(verdictsOf(verdict), ['fires', 'fires', 'fires', 'fires']);
    assert.equal(verdict.firings.length, 4);
  }
});

test('matcher: a thread that dies names its event, and the rest is judged by its successor', async (t) => {
  const born = threads(t);
  const made = matcher(t, { hooks: slowHooks(800) }, { frameTimeoutMs: 60_000 });
  const events = [{ resourceName: 'a' }, poison(), { resourceName: 'b' }];
  await made.judge('kubernetes', TYPES, frame([{ resourceName: 'warm' }]));
  const judging = made.judge('kubernetes', TYPES, frame(events));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await born[0]?.terminate();
  const verdict = await judging;
  assert.deepEqual(verdictsOf(verdict), ['fires', 'invalid', 'fires']);
  assert.match(verdict.causes[0]?.text ?? '', /^the matcher thread died while judging this event: /);
  assert.equal(born.length, 2);
});

test('matcher: a thread that dies between two frames is replaced', async (t) => {
  const born = threads(t);
  const made = matcher(t, { hooks: [hook('h', 'PodRestart')] });
  await made.judge('kubernetes', TYPES, frame([{}]));
  await born[0]?.terminate();
  await eventually(() => born.length === 2);
  assert.deepEqual(verdictsOf(await made.judge('kubernetes', TYPES, frame([{}]))), ['fires']);
});

test('matcher: a thread out of memory costs its frame one event, not the host', async (t) => {
  // Every Hook makes a long prompt of its own out of one event: more than the thread may hold.
  const prompt = (i: number): { prompt: string } => ({ prompt: `${i}{{range 100}}{{$.Message}}{{end}}` });
  const hooks = Array.from({ length: 400 }, (_, i) => hook(`h${i}`, 'pod-restart', prompt(i)));
  const by = { hooks: [...hooks, hook('other', 'oom-kill')], maxPromptLength: 1_000_000 };
  const made = matcher(t, by, { memoryMb: 64, frameTimeoutMs: 30_000 });
  const events = [{ type: 'oom-kill' }, { message: 'x'.repeat(8_000) }, { type: 'oom-kill', resourceName: 'b' }];
  const verdict = await made.judge('kubernetes', TYPES, frame(events));
  assert.deepEqual(verdictsOf(verdict), ['fires', 'invalid', 'fires']);
  assert.match(verdict.causes[0]?.text ?? '', /^the matcher thread died of what this event fires: .*memory/);
});

test('matcher: frames of several plugins are judged side by side', async (t) => {
  const made = matcher(t, { hooks: [hook('h', 'PodRestart')] }, { threads: 2 });
  const judged = Array.from({ length: 40 }, (_, i) =>
    made.judge('kubernetes', TYPES, frame([{ resourceName: `r${i}` }])),
  );
  const names = (await Promise.all(judged)).map((verdict) => verdict.firings[0]?.resourceName);
  assert.deepEqual(
    names,
    Array.from({ length: 40 }, (_, i) => `r${i}`),
  );
});

test('matcher: a trail shows chosen lines, cut, and a line that is no event as it is', async (t) => {
  const made = matcher(t, {});
  const of = frame([
    { resourceName: 'a', message: 'm'.repeat(2_000), reason: 'Why' },
    'not json',
    '{"message":5,"__proto__":{"reason":"x"}}',
  ]);
  const shown = await made.describe(of.lines, [0, 2, 1, 9]);
  assert.equal(shown[0]?.message, `${'m'.repeat(1_024)}… [cut, 976 characters more]`);
  assert.deepEqual({ ...shown[0], message: '' }, { resourceName: 'a', namespace: 'shop', reason: 'Why', message: '' });
  const empty = { resourceName: '', namespace: '', reason: '', message: '' };
  assert.deepEqual(shown.slice(1), [empty, { ...empty, message: 'not json' }, empty]);
});

test('matcher: closing rejects what is being judged and what waits', async (t) => {
  const made = matcher(t, { hooks: slowHooks(800) }, { frameTimeoutMs: 60_000 });
  const slow = frame([poison()]);
  const pending = [made.judge('kubernetes', TYPES, slow), made.judge('kubernetes', TYPES, slow)];
  const settled = Promise.allSettled(pending);
  await made[Symbol.asyncDispose]();
  for (const result of await settled) {
    assert.equal(result.status === 'rejected' ? codeOf(result.reason) : '', 'HOST_ERR_STOPPING');
  }
});
