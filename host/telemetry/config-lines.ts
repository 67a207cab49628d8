/** The log lines about configuration: `config-loader` and, for everything that says `mapping`, `mapping-loader`. */

import type { Subscribable } from '../base/emitter.ts';
import type { ConfigEvents } from '../config/events.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import type { Log } from './log.ts';

/** One line per mapping up to here in each load; the count follows anyway. */
const MAPPING_LINES = 100;

export function configLines(log: Log, config: Subscribable<ConfigEvents>): (() => void)[] {
  const loader = log.component('config-loader');
  const mappings = log.component('mapping-loader');
  let loaded = 0;
  return [
    config.on('config:loaded', (counts) => loader.info('Configuration loaded', { ...counts })),
    config.on('config:reloaded', ({ hash, changed }) =>
      loader.info(`Configuration reloaded: ${changed.join(', ') || 'nothing changed'}`, { hash, changed }),
    ),
    config.on('config:rejected', ({ file }) =>
      loader.error(`Configuration file ${file} cannot be used; the configuration that was in force stays in force`, {
        file,
      }),
    ),
    config.on('config:problem', (problem) => {
      const { code, file, line, path, subject } = problem;
      const logger = problem.code === 'HOST_ERR_MAPPING' ? mappings : loader;
      // Two settings that contradict each other have a way out that is in force.
      const level = code === 'HOST_ERR_CONFIG_CONFLICT' ? 'warn' : 'error';
      logger.write(level, `${opening(problem)}: ${formatProblem(problem)}`, { code, file, line, path, subject });
    }),
    config.on('config:noted', ({ text }) => loader.info(`Configuration note: ${text}`)),
    config.on('mapping:loaded', (mapping) => {
      loaded += 1;
      mappings.write(loaded <= MAPPING_LINES ? 'info' : 'debug', 'Loaded event mapping', { ...mapping });
    }),
    config.on('mappings:loaded', ({ file, count }) => {
      loaded = 0;
      mappings.info('Successfully loaded event mappings', { file, count });
    }),
    config.on('hooks:loaded', ({ place, count, names }) =>
      loader.info(`Discovered ${count} ${count === 1 ? 'Hook' : 'Hooks'} in ${place}`, { place, count, names }),
    ),
  ];
}

/** What did not come into force because of the problem. */
function opening({ code, path, subject }: Problem): string {
  if (subject === '') return 'Invalid configuration';
  if (code === 'HOST_ERR_CONFIG_CONFLICT') return `Invalid configuration of plugin ${subject}`;
  if (code === 'HOST_ERR_MAPPING' || path.startsWith('mappings')) return 'Invalid event mapping';
  if (code === 'HOST_ERR_HOOK' || code === 'HOST_ERR_TEMPLATE') return `Invalid configuration of Hook ${subject}`;
  if (code.startsWith('HOST_ERR_BUNDLE') || path.startsWith('plugins')) return `Failed to load plugin ${subject}`;
  return `Invalid configuration of ${subject}`;
}
