import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { hasSignature, hasToken, readAuthentication } from '../../../plugins/webhook/authentication.ts';

const BODY = Buffer.from('{"resource":"api"}');
const HEX = createHmac('sha256', 'hush').update(BODY).digest('hex');

const TOKENS: [header: string | undefined, expected: boolean][] = [
  ['Bearer right', true],
  ['bearer right', true],
  ['Bearer wrong', false],
  ['Bearer righ', false],
  ['Bearer right extra', false],
  ['Basic right', false],
  ['right', false],
  ['', false],
  [undefined, false],
];

for (const [header, expected] of TOKENS) {
  test(`webhook authentication: Authorization "${header}" is ${expected ? 'admitted' : 'refused'}`, () => {
    assert.equal(hasToken(header === undefined ? {} : { authorization: header }, 'right'), expected);
  });
}

const SIGNATURES: [title: string, headers: Record<string, string>, expected: boolean][] = [
  ['hex', { 'x-signature': HEX }, true],
  ['hex in upper case', { 'x-signature': HEX.toUpperCase() }, true],
  ['sha256=hex', { 'x-signature': `sha256=${HEX}` }, true],
  ['the header of GitHub', { 'x-hub-signature-256': `sha256=${HEX}` }, true],
  ['another digest', { 'x-signature': HEX.replace(/^./, (c) => (c === '0' ? '1' : '0')) }, false],
  ['a digest cut short', { 'x-signature': HEX.slice(2) }, false],
  ['no hex', { 'x-signature': 'z'.repeat(64) }, false],
  ['another algorithm', { 'x-signature': `sha1=${HEX}` }, false],
  ['no header', {}, false],
];

for (const [title, headers, expected] of SIGNATURES) {
  test(`webhook authentication: a signature as ${title} is ${expected ? 'admitted' : 'refused'}`, () => {
    assert.equal(hasSignature(headers, 'hush', BODY), expected);
  });
}

test('webhook authentication: a signature of another body is refused', () => {
  assert.equal(hasSignature({ 'x-signature': HEX }, 'hush', Buffer.from('{}')), false);
});

for (const [auth, variable] of [
  ['bearer', 'WEBHOOK_TOKEN'],
  ['signature', 'WEBHOOK_SECRET'],
] as const) {
  test(`webhook authentication: ${auth} without ${variable} names the variable and the grant`, () => {
    const missing = readAuthentication(auth, { [variable]: '' });
    assert.ok(missing.kind === 'missing');
    assert.match(
      missing.problem,
      new RegExp(`'auth' is '${auth}'.*${variable}.*permissions: \\{ env: \\[${variable}\\]`),
    );
  });
}

test('webhook authentication: none needs no variable', () => {
  assert.deepEqual(readAuthentication('none', {}), { kind: 'none' });
});
