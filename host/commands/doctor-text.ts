/** Findings for a person at a terminal. Pure. */

import type { DoctorReport } from '../http/doctor-report.ts';
import { plain } from './text-table.ts';

type Finding = DoctorReport['findings'][number];

const INDENT = '   ';

export function reportText({ version, at, findings }: DoctorReport, url: string): string {
  const head = `khook ${version} at ${url}, ${at}: ${countText(findings)}\n`;
  const told = findings.map((finding) => ({ ...finding, paste: atUrl(finding.paste, url) }));
  return [head, ...told.map((finding, n) => findingText(finding, n + 1))].join('\n');
}

/** What the host tells to paste names the port that it has by default; who asked reached it elsewhere. */
function atUrl(paste: string, url: string): string {
  return URL.canParse(url) ? paste.replaceAll('localhost:6060', new URL(url).host) : paste;
}

function countText(findings: readonly Finding[]): string {
  const words = (['problem', 'warning', 'note'] as const).flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`];
  });
  return words.length === 0 ? 'nothing is wrong.' : words.join(', ');
}

/** Plugins, agents and events speak in findings: nothing that a terminal would obey. */
function safeLines(text: string): string[] {
  return text.trimEnd().split('\n').map(plain);
}

function findingText({ code, severity, problem, evidence, cause, fix, paste }: Finding, n: number): string {
  const lines = [
    `${n}. ${severity.toUpperCase()} ${safeLines(problem).join(' ')} [${code}]`,
    ...evidence.map((seen) => `${INDENT}seen:  ${safeLines(seen).join(`\n${INDENT}       `)}`),
    ...(cause === '' ? [] : [`${INDENT}cause: ${safeLines(cause).join(' ')}`]),
    `${INDENT}fix:   ${safeLines(fix).join(' ')}`,
    ...(paste === '' ? [] : safeLines(paste).map((line) => `${INDENT}    ${line}`)),
  ];
  return `${lines.join('\n')}\n`;
}
