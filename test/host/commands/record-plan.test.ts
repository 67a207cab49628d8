import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCommandLine } from '../../../host/commands/command-line.ts';
import { record } from '../../../host/commands/record.ts';
import { type RecordPlan, readRecordPlan } from '../../../host/commands/record-plan.ts';

function plan(...args: string[]): RecordPlan | string {
  const line = readCommandLine(record, args);
  assert.equal(line.kind, 'ok');
  const flags = line.kind === 'ok' ? line.flags : {};
  return readRecordPlan({ flags, positionals: [], args, stdout: () => undefined, stderr: () => undefined });
}

describe('record plan', () => {
  it('follows what comes, unless it is asked for the last ones alone', () => {
    const follows = (...args: string[]): boolean => (plan(...args) as RecordPlan).follow;
    assert.equal(follows(), true);
    assert.equal(follows('--limit', '5'), true);
    assert.equal(follows('--last', '5'), false);
    assert.equal(follows('--last', '5', '--limit', '3'), false);
    assert.equal(follows('--last', '5', '-f'), true);
    assert.equal(follows('--last', '5', '--for', '1m'), true);
  });

  it('reads every flag', () => {
    const args = ['--for', '1m30s', '--limit', '9', '--last', '4', '--raw', '--plugin', 'a', '--plugin', 'b'];
    assert.deepEqual(plan(...args, '--outcome', 'duplicate', '--outcome', 'delivered'), {
      follow: true,
      last: 4,
      limit: 9,
      forMs: 90_000,
      plugins: ['a', 'b'],
      outcomes: ['duplicate', 'delivered'],
      raw: true,
    });
  });

  it('says what is wrong', () => {
    assert.match(String(plan('--last', '0')), /^--last must be a whole number between 1 and 1000000, got '0'$/);
    assert.match(String(plan('--limit', '1e3')), /^--limit must be a whole number/);
    for (const text of ['0', '10', '-5s', '25000h', 'soon'])
      assert.match(
        String(plan(`--for=${text}`)),
        new RegExp(`^--for must be a duration such as 10m .*got '${text}'$`),
        text,
      );
    assert.match(String(plan('--plugin', '../x')), /^--plugin must be the name of a plugin, got '\.\.\/x'$/);
    assert.match(String(plan('--outcome', 'deliverd')), /^--outcome must be one of .*; did you mean 'delivered'\?$/);
  });
});
