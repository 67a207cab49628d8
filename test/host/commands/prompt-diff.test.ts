import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainLine, plainText } from '../../../host/commands/plain-text.ts';
import { promptDiff } from '../../../host/commands/prompt-diff.ts';

describe('prompt diff', () => {
  it('shows what went before what came, with two lines around, and leaves the rest out', () => {
    const before = 'a\nb\nc\nd\ne\nf\ng';
    assert.deepEqual(promptDiff(before, 'a\nb\nc\nX\ne\nf\ng'), ['…', ' b', ' c', '-d', '+X', ' e', ' f', '…']);
    assert.deepEqual(promptDiff('a', 'a\nb'), [' a', '+b']);
    assert.deepEqual(promptDiff('a', 'a'), ['…']);
    assert.deepEqual(promptDiff('a\na', 'a\na\na'), [' a', ' a', '+a']);
  });

  it('of two prompts as long as prompts may be is quick', () => {
    const [a, b] = ['a', 'b'].map((letter) => Array.from({ length: 8_000 }, (_, n) => `${letter}${n}`).join('\n'));
    const started = performance.now();
    promptDiff(a ?? '', b ?? '');
    assert.ok(performance.now() - started < 2_000);
  });
});

describe('plain text', () => {
  it('has nothing that a terminal would obey', () => {
    assert.equal(plainText('a\u001b[31mb\u0007\u202ec\td\ne\u200b'), 'a[31mbc\td\ne');
    assert.equal(plainLine('a\n\u001b]0;title\u0007  b'), 'a ]0;title b');
  });
});
