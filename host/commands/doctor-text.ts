/** Findings for a person at a terminal. Pure. */

import type { DoctorReport } from '../http/doctor-report.ts';

type Finding = DoctorReport['findings'][number];

const INDENT = '   ';

export function reportText({ version, at, findings }: DoctorReport, url: string): string {
  const head = `khook ${version} at ${url}, ${at}: ${countText(findings)}\n`;
  return [head, ...findings.map((finding, n) => findingText(finding, n + 1))].join('\n');
}

function countText(findings: readonly Finding[]): string {
  const words = (['problem', 'warning', 'note'] as const).flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`];
  });
  return words.length === 0 ? 'nothing is wrong.' : words.join(', ');
}

function findingText({ code, severity, problem, evidence, cause, fix, paste }: Finding, n: number): string {
  const lines = [
    `${n}. ${severity.toUpperCase()} ${problem} [${code}]`,
    ...evidence.map((seen) => `${INDENT}seen:  ${seen.replaceAll('\n', `\n${INDENT}       `)}`),
    ...(cause === '' ? [] : [`${INDENT}cause: ${cause}`]),
    `${INDENT}fix:   ${fix}`,
    ...(paste === ''
      ? []
      : paste
          .trimEnd()
          .split('\n')
          .map((line) => `${INDENT}    ${line}`)),
  ];
  return `${lines.join('\n')}\n`;
}
