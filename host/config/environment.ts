/** The environment of the process: the only reader of process.env. A variable that is set to nothing counts as not set. */

import type { Variables } from './expand.ts';
import type { Problem } from './problem.ts';
import { didYouMean } from './suggest.ts';
import { formatDuration, parseDurationMs } from './units.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const LOG_FORMATS = ['json', 'pretty', 'auto'] as const;
const MAX_URL = 2_048;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const MAX_USER = 100;
const MAX_TIMEOUT_MS = 300_000;

export interface Environment {
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logFormat: (typeof LOG_FORMATS)[number];
  /** No trailing slash. */
  readonly kagentApiUrl: string;
  readonly kagentUserId: string;
  readonly kagentApiTimeoutMs: number;
  readonly metricsPort: number;
  readonly healthPort: number;
  readonly podNamespace: string | null;
  /** Of all plugins, whatever is written for each; null: as written. */
  readonly isolation: 'process' | null;
  readonly podName: string | null;
  /** Of several khooks one acts. */
  readonly leaderElection: boolean;
  /** Namespaces whose Hooks count; empty: all. */
  readonly watchNamespaces: readonly string[];
  readonly provenance: Readonly<Record<EnvironmentKey, 'env' | 'default'>>;
  /** All variables as given: for `${VAR}` and for what plugins were granted. Holds secrets: never logged. */
  readonly variables: Variables;
}

export type EnvironmentKey = Exclude<keyof Environment, 'provenance' | 'variables'>;

/** What a text means, or what it should have been. */
type Parsed<Value> = { readonly value: Value } | { readonly fault: string; readonly fix?: string };

/** A variable with a wrong value is reported and has its default. */
export function readEnvironment(variables: Variables = process.env): {
  environment: Environment;
  problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const provenance = {} as Record<EnvironmentKey, 'env' | 'default'>;

  const read = <Value>(
    key: EnvironmentKey,
    names: readonly string[],
    { fallback, parse }: { fallback: Value; parse: (text: string) => Parsed<Value> },
  ): Value => {
    provenance[key] = 'default';
    const name = names.find((candidate) => (variables[candidate] ?? '') !== '');
    if (name === undefined) return fallback;
    const parsed = parse((variables[name] ?? '').trim());
    if ('fault' in parsed) {
      problems.push(environmentProblem(name, parsed.fault, parsed.fix ?? ''));
      return fallback;
    }
    provenance[key] = 'env';
    return parsed.value;
  };

  const environment: Environment = Object.freeze({
    logLevel: read<Environment['logLevel']>('logLevel', ['LOG_LEVEL'], {
      fallback: 'info',
      parse: (text) => choice('LOG_LEVEL', text, LOG_LEVELS),
    }),
    logFormat: read<Environment['logFormat']>('logFormat', ['LOG_FORMAT'], {
      fallback: 'auto',
      parse: (text) => choice('LOG_FORMAT', text, LOG_FORMATS),
    }),
    kagentApiUrl: read('kagentApiUrl', ['KAGENT_API_URL', 'KAGENT_API_BASE_URL'], {
      fallback: 'http://kagent-controller.kagent.svc.cluster.local:8083',
      parse: parseUrl,
    }),
    kagentUserId: read('kagentUserId', ['KAGENT_USER_ID'], { fallback: 'admin@kagent.dev', parse: parseUser }),
    kagentApiTimeoutMs: read('kagentApiTimeoutMs', ['KAGENT_API_TIMEOUT'], { fallback: 120_000, parse: parseTimeout }),
    metricsPort: read('metricsPort', ['METRICS_PORT'], {
      fallback: 8080,
      parse: (text) => parsePort('METRICS_PORT', text),
    }),
    healthPort: read('healthPort', ['HEALTH_PORT'], {
      fallback: 8081,
      parse: (text) => parsePort('HEALTH_PORT', text),
    }),
    podNamespace: read<string | null>('podNamespace', ['POD_NAMESPACE'], {
      fallback: null,
      parse: (text) => ({ value: text === '' ? null : text }),
    }),
    isolation: read<'process' | null>('isolation', ['KHOOK_ISOLATION'], {
      fallback: null,
      parse: (text) => choice('KHOOK_ISOLATION', text, ['process'] as const),
    }),
    podName: read<string | null>('podName', ['POD_NAME'], {
      fallback: null,
      parse: (text) => ({ value: text === '' ? null : text }),
    }),
    leaderElection: read<boolean>('leaderElection', ['LEADER_ELECTION'], { fallback: false, parse: parseSwitch }),
    watchNamespaces: read<readonly string[]>('watchNamespaces', ['WATCH_NAMESPACE'], {
      fallback: [],
      parse: parseNamespaces,
    }),
    provenance: Object.freeze(provenance),
    variables,
  });
  return { environment, problems };
}

