/** What the cluster says of khook's own pods, for whoever looks from outside. Pure. */

import { type Finding, problem, warning } from './finding.ts';

/** Of a Pod, what is read of it. */
export interface PodObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly containers?: readonly {
      readonly name: string;
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: Reason; readonly terminated?: Reason };
  readonly lastState?: { readonly terminated?: Reason };
}

interface Reason {
  readonly reason?: string;
  readonly message?: string;
  readonly exitCode?: number;
}

export function podFindings(pods: readonly PodObject[], namespace: string): Finding[] {
  if (pods.length > 0) return pods.flatMap((pod) => onePod(pod, namespace));
  return [
    problem({
      code: 'POD_MISSING',
      subject: `namespace ${namespace}`,
      problem: `There is no pod of khook in namespace ${namespace}.`,
      cause:
        'It is not installed there, is scaled to nothing, or its pods may not be made (a quota, an admission webhook).',
      fix: 'Name its namespace with --namespace, or look at its Deployment:',
      paste: `kubectl get deployments,replicasets -A -l app.kubernetes.io/name=khook\nkubectl describe replicaset -n ${namespace} -l app.kubernetes.io/name=khook`,
    }),
  ];
}

export function isReady({ status }: PodObject): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
}

function onePod(pod: PodObject, namespace: string): Finding[] {
  const { name } = pod.metadata;
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const killed = statuses.filter(({ lastState, state }) =>
    [lastState?.terminated, state?.terminated].some((end) => end?.reason === 'OOMKilled'),
  );
  const findings: Finding[] = [];
  if (!isReady(pod))
    findings.push(
      problem({
        code: 'POD_FAILING',
        subject: `pod ${namespace}/${name}`,
        problem: `Pod ${name} of khook is not ready.`,
        evidence: signs(pod, statuses),
        fix: 'Look at what the pod says; a bad environment or a taken port stands in the log of its last run.',
        paste: `kubectl describe pod -n ${namespace} ${name}\nkubectl logs -n ${namespace} ${name} --previous`,
      }),
    );
  for (const { name: container, restartCount = 0 } of killed)
    findings.push(
      warning({
        code: 'POD_MEMORY',
        subject: `pod ${namespace}/${name}`,
        problem: `Container ${container} of pod ${name} was killed for its memory; it was restarted ${restartCount} times.`,
        cause: 'Host and plugins together needed more than the limit of the container.',
        fix: 'Raise resources.limits.memory of the chart, or give plugins lower limits.memoryMb.',
        paste: `kubectl top pod -n ${namespace} ${name}`,
      }),
    );
  return findings;
}

function signs({ status }: PodObject, statuses: readonly ContainerStatus[]): string[] {
  const conditions = (status?.conditions ?? []).filter((each) => each.status !== 'True' && each.message !== undefined);
  const waiting = statuses.flatMap(({ name, state, restartCount = 0 }) => {
    const { reason = '', message = '' } = state?.waiting ?? state?.terminated ?? {};
    return reason === ''
      ? []
      : [`container ${name}: ${reason}, restarted ${restartCount} times${message === '' ? '' : `: ${message}`}`];
  });
  return [
    `phase ${status?.phase ?? 'unknown'}`,
    ...waiting,
    ...conditions.map(({ type, message }) => `${type}: ${message}`),
  ];
}
