import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DecodedEvent } from '../../../host/match/event.ts';
import { compileFilter } from '../../../host/match/filter.ts';
import { FILTER_FIELDS, FilterEvent } from '../../../host/match/filter-event.ts';
import { mapping } from './fixtures.ts';

const EVENT: DecodedEvent = {
  resourceName: 'web-0',
  message: 'Back-off restarting failed container',
  namespace: 'shop',
  reason: 'BackOff',
  timestamp: '2026-01-02T03:04:05Z',
  metadata: { count: 3, ratio: 0.5, list: [1, 2, 3], deep: { kind: 'Pod' }, nothing: null, constructor: 'mine' },
  tags: { team: 'pay' },
};

function view(changes: Partial<DecodedEvent> = {}): FilterEvent {
  const event = { ...EVENT, ...changes };
  return new FilterEvent(event, {
    source: 'kubernetes',
    type: 'pod-restart',
    mapping: mapping('pod-restart', 'PodRestart', { tags: { team: 'of the mapping', category: 'reliability' } }),
    receivedAt: Date.parse('2026-05-06T07:08:09Z'),
    size: JSON.stringify(event).length,
  });
}

function evaluate(filter: string, changes: Partial<DecodedEvent> = {}): boolean | string {
  const { problem, evaluate: run } = compileFilter(filter);
  assert.equal(problem, null, filter);
  return run(view(changes));
}

function problemOf(filter: string): string {
  const { problem, evaluate: run } = compileFilter(filter);
  assert.ok(problem !== null, `${filter} should be refused`);
  assert.equal(run(view()), problem, 'it lets nothing through');
  return problem;
}

test('filter: every field of an event is there', () => {
  const values: Record<string, string> = {
    type: '"pod-restart"',
    internalType: '"PodRestart"',
    source: '"kubernetes"',
    resourceName: '"web-0"',
    namespace: '"shop"',
    reason: '"BackOff"',
    message: '"Back-off restarting failed container"',
    severity: '"warning"',
    tags: '{"team": "pay", "category": "reliability"}',
    timestamp: 'timestamp("2026-01-02T03:04:05Z")',
  };
  for (const [field, value] of Object.entries(values))
    assert.equal(evaluate(`event.${field} == ${value}`), true, field);
  assert.deepEqual(Object.keys(FILTER_FIELDS).sort(), [...Object.keys(values), 'metadata'].sort());
});

test('filter: metadata has the types of JSON, whole numbers are ints', () => {
  for (const filter of [
    'event.metadata.count >= 3 && event.metadata.count < 3.5',
    'event.metadata.count % 2 == 1',
    'event.metadata.ratio * 2.0 == 1.0',
    'event.metadata.list.exists(n, n == 2)',
    'event.metadata.deep.kind == "Pod"',
    'event.metadata.nothing == null',
    'event.metadata.constructor == "mine"',
    '"count" in event.metadata && !("other" in event.metadata)',
    'has(event.metadata.count) && !has(event.metadata.toString)',
    'event.metadata.?other.orValue(7) == 7',
    'event.timestamp - timestamp("2026-01-01T00:00:00Z") > duration("24h")',
  ])
    assert.equal(evaluate(filter), true, filter);
  assert.equal(
    evaluate('event.timestamp.getFullYear() == 2026 && event.timestamp.getMonth() == 4', { timestamp: null }),
    true,
  );
  assert.equal(evaluate('event.reason == "" && event.namespace == ""', { reason: null, namespace: null }), true);
});

test('filter: a slip in it is found when it is compiled, with its place', () => {
  assert.match(
    problemOf('event.sevrity == "warning"'),
    /^1:7: No such key: sevrity; an event has type, internalType, /,
  );
  assert.match(
    problemOf('event.reason == "x" &&\n  evnt.reason == "y"'),
    /^2:3: Unknown variable: evnt; a filter knows the variable event$/,
  );
  assert.match(problemOf('event.reason =='), /^1:16: Unexpected token: EOF$/);
  assert.match(problemOf('event.reason > 3'), /^1:1: .*string.*int/);
  assert.match(problemOf('event.message'), /^1:1: a filter must be true or false, and this is of type string$/);
  assert.match(problemOf(''), /^1:1: /);
  assert.match(problemOf(Array(300).fill('event.reason == "x"').join(' || ')), /^\d+:\d+: /);
});

test('filter: a key that is not there is told, with the way around it', () => {
  assert.equal(
    evaluate('event.metadata.exitCode == 137'),
    '1:16: No such key: exitCode; if it may be missing, ask with has() first, or write .?exitCode.orValue(…)',
  );
  assert.equal(evaluate('has(event.metadata.exitCode) && event.metadata.exitCode == 137'), false);
  assert.match(String(evaluate('event.metadata.count')), /neither$/);
  assert.match(String(evaluate('event.metadata.count.startsWith("x")')), /^1:1: found no matching overload/);
  const text = { metadata: { count: '5' } };
  assert.match(String(evaluate('event.metadata.count > 3', text)), /; text is no number: int\(…\) or double\(…\)/);
  assert.equal(evaluate('int(event.metadata.count) > 3', text), true);
});