function choice<Choice extends string>(name: string, text: string, choices: readonly Choice[]): Parsed<Choice> {
  const wanted = text.toLowerCase() === 'warning' ? 'warn' : text.toLowerCase();
  const found = choices.find((candidate) => candidate === wanted);
  if (found !== undefined) return { value: found };
  const fault = `${name} must be one of: ${choices.join(', ')}, got '${text.slice(0, 40)}'`;
  return { fault, fix: didYouMean(text, choices) };
}

function parsePort(name: string, text: string): Parsed<number> {
  const port = /^\d{1,6}$/.test(text) ? Number(text) : null;
  if (port === null) return { fault: `${name} must be an integer, got '${text.slice(0, 40)}'` };
  // 0 lets the system choose, for tests and for two khooks on one machine.
  return port <= 65_535 ? { value: port } : { fault: `${name} must be between 0 and 65535, got ${port}` };
}

/** The words of Go's strconv.ParseBool, which charts in use may write. */
function parseSwitch(text: string): Parsed<boolean> {
  if (/^(0|f|false|)$/i.test(text)) return { value: false };
  if (/^(1|t|true)$/i.test(text)) return { value: true };
  return { fault: `LEADER_ELECTION must be true or false, got '${text.slice(0, 40)}'` };
}

function parseNamespaces(text: string): Parsed<readonly string[]> {
  const names = [...new Set(text.split(',').map((name) => name.trim()))].filter((name) => name !== '');
  const wrong = names.find((name) => !NAMESPACE.test(name));
  if (wrong === undefined) return { value: names };
  const fix = 'write names of namespaces with commas between them, or nothing for all';
  return { fault: `WATCH_NAMESPACE must be names of namespaces, got '${wrong.slice(0, 64)}'`, fix };
}

const INVALID = 'invalid client configuration: ';

function parseUrl(text: string): Parsed<string> {
  const fix = 'set KAGENT_API_URL to something like http://kagent-controller.kagent.svc.cluster.local:8083';
  if (text === '') return { fault: `${INVALID}BaseURL cannot be empty`, fix };
  if (text.length > MAX_URL)
    return { fault: `${INVALID}BaseURL too long: ${text.length} characters (max ${MAX_URL})`, fix };
  if (!/^https?:\/\//.test(text)) return { fault: `${INVALID}BaseURL must start with http:// or https://`, fix };
  if (!URL.canParse(text)) return { fault: `${INVALID}BaseURL is not a URL`, fix };
  return { value: text.replace(/\/+$/, '') };
}

function parseUser(text: string): Parsed<string> {
  if (text === '') return { fault: `${INVALID}UserID cannot be empty` };
  if (text.length > MAX_USER)
    return { fault: `${INVALID}UserID too long: ${text.length} characters (max ${MAX_USER})` };
  if (text.includes('@')) {
    const isEmail = /^[^\s@]+@[^\s@]+$/.test(text) && text.includes('.');
    return isEmail ? { value: text } : { fault: `${INVALID}UserID appears to be an email but has invalid format` };
  }
  const isWord = /^[A-Za-z0-9._-]+$/.test(text);
  return isWord
    ? { value: text }
    : { fault: `${INVALID}UserID may only hold letters, digits, dots, dashes and underscores` };
}

function parseTimeout(text: string): Parsed<number> {
  const fix = 'write a duration such as 120s or 2m';
  const ms = parseDurationMs(text);
  if (ms === null) return { fault: `invalid KAGENT_API_TIMEOUT format: '${text.slice(0, 40)}'`, fix };
  if (ms <= 0) return { fault: `${INVALID}Timeout must be positive, got ${formatDuration(ms)}`, fix };
  if (ms > MAX_TIMEOUT_MS) return { fault: `${INVALID}Timeout too long: ${formatDuration(ms)} (max 300s)`, fix };
  return { value: ms };
}

function environmentProblem(name: string, message: string, fix: string): Problem {
  return {
    code: 'HOST_ERR_CONFIG_VALUE',
    message,
    file: 'environment',
    line: null,
    column: null,
    path: name,
    fix,
    subject: '',
  };
}
