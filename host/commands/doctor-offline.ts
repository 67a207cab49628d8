/** No host answers: what on this machine keeps it from running? Reads what `khook run` would read, and runs nothing. */

import type { AppOptions } from '../app-options.ts';
import type { LoadedConfig } from '../config/loaded-config.ts';
import { configFindings } from '../doctor/config-findings.ts';
import { type Finding, problem } from '../doctor/finding.ts';
import { missingOf } from '../doctor/probes.ts';
import type { Invocation } from './command.ts';
import type { DoctorAnswer } from './doctor-ask.ts';
import { holderOf, isLoopback, portOf, takenPort, type WantedPort } from './doctor-ports.ts';
import { type ReadConfiguration, readConfiguration } from './read-configuration.ts';
import { readRunOptions } from './run-options.ts';
import { khookVersion } from './version.ts';

type Silence = Exclude<DoctorAnswer<unknown>, { kind: 'ok' }>;

interface PortsSeen {
  readonly findings: readonly Finding[];
  /** Where another khook answers; null: nowhere. */
  readonly khookAt: number | null;
}

const METRICS = 'metrics';
const PROFILE = 'go tool pprof http://localhost:6060/debug/pprof/profile\nkubectl logs deployment/khook --previous';
const NO_PORTS: PortsSeen = { findings: [], khookAt: null };

export async function whyNoHost(url: string, silence: Silence, invocation: Invocation): Promise<Finding[]> {
  if (silence.kind === 'stalled') return [stalled(url, silence.ms)];
  const read = await readConfiguration(invocation);
  const { environment, environmentProblems, config, problems, wantedFiles } = read;
  const none = { brokenFiles: [], deferred: [] };
  const options = readRunOptions(invocation, environment, khookVersion());
  const own = typeof options === 'string' ? NO_PORTS : await portFindings(ownPorts(url, silence, options));
  // Where another khook has them, the ports of agents and plugins are most likely its own.
  const isAlone = own.khookAt === null && typeof options !== 'string';
  const agent = await portFindings(isAlone ? agentPorts(options) : []);
  const plugins = await portFindings(isAlone ? pluginPorts(config) : []);
  return [
    // With one of these khook refuses to start.
    ...configFindings({ ...none, problems: environmentProblems }),
    ...(typeof options === 'string' ? [refused(options)] : []),
    ...electionFindings(read),
    ...own.findings,
    ...agent.findings,
    unreachable(url, silence, own.khookAt),
    ...configFindings({ ...none, problems: config.problems.concat(problems), missingFiles: missingOf(wantedFiles) }),
    ...plugins.findings,
  ];
}

function refused(why: string): Finding {
  return problem({
    code: 'CONFIG_INVALID',
    subject: 'command line',
    problem: `${why}.`,
    cause: 'khook does not start so.',
    fix: 'Correct that flag.',
  });
}

/** Without these khook does not start. */
function ownPorts(url: string, silence: Silence, { ports }: AppOptions): WantedPort[] {
  const port = portOf(url);
  // That a stranger answers there is told with the question itself.
  const isAdmin = silence.kind === 'unreachable' && port !== null && isLoopback(url);
  return [
    { port: ports.metrics, whose: METRICS, fix: flagFix('metrics') },
    { port: ports.health, whose: 'health', fix: flagFix('health') },
    ...(isAdmin ? [{ port, whose: 'what changes something (admin)', fix: flagFix('admin') }] : []),
  ];
}

function flagFix(flag: string): string {
  return `End whoever has it, or give khook another one (--${flag}-port).`;
}

/** The embedded agent serves where no other is named. */
function agentPorts({ agent }: AppOptions): WantedPort[] {
  if (agent.kind !== 'embedded') return [];
  const fix =
    'End whoever has it, or give the embedded agent another one (--agent-port). If that is the agent to be called, name it with --agent-url: then there is no embedded one.';
  return [{ port: agent.port, whose: 'its embedded agent', fix }];
}

function pluginPorts({ plans }: LoadedConfig): WantedPort[] {
  return plans.flatMap((plan) =>
    plan.kind !== 'run'
      ? []
      : plan.spec.permissions.net.listen.map((port) => ({
          port,
          whose: `plugin ${plan.name}`,
          cause: 'khook starts, and this plugin does not.',
          fix: `End whoever has it, or give ${plan.name} another port in plugins.yaml (config.port, and the Service that leads there).`,
        })),
  );
}

async function portFindings(wanted: readonly WantedPort[]): Promise<PortsSeen> {
  const seen = await Promise.all(wanted.map(async (each) => ({ each, holder: await holderOf(each.port) })));
  // The health port does not answer the doctor.
  const khook = seen.find(({ holder, each }) => holder === 'khook' && each.whose === METRICS);
  // One whose metrics are elsewhere is in the way like anybody else.
  const others = seen.filter(({ holder }) => holder === 'stranger' || (holder === 'khook' && khook === undefined));
  const findings = others.map(({ each }) => takenPort(each));
  return { findings, khookAt: khook?.each.port ?? null };
}

/** khook says so and leaves. */
function electionFindings({ environment, connectionProblem }: ReadConfiguration): Finding[] {
  if (!environment.leaderElection || connectionProblem === null) return [];
  return [
    problem({
      code: 'CONNECTION',
      subject: 'cluster',
      problem: 'LEADER_ELECTION is true, and there is no cluster to hold an election in.',
      evidence: [connectionProblem],
      cause: 'khook does not start so.',
      fix: 'Set LEADER_ELECTION to false where khook is alone, or give it a connection to the cluster.',
    }),
  ];
}

function stalled(url: string, ms: number): Finding {
  return problem({
    code: 'HOST_STALLED',
    subject: url,
    problem: `khook at ${url} takes connections and has not answered for ${ms / 1_000} s.`,
    cause:
      'Its own thread is busy or held up; the liveness probe has it started anew if that lasts. Or somebody else listens there.',
    fix: 'Look who listens there. If it is khook, look at its log and at its CPU; a CPU profile says what it does.',
    paste: `ss -ltnp 'sport = :${portOf(url)}'\n${PROFILE}`,
  });
}

function unreachable(url: string, silence: Silence, khookAt: number | null): Finding {
  const told = { code: 'HOST_UNREACHABLE', subject: url } as const;
  const evidence = ['cause' in silence ? silence.cause : ''];
  if (khookAt !== null)
    return problem({
      ...told,
      problem: `No khook answers at ${url}, but one has port ${khookAt}.`,
      evidence,
      cause: 'Its loopback port is another one.',
      fix: 'Ask it there:',
      paste: `khook doctor --url http://127.0.0.1:${khookAt}`,
    });
  if (silence.kind === 'stranger' && isLoopback(url))
    return problem({
      ...told,
      problem: `Whatever answers at ${url} is no khook.`,
      evidence,
      cause: 'khook does not start while somebody else has its loopback port, unless it is given another one.',
      fix: 'End whoever has it, or start khook with another --admin-port and name that with --url.',
      paste: `ss -ltnp 'sport = :${portOf(url)}'`,
    });
  return problem({
    ...told,
    problem: silence.kind === 'stranger' ? `Whatever answers at ${url} is no khook.` : `No khook answers at ${url}.`,
    evidence,
    cause: 'It does not run, it has just been started, or it listens elsewhere.',
    fix: "Start it with 'khook run', name its loopback port with --url, or bring it here from a pod:",
    paste: 'kubectl port-forward -n kagent deployment/khook 6060:6060',
  });
}
