import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderTemplate } from '../../../../host/match/template/evaluator.ts';
import { parseTemplate } from '../../../../host/match/template/parser.ts';
import { TemplateError } from '../../../../host/match/template/template-error.ts';

function render(source: string, data: unknown = {}, maxLength = 100_000): string {
  return renderTemplate(parseTemplate(source), data, maxLength).text;
}

function refusal(source: string, data: unknown = {}): TemplateError {
  try {
    render(source, data);
  } catch (error) {
    assert.ok(error instanceof TemplateError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: `${source} was not refused` });
}

test('template: a text without actions renders to itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      fc.pre(!text.includes('{{'));
      assert.equal(render(text), text);
    }),
  );
});

const PIECES = fc.constantFrom(
  ...[
    '{{',
    '}}',
    '{{-',
    '-}}',
    ' ',
    '\n',
    '.',
    '.A',
    '.M.k',
    '$',
    '$x',
    ':=',
    '=',
    ',',
    '|',
    '(',
    ')',
    '"s"',
    '`r`',
    "'c'",
  ],
  ...[
    '1',
    '-2.5',
    '0x',
    '"',
    'true',
    'nil',
    'if',
    'else',
    'end',
    'range',
    'with',
    'break',
    'continue',
    'define',
    'call',
  ],
  ...[
    '/*',
    '*/',
    'eq',
    'and',
    'len',
    'index',
    'printf',
    '"%5v%q%d"',
    'print',
    'default',
    'quote',
    'toJson',
    'é',
    '\\',
    '\0',
  ],
  ...[
    '{{if .A}}',
    '{{range .L}}',
    '{{range $k, $v := .M}}',
    '{{with .M}}',
    '{{else}}',
    '{{end}}',
    '{{.A}}',
    '{{$x := .L}}',
  ],
);
const DATA = { A: 'a', L: [1, 'b', [2]], M: { k: 'v', __proto__: null }, N: null };

test('template: any text compiles or is refused with a code and a place, quickly', () => {
  const started = performance.now();
  fc.assert(
    fc.property(fc.array(fc.oneof(PIECES, fc.string({ maxLength: 3 })), { maxLength: 30 }), (pieces) => {
      const source = pieces.join('');
      try {
        assert.equal(typeof render(source, DATA), 'string');
      } catch (error) {
        assert.ok(error instanceof TemplateError, `${source}: ${String(error)}`);
        assert.equal(error.code, 'HOST_ERR_TEMPLATE');
        assert.match(error.message, /^\d+:\d+: ./);
        assert.ok(error.line <= source.split('\n').length);
      }
    }),
    { numRuns: 3_000 },
  );
  assert.ok(performance.now() - started < 20_000);
});

test('template: a refusal names line and column', () => {
  for (const [source, line, column] of [
    ['{{nosuch}}', 1, 3],
    ['a\nb {{.X | nosuch}}', 2, 10],
    ['{{if .X}}', 1, 3],
    ['ok\n\n{{range .X}}{{end}}{{end}}', 3, 22],
    ['{{.X}} {{"open}}', 1, 10],
    ['x {{ .X', 1, 3],
    ['{{$y}}', 1, 3],
  ] as const) {
    const error = refusal(source);
    assert.deepEqual([error.line, error.column], [line, column], `${source}: ${error.message}`);
  }
});

test('template: what is left out of Go is refused by name', () => {
  assert.match(refusal('{{define "x"}}{{end}}').message, /1:3: \{\{define\}\}: named templates are not supported/);
  assert.match(refusal('{{template "x"}}').message, /named templates are not supported/);
  assert.match(refusal('{{block "x" .}}{{end}}').message, /named templates are not supported/);
  assert.match(refusal('{{call .F}}').message, /call is not supported/);
  assert.match(refusal('{{html .F}}').message, /function "html" is not defined; there are and, or/);
});

test('template: only own properties exist', () => {
  const data = JSON.parse('{"M":{"__proto__":{"evil":1},"constructor":"mine"},"E":{}}') as unknown;
  assert.equal(render('{{.E.__proto__}} {{.E.constructor}} {{.E.toString}}', data), '<no value> <no value> <no value>');
  assert.equal(render('{{.M.constructor}} {{.M.evil}} {{.M.__proto__.evil}}', data), 'mine <no value> 1');
  assert.equal(render('{{index .E "__proto__"}} {{index .E "hasOwnProperty"}}', data), '<no value> <no value>');
  assert.equal(render('{{range $k, $v := .E}}{{$k}}{{end}}{{len .E}}', data), '0');
});

test('template: steps are bounded, so that nested loops end', () => {
  const started = performance.now();
  const error = refusal('{{range 1000}}{{range 1000}}{{range 1000}}{{end}}{{end}}{{end}}');
  assert.match(error.message, /^1:\d+: took more than 100000 steps/);
  assert.ok(performance.now() - started < 2_000);
});

test('template: text is paid for, so that a doubling variable ends', () => {
  const started = performance.now();
  assert.match(
    refusal('{{$x := "ab"}}{{range 1000}}{{$x = print $x $x}}{{end}}').message,
    /took more than 100000 steps/,
  );
  assert.match(
    refusal('{{range 100000}}{{$x := toJson $}}{{end}}', { L: 'x'.repeat(60_000) }).message,
    /took more than/,
  );
  assert.match(render('{{printf "%99999999d" 1}}'), /BADWIDTH/);
  assert.ok(performance.now() - started < 2_000);
});

test('template: the output ends at its length', () => {
  const template = parseTemplate('{{range 1000}}0123456789{{end}}');
  assert.deepEqual(renderTemplate(template, {}, 25), { text: '0123456789012345678901234'.slice(0, 25), isCut: true });
  assert.deepEqual(renderTemplate(parseTemplate('12345'), {}, 5), { text: '12345', isCut: false });
});

test('template: nesting is bounded in templates and in values', () => {
  const deep = `${'{{if 1}}'.repeat(200)}${'{{end}}'.repeat(200)}`;
  assert.match(refusal(deep).message, /nested more than 100 deep/);
  assert.match(
    refusal(`{{${'('.repeat(5_000)}1${')'.repeat(5_000)}}}`).message,
    /parentheses nested more than 100 deep/,
  );
  assert.match(refusal(`{{if 1}}${'{{else if 1}}'.repeat(3_000)}{{end}}`).message, /nested more than 100 deep/);
  const value = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown;
  assert.match(refusal('{{.V}}', { V: value }).message, /value is nested more than 100 deep/);
  assert.match(refusal('{{toJson .V}}', { V: value }).message, /value is nested more than 100 deep/);
});

test('template: a long source is refused before it is read', () => {
  assert.match(refusal('{{'.repeat(50_000)).message, /at most 65536 characters/);
});

test('template: spaces in long runs cost linear time', () => {
  const started = performance.now();
  refusal(`{{${' '.repeat(60_000)}`);
  render(`x${' '.repeat(30_000)}{{- 1 -}}${' '.repeat(30_000)}y`);
  refusal(`{{ "${'\\'.repeat(60_000)}`);
  assert.ok(performance.now() - started < 1_000);
});

test('template: whole numbers take the float verbs, and mixed numbers compare', () => {
  assert.equal(render('{{printf "%.1f" .N}} {{lt .N 3.5}} {{eq .N 3}}', { N: 3 }), '3.0 true true');
});
