/** What is wrong between khook and the cluster: the connection, RBAC, the Hooks there, the lease, the clock. Pure. */

import type { ClusterEvidence, Evidence } from './evidence.ts';
import { type Finding, note, problem, warning } from './finding.ts';
import { span } from './words.ts';

const SKEW_MS = 5_000;
/** More than two watches may live: the informer calls its Hooks stale by itself then. */
const LEASE_FIX = 'Look whether the API server answers, and whether the role lets khook get, create and update leases.';

export function clusterFindings({ cluster, at }: Evidence): Finding[] {
  return [
    ...connectionFindings(cluster),
    ...apiServerFindings(cluster),
    ...accessFindings(cluster),
    ...leaseFindings(cluster),
    ...hookSourceFindings(cluster),
    ...clockFindings(cluster, at),
    ...mountFindings(cluster),
  ];
}

function connectionFindings({ connectionProblem, hasHooks }: ClusterEvidence): Finding[] {
  if (connectionProblem === null || !hasHooks) return [];
  return [
    problem({
      code: 'CONNECTION',
      subject: 'cluster',
      problem: 'Hooks are to be read from the cluster, and there is no connection to one.',
      evidence: [connectionProblem],
      fix: /^the kubeconfig /.test(connectionProblem)
        ? 'Mend that kubeconfig as the evidence says, or name another one in KUBECONFIG; kubectl with the same file shows whether it works.'
        : 'Set KUBECONFIG, or run khook in a pod with a service account; --hooks DIR reads Hooks from a folder instead.',
      paste: /^the kubeconfig /.test(connectionProblem) ? 'kubectl config view --minify' : '',
    }),
  ];
}

function apiServerFindings({ reviewProblem }: ClusterEvidence): Finding[] {
  if (reviewProblem === '') return [];
  return [
    problem({
      code: 'API_SERVER',
      subject: 'API server',
      problem: 'The API server of the cluster does not answer as it should.',
      evidence: [reviewProblem],
      cause: 'Hooks stay as they were last read, and what the cluster tells of events comes when it answers again.',
      ...apiServerFix(reviewProblem),
    }),
  ];
}

/** What to look at first, by what the answer was. */
function apiServerFix(problem: string): Pick<Finding, 'fix' | 'paste'> {
  if (/Unauthorized|system:anonymous/.test(problem))
    return {
      fix: 'The API server does not know who khook is: renew the token or the certificate of its kubeconfig; in a pod, look whether the token of its service account is mounted.',
      paste: 'kubectl auth whoami',
    };
  if (/certificate/i.test(problem))
    return {
      fix: 'The certificate of the API server is not signed by the authority that khook was given: correct certificate-authority of the kubeconfig (in a pod, ca.crt of its service account).',
      paste: 'kubectl config view --minify',
    };
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED/.test(problem))
    return {
      fix: 'Nobody answers at that address: correct server in the kubeconfig, or look whether the API server runs and DNS works.',
      paste: 'kubectl config view --minify',
    };
  return {
    fix: 'Look at the API server and at the way there (NetworkPolicy, proxy, certificates, the token of the service account).',
    paste: 'kubectl get --raw /readyz?verbose',
  };
}

function accessFindings({ refused }: ClusterEvidence): Finding[] {
  const byRule = new Map<string, ClusterEvidence['refused'][number][]>();
  for (const each of refused) byRule.set(each.resource, [...(byRule.get(each.resource) ?? []), each]);
  return [...byRule.entries()].flatMap(([resource, all]) => {
    const [first] = all;
    if (first === undefined) return [];
    const verbs = [...new Set(all.map(({ verb }) => verb))];
    const where = first.namespace === '' ? 'in the whole cluster' : `in namespace ${first.namespace}`;
    return problem({
      code: 'RBAC',
      subject: `RBAC for ${resource}`,
      problem: `khook may not ${verbs.join(', ')} ${resource} ${where}.`,
      evidence: all.map(({ message }) => message),
      cause: `Without it ${first.need}.`,
      fix: 'Add this rule to a role that is bound to the service account of khook:',
      paste: [...new Set(all.map(({ rule }) => rule))].join('\n'),
    });
  });
}

function hookSourceFindings({ hasHooks, hooksProblem, connectionProblem, silentMs }: ClusterEvidence): Finding[] {
  if (!hasHooks || hooksProblem === '' || connectionProblem !== null) return [];
  return [
    problem({
      code: 'HOOKS_STALE',
      subject: 'Hooks of the cluster',
      problem: 'The Hooks of the cluster are not known, or not as they are now.',
      evidence: [hooksProblem, `The API server was last heard about Hooks ${span(silentMs)} ago.`],
      fix: 'Look whether the API server answers and whether the CustomResourceDefinition is there.',
      paste: 'kubectl get crd hooks.kagent.dev\nkubectl get hooks -A',
    }),
  ];
}

function clockFindings({ clockAheadMs }: ClusterEvidence, at: number): Finding[] {
  if (clockAheadMs === null || Math.abs(clockAheadMs) < SKEW_MS) return [];
  const ahead = clockAheadMs > 0 ? 'behind' : 'ahead of';
  return [
    warning({
      code: 'CLOCK',
      subject: 'clock',
      problem: `The clock of khook is ${span(Math.abs(clockAheadMs))} ${ahead} that of the API server.`,
      evidence: [`khook: ${time(at)}; API server: ${time(at + clockAheadMs)}`],
      cause: 'Events look older or newer than they are, and may be taken for stale.',
      fix: 'Set the clock of the node right (NTP).',
    }),
  ];
}

function mountFindings({ unmounted }: ClusterEvidence): Finding[] {
  return unmounted.map(({ file, configMap, difference }) =>
    warning({
      code: 'CONFIG_NOT_MOUNTED',
      subject: file,
      problem: `ConfigMap ${configMap} says something else than the file that khook reads.`,
      evidence: [difference],
      cause: 'The kubelet brings a change within a minute or two, and never into a file that is mounted by subPath.',
      fix: 'Wait for the kubelet; if it stays so, mount the ConfigMap as a folder, or restart the pod.',
      paste: `kubectl get configmap ${configMap.split('/')[1] ?? configMap} -o yaml`,
    }),
  );
}

function leaseFindings({ leaseFault }: ClusterEvidence): Finding[] {
  if (leaseFault === null) return [];
  return [
    problem({
      code: 'LEASE',
      subject: 'lease khook',
      problem: 'The lease that says who leads cannot be read or renewed.',
      evidence: [leaseFault],
      fix: LEASE_FIX,
      paste: 'kubectl get lease khook -o yaml',
    }),
  ];
}

/** Who leads. Comes last: where something is wrong that is told first. */
export function leaderFindings({ cluster: { isLeader, holder } }: Evidence): Finding[] {
  const findings: Finding[] = [];
  if (!isLeader)
    findings.push(
      note({
        code: 'STANDBY',
        subject: 'this khook',
        problem:
          holder === ''
            ? 'No khook leads that this one knows of.'
            : `${podOf(holder)} leads; this khook stands by and fires nothing.`,
        fix: holder === '' ? LEASE_FIX : 'Ask the leader: its pod is the one that the webhook Service leads to.',
        paste: 'kubectl get pods -l khook.kagent.dev/leader=true',
      }),
    );
  return findings;
}

/** Behind its name stands what tells one life of a pod from another. */
function podOf(holder: string): string {
  return holder.split('_')[0] ?? holder;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
