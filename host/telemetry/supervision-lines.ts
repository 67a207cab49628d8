/** The lines of `plugin-manager`: what became of each plugin. The word `plugin` stands in front of `stopped` and `failed`, in lower case: that is grepped for. */

import type { Subscribable } from '../base/emitter.ts';
import type { Exit } from '../sandbox/exit.ts';
import type { SupervisionEvents } from '../supervision/events.ts';
import type { Log, Logger } from './log.ts';

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
    rooms.on('plugin:crashed', ({ plugin, generation, exit, nextStartMs }) => {
      tellCause(plugin, exit);
      const next =
        nextStartMs === null
          ? `generation ${generation} ended, no further start is due`
          : `recycled, generation ${generation}, next start in ${seconds(nextStartMs)}`;
      const { reason, code } = exit;
      about(plugin).error(`plugin ${plugin} failed: ${exitText(exit)}; ${next}`, { generation, reason, code });
    }),
    rooms.on('plugin:failed', ({ plugin, exit, retryMs }) => {
      tellCause(plugin, exit);
      about(plugin).error(`plugin ${plugin} failed for good: ${exitText(exit)}; ${wayOut(exit, retryMs)}`, {
        reason: exit.reason,
        code: exit.code,
      });
    }),
    rooms.on('plugin:stopped', ({ plugin, generation, why, forced }) => {
      const text = `plugin ${plugin} stopped: ${why}`;
      if (forced) {
        const late = `Failed to stop plugin ${plugin} within its grace period, it was terminated; ${text}`;
        about(plugin).warn(late, { generation, forced });
      } else {
        about(plugin).info(text, { generation });
      }
    }),
    rooms.on('plugin:unhealthy', ({ plugin, generation, detail }) =>
      about(plugin).error('Plugin health check failed', { generation, detail }),
    ),
    rooms.on('plugin:recovered', ({ plugin, generation }) =>
      about(plugin).info(`plugin ${plugin} is healthy again`, { generation }),
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
      return { message: `Failed to initialize plugin ${plugin}: ${exit.detail}`, error: exit.detail };
    default:
      return null;
  }
}

function exitText(exit: Exit): string {
  const reason = exit.reason.replaceAll('_', ' ');
  return exit.detail === '' ? reason : `${reason}: ${exit.detail}`;
}

function wayOut(exit: Exit, retryMs: number | null): string {
  if (exit.reason === 'bad_config') return 'it starts again when its configuration changes';
  const again = 'restart it with the admin API or change its bundle or configuration';
  return retryMs === null ? again : `one more try in ${seconds(retryMs)}, or ${again}`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
