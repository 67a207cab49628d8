import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { valueAt } from '../../../host/config/place.ts';
import type { Problem } from '../../../host/config/problem.ts';
import { parseYamlText } from '../../../host/config/yaml-file.ts';
import { checkConfig } from '../../../host/config/zod-problems.ts';

const JSON_SCHEMA = z.fromJSONSchema({
  type: 'object',
  additionalProperties: false,
  required: ['port'],
  properties: {
    port: { type: 'integer', minimum: 1, maximum: 65_535 },
    workers: { type: 'integer', minimum: 1 },
    ratio: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
    path: { type: 'string', minLength: 1 },
    mode: { enum: ['bearer', 'signature'] },
    debug: { type: 'boolean', default: false },
    topics: { type: 'array', items: { type: 'string' }, minItems: 1 },
    rateLimit: {
      type: 'object',
      additionalProperties: false,
      properties: { burst: { type: 'integer', minimum: 1, maximum: 9 } },
    },
    target: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
  },
});

const BY_HAND = z.strictObject({
  port: z.int().min(1).max(65_535),
  workers: z.int().min(1).optional(),
  ratio: z.number().gt(0).max(1).optional(),
  path: z.string().min(1).optional(),
  mode: z.enum(['bearer', 'signature']).optional(),
  debug: z.boolean().default(false),
  topics: z.array(z.string()).min(1).optional(),
  rateLimit: z.strictObject({ burst: z.int().min(1).max(9).optional() }).optional(),
  target: z.union([z.string(), z.int()]).optional(),
});

function problemsOf(schema: z.ZodType, config: string, expanded?: unknown): readonly Problem[] {
  const read = parseYamlText('plugins.yaml', `config: ${config}\n`);
  assert.ok(read.kind === 'ok');
  const { document } = read;
  const value = expanded ?? valueAt(document.value, ['config']);
  const checked = checkConfig(schema, value, {
    file: 'plugins.yaml',
    document,
    basePath: ['config'],
    subject: 'webhook',
  });
  return checked.kind === 'bad' ? checked.problems : [];
}

const SENTENCES: readonly [config: string, message: string, fix?: string][] = [
  ['{}', "required configuration 'port' is missing"],
  ['{ port: abc }', "configuration 'port' must be an integer, got string"],
  ['{ port: 1.5 }', "configuration 'port' must be an integer, got 1.5"],
  ['{ port: 0 }', "configuration 'port' must be between 1 and 65535, got 0"],
  ['{ port: 70000 }', "configuration 'port' must be between 1 and 65535, got 70000"],
  ['{ port: null }', "configuration 'port' must be an integer, got null"],
  ['{ port: 1, workers: 0 }', "configuration 'workers' must be at least 1, got 0"],
  ['{ port: 1, ratio: 0 }', "configuration 'ratio' must be greater than 0 and at most 1, got 0"],
  ['{ port: 1, path: "" }', "configuration 'path' cannot be empty"],
  [
    '{ port: 1, mode: bearr }',
    "configuration 'mode' must be one of: bearer, signature, got 'bearr'",
    "did you mean 'bearer'?",
  ],
  [
    '{ port: 1, debug: yes }',
    "configuration 'debug' must be a boolean, got string",
    'write true or false, without quotes',
  ],
  ['{ port: 1, topics: a }', "configuration 'topics' must be a list, got string"],
  ['{ port: 1, topics: [] }', "configuration 'topics' cannot be empty"],
  ['{ port: 1, topics: [a, 3] }', "configuration 'topics[1]' must be a string, got number"],
  ['{ port: 1, prot: 2 }', 'unknown configuration key: prot', "did you mean 'port'?"],
  ['{ port: 1, rateLimit: { brust: 1 } }', 'unknown configuration key: rateLimit.brust', "did you mean 'burst'?"],
  ['{ port: 1, rateLimit: { speed: 1 } }', 'unknown configuration key: rateLimit.speed', 'known here: burst'],
  ['{ port: 1, rateLimit: { burst: 10 } }', "configuration 'rateLimit.burst' must be between 1 and 9, got 10"],
  ['{ port: 1, target: true }', "configuration 'target' must be a string or an integer, got boolean"],
  ['[]', 'configuration must be an object, got list'],
  ['{ port: 1, __proto__: { debug: true } }', 'unknown configuration key: __proto__'],
];

