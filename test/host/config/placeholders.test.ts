import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ReferenceScope, resolveReferences } from '../../../host/config/placeholders.ts';

const scope: ReferenceScope = {
  config: { port: 8090, host: 'a.example', brokers: ['k1:9092', 'k2:9092'], deep: { folder: '/data' }, off: null },
  declares: (path) => path.join('.') === 'optional',
};

function values(...items: (string | number)[]): readonly unknown[] {
  const resolved = resolveReferences(items, scope);
  assert.deepEqual(resolved.faults, []);
  return resolved.values;
}

test('placeholders: a reference that is the whole item keeps its type', () => {
  assert.deepEqual(values('${config.port}', 80, 'x'), [8090, 80, 'x']);
});

test('placeholders: a reference to a list spreads it', () => {
  assert.deepEqual(values('${config.brokers}'), ['k1:9092', 'k2:9092']);
});

test('placeholders: references inside a text become part of it', () => {
  assert.deepEqual(values('${config.host}:${config.port}', '${config.deep.folder}/in'), ['a.example:8090', '/data/in']);
});

test('placeholders: a key that the schema knows and nobody set asks for nothing', () => {
  assert.deepEqual(values('${config.optional}', '${config.optional}:80', '${config.off}'), []);
});

test('placeholders: a key that nobody knows is a fault, and so are inherited ones', () => {
  for (const item of [
    '${config.prot}',
    'a:${config.prot}',
    '${config.constructor}',
    '${config.__proto__.x}',
    '${config.port.x}',
    '${config.}',
  ]) {
    const { values: none, faults } = resolveReferences([item], scope);
    assert.deepEqual(none, [], item);
    assert.match(faults[0]?.message ?? '', /neither set nor known/, item);
  }
});

test('placeholders: a list inside a text is a fault', () => {
  assert.match(resolveReferences(['x:${config.brokers}'], scope).faults[0]?.message ?? '', /make it the whole item/);
});

test('placeholders: what a configuration value looks like is not looked at again', () => {
  const tricky = { config: { a: '${config.b}', b: 'secret' }, declares: () => false };
  assert.deepEqual(resolveReferences(['${config.a}', 'x${config.a}'], tricky).values, ['${config.b}', 'x${config.b}']);
});
