import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  encodeMessage,
  MAX_JSON_BYTES,
  MAX_TEXT_BYTES,
  MessageReader,
  type PipedMessage,
} from '../../ipc/pipe-message.ts';

const IS_PROTOCOL = { code: 'IPC_ERR_PROTOCOL' };

/** Everything that comes out when the bytes arrive in pieces of these sizes. */
function readAll(bytes: Buffer, sizes: readonly number[]): PipedMessage[] {
  const reader = new MessageReader();
  const out: PipedMessage[] = [];
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] ?? bytes.length;
    reader.push(bytes.subarray(at, at + size));
    at += size;
    for (let next = reader.next(); next !== null; next = reader.next()) out.push(next);
  }
  return out;
}

const plain = fc.jsonValue().filter((value) => typeof value !== 'object' || value === null || !('lines' in value));
const withText = fc.record({ kind: fc.constant('frame'), lines: fc.string({ unit: 'grapheme', minLength: 1 }) });

describe('piped message', () => {
  it('comes out as it went in, in order and on its channel, whatever pieces the pipe makes of it', () => {
    const message = fc.record({ channel: fc.nat(255), message: fc.oneof(plain, withText) });
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (messages, sizes) => {
        const bytes = Buffer.concat(messages.map((each) => encodeMessage(each.channel, each.message)));
        const seen = readAll(bytes, sizes).map((each) => ({ channel: each.channel, message: each.message }));
        assert.deepEqual(seen, JSON.parse(JSON.stringify(messages)));
      }),
    );
  });

  it('carries a frame with its lines beside the JSON, unescaped', () => {
    const frame = { kind: 'frame', types: ['a'], typeIndex: '\u0000\u0000', lines: '{"m":"\\"ü"}\n{"m":"😀"}' };
    const bytes = encodeMessage(0, frame);
    assert.ok(bytes.includes(frame.lines));
    const [seen] = readAll(bytes, [7]);
    assert.deepEqual(seen?.message, frame);
    assert.equal(seen?.textBytes, Buffer.byteLength(frame.lines));
  });

  it('makes null of what JSON has no word for', () => {
    assert.deepEqual(readAll(encodeMessage(3, undefined), [100])[0]?.message, null);
  });

  it('refuses to write what the other side would not take', () => {
    assert.throws(() => encodeMessage(0, { text: 'x'.repeat(MAX_JSON_BYTES) }), IS_PROTOCOL);
    assert.throws(() => encodeMessage(0, { lines: 'x'.repeat(MAX_TEXT_BYTES + 1) }), IS_PROTOCOL);
    assert.doesNotThrow(() => encodeMessage(0, { lines: 'x'.repeat(MAX_TEXT_BYTES) }));
  });

  it('refuses a size by its announcement, before anything of it is kept', () => {
    for (const at of [0, 4]) {
      const prelude = Buffer.alloc(9);
      prelude.writeUInt32LE(0xffffffff, at);
      assert.throws(() => readAll(prelude, [9]), IS_PROTOCOL);
    }
  });

  it('refuses bytes that are no JSON, and text beside what is no object', () => {
    const bytes = encodeMessage(0, 'x');
    bytes[9] = 0x7b;
    assert.throws(() => readAll(bytes, [100]), IS_PROTOCOL);
    const beside = encodeMessage(0, { lines: 'x' });
    beside.write('12', 9);
    beside.write('  '.repeat(10).slice(0, beside.readUInt32LE(0) - 2), 11);
    assert.throws(() => readAll(beside, [100]), IS_PROTOCOL);
  });

  it('never throws anything else, whatever arrives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (bytes, size) => {
        try {
          readAll(Buffer.from(bytes), [size]);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'IPC_ERR_PROTOCOL');
        }
      }),
    );
  });

  it('does not let a message change the prototype of anything', () => {
    const [seen] = readAll(encodeMessage(0, JSON.parse('{"__proto__":{"polluted":true}}')), [100]);
    assert.equal(Object.getPrototypeOf(seen?.message), Object.prototype);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });
});
