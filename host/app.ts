/** The host: builds the rooms, starts them in order, and stops them in reverse. Wiring only. */

import { systemClock } from '../ipc/clock.ts';
import { messageOf } from '../ipc/errors.ts';
import { type AppOptions, agentWords } from './app-options.ts';
import { Emitter } from './base/emitter.ts';
import { Candidacy } from './candidacy.ts';
import { ConnectionReader } from './cluster/connection.ts';
import { ConnectionWatch } from './cluster/connection-watch.ts';
import type { ClusterEvents } from './cluster/events.ts';
import { readPlugins } from './config/config-files.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import { ConfigLoader } from './config/loader.ts';
import { keepConfigInForce } from './config-in-force.ts';
import { EmbeddedAgent } from './dispatch/embedded-agent.ts';
import { HookInquiry } from './hook-inquiry.ts';
import { LeaderWork } from './leader-work.ts';
import { openDoctor } from './open-doctor.ts';
import { openHooks } from './open-hooks.ts';
import { hostOperations } from './operations.ts';
import { renewConnections } from './renew-connections.ts';
import { buildRooms } from './rooms.ts';
import { Servers } from './servers.ts';
import { type StopReport, stopRooms } from './shutdown.ts';
import { Activity } from './snapshots/activity.ts';
import { EventSnapshots } from './snapshots/event-snapshots.ts';
import { hostView } from './snapshots/host-view.ts';
import { metricSources } from './snapshots/metric-sources.ts';
import { createLog } from './telemetry/log.ts';
import { writeLogLines } from './telemetry/log-lines.ts';
import { createMetrics } from './telemetry/metrics.ts';

export interface App {
  readonly ports: {
    readonly metrics: number;
    readonly health: number;
    readonly admin: number;
    readonly agent: number | null;
  };
  /** Resolves, with the reason, when this process must not go on: it is to be stopped, and started anew. */
  readonly lost: Promise<string>;
  /** Logs a fault of khook itself. */
  readonly report: (error: unknown) => void;
  /** Drains within the grace period of the settings. Idempotent. */
  stop(why: string): Promise<StopReport>;
  /** Threads that were told to end and are still there: while there is one, the process can only be killed. */
  unended(): number;
}

/** How often the host's own loop shows that it is alive. */
const BEAT_MS = 1_000;

