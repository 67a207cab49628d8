/** From evidence to findings. What is a cause stands before what follows from it: the first finding is where to begin. Pure. */

import { agentFindings, deadLetterFindings } from './agent-findings.ts';
import { clusterFindings, leaderFindings } from './cluster-findings.ts';
import { configFindings } from './config-findings.ts';
import { denialFindings } from './denial-findings.ts';
import { budgetFindings, eventFindings, rateFindings, refusedFindings } from './event-findings.ts';
import type { Evidence } from './evidence.ts';
import type { Finding, Severity } from './finding.ts';
import {
  ledgerFindings,
  resourceFindings,
  restartFindings,
  storageFindings,
  unreadyFindings,
} from './host-findings.ts';
import { pluginFindings, wellbeingFindings } from './plugin-findings.ts';
import { ruleFindings } from './rule-findings.ts';

const EXAMINERS: readonly ((evidence: Evidence) => Finding[])[] = [
  restartFindings,
  storageFindings,
  ledgerFindings,
  configFindings,
  clusterFindings,
  pluginFindings,
  wellbeingFindings,
  denialFindings,
  ruleFindings,
  agentFindings,
  eventFindings,
  refusedFindings,
  deadLetterFindings,
  resourceFindings,
  budgetFindings,
  rateFindings,
  leaderFindings,
];
const RANKS: readonly Severity[] = ['problem', 'warning', 'note'];

/** Problems first, then warnings, then notes; among those, causes before what follows from them. The same thing is told once. */
export function examine(evidence: Evidence): Finding[] {
  const found = EXAMINERS.flatMap((examiner) => examiner(evidence));
  const findings = found.some(({ severity }) => severity === 'problem')
    ? found
    : [...unreadyFindings(evidence), ...found];
  const told = new Map(findings.map((finding) => [`${finding.code} ${finding.subject} ${finding.problem}`, finding]));
  return [...told.values()].sort((a, b) => RANKS.indexOf(a.severity) - RANKS.indexOf(b.severity));
}
