import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { CodedError, codeOf, fromWireError, messageOf, toWireError, type WireError } from '../../ipc/errors.ts';

function explosive(): object {
  return new Proxy(
    {},
    {
      get() {
        throw new Error('boom');
      },
      has() {
        throw new Error('boom');
      },
    },
  );
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function assertBounded(wire: WireError): void {
  for (const key of ['code', 'kind', 'name', 'message', 'stack'] as const) assert.equal(typeof wire[key], 'string');
  assert.ok(wire.code.length <= 64 && wire.name.length <= 64);
  assert.ok(wire.message.length <= 4_096 && wire.stack.length <= 8_192);
  assert.ok(['user', 'plugin', 'system'].includes(wire.kind));
  assert.notEqual(wire.code, '');
  structuredClone(wire);
}

const THROWN: Record<string, unknown> = {
  'an error': new TypeError('bad'),
  'an error without a message': new Error(''),
  'a frozen error': Object.freeze(new Error('x')),
  'a string': 'plain text',
  'a huge string': 'x'.repeat(1_000_000),
  nothing: undefined,
  null: null,
  'a symbol': Symbol('s'),
  'a bigint': 1n,
  'a function': () => 1,
  'a proxy that throws': explosive(),
  'a revoked proxy': revoked(),
  'an object without a prototype': Object.create(null),
  'an object that cannot be text': { toString: null, valueOf: null },
  'an object whose text throws': {
    toString() {
      throw new Error('no text');
    },
  },
  'fields of the wrong type': { code: 7, kind: 'nobody', name: {}, message: [], stack: 1n },
  'fields that throw': {
    get message(): string {
      throw new Error('no');
    },
    get code(): string {
      throw explosive();
    },
  },
  'huge fields': {
    code: 'C'.repeat(999),
    name: 'N'.repeat(999),
    message: 'm'.repeat(99_999),
    stack: 's'.repeat(99_999),
  },
};

describe('wire error', () => {
  for (const [name, thrown] of Object.entries(THROWN)) {
    it(`is made of ${name}`, () => {
      const wire = toWireError(thrown, 'PLUGIN_ERR_THROWN');
      assertBounded(wire);
      assert.equal(typeof messageOf(thrown), 'string');
      assert.equal(typeof codeOf(thrown), 'string');
      assert.ok(fromWireError(structuredClone(wire)) instanceof CodedError);
    });
  }

  it('is made of anything at all', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withSparseArray: true, withNullPrototype: true, withObjectString: true }),
        (thrown) => assertBounded(toWireError(thrown, 'PLUGIN_ERR_THROWN')),
      ),
    );
  });

  it('keeps code, kind, name, message and stack across the wire', () => {
    const error = new CodedError('PLUGIN_ERR_CONFIG', "configuration 'port' is missing", { kind: 'user' });
    const back = fromWireError(structuredClone(toWireError(error, 'PLUGIN_ERR_THROWN')));
    for (const key of ['code', 'kind', 'name', 'message', 'stack'] as const) assert.equal(back[key], error[key]);
  });

  it('falls back to the given code, and blames the plugin', () => {
    const wire = toWireError(new RangeError('too far'), 'PLUGIN_ERR_LOAD');
    assert.deepEqual(
      [wire.code, wire.kind, wire.name, wire.message],
      ['PLUGIN_ERR_LOAD', 'plugin', 'RangeError', 'too far'],
    );
  });
});
