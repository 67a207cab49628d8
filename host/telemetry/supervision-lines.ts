/** The lines of `plugin-manager`: what became of each plugin. The word `plugin` stands in front of `stopped` and `failed`, in lower case: that is grepped for. */

import type { Subscribable } from '../base/emitter.ts';
import type { Exit } from '../sandbox/exit.ts';
import type { SupervisionEvents } from '../supervision/events.ts';
import type { Log, Logger } from './log.ts';

type RefusedStep = SupervisionEvents['plugin:stopped']['refused'][number];

export const PLUGIN_MANAGER = 'plugin-manager';

export function supervisionLines(log: Log, rooms: Subscribable<SupervisionEvents>): (() => void)[] {
  const about = (plugin: string): Logger => log.component(PLUGIN_MANAGER, plugin);
  // `plugin:crashed` and `plugin:failed` may carry the same exit: its cause is told once.
  const told = new WeakSet<Exit>();
  const tellCause = (plugin: string, exit: Exit): void => {
    if (told.has(exit)) return;
    told.add(exit);
    const line = causeLine(plugin, exit);
    if (line === null) return;
    const { error, stack, code } = { error: line.error, stack: exit.stack, code: exit.code };
    about(plugin).error(line.message, { error, ...(code && { code }), ...(stack && { stack }) });
  };
  return [
    rooms.on('plugin:registered', ({ plugin, version, eventTypes, isolation, debug }) => {
      log.setDebug(plugin, debug);
      about(plugin).info(`Successfully registered ${plugin} plugin`, { version, eventTypes, isolation });
      if (debug) log.component(`${plugin}-plugin`, plugin).info('Debug mode enabled for plugin');
    }),
    rooms.on('plugin:removed', ({ plugin }) => {
      about(plugin).info(`plugin ${plugin} removed`);
      log.forget(plugin);
    }),
    rooms.on('plugin:blocked', ({ plugin, why, reason, remedy }) =>
      about(plugin).warn(`plugin ${plugin} is blocked (${why}): ${reason}`, { why, remedy }),
    ),
    rooms.on('plugin:disabled', ({ plugin }) =>
      about(plugin).info(`plugin ${plugin} is disabled by its configuration`),
    ),
    rooms.on('plugin:starting', ({ plugin, generation }) =>
      about(plugin).info(`Starting plugin ${plugin}`, { generation }),
    ),
    rooms.on('plugin:ready', ({ plugin, generation, bootMs }) =>
      about(plugin).info(`Successfully started plugin ${plugin} in ${Math.round(bootMs)} ms`, { generation }),
    ),
    rooms.on('plugin:crashed', ({ plugin, generation, exit, nextStartMs, isCrashLoop }) => {
      tellCause(plugin, exit);
      // One line for each end of a run: in these cases it is that of `plugin:failed`.
      if (nextStartMs === null || isCrashLoop) return;
      const next = nextStartMs < 50 ? 'next start at once' : `next start in ${duration(nextStartMs)}`;
      const text = `plugin ${plugin} failed: ${exitText(exit)}; recycled, generation ${generation}, ${next}`;
      about(plugin).error(text, { generation, reason: exit.reason, code: exit.code, nextStartMs });
    }),
    rooms.on('plugin:failed', ({ plugin, exit, retryMs }) => {
      tellCause(plugin, exit);
      const text =
        retryMs === null
          ? `plugin ${plugin} failed for good: ${exitText(exit)}; ${wayOut(exit)}`
          : `plugin ${plugin} is in a crash loop: it failed again: ${exitText(exit)}; next try in ${duration(retryMs)}`;
      about(plugin).error(text, { reason: exit.reason, code: exit.code, ...(retryMs !== null && { retryMs }) });
    }),
    rooms.on('plugin:stopped', ({ plugin, generation, why, refused }) => {
      const text = `plugin ${plugin} stopped: ${why}`;
      if (refused.length === 0) about(plugin).info(text, { generation });
      else
        about(plugin).warn(`plugin ${plugin} ${refusals(refused)} and was terminated; ${text}`, {
          generation,
          refused,
        });
    }),
    rooms.on('plugin:unstopped', ({ plugin, generation, refused }) => {
      const text = `plugin ${plugin} ${refusals(refused)}; khook goes on without waiting for it`;
      about(plugin).error(text, { generation, refused });
    }),
    rooms.on('plugin:lingering', ({ plugin, count }) => {
      const threads = count === 1 ? 'a thread' : `${count} threads`;
      const text = `plugin ${plugin} waits with its next start: ${threads} of it ended and cannot be stopped yet (in native code or a system call)`;
      about(plugin).warn(text, { count });
    }),
    rooms.on('plugin:unhealthy', ({ plugin, generation, detail }) =>
      about(plugin).error('Plugin health check failed', { generation, detail }),
    ),
    rooms.on('plugin:recovered', ({ plugin, generation }) =>
      about(plugin).info(`plugin ${plugin} is healthy again`, { generation }),
    ),
    rooms.on('plugin:stale', ({ plugin, generation, detail }) =>
      about(plugin).warn(`The source of plugin ${plugin} is stale: ${detail}`, { generation }),
    ),
    rooms.on('plugin:fresh', ({ plugin, generation }) =>
      about(plugin).info(`The source of plugin ${plugin} is fresh again`, { generation }),
    ),
    rooms.on('plugin:state', ({ plugin, from, to }) =>
      about(plugin).debug(`plugin ${plugin}: ${from.kind} → ${to.kind}`),
    ),
  ];
}

/** The line that says what went wrong inside; null when the `plugin … failed` line says all there is. */
function causeLine(plugin: string, exit: Exit): { message: string; error: string } | null {
  switch (exit.reason) {
    case 'crash':
      return { message: 'Plugin panicked', error: `plugin panic: ${exit.detail}` };
    case 'out_of_memory':
      return { message: 'Plugin hit a fatal memory limit', error: `fatal: ${exit.detail}` };
    case 'failed_start':
      return { message: `Failed to start plugin ${plugin}: ${exit.detail}`, error: exit.detail };
    case 'bad_config':
      // What khook itself found wrong with a bundle or an entry was told line by line as it was read.
      if (exit.code.startsWith('HOST_ERR_')) return null;
      return { message: `Failed to initialize plugin ${plugin}: ${exit.detail}`, error: exit.detail };
    default:
      return null;
  }
}

function exitText({ reason, detail }: Exit): string {
  const words = reason.replaceAll('_', ' ');
  if (detail === '') return words;
  // `memory 91 MB after collection, limit 64 MB` says what it is.
  if (detail.startsWith('memory ')) return detail;
  const [first, ...more] = detail.split('\n');
  return `${words}: ${first}${more.length === 0 ? '' : ` (and ${more.length} more)`}`;
}

function wayOut({ reason }: Exit): string {
  return reason === 'bad_config'
    ? 'it starts again when its bundle or its configuration changes'
    : 'restart it with the admin API or change its bundle or configuration';
}

/** `did not stop within 2.5 s`, `did not drain within 2.5 s, did not stop (the socket is in use)`. */
function refusals(refused: readonly RefusedStep[]): string {
  const words = ({ step, afterMs, error }: RefusedStep): string =>
    error === '' ? `did not ${step} within ${duration(afterMs)}` : `did not ${step} (${error})`;
  return refused.map(words).join(', ');
}

function duration(ms: number): string {
  if (ms >= 60_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
