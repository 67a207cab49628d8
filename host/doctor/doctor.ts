/** Looks at every room of one host at one moment and says what is wrong. Asked twice at once it looks once. */

import type { Clock } from '../../ipc/clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Leadership } from '../cluster/leadership.ts';
import type { LoadedConfig } from '../config/loaded-config.ts';
import type { Outbox } from '../dispatch/outbox.ts';
import type { DoctorReport } from '../http/doctor-report.ts';
import type { Matcher } from '../match/pool.ts';
import type { VitalSigns } from '../sandbox/vessel.ts';
import type { Watchdog } from '../sandbox/watchdog.ts';
import type { Activity } from '../snapshots/activity.ts';
import { safeText } from '../snapshots/flight-snapshots.ts';
import { describeState } from '../snapshots/health-checks.ts';
import type { Plugins } from '../supervision/plugins.ts';
import type { Supervisor } from '../supervision/supervisor.ts';
import type { AgentStandings } from './agent-standing.ts';
import { type BundleView, bundleFiles } from './bundle.ts';
import type { ClusterProbe } from './cluster-probe.ts';
import type { ClusterEvidence, Evidence, PluginEvidence } from './evidence.ts';
import { examine } from './examine.ts';
import type { FilterAges } from './filter-ages.ts';
import type { News } from './news.ts';
import { diskOf, memoryOf, missingOf, outerAddress, passedOver, silentPorts } from './probes.ts';

/** Of the remembered events: the newest. */
const MAX_EVENTS = 1_000;
/** A report that is not older is given again: probes ask the cluster. */
const FRESH_MS = 1_000;
/** How long a plugin must have been watched before its use is judged. */
const MEASURED_MS = 5_000;

export interface DoctorOptions {
  readonly clock: Clock;
  readonly version: string;
  readonly view: BundleView;
  readonly plugins: Pick<Plugins, 'all'>;
  readonly matcher: Pick<Matcher, 'rules'>;
  readonly activity: Activity;
  readonly outbox: Pick<Outbox, 'fault' | 'size'>;
  readonly dispatch: { readonly isHeldBack: boolean };
  readonly watchdog: Pick<Watchdog, 'zombies'>;
  readonly leadership: Leadership;
  readonly cluster: Cluster | null;
  readonly watchNamespaces: readonly string[];
  readonly connectionProblem: () => string | null;
  readonly probe: ClusterProbe;
  readonly news: News;
  readonly agents: AgentStandings;
  readonly filters: FilterAges;
  readonly config: () => {
    readonly current: LoadedConfig;
    readonly brokenFiles: ReadonlySet<string>;
    readonly deferred: ReadonlySet<string>;
  };
  readonly dataDirectory: string | null;
  /** That a khook should have. */
  readonly wantedFiles: readonly string[];
  /** null: Hooks are those of the cluster. */
  readonly hooksDirectory: string | null;
  /** Others reach this machine by its address alone. */
  readonly isInPod: boolean;
  readonly logLinesLost: () => number;
  readonly restart: () => Evidence['restart'];
}

