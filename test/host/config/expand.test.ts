import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Expansion, expandVariables, type Variables } from '../../../host/config/expand.ts';
import { parseYamlText } from '../../../host/config/yaml-file.ts';

const PLACE = { file: 'plugins.yaml', document: null, basePath: [], subject: '' };

function expand(value: unknown, variables: Variables = {}): Expansion {
  return expandVariables(value, variables, PLACE);
}

test('expansion: a value that is only a placeholder is read again as a scalar', () => {
  const variables = { PORT: '8090', OFF: 'false', RATIO: '0.5', NAME: 'api', NOTHING: 'null', NEGATIVE: '-3' };
  const expected = { PORT: 8090, OFF: false, RATIO: 0.5, NAME: 'api', NOTHING: null, NEGATIVE: -3 };
  for (const [name, value] of Object.entries(expected))
    assert.deepEqual(expand(`\${${name}}`, variables).value, value, name);
  assert.equal(expand('port ${PORT}', variables).value, 'port 8090');
  assert.equal(expand('${PORT}${PORT}', variables).value, '80908090');
  assert.equal(expand('${A:-8090}').value, 8090);
});

test('expansion: a text that a number would not give back stays text', () => {
  for (const text of [
    '007',
    '12e45',
    '0x1F',
    '1.0',
    '12345678901234567890',
    'TRUE',
    '~',
    '- a',
    '{a: 1}',
    '*x',
    '!x',
    '',
  ]) {
    assert.equal(expand('${X}', { X: text }).value, text);
  }
});

test('expansion: a default is for a variable that is unset or empty', () => {
  assert.equal(expand('${A:-d}').value, 'd');
  assert.equal(expand('${A:-d}', { A: '' }).value, 'd');
  assert.equal(expand('${A:-d}', { A: 'a' }).value, 'a');
  assert.equal(expand('${A:-}').value, '');
  assert.equal(expand('${A}', { A: '' }).value, '', 'set to nothing is set');
  assert.equal(expand('http://${HOST:-localhost}:${PORT:-80}/x').value, 'http://localhost:80/x');
});

test('expansion: an unset variable without default is a problem that names variable, path and line', () => {
  const read = parseYamlText('plugins.yaml', 'plugins:\n  - name: a\n    config:\n      token: "${PLUGIN_TOKEN}"\n');
  assert.ok(read.kind === 'ok');
  const { problems } = expandVariables(read.document.value, {}, { ...PLACE, document: read.document });
  assert.equal(problems.length, 1);
  assert.equal(problems[0]?.code, 'HOST_ERR_CONFIG_ENV');
  assert.match(problems[0]?.message ?? '', /PLUGIN_TOKEN is not set/);
  assert.equal(problems[0]?.path, 'plugins[0].config.token');
  assert.equal(problems[0]?.line, 4);
  assert.match(problems[0]?.fix ?? '', /\$\{PLUGIN_TOKEN:-default\}/);
});

test('expansion: inherited names are not variables', () => {
  assert.equal(expand('${constructor}').problems.length, 1);
  assert.equal(expand('${__proto__}').problems.length, 1);
});

test('expansion: $${ is a literal ${ and ${config.x} is left for later', () => {
  assert.deepEqual(expand('a $${HOME} b', { HOME: '/root' }), { value: 'a ${HOME} b', used: [], problems: [] });
  assert.deepEqual(expand(['${config.port}', '${config.host}:${P:-1}']).value, ['${config.port}', '${config.host}:1']);
});

test('expansion: what looks like a placeholder and is none is a problem', () => {
  for (const text of ['${', '${}', '${1A}', '${A', '${A-b}', '${A:=b}', '${A:-${B}}', '${A b}']) {
    assert.ok(expand(text, { A: '' }).problems.length > 0, text);
  }
});

test('expansion: keys stay as they are, the input is not changed, the names used are told', () => {
  const input = { '${A}': ['${A}', { b: '${B:-x} ${A}' }] };
  const before = structuredClone(input);
  const { value, used } = expand(input, { A: '1' });
  assert.deepEqual(value, { '${A}': [1, { b: 'x 1' }] });
  assert.deepEqual(used, ['A', 'B']);
  assert.deepEqual(input, before);
});

const name = fc.stringMatching(/^[A-Z][A-Z_]{0,3}$/);
const held = fc.oneof(fc.string(), fc.constantFrom('${A}', '${B:-x}', '$${', '${', '8090', 'false', '$', '{A}'));

test('expansion: what a variable holds is never expanded again', () => {
  fc.assert(
    fc.property(name, held, fc.dictionary(name, held), (variable, text, others) => {
      const { value, problems } = expand(`<\${${variable}}>`, { ...others, [variable]: text });
      assert.equal(value, `<${text}>`);
      assert.deepEqual(problems, []);
    }),
  );
});

test('expansion: text without ${ is untouched, also where it looks like a number', () => {
  const plain = fc.oneof(fc.string(), fc.constantFrom('8090', 'false', 'null')).filter((text) => !text.includes('${'));
  fc.assert(
    fc.property(plain, fc.dictionary(name, held), (text, variables) => {
      assert.deepEqual(expand(text, variables), { value: text, used: [], problems: [] });
    }),
  );
});

test('expansion: only a lone placeholder changes its type, and its text can be had back', () => {
  const around = fc.string().filter((text) => !/[${}]/.test(text));
  fc.assert(
    fc.property(around, around, held, (before, after, text) => {
      const { value } = expand(`${before}\${V}${after}`, { V: text });
      if (before !== '' || after !== '') assert.equal(value, `${before}${text}${after}`);
      else assert.equal(String(value), text);
    }),
  );
});
