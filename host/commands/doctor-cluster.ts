/** The doctor from a laptop: looks at khook's pods by way of the API server, with the rights of whoever asks, and lets them speak for themselves. */

import { systemClock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import { findConnection } from '../cluster/connection.ts';
import { KhookPods } from '../cluster/khook-pods.ts';
import { LEADER_LABEL } from '../cluster/leader-label.ts';
import { readEnvironment } from '../config/environment.ts';
import { type Finding, problem, warning } from '../doctor/finding.ts';
import { isReady, type PodObject, podFindings } from '../doctor/pod-findings.ts';
import type { DoctorReport } from '../http/doctor-report.ts';
import { khookVersion } from './version.ts';

const METRICS_PORT = 8080;

export interface ClusterVisit {
  readonly report: DoctorReport;
  /** Where it was looked. */
  readonly place: string;
}

export async function visitCluster(namespace: string): Promise<ClusterVisit> {
  const search = await findConnection(readEnvironment().environment.variables);
  if (search.kind === 'none') return visited(`namespace ${namespace}`, [noConnection(search.reason)]);
  const { connection } = search;
  const place = `namespace ${namespace} of ${connection.server}`;
  const source = { connection, problem: null, renew: async () => connection };
  using pods = new KhookPods({ source, clock: systemClock, namespace });
  let found: readonly PodObject[];
  try {
    found = await pods.list<PodObject>();
  } catch (error) {
    return visited(place, [noAnswer(messageOf(error), namespace)]);
  }
  const outside = podFindings(found, namespace);
  const asked = askable(found);
  if (asked === undefined) return visited(place, outside);
  const { name } = asked.metadata;
  try {
    const report = await pods.ask<DoctorReport>({ pod: name, port: portOf(asked), path: '/api/v1/doctor' });
    return visited(`pod ${namespace}/${name}`, [...outside, ...(report.findings as readonly Finding[])], report);
  } catch (error) {
    return visited(place, [...outside, notAsked(messageOf(error), { namespace, name })]);
  }
}

/** Who leads knows most. */
function askable(pods: readonly PodObject[]): PodObject | undefined {
  const ready = pods.filter(isReady);
  return ready.find(({ metadata }) => metadata.labels?.[LEADER_LABEL] === 'true') ?? ready[0];
}

function portOf({ spec }: PodObject): number {
  const ports = (spec?.containers ?? []).flatMap(({ ports: all = [] }) => all);
  return ports.find(({ name }) => name === 'metrics')?.containerPort ?? METRICS_PORT;
}

function visited(place: string, findings: readonly Finding[], report?: DoctorReport): ClusterVisit {
  const { version = khookVersion(), at = new Date(systemClock.wall()).toISOString() } = report ?? {};
  return { place, report: { version, at, findings } };
}

function noConnection(reason: string): Finding {
  return problem({
    code: 'CONNECTION',
    subject: 'cluster',
    problem: 'There is no connection to a cluster from here.',
    evidence: [reason],
    fix: 'Set KUBECONFIG; without --cluster the doctor asks a host on this machine.',
  });
}

function noAnswer(reason: string, namespace: string): Finding {
  return problem({
    code: 'API_SERVER',
    subject: 'API server',
    problem: `The pods of namespace ${namespace} cannot be listed.`,
    evidence: [reason],
    fix: 'Look whether the API server answers, and whether you may list pods there:',
    paste: `kubectl auth can-i list pods -n ${namespace}`,
  });
}

function notAsked(reason: string, { namespace, name }: { readonly namespace: string; readonly name: string }): Finding {
  return warning({
    code: 'HOST_UNREACHABLE',
    subject: `pod ${namespace}/${name}`,
    problem: `Pod ${name} could not be asked by way of the API server.`,
    evidence: [reason],
    cause: 'That takes the right to get pods/proxy, and a NetworkPolicy that lets the API server reach port 8080.',
    fix: 'Ask it in another way:',
    paste: `kubectl exec -n ${namespace} ${name} -- khook doctor`,
  });
}
