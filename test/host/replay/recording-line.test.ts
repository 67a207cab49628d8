import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { transcribe } from '../../../host/match/transcript.ts';
import { readRecordingLine } from '../../../host/replay/recording-line.ts';
import { eventRead } from './recording-support.ts';

/** As the host puts it together. */
function roundTrip(line: string): string {
  const head = '"kind":"event","id":"x","source":"p","type":"t","receivedAt":"2026-01-01T00:00:00Z"';
  const read = readRecordingLine(
    `{${head},${transcribe(line, true)},"internalType":"T","outcome":"unmatched","firings":[]}`,
  );
  if (typeof read === 'string' || read.kind !== 'event') throw new Error(`no event: ${JSON.stringify(read)}`);
  return read.line;
}

describe('recording line', () => {
  it('gives what a plugin sent back to the letter, good or bad', () => {
    const event = fc.record(
      {
        tags: fc.dictionary(fc.string(), fc.string()),
        timestamp: fc.string(),
        resourceName: fc.oneof(fc.string({ unit: 'binary' }), fc.constant(null), fc.integer()),
        metadata: fc.object({ maxDepth: 4 }),
        message: fc.string({ unit: 'binary' }),
        outcome: fc.constant('delivered'),
      },
      { requiredKeys: [] },
    );
    const line = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      event.map((value) => JSON.stringify(value)),
    );
    fc.assert(fc.property(line, (text) => assert.equal(roundTrip(text), text)));
    for (const text of [
      '',
      '{}',
      '{"message":"a\nb"}',
      '{"metadata":{"__proto__":{"a":1}},"message":"m"}',
      '1e999',
      '{"message":1.0}',
    ])
      assert.equal(roundTrip(text), text);
  });

  it('fills in what may be left out', () => {
    const { id, outcome, firings, hasTimestamp, redacted } = eventRead();
    assert.deepEqual([outcome, firings, hasTimestamp, redacted], [null, undefined, true, false]);
    assert.equal(id, 'kubernetes-a-1-0');
    assert.equal(eventRead({ timestamp: undefined }).hasTimestamp, false);
  });
});
