import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { didYouMean, nearestWord } from '../../../host/config/suggest.ts';

const KNOWN = ['name', 'enabled', 'rateLimit', 'config', 'permissions', 'port'];

test('suggestion: finds a word with another case, a swap, a missing or a wrong letter', () => {
  const cases = { ratelimit: 'rateLimit', prot: 'port', eanbled: 'enabled', permision: 'permissions', confg: 'config' };
  for (const [word, expected] of Object.entries(cases)) assert.equal(nearestWord(word, KNOWN), expected, word);
});

test('suggestion: is silent when nothing is near', () => {
  for (const word of ['x', 'kafka', 'zzzzzzzzzz', '', 'p'.repeat(10_000)])
    assert.equal(didYouMean(word, KNOWN), '', word.slice(0, 20));
});

test('suggestion: reads as a question', () => {
  assert.equal(didYouMean('ratelimit', KNOWN), "did you mean 'rateLimit'?");
});

test('suggestion: a known word is its own nearest', () => {
  fc.assert(fc.property(fc.constantFrom(...KNOWN), (word) => nearestWord(word, KNOWN) === word));
});