export class Doctor implements Disposable {
  readonly #options: DoctorOptions;
  #report: Promise<DoctorReport> | null = null;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(options: DoctorOptions) {
    this.#options = options;
  }

  report(): Promise<DoctorReport> {
    const now = this.#options.clock.now();
    if (this.#report !== null && now - this.#reportedAt < FRESH_MS) return this.#report;
    this.#reportedAt = now;
    this.#report = this.#examine().catch((error: unknown) => {
      this.#report = null;
      throw error;
    });
    return this.#report;
  }

  async bundle(): Promise<Readonly<Record<string, unknown>>> {
    return bundleFiles(this.#options.view, await this.#gather());
  }

  [Symbol.dispose](): void {
    this.#options.probe[Symbol.dispose]();
  }

  async #examine(): Promise<DoctorReport> {
    const { version } = this.#options;
    const evidence = await this.#gather();
    const findings = examine(evidence).map((finding) => ({
      ...finding,
      // Plugins, agents and events speak in them.
      subject: safeText(finding.subject),
      problem: safeText(finding.problem),
      evidence: finding.evidence.map(safeText),
      cause: safeText(finding.cause),
      fix: safeText(finding.fix),
      paste: finding.paste.split('\n').map(safeText).join('\n'),
    }));
    return { version, at: new Date(evidence.at).toISOString(), findings };
  }

  async #gather(): Promise<Evidence> {
    const { clock, view, matcher, activity, outbox, dispatch, watchdog, news, agents } = this.#options;
    const { current, brokenFiles, deferred } = this.#options.config();
    const [plugins, events, deadLetters, disk, cluster] = await Promise.all([
      this.#plugins(),
      view.events({ limit: MAX_EVENTS, plugin: null, outcome: null }),
      view.deadLetters({ limit: 1, hook: null, agent: null }).catch(() => ({ total: 0, deadLetters: [] })),
      diskOf(this.#options.dataDirectory),
      this.#cluster(current),
    ]);
    const { version: _, ...rules } = matcher.rules;
    const hooks = rules.hooks.map(({ namespace, name }) => `${namespace}/${name}`);
    const fired = hooks.flatMap((hook) => {
      const at = activity.lastFired(hook);
      return at === null ? [] : [[hook, at] as const];
    });
    return {
      at: clock.wall(),
      unready: view.readyz().filter(({ ok }) => !ok),
      plans: current.plans,
      plugins,
      flights: view.flightRecords(null),
      problems: current.problems,
      brokenFiles: [...brokenFiles],
      missingFiles: missingOf(this.#options.wantedFiles),
      deferred: [...deferred],
      hooksFolder: this.#hooksFolder(rules.hooks.length),
      rules,
      hookProblems: activity.hookProblems,
      lastFired: new Map(fired),
      filterSince: this.#options.filters.changed,
      events,
      ledger: view.ledger(),
      deadLetters: { total: deadLetters.total, newest: deadLetters.deadLetters[0] ?? null },
      agents: agents.all,
      held: news.held,
      throttled: news.throttled,
      refused: news.refused,
      outbox: { fault: outbox.fault?.message ?? null, isFull: dispatch.isHeldBack, firings: outbox.size },
      cluster,
      restart: this.#options.restart(),
      host: { ...memoryOf(), disk, zombieThreads: watchdog.zombies, logLinesLost: this.#options.logLinesLost() },
    };
  }

  #hooksFolder(hooks: number): Evidence['hooksFolder'] {
    const { hooksDirectory: directory } = this.#options;
    return directory === null || hooks > 0 ? null : { directory, passedOver: passedOver(directory) };
  }

  #plugins(): Promise<PluginEvidence[]> {
    return Promise.all(this.#options.plugins.all.map((supervisor) => this.#plugin(supervisor)));
  }

  async #plugin(supervisor: Supervisor): Promise<PluginEvidence> {
    const { name, plan, state, generation, restarts, lastExit, staleness, vessel } = supervisor;
    const { news } = this.#options;
    const limits = plan?.kind === 'run' ? plan.spec.limits : null;
    const listens = plan?.kind === 'run' && state.kind === 'running' ? plan.spec.permissions.net.listen : [];
    const readings = vessel?.history ?? [];
    const [first, last] = [readings[0], readings.at(-1)];
    const isMeasured = first !== undefined && last !== undefined && last.at - first.at >= MEASURED_MS;
    return {
      name,
      plan,
      state: state.kind,
      generation,
      reason: describeState(state),
      restarts,
      lastExit: lastExit && { reason: lastExit.exit.reason, detail: lastExit.exit.detail, at: lastExit.at },
      nextStartAt: state.kind === 'backing-off' ? state.until : null,
      retryAt: state.kind === 'failed' ? state.retryAt : null,
      since: news.since(name),
      staleness,
      unhealthy: news.unhealthy(name),
      heldBytes: isMeasured ? Math.min(...readings.map(heldBytes)) : null,
      limitBytes: limits?.memoryBytes ?? 0,
      cpuShare: isMeasured ? (last.cpuSeconds - first.cpuSeconds) / ((last.at - first.at) / 1_000) : null,
      cpuLimit: limits?.cpuShare ?? 1,
      deniedNetwork: vessel?.uses.deniedNetwork ?? 0,
      ...(await this.#ports(listens)),
    };
  }

  async #ports(listens: readonly number[]): Promise<Pick<PluginEvidence, 'silentPorts' | 'localPorts'>> {
    const { clock, isInPod } = this.#options;
    const silent = await silentPorts(listens, { clock });
    const heard = listens.filter((port) => !silent.includes(port));
    const host = isInPod ? outerAddress() : undefined;
    return { silentPorts: silent, localPorts: host === undefined ? [] : await silentPorts(heard, { clock, host }) };
  }

  async #cluster({ plans }: LoadedConfig): Promise<ClusterEvidence> {
    const { cluster, leadership, probe, news, connectionProblem, watchNamespaces } = this.#options;
    const watches = plans.flatMap((plan) =>
      plan.kind === 'run' && plan.spec.permissions.kubernetes ? [plan.name] : [],
    );
    const { holder, fault: leaseFault } = news.lease;
    return {
      ...(await probe.ask(watches)),
      connectionProblem: connectionProblem(),
      hasHooks: cluster !== null,
      watchNamespaces,
      hooksProblem: cluster?.problem ?? '',
      silentMs: cluster?.silentMs ?? 0,
      isLeader: leadership.isLeader,
      holder,
      leaseFault,
    };
  }
}

function heldBytes({ heapBytes, externalBytes, mallocedBytes }: VitalSigns): number {
  return heapBytes + externalBytes + mallocedBytes;
}
