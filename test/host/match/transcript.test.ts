import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { EVENT_FIELDS, linesAt, transcribe } from '../../../host/match/transcript.ts';

const read = (members: string): Record<string, unknown> => JSON.parse(`{${members}}`) as Record<string, unknown>;

describe('transcript', () => {
  it('gives every line back to the letter when it is raw', () => {
    const event = fc.record(
      {
        resourceName: fc.string(),
        message: fc.oneof(fc.string(), fc.integer()),
        metadata: fc.object(),
        tags: fc.dictionary(fc.string(), fc.string()),
      },
      { requiredKeys: [] },
    );
    const line = fc.oneof(
      fc.json(),
      fc.string(),
      event.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(line, (line) => {
        const { line: text, ...fields } = read(transcribe(line, true));
        assert.equal(typeof text === 'string' ? text : JSON.stringify(fields), line);
      }),
    );
  });

  it('shows an ordinary event under the names of its fields, in the order it came in', () => {
    const line = '{"timestamp":"2026-01-01T00:00:00Z","resourceName":"api","message":"m","tags":{"a":"b"}}';
    assert.equal(transcribe(line, true), line.slice(1, -1));
    assert.equal(transcribe(line, false), line.slice(1, -1));
    assert.ok(EVENT_FIELDS.every((field) => Object.hasOwn(read(transcribe(`{"${field}":null}`, true)), field)));
  });

  it('takes secrets out by name and by shape, at any depth, and says so', () => {
    const line = JSON.stringify({
      resourceName: 'api',
      message: 'login with password=hunter2 failed',
      metadata: { headers: [{ name: 'Authorization', value: 'Basic abc' }], list: { apiKey: 'k1' } },
    });
    const text = transcribe(line, false);
    for (const secret of ['hunter2', 'Basic abc', 'k1']) assert.doesNotMatch(text, new RegExp(secret));
    assert.deepEqual(read(text), {
      resourceName: 'api',
      message: 'login with password=[redacted] failed',
      metadata: { headers: [{ name: 'Authorization', value: '[redacted]' }], list: { apiKey: '[redacted]' } },
      redacted: true,
    });
    assert.match(transcribe('no event, token=abc', false), /^"line":"no event, token=\[redacted\]","redacted":true$/);
  });

  it('does not cut what is long: a recording is judged again', () => {
    const line = JSON.stringify({ resourceName: 'api', message: 'x'.repeat(60_000) });
    assert.equal(transcribe(line, false), line.slice(1, -1));
  });

  it('lets no member of an event pass for one of the recording', () => {
    for (const line of [
      '{"outcome":"delivered"}',
      '{"line":"x"}',
      '{"redacted":true}',
      '{"__proto__":{"line":1}}',
      '{}',
    ]) {
      assert.deepEqual(read(transcribe(line, true)), { line });
      assert.deepEqual(read(transcribe(line, false)), { line });
    }
  });

  it('is not broken by what is nested too deep', () => {
    const line = `{"metadata":{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`;
    assert.equal(transcribe(line, true), line.slice(1, -1));
    assert.match(transcribe(line, false), /cut, nested too deep.*"redacted":true$/);
  });

  it('gives lines too many to the last event, and a missing one as nothing', () => {
    assert.deepEqual(linesAt('a\nb\nc', [0, 1], 2), ['a', 'b\nc']);
    assert.deepEqual(linesAt('a', [0, 1], 2), ['a', '']);
  });
});
