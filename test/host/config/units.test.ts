import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatBytes, formatDuration, parseBytes, parseDurationMs } from '../../../host/config/units.ts';

test('duration: reads what Go reads', () => {
  const cases: [unknown, number][] = [
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['-5s', -5_000],
    ['1500us', 2],
    [0, 0],
    ['0', 0],
  ];
  for (const [text, ms] of cases) assert.equal(parseDurationMs(text), ms, String(text));
});

test('duration: a bare number, an unknown unit and other types are none', () => {
  for (const value of [30, '30', '1d', '', 's', '1 s', null, true, {}, `${'9'.repeat(60)}h9`])
    assert.equal(parseDurationMs(value), null);
});

test('duration: what is formatted is read back', () => {
  fc.assert(fc.property(fc.integer({ min: -1e10, max: 1e10 }), (ms) => parseDurationMs(formatDuration(ms)) === ms));
});

test('size: SI and binary units differ, a bare number is bytes', () => {
  const cases: [unknown, number][] = [
    ['1MB', 1_000_000],
    ['4MiB', 4 * 2 ** 20],
    ['4Mi', 4 * 2 ** 20],
    ['1.5KiB', 1_536],
    ['512', 512],
    [512, 512],
    ['10B', 10],
  ];
  for (const [text, bytes] of cases) assert.equal(parseBytes(text), bytes, String(text));
  for (const value of [-1, 1.5, 'MB', '1XB', '', null, `${'9'.repeat(20)}`]) assert.equal(parseBytes(value), null);
});

test('size: what is formatted is read back', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 45 }), (bytes) => parseBytes(formatBytes(bytes)) === bytes));
});
