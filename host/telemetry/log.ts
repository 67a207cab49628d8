/**
 * The one root of all log lines. A line is JSON with `level` as a word, `time`, `name` (the component), `plugin` where it
 * concerns one, the fields, and `msg`. Levels are decided here, not in pino's children, so that they can change at run time.
 */

import { type Logger as PinoLogger, pino } from 'pino';
import type { Clock } from '../../ipc/clock.ts';
import { type LineSink, type LogFormat, logFormat, openLogDestination } from './log-destination.ts';
import { type LogFields, safeFields, safeMessage } from './log-fields.ts';
import { type LogLevel, reaches } from './log-level.ts';

export type { LogFields } from './log-fields.ts';

type LineLevel = Exclude<LogLevel, 'silent'>;

/** Lines of one component, perhaps about one plugin. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  write(level: LineLevel, message: string, fields?: LogFields): void;
  /** Ask before building an expensive line. */
  isEnabled(level: LineLevel): boolean;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** `auto`: pretty on a terminal, JSON lines on a pipe. */
  readonly format: LogFormat | 'auto';
  readonly clock: Clock;
  /** A file descriptor, or a stream. Default: stdout. */
  readonly destination?: number | LineSink;
}

export interface Log {
  /** `name` is what users grep for: `plugin-manager`, `mapping-loader`, `webhook-plugin`. */
  component(name: string, plugin?: string): Logger;
  /** Of everything (and then no plugin has a level of its own any more), or of one plugin. */
  setLevel(level: LogLevel, plugin: string | null): void;
  /** `debug: true` in a plugin's configuration: its debug lines are shown whatever the level of the rest. */
  setDebug(plugin: string, isOn: boolean): void;
  levelOf(plugin: string | null): LogLevel;
  /** The plugin is gone: its own level and loggers with it. */
  forget(plugin: string): void;
  /** Lines lost because nobody read them. */
  readonly lost: number;
  /** Synchronous; for the way out. */
  flush(): void;
}

/** Components × plugins; beyond it loggers are made anew at each call. */
const LOGGER_LIMIT = 512;

export function createLog(options: LogOptions): Log {
  const sink = options.destination ?? 1;
  const format = logFormat(options.format, sink);
  const destination = openLogDestination(sink, format);
  const escaping = { controls: format === 'pretty' };
  const root = pino(
    {
      level: 'trace',
      base: null,
      timestamp: () => `,"time":"${new Date(options.clock.wall()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // log-fields.ts has bounded and redacted everything at any depth: pino's own limits and paths would only cut it again.
      depthLimit: 10,
      edgeLimit: 100,
      serializers: { err: (value: unknown) => value },
    },
    destination,
  );
  let level = options.level;
  const levels = new Map<string, LogLevel>();
  const debugPlugins = new Set<string>();
  const loggers = new Map<string, Logger>();

  const levelOf = (plugin: string | null): LogLevel => {
    if (plugin === null) return level;
    return levels.get(plugin) ?? (debugPlugins.has(plugin) ? 'debug' : level);
  };
  const make = (name: string, plugin: string | undefined): Logger => {
    const child: PinoLogger = root.child(plugin === undefined ? { name } : { name, plugin });
    const isEnabled = (line: LineLevel): boolean => reaches(line, levelOf(plugin ?? null));
    const write = (line: LineLevel, message: string, fields: LogFields = {}): void => {
      if (isEnabled(line)) child[line](safeFields(fields, escaping), safeMessage(message, escaping));
    };
    return {
      debug: (message, fields) => write('debug', message, fields),
      info: (message, fields) => write('info', message, fields),
      warn: (message, fields) => write('warn', message, fields),
      error: (message, fields) => write('error', message, fields),
      write,
      isEnabled,
    };
  };
  return {
    component(name, plugin) {
      const key = `${name}\n${plugin ?? ''}`;
      let logger = loggers.get(key);
      if (logger === undefined) {
        logger = make(name, plugin);
        if (loggers.size < LOGGER_LIMIT) loggers.set(key, logger);
      }
      return logger;
    },
    setLevel(next, plugin) {
      if (plugin !== null) {
        levels.set(plugin, next);
        return;
      }
      level = next;
      levels.clear();
    },
    setDebug(plugin, isOn) {
      if (isOn) debugPlugins.add(plugin);
      else debugPlugins.delete(plugin);
    },
    levelOf,
    forget(plugin) {
      levels.delete(plugin);
      debugPlugins.delete(plugin);
      for (const key of loggers.keys()) if (key.endsWith(`\n${plugin}`)) loggers.delete(key);
    },
    get lost(): number {
      return destination.lost;
    },
    flush: () => destination.flush(),
  };
}
