/** No host answers: what on this machine keeps it from running? Reads what `khook run` would read, and runs nothing. */

import { createConnection } from 'node:net';
import { configFindings } from '../doctor/config-findings.ts';
import { type Finding, problem } from '../doctor/finding.ts';
import type { Invocation } from './command.ts';
import type { DoctorAnswer } from './doctor-ask.ts';
import { readConfiguration } from './read-configuration.ts';

const CONNECT_MS = 1_000;

type Silence = Exclude<DoctorAnswer<unknown>, { kind: 'ok' }>;

export async function whyNoHost(url: string, silence: Silence, invocation: Invocation): Promise<Finding[]> {
  if (silence.kind === 'stalled') return [stalled(url, silence.ms)];
  const { environment, environmentProblems, config, problems } = await readConfiguration(invocation);
  const none = { brokenFiles: [], deferred: [] };
  const written = config.problems.concat(problems);
  return [
    // With one of these khook refuses to start.
    ...configFindings({ ...none, problems: environmentProblems }),
    ...(await portFindings({ metrics: environment.metricsPort, health: environment.healthPort })),
    unreachable(url, silence),
    ...configFindings({ ...none, problems: written }),
  ];
}

function stalled(url: string, ms: number): Finding {
  return problem({
    code: 'HOST_STALLED',
    subject: url,
    problem: `khook at ${url} takes connections and has not answered for ${ms / 1_000} s.`,
    cause: 'Its own thread is busy or held up; the liveness probe has it started anew if that lasts.',
    fix: 'Look at its log and at its CPU; a CPU profile says what it does.',
    paste: 'go tool pprof http://localhost:6060/debug/pprof/profile\nkubectl logs deployment/khook --previous',
  });
}

function unreachable(url: string, silence: Silence): Finding {
  const cause = 'cause' in silence ? silence.cause : '';
  return problem({
    code: 'HOST_UNREACHABLE',
    subject: url,
    problem: silence.kind === 'stranger' ? `Whatever answers at ${url} is no khook.` : `No khook answers at ${url}.`,
    evidence: [cause],
    cause: 'It does not run, it has just been started, or it listens elsewhere.',
    fix: "Start it with 'khook run', name its loopback port with --url, or bring it here from a pod:",
    paste: 'kubectl port-forward -n kagent deployment/khook 6060:6060',
  });
}

/** Ports that khook would want, and somebody else has. */
async function portFindings(ports: Readonly<Record<string, number>>): Promise<Finding[]> {
  const taken = await Promise.all(
    Object.entries(ports).map(async ([name, port]) => ((await isKhook(port)) ? null : { name, port })),
  );
  return taken.flatMap((each) =>
    each === null
      ? []
      : problem({
          code: 'PORT_TAKEN',
          subject: `port ${each.port}`,
          problem: `Somebody else listens on port ${each.port}, which khook wants for ${each.name}.`,
          cause: 'khook does not start without its ports.',
          fix: `End whoever has it, or give khook another one (--${each.name}-port).`,
          paste: `ss -ltnp 'sport = :${each.port}'`,
        }),
  );
}

/** Or nobody. */
async function isKhook(port: number): Promise<boolean> {
  if (!(await isTaken(port))) return true;
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(CONNECT_MS) });
    const text = await answer.text();
    return text.includes('khook') || text.includes('/healthz');
  } catch {
    return false;
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1', timeout: CONNECT_MS });
    const settle = (taken: boolean) => () => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', settle(true)).once('timeout', settle(false)).once('error', settle(false));
  });
}
