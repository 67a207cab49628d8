import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { printedLine } from '../../../ipc/runtime/printed-line.ts';

describe('a printed line', () => {
  it('is a record where pino wrote one', () => {
    const line =
      '{"level":50,"time":1795813292219,"pid":25269,"hostname":"vm","name":"pinger","n":1,"msg":"no answer"}';
    assert.deepEqual(printedLine('info', line), {
      level: 'error',
      message: 'no answer',
      fields: { name: 'pinger', n: 1 },
    });
  });

  it('is a record where winston wrote one', () => {
    const line = '{"level":"warn","message":"slow","timestamp":"2026-05-01T12:00:00Z"}';
    assert.deepEqual(printedLine('info', line), { level: 'warn', message: 'slow' });
  });

  it('has the levels of all of them', () => {
    const levels = [10, 20, 30, 35, 40, 50, 60, 'silly', 'verbose', 'http', 'INFO', 'fatal', 'crit'];
    assert.deepEqual(
      levels.map((level) => printedLine('info', JSON.stringify({ level, msg: 'x' })).level),
      'debug debug info info warn error error debug debug info info error error'.split(' '),
    );
  });

  it('is itself where it is anything else', () => {
    for (const text of [
      'plain',
      '',
      '{"level":30',
      '{"level":30}x',
      '{"level":"loud","msg":"x"}',
      '{"level":7,"msg":"x"}',
      '{"level":null,"msg":"x"}',
      '{"level":30,"msg":{"a":1}}',
      '{"level":"constructor","msg":"x"}',
      '{"other":1,"msg":"x"}',
      '[{"level":30}]',
    ])
      assert.deepEqual(printedLine('error', text), { level: 'error', message: text });
  });

  it('is made of anything at all', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .record({ level: fc.anything(), msg: fc.anything() })
            .map((value) => JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? 1 : item)) ?? ''),
        ),
        (text) => {
          const line = printedLine('info', text);
          assert.equal(typeof line.message, 'string');
          assert.ok(['debug', 'info', 'warn', 'error'].includes(line.level));
        },
      ),
    );
  });
});
