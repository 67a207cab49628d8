// Runs in the plugin thread.
/** All watches that the configuration asks for. */

import type { PluginContext } from 'khook/plugin';
import { type KubernetesConfig, watchedNamespaces, watchedSources } from './config.ts';
import { Credentials } from './credentials.ts';
import { EmitWindow } from './emit-window.ts';
import { eventFindings } from './event-findings.ts';
import type { EventObject } from './event-object.ts';
import type { IgnoredWhy } from './finding.ts';
import type { Freshness } from './freshness.ts';
import { IgnoredTally } from './ignored-tally.ts';
import type { ListWatchTimes } from './list-watch-options.ts';
import { NodeFindings, type NodeObject } from './node-findings.ts';
import { podFindings } from './pod-findings.ts';
import type { PodObject } from './pod-object.ts';
import { type ResourceName, type Scope, scopesOf } from './resource.ts';
import { type Shared, SourceWatcher } from './source-watcher.ts';
import { Turns } from './turns.ts';

/** Events on their way at once: a frame holds as many. */
const MAX_ON_THEIR_WAY = 256;
const LISTS_AT_ONCE = 2;
/** Occurrences that all watches remember together: those of the last fifteen minutes, a quarter of a kilobyte each. */
const MAX_KNOWN = 40_000;

export interface Watcher {
  readonly freshness: Freshness;
  run(): Promise<void>;
}

export interface Watchers {
  readonly all: readonly Watcher[];
  readonly window: EmitWindow;
}

export function openWatchers(
  config: KubernetesConfig,
  ctx: PluginContext,
  times: Partial<ListWatchTimes> = {},
): Watchers {
  const window = new EmitWindow(MAX_ON_THEIR_WAY, ctx.signal);
  const scopes = scopesOf(watchedSources(config), watchedNamespaces(config));
  const open = makers({
    ctx,
    window,
    credentials: new Credentials(ctx),
    turns: new Turns(LISTS_AT_ONCE),
    maxKnown: Math.ceil(MAX_KNOWN / scopes.length),
    times,
  });
  return { all: scopes.map((scope) => open[scope.resource.name](scope)), window };
}

function makers(shared: Shared): Record<ResourceName, (scope: Scope) => Watcher> {
  const tally = new IgnoredTally(shared.ctx);
  const onFinding = (_: unknown, ignored: IgnoredWhy | null): void => {
    if (ignored === null) tally.reported();
  };
  return {
    events: (scope) =>
      new SourceWatcher<EventObject>({
        shared,
        scope,
        // An Event that is deleted is an hour old, or somebody tidies up.
        read: (event, change) => (change === 'deleted' ? [] : eventFindings(event)),
        onFinding: (event, ignored) => (ignored === null ? tally.reported() : tally.add(event, ignored)),
      }),
    pods: (scope) => new SourceWatcher<PodObject>({ shared, scope, read: podFindings, onFinding }),
    nodes: (scope) => {
      const nodes = new NodeFindings();
      return new SourceWatcher<NodeObject>({
        shared,
        scope,
        read: (node, change) => {
          if (change !== 'deleted') return nodes.read(node);
          nodes.forget(node);
          return [];
        },
        onFinding,
      });
    },
  };
}
