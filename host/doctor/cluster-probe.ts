/** Asks the API server what khook may do there, what time it is, and whether the ConfigMaps say what is mounted. Never rejects, never takes long. */

import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../../ipc/clock.ts';
import { type AccessReview, type NeededAccess, reviewAccess } from '../cluster/access-review.ts';
import { ApiClient, type ConnectionSource } from '../cluster/api-client.ts';
import type { ApiTarget, Verb } from '../cluster/api-target.ts';
import { hookTarget } from '../cluster/hook-informer.ts';
import type { ClusterEvidence } from './evidence.ts';

const ANSWER_MS = 3_000;
/** As the chart names them; the files are named for what is in them. */
const CONFIG_MAPS: Readonly<Record<string, string>> = {
  'plugins.yaml': 'plugin-config',
  'event-mappings.yaml': 'event-mappings',
};

export interface ClusterProbeOptions {
  readonly source: ConnectionSource;
  readonly clock: Clock;
  readonly hasHooks: boolean;
  readonly hasElection: boolean;
  /** Whose Hooks count; empty: all. */
  readonly namespaces: readonly string[];
  /** Of khook itself; null: it runs in no pod. */
  readonly pod: { readonly name: string; readonly namespace: string } | null;
  readonly namespace: string;
  readonly configDirectory: string;
}

export type ClusterAnswer = Pick<ClusterEvidence, 'refused' | 'reviewProblem' | 'clockAheadMs' | 'unmounted'>;

const NO_ANSWER: ClusterAnswer = { refused: [], reviewProblem: '', clockAheadMs: null, unmounted: [] };

export class ClusterProbe implements Disposable {
  readonly #options: ClusterProbeOptions;
  readonly #client: ApiClient;
  #clockAheadMs: number | null = null;

  constructor(options: ClusterProbeOptions) {
    this.#options = options;
    const { source, clock } = options;
    const onDate = (serverMs: number): void => {
      // The server cuts off the fraction of its second.
      const aheadMs = serverMs - clock.wall();
      this.#clockAheadMs = aheadMs > -1_000 && aheadMs < 0 ? 0 : aheadMs;
    };
    this.#client = new ApiClient({ source, clock, answerMs: ANSWER_MS, onDate });
  }

  /** `watches`: plugins that watch the cluster. */
  async ask(watches: readonly string[]): Promise<ClusterAnswer> {
    if (this.#options.source.connection === null) return NO_ANSWER;
    const ending = new AbortController();
    const timer = this.#options.clock.after(ANSWER_MS, () => ending.abort());
    try {
      const [review, unmounted] = await Promise.all([
        this.#review(watches, ending.signal),
        this.#unmounted(ending.signal),
      ]);
      const { refused, problem } = review;
      return { refused, reviewProblem: problem, clockAheadMs: this.#clockAheadMs, unmounted };
    } finally {
      timer.cancel();
    }
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  #review(watches: readonly string[], signal: AbortSignal): Promise<AccessReview> {
    const needed = [...this.#hookNeeds(), ...this.#electionNeeds(), ...this.#watchNeeds(watches)];
    return reviewAccess(this.#client, needed, signal);
  }

  #hookNeeds(): NeededAccess[] {
    if (!this.#options.hasHooks) return [];
    const namespaces = this.#options.namespaces.length === 0 ? [''] : this.#options.namespaces;
    return namespaces.flatMap((namespace) => {
      const hooks = hookTarget(namespace);
      return [
        ...each(['list', 'watch'], hooks, 'the Hooks of the cluster are not followed, and nothing fires'),
        ...each(
          ['patch'],
          { ...hooks, subresource: 'status' },
          'the status of Hooks is not written, and a failover may repeat firings',
        ),
        ...each(['create', 'patch'], core('events', namespace), 'what fired cannot be seen by kubectl describe hook'),
      ];
    });
  }

  #electionNeeds(): NeededAccess[] {
    const { hasElection, namespace, pod } = this.#options;
    if (!hasElection) return [];
    const leases = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases', namespace };
    const need = 'no khook can become the leader, and nothing fires';
    return [
      ...each(['create'], leases, need),
      ...each(['get', 'update'], { ...leases, name: 'khook' }, need),
      ...(pod === null
        ? []
        : each(
            ['patch'],
            core('pods', pod.namespace),
            'the pod of the leader has no label, and the webhook Service does not find it',
          )),
    ];
  }

  #watchNeeds(watches: readonly string[]): NeededAccess[] {
    return watches.flatMap((plugin) => {
      const namespaces = this.#options.namespaces.length === 0 ? [''] : this.#options.namespaces;
      const events = { group: 'events.k8s.io', version: 'v1', resource: 'events' };
      const need = `plugin ${plugin} cannot see what happens`;
      return [
        ...namespaces.flatMap((namespace) => [
          ...each(['list', 'watch'], { ...events, namespace }, need),
          ...each(['list', 'watch'], core('pods', namespace), need),
        ]),
        ...(this.#options.namespaces.length === 0 ? each(['list', 'watch'], core('nodes', ''), need) : []),
      ];
    });
  }

  async #unmounted(signal: AbortSignal): Promise<ClusterEvidence['unmounted']> {
    const { pod, configDirectory } = this.#options;
    if (pod === null) return [];
    const compared = Object.entries(CONFIG_MAPS).map(async ([name, configMap]) => {
      const file = join(configDirectory, name);
      try {
        const target = { ...core('configmaps', pod.namespace), name: configMap };
        const { data = {} } = await this.#client.json<{ data?: Record<string, string> }>({
          verb: 'get',
          target,
          signal,
        });
        const mounted = await readFile(file, 'utf8');
        const difference = differenceOf(data[basename(file)], mounted);
        return difference === '' ? [] : [{ file, configMap: `${pod.namespace}/${configMap}`, difference }];
      } catch {
        // It may not be read, or there is none: khook need not be installed by its chart.
        return [];
      }
    });
    return (await Promise.all(compared)).flat();
  }
}

/** The first line that differs; empty: none does. */
function differenceOf(wanted: string | undefined, mounted: string): string {
  if (wanted === undefined || wanted === mounted) return '';
  const [theirs, ours] = [wanted.split('\n'), mounted.split('\n')];
  const line = theirs.findIndex((text, n) => text !== ours[n]);
  const at = line === -1 ? theirs.length : line;
  return `line ${at + 1}: the ConfigMap has ${said(theirs[at])}, the file has ${said(ours[at])}`;
}

/** Values may be secret: only the key is told. */
function said(line: string | undefined): string {
  if (line === undefined) return 'no such line';
  const [key = ''] = /^\s*(?:- )?[\w.-]+:|^.{0,20}/.exec(line) ?? [];
  return key.trim() === '' ? 'an empty line' : `\`${key.trim()} …\``;
}

function each(verbs: readonly Verb[], target: ApiTarget, need: string): NeededAccess[] {
  return verbs.map((verb) => ({ verb, target, need }));
}

function core(resource: string, namespace: string): ApiTarget {
  return { group: '', version: 'v1', resource, namespace };
}
