import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mapping } from '../../../host/config/mapping.ts';
import type { DecodedEvent } from '../../../host/match/event.ts';
import { compilePrompt, promptData, renderPrompt } from '../../../host/match/prompt.ts';

const MAPPING: Mapping = {
  eventSource: 'kubernetes',
  eventType: 'pod-restart',
  internalType: 'PodRestart',
  description: '',
  severity: 'warning',
  tags: { category: 'reliability', team: 'of the mapping' },
  enabled: true,
};

const EVENT: DecodedEvent = {
  resourceName: 'api',
  message: 'Back-off',
  namespace: 'shop',
  reason: 'BackOff',
  timestamp: '2026-01-02T03:04:05.678+02:00',
  metadata: { count: 3 },
  tags: { team: 'pay' },
};

function render(source: string, event: DecodedEvent = EVENT, maxLength = 10_000): string {
  const data = promptData(event, { source: 'kubernetes', type: 'pod-restart', mapping: MAPPING, receivedAt: 0 });
  return renderPrompt(compilePrompt(source), data, { eventType: 'PodRestart', maxLength }).text;
}

/** Without the lines that follow every prompt. */
function head(source: string, event: DecodedEvent = EVENT, maxLength = 10_000): string {
  return render(source, event, maxLength).split('\nNamespace: ')[0] ?? '';
}

test('prompt: every name of an event is there', () => {
  const names =
    'EventType ResourceName Namespace Reason Message EventMessage Timestamp EventTime Source Severity InternalType';
  const source = names
    .split(' ')
    .map((name) => `{{.${name}}}`)
    .join('|');
  assert.equal(
    head(source),
    'PodRestart|api|shop|BackOff|Back-off|Back-off|2026-01-02T03:04:05+02:00|2026-01-02T03:04:05+02:00|kubernetes|warning|PodRestart',
  );
  assert.equal(head('{{.Metadata.count}} {{.Tags.team}} {{.Tags.category}}'), '3 pay reliability');
  assert.equal(
    head('{{.Event.Type}} {{.Event.ResourceName}} {{.Event.Metadata.count}} {{.Event.Source}}'),
    'pod-restart api 3 kubernetes',
  );
});

test('prompt: namespace, reason and message follow it, each if there is one', () => {
  assert.equal(render('Look.'), 'Look.\nNamespace: shop\nReason: BackOff\nMessage: Back-off');
  assert.equal(render('Look.', { resourceName: 'x', message: 'm' }), 'Look.\nMessage: m');
});

test('prompt: an event without a time has the time it was received', () => {
  assert.equal(head('{{.EventTime}}', { resourceName: 'x', message: 'm' }).split('\n')[0], '1970-01-01T00:00:00Z');
});

test('prompt: an unknown name stays as it is, a missing key is <no value>', () => {
  assert.equal(
    head('{{.Foo}} {{ .Foo.Bar }} {{$.Foo}} {{.Metadata.foo}}'),
    '{{.Foo}} {{ .Foo.Bar }} {{$.Foo}} <no value>',
  );
  assert.equal(head('{{with .Metadata}}{{.Foo}}{{end}}'), '<no value>');
});

test('prompt: an unknown name inside an expression is a problem with a place', () => {
  const { template, problem } = compilePrompt('a\n{{if .Foo}}x{{end}}');
  assert.equal(template, null);
  assert.match(problem ?? '', /^2:6: unknown field \.Foo; an event has EventType, ResourceName/);
});

test('prompt: a broken template goes out as its raw text, with the problem', () => {
  const data = promptData(EVENT, { source: 'k', type: 't', mapping: MAPPING, receivedAt: 0 });
  const rendered = renderPrompt(compilePrompt('{{if}} {{.Reason}}'), data, { eventType: 't', maxLength: 1_000 });
  assert.equal(rendered.text.split('\n')[0], '{{if}} {{.Reason}}');
  assert.match(rendered.problem ?? '', /^1:5: missing value for if/);
  const unfit = renderPrompt(compilePrompt('{{index .Metadata 1}}'), data, { eventType: 't', maxLength: 1_000 });
  assert.equal(unfit.text.split('\n')[0], '{{index .Metadata 1}}');
  assert.match(unfit.problem ?? '', /^1:3: a map has string keys/);
});

test('prompt: event text is never expanded again', () => {
  const event = { ...EVENT, message: '{{.Reason}} {{if .Yes}}', resourceName: '{{.Message}}' };
  assert.equal(head('{{.Message}} {{.ResourceName}}', event), '{{.Reason}} {{if .Yes}} {{.Message}}');
});

test('prompt: each field is cut at its cap with a mark', () => {
  const event = {
    ...EVENT,
    message: 'm'.repeat(9_000),
    reason: 'r'.repeat(2_000),
    metadata: { list: ['v'.repeat(1_500)] },
  };
  const text = head('{{.Message}}\n{{.Reason}}\n{{index .Metadata.list 0}}', event, 100_000).split('\n');
  assert.equal(text[0], `${'m'.repeat(8_192)}… [cut, 808 characters more]`);
  assert.equal(text[1], `${'r'.repeat(1_024)}… [cut, 976 characters more]`);
  assert.equal(text[2], `${'v'.repeat(1_024)}… [cut, 476 characters more]`);
});

test('prompt: a character is not cut in halves', () => {
  const text = head('{{.Reason}}', { ...EVENT, reason: `${'r'.repeat(1_023)}😀 and more` });
  assert.ok(text.isWellFormed());
  assert.ok(text.startsWith(`${'r'.repeat(1_023)}… [cut, `));
  assert.ok(render('a😀', EVENT, 2).isWellFormed());
});

test('prompt: the rendered part is cut at its length, the lines after it stay', () => {
  const text = render('{{range 100}}0123456789{{end}}', EVENT, 300);
  assert.ok(text.startsWith(`${'0123456789'.repeat(30)}… [cut at 300 characters]\nNamespace: shop\n`), text);
});

test('prompt: keys of data mean nothing but themselves', () => {
  const metadata = JSON.parse('{"__proto__":{"polluted":"yes"},"a":"b"}') as Record<string, unknown>;
  const tags = JSON.parse('{"__proto__":"tag"}') as Record<string, string>;
  const text = head('{{.Metadata.polluted}} {{.Metadata.a}} {{.Tags.__proto__}}', { ...EVENT, metadata, tags });
  assert.equal(text, '<no value> b tag');
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('prompt: deep metadata is cut, not walked', () => {
  const metadata = { deep: JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown };
  assert.equal(head('{{.ResourceName}}', { ...EVENT, metadata }), 'api');
});
