import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tempDir } from '../../../support/temp-dir.ts';
import { attempt, results } from './attempts.ts';

const RANGE = 'ERR_OUT_OF_RANGE';

describe('guard: slips', () => {
  it('arguments that native code asserts against are made sound, or refused', async (t) => {
    const directory = tempDir(t);
    const file = join(directory, 'file');
    writeFileSync(file, 'text');
    const guarded = await attempt(t, 'slips', {
      ...{ isGuarded: true, facts: { file }, read: [directory], write: [directory], hasNet: true },
      network: { any: true },
    });
    assert.deepEqual(guarded.errors, []);
    assert.deepEqual(results(guarded), {
      'null as the end of a search': 2,
      'an object as the end of a search': -1,
      'a symbol as the end of a search': 'no code',
      'no end of a search backwards': 3,
      'a list as the end of a search of bytes': true,
      'an encoding in its old place': 5,
      'a search as ever': '-1,2,false',
      'a mode of 32 bits': RANGE,
      'a mode of 32 bits as text': RANGE,
      'a mode for a callback': RANGE,
      'a mode in a promise': RANGE,
      'a mode of chmod': RANGE,
      'a mode of chmod in a promise': RANGE,
      'a mode of a handle': RANGE,
      'a mode of mkdir': RANGE,
      'a mode of mkdir in options': RANGE,
      'a mode of what is written': RANGE,
      'a mode of what is appended in a promise': RANGE,
      'a mode that changes': undefined,
      'an ordinary mode': 'opened',
      'minus zero as a process': 'number',
      'a prime that there is none of': 'ERR_ACCESS_DENIED',
      'a derived key of 4 GB': 'ERR_ACCESS_DENIED',
      'a derived key': 20,
      'a plain text of 2 GB': RANGE,
      'an object to be hashed': 'ERR_INVALID_ARG_TYPE',
      'a number to be signed': 'ERR_INVALID_ARG_TYPE',
      'a list to be sealed': 'ERR_INVALID_ARG_TYPE',
      'a text to be hashed': 32,
      'minus zero as a padding': 'ERR_OSSL_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE',
      'minus zero as the length of a salt': true,
      'a scope of something else': 'ERR_INVALID_THIS',
      'a scope': 2,
      'minus zero as the size of a buffer': 'ERR_SOCKET_BUFFER_SIZE',
      'a flow label of 32 bits': RANGE,
      'an address': '::1',
      'minus zero as a port': 'answered',
      'minus zero as a port in a text': 'answered',
      'a wait of 32 bits': RANGE,
      'a resolver': 'function',
      'frames of no size': 'ERR_HTTP2_INVALID_SETTING_VALUE',
      'minus zero as the life of a session': 'object',
      'the key before there is one': 'null',
      'a correction without end': 'ERR_ACCESS_DENIED',
      'a correction without end in large numbers': 'ERR_ACCESS_DENIED',
      'a correction': 10,
      'buckets without end': 'ERR_ACCESS_DENIED',
      'buckets that do not grow': 'ERR_ACCESS_DENIED',
      'buckets that grow too far': 'ERR_ACCESS_DENIED',
      'buckets of no base': 'ERR_ACCESS_DENIED',
      buckets: 51,
      'text where TLS is put over': 'ERR_STREAM_WRAP',
      'a trace of TLS': 'begun',
    });
    // OpenSSL would have written it to the standard error of the process.
    assert.ok(guarded.logs.some((line) => line.includes('refused a trace of TLS')));
  });
});
