/** What plugins say themselves, as `<name>-plugin`, and what was refused of it. Their text is data: it stands under `fields`, never among our keys. */

import type { LogRecord } from '../../ipc/messages.ts';
import type { Subscribable } from '../base/emitter.ts';
import type { SupervisionEvents } from '../supervision/events.ts';
import type { LineSampler } from './line-sampler.ts';
import type { Log } from './log.ts';
import { cut } from './log-fields.ts';
import { PLUGIN_MANAGER } from './supervision-lines.ts';
import type { TelemetryEvents } from './telemetry-events.ts';

/** Longer fields are logged as text, cut: they are not worth the host's time. */
const FIELDS_LIMIT = 8_192;

export interface PluginVoices {
  readonly supervision: Subscribable<SupervisionEvents>;
  readonly telemetry: Subscribable<TelemetryEvents>;
}

export function pluginLines(log: Log, sampler: LineSampler, { supervision, telemetry }: PluginVoices): (() => void)[] {
  return [
    supervision.on('plugin:log', ({ plugin, record }) => {
      const logger = log.component(`${plugin}-plugin`, plugin);
      if (!logger.isEnabled(record.level)) return;
      const prefix = record.level === 'debug' ? '[DEBUG] ' : '';
      const fields = pluginFields(record);
      logger.write(record.level, prefix + record.message, fields === undefined ? {} : { fields });
    }),
    supervision.on('plugin:logs-dropped', ({ plugin, count }) => {
      const logger = log.component(PLUGIN_MANAGER, plugin);
      const say = (dropped: string): void =>
        logger.warn(`${dropped} of plugin ${plugin} were dropped: it says more than its share`);
      sampler.note(
        `logs:${plugin}`,
        {
          first: () => say(`${count} log lines`),
          summary: (more, seconds) => say(`${more} more log lines in ${seconds} s`),
        },
        { count },
      );
    }),
    supervision.on('plugin:event-refused', ({ plugin, code, message }) => {
      const logger = log.component(PLUGIN_MANAGER, plugin);
      sampler.note(`refused:${plugin}:${code}`, {
        first: () => logger.warn(`Invalid event of plugin ${plugin} was refused: ${message}`, { code }),
        summary: (count, seconds) =>
          logger.warn(`Invalid events of plugin ${plugin} were refused: ${count} more in ${seconds} s: ${message}`, {
            code,
            count,
          }),
      });
    }),
    telemetry.on('metric:refused', ({ plugin, metric, reason, detail }) => {
      const logger = log.component(PLUGIN_MANAGER, plugin);
      sampler.note(`metric:${plugin}:${reason}`, {
        first: () => logger.warn(`Custom metric ${metric} of plugin ${plugin} was refused: ${detail}`, { reason }),
        summary: (count, seconds) =>
          logger.warn(`Custom metrics of plugin ${plugin} were refused: ${count} more in ${seconds} s: ${detail}`, {
            reason,
            count,
          }),
      });
    }),
  ];
}

/** Parsed only to be redacted and bounded, and only when the line is written: plugins have a budget of lines. */
export function pluginFields(record: LogRecord): unknown {
  if (record.fields === '') return undefined;
  if (record.fields.length > FIELDS_LIMIT) return cut(record.fields, FIELDS_LIMIT);
  try {
    return JSON.parse(record.fields);
  } catch {
    return record.fields;
  }
}
