import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod';
import { type Additions, type Schema, structural } from '../../../scripts/crd/structural.ts';

function converted(schema: z.ZodType, additions?: Additions): Schema {
  return structural(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' }), additions);
}

describe('structural schema', () => {
  it('says nothing of unknown fields where the schema is strict: the API server prunes them', () => {
    assert.deepEqual(converted(z.strictObject({ a: z.string() })), {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
    });
  });

  it('preserves unknown fields where the schema is loose, and describes the values of a map', () => {
    assert.deepEqual(converted(z.looseObject({})), {
      type: 'object',
      properties: {},
      'x-kubernetes-preserve-unknown-fields': true,
    });
    const map = converted(z.record(z.string(), z.strictObject({ n: z.boolean() })));
    assert.deepEqual(map.additionalProperties, {
      type: 'object',
      properties: { n: { type: 'boolean' } },
      required: ['n'],
    });
  });

  it('makes one pattern of alternatives that are all strings', () => {
    const { type, pattern } = converted(z.union([z.literal('*'), z.enum(['a.b', 'c']), z.string().regex(/^x+$/)]));
    assert.equal(type, 'string');
    for (const word of ['*', 'a.b', 'c', 'xx']) assert.match(word, new RegExp(String(pattern)));
    for (const word of ['', 'axb', '**', 'xy', 'a.bc']) assert.doesNotMatch(word, new RegExp(String(pattern)));
  });

  it('leaves out the bounds that every integer has, and the pattern of what has a format', () => {
    assert.deepEqual(converted(z.int()), { type: 'integer' });
    assert.deepEqual(converted(z.int().max(9)), { type: 'integer', maximum: 9 });
    assert.deepEqual(converted(z.iso.datetime()), { type: 'string', format: 'date-time' });
  });

  it('writes a choice as a pattern where it may be null: the API server takes no null for an enum', () => {
    const { pattern, ...rest } = converted(z.enum(['ab', 'c']).nullish());
    assert.deepEqual(rest, { type: 'string', nullable: true });
    assert.match('ab', new RegExp(String(pattern)));
    assert.doesNotMatch('abc', new RegExp(String(pattern)));
  });

  it('refuses what has no structural form, and says where', () => {
    const schema = z.object({ list: z.array(z.union([z.string(), z.number()])), any: z.unknown() });
    assert.throws(() => converted(schema), /list\[\]: anyOf has no structural form/);
    assert.throws(() => converted(z.object({ any: z.unknown() })), /any has no type/);
  });

  it('adds what zod cannot say, and refuses additions that meet nothing', () => {
    const schema = z.object({ wait: z.unknown().describe('How long.') });
    assert.deepEqual(converted(schema, { wait: { type: 'string' } }).properties, {
      wait: { description: 'How long.', type: 'string' },
    });
    assert.throws(() => converted(schema, { wait: { type: 'string' }, 'spec.x': {} }), /nothing stands at spec\.x/);
  });
});
