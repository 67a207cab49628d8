import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DecodedEvent, decodeEvent } from '../../../host/match/event.ts';

const decode = (value: unknown): DecodedEvent | string => decodeEvent(JSON.stringify(value));
const SOUND = { resourceName: 'api', message: 'm' };

test('event: required texts are named when they are missing or empty', () => {
  assert.equal(decode({ message: 'm' }), 'resourceName cannot be empty');
  assert.equal(decode({ resourceName: 'x', message: '' }), 'message cannot be empty');
  assert.equal(decode({}), 'resourceName cannot be empty; message cannot be empty');
  assert.equal(decode({ resourceName: 5, message: 'm' }), 'resourceName must be a string, got number');
});

test('event: optional fields have their types', () => {
  assert.equal(decode({ ...SOUND, namespace: 1 }), 'namespace must be a string, got number');
  assert.equal(decode({ ...SOUND, reason: [] }), 'reason must be a string, got array');
  assert.equal(decode({ ...SOUND, metadata: [] }), 'metadata must be an object, got array');
  assert.equal(decode({ ...SOUND, metadata: 'x' }), 'metadata must be an object, got string');
  assert.equal(decode({ ...SOUND, tags: 'x' }), 'tags must be an object, got string');
  assert.equal(decode({ ...SOUND, tags: { a: 'b', team: 5 } }), 'tags.team must be a string, got number');
  const full = {
    ...SOUND,
    namespace: 'n',
    reason: 'r',
    timestamp: '2026-01-02T03:04:05Z',
    metadata: { a: [1] },
    tags: { t: 'v' },
  };
  assert.deepEqual(decode(full), full);
});

test('event: null stands for a field that is left out', () => {
  assert.equal(
    typeof decode({ ...SOUND, namespace: null, reason: null, timestamp: null, metadata: null, tags: null }),
    'object',
  );
});

test('event: a timestamp is RFC 3339', () => {
  for (const good of ['2026-01-02T03:04:05Z', '2024-02-29T23:59:59.123456789+02:00', '2026-12-31T00:00:00-11:30']) {
    assert.equal(typeof decode({ ...SOUND, timestamp: good }), 'object', good);
  }
  const bad = [
    '2026-01-02',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-01-02 03:04:05Z',
  ];
  for (const timestamp of [
    ...bad,
    '2026-01-00T00:00:00Z',
    '2026-01-02T24:00:00Z',
    '2026-01-02T03:04:05',
    'x'.repeat(500),
    '',
  ]) {
    const fault = decode({ ...SOUND, timestamp });
    assert.ok(typeof fault === 'string' && fault.startsWith('timestamp must be RFC 3339 such as'), timestamp);
    assert.ok(fault.length < 200);
  }
  assert.match(decode({ ...SOUND, timestamp: 5 }) as string, /got number$/);
});

test('event: several faults are told together', () => {
  const fault = decode({ message: 1, timestamp: 'x', tags: [] });
  assert.match(
    String(fault),
    /^resourceName cannot be empty; message must be a string, got number; timestamp must be .*; tags must be/,
  );
});

test('event: what is no object is told', () => {
  assert.match(decodeEvent('') as string, /^an event must be a JSON object on one line: /);
  assert.match(decodeEvent('{"a":') as string, /^an event must be a JSON object on one line: /);
  assert.equal(decodeEvent('[]'), 'an event must be a JSON object, got array');
  assert.equal(decodeEvent('null'), 'an event must be a JSON object, got null');
  assert.equal(decodeEvent('5'), 'an event must be a JSON object, got number');
});

test('event: sizes are bounded in bytes and in names', () => {
  assert.equal(
    decode({ ...SOUND, resourceName: 'x'.repeat(1_025) }),
    'resourceName must be at most 1024 characters, got 1025',
  );
  assert.match(
    decode({ ...SOUND, message: 'é'.repeat(40_000) }) as string,
    /^an event must be at most 65536 bytes of JSON, got 80/,
  );
  assert.equal(typeof decode({ ...SOUND, message: 'x'.repeat(60_000) }), 'object');
});

test('event: a __proto__ key gives an event nothing', () => {
  const line = '{"__proto__":{"resourceName":"x","message":"m"}}';
  assert.equal(decodeEvent(line), 'resourceName cannot be empty; message cannot be empty');
  const event = decodeEvent(
    '{"resourceName":"x","message":"m","metadata":{"__proto__":{"a":1}},"tags":{"__proto__":"t"}}',
  );
  assert.equal(typeof event, 'object');
  assert.equal(({} as Record<string, unknown>).a, undefined);
});

test('event: any line is an event or bounded words', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.object().map((value) => JSON.stringify(value)),
      ),
      (line) => {
        const event = decodeEvent(line);
        if (typeof event === 'string') assert.ok(event.length > 0 && event.length < 2_000);
        else assert.ok(event.resourceName !== '' && event.message !== '');
      },
    ),
  );
});
