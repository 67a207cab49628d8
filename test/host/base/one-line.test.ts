import assert from 'node:assert/strict';
import { it } from 'node:test';
import { oneLine } from '../../../host/base/one-line.ts';

it('one line: what stands in several is joined, and cut where it is long', () => {
  assert.equal(
    oneLine('✖ Too small: expected number to be >0\n  → at items[0].threshold\n'),
    '✖ Too small: expected number to be >0 → at items[0].threshold',
  );
  assert.equal(oneLine('plain'), 'plain');
  assert.equal(oneLine(''), '');
  assert.equal(oneLine('x'.repeat(2_000)).length, 1_025);
});
