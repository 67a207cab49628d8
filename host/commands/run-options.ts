/** The command line of `khook run`, joined with the environment: flag, else variable, else default. */

import { resolve } from 'node:path';
import type { AgentTarget, AppOptions } from '../app-options.ts';
import type { Environment } from '../config/environment.ts';
import { isLogLevel } from '../telemetry/log-level.ts';
import { type Flag, flagText, type Invocation } from './command.ts';
import { HOOKS_FLAG, hooksDirectoryOf } from './hooks-flag.ts';

export const RUN_FLAGS: readonly Flag[] = [
  {
    name: 'config',
    short: 'c',
    value: 'DIR',
    description: 'Folder with plugins.yaml and event-mappings.yaml.',
    default: 'config',
  },
  HOOKS_FLAG,
  {
    name: 'plugins',
    value: 'DIR',
    description: 'Folder with plugin bundles.',
    default: 'settings.pluginDirectory of plugins.yaml',
  },
  {
    name: 'data',
    value: 'DIR',
    description: 'Folder of what outlives the process: the outbox, unpacked archives. none: nothing does.',
    default: '.khook',
  },
  { name: 'agent-url', value: 'URL', description: 'Call this A2A agent for every Hook.' },
  {
    name: 'agent-port',
    value: 'PORT',
    description: 'Port of the embedded agent, which serves when no other agent is named.',
    default: '8083',
  },
  {
    name: 'metrics-port',
    value: 'PORT',
    description: 'Metrics and read API.',
    default: '8080',
    variable: 'METRICS_PORT',
  },
  {
    name: 'health-port',
    value: 'PORT',
    description: 'Health and readiness.',
    default: '8081',
    variable: 'HEALTH_PORT',
  },
  { name: 'admin-port', value: 'PORT', description: 'What changes something; loopback only.', default: '6060' },
  { name: 'listen-address', value: 'IP', description: 'Address of the metrics and health ports.', default: '0.0.0.0' },
  {
    name: 'log-level',
    value: 'LEVEL',
    description: 'debug, info, warn or error.',
    default: 'info',
    variable: 'LOG_LEVEL',
  },
  {
    name: 'log-format',
    value: 'FORMAT',
    description: 'json, pretty, or auto: pretty on a terminal.',
    default: 'auto',
    variable: 'LOG_FORMAT',
  },
  { name: 'no-keeper', description: 'Run the host in this process: nobody starts it again when it dies.' },
];

const FORMATS = ['json', 'pretty', 'auto'] as const;

/** The options, or what is wrong with the command line. */
export function readRunOptions(invocation: Invocation, environment: Environment, version: string): AppOptions | string {
  const text = (name: string): string | null => flagText(invocation, name);
  const ports = {
    metrics: readPort(text('metrics-port'), environment.metricsPort),
    health: readPort(text('health-port'), environment.healthPort),
    admin: readPort(text('admin-port'), 6060),
    agent: readPort(text('agent-port'), 8083),
  };
  for (const [name, port] of Object.entries(ports)) {
    if (port === null) return `--${name}-port must be a port between 0 and 65535, got '${text(`${name}-port`)}'`;
  }
  const level = text('log-level') ?? environment.logLevel;
  if (!isLogLevel(level)) return `--log-level must be debug, info, warn or error, got '${level}'`;
  const wanted = text('log-format') ?? environment.logFormat;
  const format = FORMATS.find((name) => name === wanted);
  if (format === undefined) return `--log-format must be one of ${FORMATS.join(', ')}, got '${wanted}'`;
  const agent = readAgent(text('agent-url'), ports.agent ?? 0, environment);
  if (typeof agent === 'string') return agent;
  const configDirectory = resolve(text('config') ?? 'config');
  const plugins = text('plugins');
  const data = text('data') ?? '.khook';
  return {
    version,
    environment,
    configDirectory,
    hooksDirectory: hooksDirectoryOf(text('hooks'), { configDirectory, environment }),
    pluginsDirectory: plugins === null ? null : resolve(plugins),
    dataDirectory: data === 'none' ? null : resolve(data),
    workDirectory: null,
    agent,
    ports: { metrics: ports.metrics ?? 0, health: ports.health ?? 0, admin: ports.admin ?? 0 },
    listenAddress: text('listen-address') ?? '0.0.0.0',
    log: { level, format },
  };
}

/** A named URL wins; kagent serves in a pod or when its address is given; otherwise the embedded agent does. */
function readAgent(url: string | null, port: number, environment: Environment): AgentTarget | string {
  if (url !== null) {
    const { protocol } = URL.parse(url) ?? {};
    if (protocol !== 'http:' && protocol !== 'https:')
      return `--agent-url must be an http:// or https:// URL, got '${url}'`;
    return { kind: 'url', url };
  }
  const isInCluster = environment.variables.KUBERNETES_SERVICE_HOST !== undefined;
  if (isInCluster || environment.provenance.kagentApiUrl === 'env') return { kind: 'kagent' };
  return { kind: 'embedded', port };
}

function readPort(text: string | null, fallback: number): number | null {
  if (text === null) return fallback;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  return port >= 0 && port <= 65_535 ? port : null;
}
