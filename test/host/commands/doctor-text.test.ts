import assert from 'node:assert/strict';
import { it } from 'node:test';
import { reportText } from '../../../host/commands/doctor-text.ts';
import { problem } from '../../../host/doctor/finding.ts';

it('names the port that was asked', () => {
  const finding = problem({
    code: 'PLUGIN_CPU',
    subject: 'plugin x',
    problem: 'It is busy.',
    fix: 'Look:',
    paste: 'curl -s localhost:6060/api',
  });
  const report = { version: '1.0.0', at: '2026-03-01T03:00:00.000Z', findings: [finding] };
  assert.match(reportText(report, 'http://127.0.0.1:16060'), /curl -s 127\.0\.0\.1:16060\/api/);
  assert.match(reportText(report, 'namespace kagent of https://api'), /curl -s localhost:6060\/api/);
});

it('prints what others have written, and lets no terminal obey it', () => {
  const finding = problem({
    code: 'EVENT_INVALID',
    subject: 'plugin x',
    problem: 'It sent \u001b[2J\u202ebad.',
    evidence: ['line one\nline two\u001b]0;title\u0007'],
    cause: 'A bug.',
    fix: 'Mend it:',
    paste: 'a: 1\nb: \u001b[31m2\n',
  });
  const text = reportText({ version: '1.0.0', at: '2026-03-01T03:00:00.000Z', findings: [finding] }, 'here');
  assert.equal(
    text,
    [
      'khook 1.0.0 at here, 2026-03-01T03:00:00.000Z: 1 problem',
      '',
      '1. PROBLEM It sent \\u001b[2J\\u202ebad. [EVENT_INVALID]',
      '   seen:  line one',
      '          line two\\u001b]0;title\\u0007',
      '   cause: A bug.',
      '   fix:   Mend it:',
      '       a: 1',
      '       b: \\u001b[31m2',
      '',
    ].join('\n'),
  );
});