test('filter: what it says of its failure carries no secret of the event', () => {
  const said = evaluate('event.tags[event.message] == "x"', { message: 'password=hush' });
  assert.match(String(said), /No such key: password=\[redacted\]/);
});

test('filter: matches() searches, knows RE2, and takes a time in proportion to the text', () => {
  assert.equal(evaluate('event.message.matches("fail(ed|ing)")'), true);
  assert.equal(evaluate('event.message.matches("^failed")'), false);
  assert.equal(evaluate('event.metadata.deep.kind.matches("(?i)^pod$")'), true);
  for (const pattern of ['^(a+)+$', '^(a|a)*$', '(.*a){12}$']) {
    const started = performance.now();
    evaluate(`event.message.matches("${pattern}")`, { message: `${'a'.repeat(5_000)}!` });
    evaluate(`dyn(event.message).matches("${pattern}")`, { message: `${'a'.repeat(5_000)}!` });
    const ms = performance.now() - started;
    assert.ok(ms < 3_000, `${pattern} took ${ms.toFixed(0)} ms`);
  }
});

test('filter: a pattern is written out, and wrong ones are refused', () => {
  assert.match(
    problemOf('event.message.matches(event.reason)'),
    /^1:29: the pattern of matches\(\) must be written out/,
  );
  assert.match(problemOf('event.message.matches("(?=x)")'), /^1:23: the pattern is no regular expression of RE2/);
  assert.match(problemOf('event.message.matches("((a{1,99}){1,9}){1,9}")'), /^1:23: the pattern is /);
  assert.match(problemOf(`event.message.matches("${'a'.repeat(2_000)}")`), /at most 1024 characters/);
  assert.match(problemOf('event.tags.matches("x")'), /matches\(\) looks at text, not at map/);
  assert.match(
    String(evaluate('event.metadata.count.matches("3")')),
    /^1:16: matches\(\) looks at text, and this is none$/,
  );
  assert.match(problemOf('duration(event.message) > duration("1s")'), /^1:1: a duration must be written out/);
});

test('filter: whatever it does with whatever event, it ends soon', () => {
  const list = Array.from({ length: 12_000 }, (_, i) => i % 10);
  const events = [
    { message: 'a'.repeat(60_000) },
    { message: 'w '.repeat(30_000) },
    { metadata: { list, text: 'x'.repeat(30_000) } },
    { metadata: { list: Object.fromEntries(list.map((n, i) => [`k${i}`, n])) } },
  ];
  const doubled = (start: string, step: string): string => `[${start}]${`.map(a, ${step})`.repeat(25)}`;
  const filters = [
    'event.metadata.?list.orValue([]).all(a, event.metadata.list.all(b, event.metadata.list.all(c, true)))',
    'event.message.split("").all(a, event.message.split("").all(b, true))',
    'event.message.split(" ").all(a, a in event.message.split(" "))',
    'event.message.split("").exists(a, event.message.contains("zz"))',
    'event.message.split("").exists(a, event.message.matches("(x|y)*z"))',
    'event.message.split("").exists(a, event.timestamp.getHours("Europe/Berlin") == 25)',
    `${doubled('event.message', 'a + a')}.size() == 1`,
    `dyn(${doubled('[1]', '[a, a]')}) == dyn(${doubled('[2]', '[a, a]')})`,
    '(event.message.split("").all(a, event.message.split("").all(b, true))) || true',
    'event.message.split("").map(a, event.message.split("").map(b, event.message)).size() == 0',
  ];
  for (const filter of filters) {
    const { evaluate: run } = compileFilter(filter);
    for (const event of events) {
      const of = view(event);
      const started = performance.now();
      run(of);
      const ms = performance.now() - started;
      assert.ok(ms < 3_000, `${filter} took ${ms.toFixed(0)} ms`);
    }
  }
});

test('filter: having spent all its steps is a failure that nothing hides', () => {
  const loops = 'event.message.split("").all(a, event.message.split("").all(b, true))';
  for (const filter of [loops, `${loops} || true`, `true && (${loops} || true)`]) {
    assert.equal(evaluate(filter, { message: 'a'.repeat(60_000) }), 'it takes more than 100000 steps for this event');
    assert.equal(evaluate(filter), true, 'an ordinary event is far from it');
  }
});

test('filter: one answer does not linger for the next event', () => {
  const { evaluate: run } = compileFilter('event.metadata.count > 2');
  const [three, one] = [view(), view({ metadata: { count: 1 } })];
  assert.deepEqual([run(three), run(one), run(three), run(three)], [true, false, true, true]);
});

test('filter: any text compiles or is refused with a place', () => {
  const piece = fc.constantFrom(
    'event',
    '.',
    'reason',
    '==',
    '"x"',
    '(',
    ')',
    '&&',
    'matches',
    '[',
    ']',
    ' ',
    '1',
    '?',
    ':',
    '{',
    '\n',
    '\\',
  );
  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (source) => {
      const { problem, evaluate: run } = compileFilter(source);
      if (problem !== null) assert.match(problem, /^\d+:\d+: /);
      else assert.ok(['boolean', 'string'].includes(typeof run(view())));
    }),
    { numRuns: 500 },
  );
});