/** Rejects with HOST_ERR_PORT when a port of the host is taken; nothing is left open then. */
export async function startApp(options: AppOptions): Promise<App> {
  const { environment, version, configDirectory } = options;
  const clock = systemClock;
  const run = Math.floor(clock.wall()).toString(36);
  await using opening = new AsyncDisposableStack();
  const log = createLog({ ...options.log, clock });
  const host = log.component('host');
  opening.defer(() => log.flush());
  host.info('khook is starting', { version, node: process.version, configDirectory });

  const embedded =
    options.agent.kind === 'embedded'
      ? opening.use(
          await EmbeddedAgent.start({
            port: options.agent.port,
            clock,
            onPrompt: ({ agent, prompt, messageId }) =>
              log.component('embedded-agent').info('Embedded agent was sent a prompt', { agent, messageId, prompt }),
          }),
        )
      : null;

  // Read quietly ahead of the load that is announced: the rooms want their settings before there is anybody to announce it to.
  const { settings } = readPlugins({ configDirectory, environment }, null).content;
  const events = new Emitter<ClusterEvents>();
  const reader = new ConnectionReader(environment.variables);
  const source = opening.use(await ConnectionWatch.open({ reader, clock, events }));
  const leadership = opening.use(new Candidacy({ app: options, source, clock, events }));
  const { hooks, cluster } = openHooks({ app: options, settings, source, leadership, events, clock });
  opening.use(cluster);
  const loader = opening.use(new ConfigLoader({ ...options, hooks, connectionProblem: () => source.problem }));
  // From here on every path must be absolute.
  if (options.workDirectory !== null) process.chdir(options.workDirectory);
  const rooms = buildRooms({
    app: options,
    settings,
    agentUrl: options.agent.kind === 'url' ? options.agent.url : (embedded?.url ?? null),
    run,
    connection: () => source.connection,
    wantsDebug: (plugin) => log.levelOf(plugin) === 'debug',
    recorded: cluster === null ? null : (hook) => cluster.recorded(hook),
  });
  const { ledger, dispatch, bus, plugins, flights } = rooms;
  for (const room of [flights, rooms.client, rooms.outbox, rooms.watchdog]) opening.use(room);
  const matcher = opening.use(rooms.matcher);
  const activity = new Activity({ clock, bus, dispatch: dispatch.events });
  cluster?.follow(dispatch.events);
  const spoken = { dispatch: dispatch.events, cluster: events, config: loader.events };
  const heard = { ...spoken, supervision: plugins, bus, match: matcher, ledger };
  plugins.on('plugin:removed', ({ plugin }) => activity.forgetPlugin(plugin));
  const isLeader = (): boolean => leadership.isLeader;
  const measured = { wall: clock.wall, logLinesLost: () => log.lost, isLeader, cluster };
  const metrics = opening.use(createMetrics({ rooms: heard, clock, sources: metricSources(rooms, measured) }));
  opening.use(writeLogLines({ log, clock, rooms: heard, telemetry: metrics.events }));

  await rooms.outbox.open();

  let beatAt = clock.now();
  const beat = clock.every(BEAT_MS, () => {
    beatAt = clock.now();
  });
  opening.defer(() => beat.cancel());

  const onError = (error: unknown): void =>
    host.error(`Something failed inside khook: ${messageOf(error)}`, { err: error });
  const work = opening.use(new LeaderWork({ leadership, cluster, dispatch, onError }));
  const config = await keepConfigInForce({
    loader,
    matcher,
    plugins,
    activity,
    clock,
    cluster,
    mayRun: () => work.isOpen,
    controllerNamespace: environment.podNamespace ?? 'default',
    onError,
    onDeferred: (names) => host.warn(`Changed settings take effect at the next start: ${names.join(', ')}`, { names }),
  });

  opening.use(config);
  renewConnections({ cluster: source, plugins, config, onError });

  let stopping: Promise<StopReport> | null = null;
  const snapshots = new EventSnapshots({ ledger, describe: (lines, indices) => matcher.describe(lines, indices) });
  const plans = (): LoadedConfig['plans'] => config.current.plans;
  const inquiry = new HookInquiry({ rooms, settings, version, run, plans });
  const view = opening.use(
    hostView({
      clock,
      version,
      plugins,
      flights,
      ledger,
      snapshots,
      activity,
      dispatch,
      config: () => config.current,
      brokenFiles: () => [...config.brokenFiles],
      isStopping: () => stopping !== null,
      outboxFault: () => rooms.outbox.fault?.message ?? null,
      hooksProblem: () => cluster?.problem ?? null,
      loops: () => ({ host: clock.now() - beatAt }),
      metrics: () => metrics.scrape(),
      explainHook: (id, hooks) => inquiry.explain(id, hooks),
    }),
  );
  const own = { app: options, rooms, view, activity, config, source, leadership, events, cluster };
  const doctor = opening.use(openDoctor({ ...own, logLinesLost: () => log.lost }));
  const seen = { ...view, doctor: () => doctor.report() };
  const operating = { log, rooms, doctor, snapshots, settings, version, run, isOpen: () => work.isOpen, plans };
  const servers = opening.use(new Servers({ view: seen, operations: hostOperations(operating), clock, onError }));
  const bound = { ...(await servers.start(options)), agent: embedded?.port ?? null };
  host.info(
    `Metrics and read API on http://localhost:${bound.metrics}, health on http://localhost:${bound.health}`,
    bound,
  );
  host.info(agentWords(options, embedded?.url ?? null));
  await work.start(config);
  leadership.start();

  const opened = opening.move();
  return {
    ports: bound,
    lost: work.lost,
    unended: () => rooms.watchdog.unended,
    report: onError,
    stop(why) {
      stopping ??= (async () => {
        host.info(`khook is stopping: ${why}`);
        await config.close();
        const report = await stopRooms(rooms, { graceMs: settings.shutdownGraceMs, why });
        host.info('khook stopped', { ...report, ledger: ledger.counts });
        await opened.disposeAsync();
        return report;
      })();
      return stopping;
    },
  };
}
