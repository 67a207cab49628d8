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

describe('what was thrown, in words', () => {
  const told = (thrown: unknown): WireError => toWireError(thrown, 'PLUGIN_ERR_THROWN');

  it('says what an error was caused by, in message and stack, down to the last cause', () => {
    const last = new Error('connect ECONNREFUSED 10.0.0.1:9092');
    const error = new TypeError('fetch failed', { cause: new Error('no broker', { cause: last }) });
    const { message, stack } = told(error);
    assert.equal(message, 'fetch failed: no broker: connect ECONNREFUSED 10.0.0.1:9092');
    assert.match(
      stack,
      /^TypeError: fetch failed\n +at .+\n(.+\n)*\[cause\]: Error: no broker\n(.+\n)*\[cause\]: Error: connect/,
    );
    assert.ok(stack.includes('errors.test.ts'));
  });

  it('leaves the message of a coded error as it was written', () => {
    const error = new CodedError('HOST_ERR_X', 'Nobody listens there. Start it.', { cause: new Error('ECONNREFUSED') });
    assert.equal(told(error).message, 'Nobody listens there. Start it.');
    assert.match(told(error).stack, /\[cause\]: Error: ECONNREFUSED/);
    assert.equal(messageOf(new Error('what', { cause: new Error('why') })), 'what');
  });

  it('says it once', () => {
    const cause = new Error('no such file');
    assert.equal(told(new Error('cannot load: no such file', { cause })).message, 'cannot load: no such file');
  });

  it('takes the first of several errors, also where the whole says nothing', () => {
    const several = new AggregateError([new Error('connect ECONNREFUSED ::1:80'), new Error('the other')]);
    assert.equal(told(several).message, 'connect ECONNREFUSED ::1:80');
  });

  it('does not follow causes in a circle, nor what defies it', () => {
    const circle = new Error('round');
    circle.cause = circle;
    assert.equal(told(circle).message, 'round');
    assert.match(told(new Error('x', { cause: explosive() })).message, /^x: something that cannot be shown/);
    assert.equal(told(new Error('x', { cause: 'y'.repeat(1e6) })).message.length, 1_027);
  });

  it('names the file that may not be read, and where it is granted', () => {
    const text = 'Access to this API has been restricted. Use --allow-fs-read to manage permissions.';
    const fields = { code: 'ERR_ACCESS_DENIED', permission: 'FileSystemRead', resource: '/etc/passwd' };
    const { message, stack } = told(Object.assign(new Error(text), fields));
    const words = 'it may not read /etc/passwd; ask for the folder in the manifest (khook.permissions.read)';
    assert.ok(message.startsWith(words), message);
    assert.ok(stack.startsWith(`Error: ${words}`), stack);
    assert.ok(!stack.includes('--allow-fs-read'));
    const write = told(Object.assign(new Error(text), { ...fields, permission: 'FileSystemWrite' })).message;
    assert.match(
      write,
      /may not write \/etc\/passwd; .*khook\.permissions\.write.*plugins\.yaml \(permissions\.write\)/,
    );
  });

  it('names what may not be connected to, or looked up', () => {
    const text =
      'connect ERR_ACCESS_DENIED Access to this API has been restricted. Use --allow-net to manage permissions.';
    const fields = { code: 'ERR_ACCESS_DENIED', syscall: 'connect', address: '10.0.0.1', port: 9092 };
    const cause = Object.assign(new Error(text), fields);
    assert.match(
      told(new TypeError('fetch failed', { cause })).message,
      /^fetch failed: it may not connect to 10\.0\.0\.1:9092; ask for it in the manifest/,
    );
    const name = { code: 'ERR_ACCESS_DENIED', syscall: 'getaddrinfo', hostname: 'broker.example.com' };
    const { message } = told(Object.assign(new Error('getaddrinfo ERR_ACCESS_DENIED broker.example.com'), name));
    assert.match(message, /^it may not look up broker\.example\.com; /);
  });

  it('leaves other refusals as they are: they say what was refused', () => {
    const error = Object.assign(new Error('a plugin may not use node:sqlite'), { code: 'ERR_ACCESS_DENIED' });
    assert.equal(told(error).message, 'a plugin may not use node:sqlite');
  });

  it('gives a text that was thrown no stack of the side that reads it', () => {
    assert.equal(fromWireError(told('just a text')).stack, 'Error: just a text');
  });
});
