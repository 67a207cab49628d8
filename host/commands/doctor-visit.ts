/** Asks a running host what is wrong with it; where none answers, looks for the reason in what is on this machine. */

import { systemClock } from '../../ipc/clock.ts';
import type { DoctorReport } from '../http/doctor-report.ts';
import { flagText, type Invocation } from './command.ts';
import { askHost } from './doctor-ask.ts';
import { writeBundle } from './doctor-bundle.ts';
import { visitCluster } from './doctor-cluster.ts';
import { whyNoHost } from './doctor-offline.ts';
import { reportText } from './doctor-text.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { hostUrl } from './host-client.ts';
import { khookVersion } from './version.ts';

type Findings = DoctorReport['findings'];

export async function visit(invocation: Invocation): Promise<ExitCode> {
  const url = hostUrl(invocation);
  const bundle = flagText(invocation, 'bundle');
  const isRemote = invocation.flags.cluster === true;
  if (isRemote && bundle !== null) {
    const advice = 'kubectl exec -n kagent deployment/khook -- khook doctor --bundle - > khook.tgz';
    invocation.stderr(
      `khook doctor: --bundle needs the loopback port of a host, which --cluster does not reach: ${advice}\n`,
    );
    return EXIT_CODES.USAGE;
  }
  const { report, place } = isRemote
    ? await visitCluster(flagText(invocation, 'namespace') ?? 'kagent')
    : { report: await visitHost(url, invocation), place: url };
  // An archive that goes to standard output is not to be mixed with words.
  const say = bundle === '/dev/stdout' || bundle === '-' ? invocation.stderr : invocation.stdout;
  if (invocation.flags.json === true) say(`${JSON.stringify({ place, ...report }, null, 2)}\n`);
  else say(reportText(report, place));
  if (bundle !== null) {
    const fault = await writeBundle(bundle, { url, report });
    if (fault !== '') {
      invocation.stderr(`khook doctor: ${fault}\n`);
      return EXIT_CODES.FAILED;
    }
    if (bundle !== '-' && bundle !== '/dev/stdout')
      invocation.stderr(`Written to ${bundle}; secrets are taken out, look at it before you send it.\n`);
  }
  return exitCodeOf(report.findings);
}

async function visitHost(url: string, invocation: Invocation): Promise<DoctorReport> {
  const answer = await askHost<DoctorReport>(url, '/api/v1/doctor');
  if (answer.kind === 'ok') return answer.value;
  const at = new Date(systemClock.wall()).toISOString();
  return { version: khookVersion(), at, findings: await whyNoHost(url, answer, invocation) };
}

/** As monitoring systems have it: 0 all is well, 1 warnings, 2 something is wrong. Notes are no reason to worry. */
function exitCodeOf(findings: Findings): ExitCode {
  if (findings.some(({ severity }) => severity === 'problem')) return EXIT_CODES.PROBLEM;
  return findings.some(({ severity }) => severity === 'warning') ? EXIT_CODES.WARNING : EXIT_CODES.OK;
}
