/** What is wrong with khook itself and what it stands on: storage, memory, threads, the ledger. Pure. */

import type { Evidence } from './evidence.ts';
import { type Finding, problem, warning } from './finding.ts';
import { megabytes, percent, span } from './words.ts';

const DISK_FREE_SHARE = 0.05;
const DISK_FREE_BYTES = 64 * 1024 * 1024;
const MEMORY_SHARE = 0.9;
/** What is longer past is history. */
const RESTARTED_MS = 15 * 60_000;

export function storageFindings({ outbox, host: { disk } }: Evidence): Finding[] {
  const findings: Finding[] = [];
  if (outbox.fault !== null)
    findings.push(
      problem({
        code: 'STORAGE',
        subject: 'outbox',
        problem: 'The outbox cannot be written, so no event is acknowledged and all sources wait.',
        evidence: [outbox.fault, ...noFilesLeft(disk)],
        fix: 'Do what the evidence says; khook tries again by itself, and nothing that was acknowledged is lost meanwhile.',
      }),
    );
  else if (outbox.isFull)
    findings.push(
      problem({
        code: 'STORAGE_FULL',
        subject: 'outbox',
        problem: `The outbox holds ${outbox.firings} firings, which is all it may; sources wait for room.`,
        cause: 'Agents take less than the sources send.',
        fix: 'Look at the agents first; raise settings.delivery.queueLimit if they are well and only slow.',
      }),
    );
  if (disk !== null && isNearlyFull(disk))
    findings.push(
      warning({
        code: 'DISK',
        subject: disk.directory,
        problem: `The disk of the data directory has ${megabytes(disk.freeBytes)} left of ${megabytes(disk.totalBytes)}.`,
        cause: 'When it is full, the outbox cannot be written and all sources wait.',
        fix: 'Make room there, or give khook a larger volume (value data.size of the chart).',
        paste: `df -h ${disk.directory}`,
      }),
    );
  return findings;
}

/** Space is not all that a disk can run out of. */
function noFilesLeft(disk: Evidence['host']['disk']): string[] {
  if (disk === null || disk.totalFiles === 0 || disk.freeFiles > 0) return [];
  return [
    `The volume of ${disk.directory} has ${megabytes(disk.freeBytes)} left, and no room for one more file (df -i): delete files there.`,
  ];
}

function isNearlyFull({ freeBytes, totalBytes }: { readonly freeBytes: number; readonly totalBytes: number }): boolean {
  return freeBytes < Math.min(DISK_FREE_BYTES, totalBytes * DISK_FREE_SHARE);
}

/** Where no other finding is a problem: readiness knows of one. */
export function unreadyFindings({ unready }: Evidence): Finding[] {
  return unready.map(({ name, detail }) =>
    problem({
      code: 'NOT_READY',
      subject: `check ${name}`,
      problem: `khook is not ready: ${name}: ${detail}.`,
      cause: 'A pod that is not ready gets no traffic from its Services.',
      fix: 'The detail says what is missing; the log has it from the moment on when it began.',
      paste: 'curl -s localhost:8081/readyz',
    }),
  );
}

export function ledgerFindings({ ledger }: Evidence): Finding[] {
  if (ledger.residual === 0) return [];
  return [
    problem({
      code: 'RESIDUAL',
      subject: 'ledger',
      problem: `${ledger.residual} events have no outcome and are not on their way either.`,
      evidence: [`received ${ledger.received}, restored ${ledger.restored}, in flight ${ledger.inFlight}`],
      fix: 'This is a fault of khook: please report it with what khook doctor --bundle writes.',
      paste: 'khook doctor --bundle khook-bundle.tgz',
    }),
  ];
}

export function resourceFindings({ host }: Evidence): Finding[] {
  const { residentBytes, memoryLimitBytes, zombieThreads, logLinesLost } = host;
  const findings: Finding[] = [];
  if (memoryLimitBytes !== null && residentBytes > MEMORY_SHARE * memoryLimitBytes)
    findings.push(
      warning({
        code: 'HOST_MEMORY',
        subject: 'khook',
        problem: `khook holds ${megabytes(residentBytes)}, ${percent(residentBytes / memoryLimitBytes)} of the memory that its container may use.`,
        cause: 'Past the limit the kernel ends the whole process.',
        fix: 'Raise resources.limits.memory of the chart, or give plugins lower limits.memoryMb; khook plugin list shows who holds what.',
      }),
    );
  if (zombieThreads > 0)
    findings.push(
      warning({
        code: 'HOST_THREADS',
        subject: 'khook',
        problem: `${zombieThreads} ${zombieThreads === 1 ? 'thread was' : 'threads were'} ended and ${zombieThreads === 1 ? 'is' : 'are'} still there.`,
        cause:
          'Native code or a system call of a plugin holds on to them; too many of them, and khook is started anew.',
        fix: 'Run that plugin in a process of its own: isolation: process in plugins.yaml.',
      }),
    );
  if (logLinesLost > 0)
    findings.push(
      warning({
        code: 'HOST_LOGS_LOST',
        subject: 'log',
        problem: `${logLinesLost} lines of the log were lost, because whoever reads standard output is too slow.`,
        fix: 'Lower LOG_LEVEL, or the debug setting of a plugin that says much.',
      }),
    );
  return findings;
}

/** By the keeper's word. Events that were on their way are in the outbox; what the trail knew is gone. */
export function restartFindings({ restart, at }: Evidence): Finding[] {
  if (restart === null || at - restart.at > RESTARTED_MS) return [];
  const { why, isPluginsApart } = restart;
  return [
    warning({
      code: 'HOST_RESTARTED',
      subject: 'khook',
      problem: `khook's host was started again ${span(at - restart.at)} ago: the one before ${why}.`,
      evidence: isPluginsApart ? ['It was not the first: every plugin runs in a process of its own since.'] : [],
      cause: /SIGKILL/.test(why)
        ? 'The kernel ends a process so that takes more memory than there is; somebody may have done it too.'
        : '',
      fix: 'The log has the last words of the host before; what it knew of earlier events is gone, firings are not.',
      paste: /SIGKILL/.test(why)
        ? "dmesg | grep -i 'out of memory'\nkubectl describe pod -n kagent -l app.kubernetes.io/name=khook   # Last State, Reason"
        : `kubectl logs deployment/khook | grep '"name":"keeper"'   # without a cluster: the output of khook run`,
    }),
  ];
}