for (const [kind, schema] of [
  ['made from JSON Schema', JSON_SCHEMA],
  ['made by hand', BY_HAND],
] as const) {
  test(`configuration check: a schema ${kind} speaks in the words of the guide`, () => {
    for (const [config, message, fix] of SENTENCES) {
      const problems = problemsOf(schema, config);
      assert.deepEqual(
        problems.map((problem) => problem.message),
        [message],
        config,
      );
      if (fix !== undefined) assert.equal(problems[0]?.fix, fix, config);
    }
  });
}

test('configuration check: every problem has place and subject', () => {
  const [problem] = problemsOf(BY_HAND, '{ port: 0 }');
  assert.deepEqual(
    { ...problem, message: '' },
    {
      code: 'HOST_ERR_CONFIG_VALUE',
      message: '',
      file: 'plugins.yaml',
      line: 1,
      column: 17,
      path: 'config.port',
      fix: '',
      subject: 'webhook',
    },
  );
  assert.equal(problemsOf(BY_HAND, '{ port: 1, prot: 2 }')[0]?.code, 'HOST_ERR_CONFIG_KEY');
  assert.equal(
    problemsOf(BY_HAND, '{ port: 1, prot: 2 }')[0]?.column,
    20,
    'an unknown key is where it stands, not its value',
  );
});

test('configuration check: defaults are filled in and the input is not changed', () => {
  const input = { port: 1 };
  const checked = checkConfig(JSON_SCHEMA, input, { file: '', document: null, basePath: [], subject: '' });
  assert.deepEqual(checked, { kind: 'ok', value: { port: 1, debug: false } });
  assert.deepEqual(input, { port: 1 });
});

test('configuration check: a lone placeholder takes the type that is wanted', () => {
  assert.deepEqual(
    problemsOf(BY_HAND, '{ port: 1, path: "${P}" }', { port: 1, path: 12345 }),
    [],
    'a token of digits is a string',
  );
  assert.deepEqual(problemsOf(BY_HAND, '{ port: 1, ratio: "${R}" }', { port: 1, ratio: '1.0' }), []);
  assert.deepEqual(problemsOf(BY_HAND, '{ port: 1, debug: "${D}" }', { port: 1, debug: 'TRUE' }), []);
  assert.deepEqual(problemsOf(BY_HAND, '{ port: 1, topics: ["${T}"] }', { port: 1, topics: [7] }), []);
  assert.equal(problemsOf(BY_HAND, '{ port: 1, path: 12345 }').length, 1, 'one that was written as a number is not');
});

test('configuration check: a text that came from a placeholder is never shown', () => {
  const secret = 'hunter2';
  const shown = [
    ...problemsOf(BY_HAND, '{ port: 1, mode: "${M}" }', { port: 1, mode: secret }),
    ...problemsOf(BY_HAND, '{ port: "${M}" }', { port: secret }),
    ...problemsOf(z.object({ a: z.string().regex(/^x/) }), '{ a: "${M}" }', { a: secret }),
    ...problemsOf(
      z.object({ a: z.string().refine(() => false, { error: `must be x, got '${secret}'` }) }),
      '{ a: "${M}" }',
      { a: secret },
    ),
  ];
  assert.equal(shown.length, 4);
  assert.doesNotMatch(JSON.stringify(shown), /hunter2/);
});

test('configuration check: a recursive schema and one without a JSON form still answer', () => {
  const tree: z.ZodType = z.strictObject({ leaf: z.int().min(1).max(3), child: z.lazy(() => tree).optional() });
  assert.deepEqual(
    problemsOf(tree, '{ leaf: 1, child: { leaf: 9 } }').map(({ message }) => message),
    ["configuration 'child.leaf' must be between 1 and 3, got 9"],
  );
  assert.equal(problemsOf(z.object({ a: z.custom<string>(() => false) }), '{ a: 1 }').length, 1);
});
