// Runs in the plugin thread.
/**
 * Events that are not reported: counted, told one by one at debug, and summed up at info when nothing else is seen. Whoever looks for a
 * sign of life after `kubectl run test-pod` finds that its Events were seen, and why nothing came of them.
 */

import type { PluginContext } from 'khook/plugin';
import type { EventObject } from './event-object.ts';
import type { IgnoredWhy } from './finding.ts';

export interface IgnoredTallyTimes {
  /** From the first one to the summary. */
  readonly gatherMs: number;
  /** Between two summaries. */
  readonly quietMs: number;
}

const TIMES: IgnoredTallyTimes = { gatherMs: 10_000, quietMs: 5 * 60_000 };

export class IgnoredTally {
  readonly #ctx: PluginContext;
  readonly #times: IgnoredTallyTimes;
  readonly #counter: ReturnType<PluginContext['metrics']['counter']>;
  #counts = new Map<IgnoredWhy, number>();
  #latest = '';
  #hasReported = false;
  #timer: NodeJS.Timeout | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(ctx: PluginContext, times: Partial<IgnoredTallyTimes> = {}) {
    this.#ctx = ctx;
    this.#times = { ...TIMES, ...times };
    this.#counter = ctx.metrics.counter({
      name: 'kubernetes_events_ignored_total',
      help: 'Events of the cluster that were seen and not reported, by cause.',
    });
    ctx.signal.addEventListener('abort', () => clearTimeout(this.#timer ?? undefined), { once: true });
  }

  add(event: EventObject, why: IgnoredWhy): void {
    this.#counter.inc(1, { why });
    const { reason, type, regarding, metadata } = event;
    const { kind, name } = regarding ?? {};
    this.#counts.set(why, (this.#counts.get(why) ?? 0) + 1);
    this.#latest = `${type} ${reason} of ${kind} ${metadata.namespace ?? ''}/${name}`;
    if (this.#ctx.debug) {
      const about = { why, reason, type, kind, namespace: metadata.namespace, name };
      this.#ctx.log.debug('Kubernetes event ignored', about);
    }
    this.#schedule();
  }

  /** Something was reported: no summary is needed to show that the watch is alive. */
  reported(): void {
    this.#hasReported = true;
  }

  #schedule(): void {
    if (this.#timer !== null || this.#ctx.signal.aborted) return;
    const { gatherMs, quietMs } = this.#times;
    const delayMs = Math.max(gatherMs, this.#toldAt + quietMs - performance.now());
    this.#timer = setTimeout(() => this.#tell(), delayMs);
  }

  #tell(): void {
    this.#timer = null;
    const counts = Object.fromEntries(this.#counts);
    const total = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    if (!this.#hasReported) {
      const causes = [...this.#counts].map(([why, count]) => `${count} ${why}`).join(', ');
      const text = `Kubernetes event watcher saw ${total} events that are of no concern: ${causes}`;
      this.#ctx.log.info(text, { ...counts, latest: this.#latest });
      this.#toldAt = performance.now();
    }
    this.#counts = new Map();
    this.#hasReported = false;
  }
}
