/** Faults that are put into a host that was well, one at a time, and what the doctor must name first. */

import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FindingCode } from '../../host/doctor/finding.ts';
import type { AppHost } from '../support/app-host.ts';
import type { Manners } from '../support/misbehaving-agent.ts';
import { freePort } from '../support/running-host.ts';
import { bundle, FIXTURES, healthy, hook, MAPPING, puppet } from './doctor-support.ts';

export interface Fault {
  readonly what: string;
  readonly code: FindingCode;
  /** Of the first finding: what it says, and what it was made of. */
  readonly says: RegExp;
  readonly inject: (t: TestContext) => Promise<AppHost>;
}

export type Files = Parameters<typeof healthy>[1];

/** A host that is started with the fault in it. */
export function born(what: string, code: FindingCode, says: RegExp, files: Files | ((t: TestContext) => Files)): Fault {
  const inject = (t: TestContext): Promise<AppHost> => healthy(t, typeof files === 'function' ? files(t) : files);
  return { what, code, says, inject };
}

/** A host that is well, and to which something happens. */
export function happens(
  what: string,
  code: FindingCode,
  {
    says,
    files = {},
    manners = {},
    does,
  }: {
    readonly says: RegExp;
    readonly files?: Files;
    readonly manners?: Manners;
    readonly does: (host: AppHost) => Promise<unknown>;
  },
): Fault {
  const inject = async (t: TestContext): Promise<AppHost> => {
    const host = await healthy(t, files, manners);
    await host.plugin('puppet', 'running');
    await does(host);
    return host;
  };
  return { what, code, says, inject };
}

const typo = { eventConfigurations: [{ eventType: 'hapened', agentRef: { name: 'a' }, prompt: 'look' }] };
const foreign = { eventConfigurations: [{ eventType: 'Foreign', agentRef: { name: 'a' }, prompt: 'look' }] };
const prompts = { eventConfigurations: [{ eventType: 'happened', agentRef: { name: 'a' }, prompt: '{{ .Broken' }] };

export const CONFIG_FAULTS: readonly Fault[] = [
  born('plugins.yaml that is no YAML', 'CONFIG_INVALID', /plugins\.yaml/, { plugins: 'plugins: [' }),
  born('a key that nobody knows', 'CONFIG_INVALID', /plugins\.yaml:1:.*enabeld/s, { plugins: puppet('enabeld: true') }),
  born('a limit out of its range', 'CONFIG_INVALID', /memory/, { plugins: puppet('limits: { memoryMb: 1 }') }),
  born('event-mappings.yaml that is no YAML', 'CONFIG_INVALID', /event-mappings\.yaml/, { mappings: 'mappings: {{' }),
  born('a mapping with a severity that there is not', 'CONFIG_INVALID', /severity/, {
    mappings: `mappings: [${MAPPING}, { eventSource: puppet, eventType: b, internalType: B, severity: awful }]`,
  }),
  born('a mapping twice', 'MAPPING_SHADOWED', /mapped twice/, { mappings: `mappings: [${MAPPING}, ${MAPPING}]` }),
  born('a variable that is not set', 'VARIABLE_UNSET', /NOWHERE/, { plugins: puppet('config: { x: "${NOWHERE}" }') }),
  born('a plugin without a bundle', 'PLUGIN_MISSING', /nobody/, { plugins: 'plugins: [{ name: nobody }]' }),
  born('a bundle without a manifest', 'PLUGIN_INVALID', /empty/, (t) => {
    const directory = bundle(t, 'empty', '');
    writeFileSync(join(directory, 'package.json'), '{ "name": "empty", "khook": 7 }');
    return { bundles: { puppet: `${FIXTURES}/puppet`, empty: directory } };
  }),
  born('a bundle whose entry is missing', 'PLUGIN_INVALID', /index\.ts/, (t) => {
    const directory = bundle(t, 'hollow', '');
    rmSync(join(directory, 'index.ts'));
    return { bundles: { puppet: `${FIXTURES}/puppet`, hollow: directory } };
  }),
  born('a folder of configuration that is not there', 'CONFIG_MISSING', /plugins\.yaml does not exist/, {
    flags: ['--config', '{directory}/nowhere', '--hooks', '{directory}/config/hooks'],
  }),
  born('a folder of Hooks that is not there', 'CONFIG_MISSING', /nowhere does not exist/, {
    flags: ['--hooks', '{directory}/nowhere'],
  }),
  born('two bundles of one name', 'PLUGIN_INVALID', /puppet/, {
    bundles: { puppet: `${FIXTURES}/puppet`, copy: `${FIXTURES}/puppet` },
  }),
  born('a Hook without a prompt', 'HOOK_FAULT', /bad\.yaml/, {
    hooks: {
      'h.yaml': hook(),
      'bad.yaml': hook({ eventConfigurations: [{ eventType: 'happened', agentRef: { name: 'a' } }] }, { name: 'bad' }),
    },
  }),
  {
    what: 'a setting that waits for the next start',
    code: 'CONFIG_DEFERRED',
    says: /dedup/,
    async inject(t) {
      const host = await healthy(t);
      writeFileSync(join(host.directory, 'config/plugins.yaml'), 'settings: { dedup: { window: 5m } }');
      return host;
    },
  },
];

const CRASHES =
  "import { definePlugin } from 'khook/plugin';\nexport default definePlugin({ start() { THE_FAULT } });\n";

function crashing(fault: string): (t: TestContext) => Files {
  return (t) => ({
    bundles: { puppet: `${FIXTURES}/puppet`, faulty: bundle(t, 'faulty', CRASHES.replace('THE_FAULT', fault)) },
  });
}

const WAITS = 'limits: { startTimeout: 5s }, config: { startMs: 4500 }';

export const PLUGIN_FAULTS: readonly Fault[] = [
  born('a plugin that a Hook counts on, switched off', 'PLUGIN_DISABLED', /default\/h/, {
    plugins: puppet('enabled: false'),
  }),
  born('permissions that were not granted', 'PLUGIN_BLOCKED', /grant/, (t) => ({
    bundles: {
      puppet: `${FIXTURES}/puppet`,
      greedy: bundle(t, 'greedy', '', { permissions: { net: { connect: ['a:1'] } } }),
    },
  })),
  born('no connection to a cluster', 'CONNECTION', /KUBECONFIG/, (t) => ({
    bundles: { puppet: `${FIXTURES}/puppet`, watcher: bundle(t, 'watcher', '', { permissions: { kubernetes: true } }) },
    plugins: 'plugins: [{ name: watcher, permissions: { kubernetes: true } }]',
  })),
  born('a bundle that is no TypeScript', 'PLUGIN_RESTARTING', /faulty/, crashing('} } }')),
  born('a plugin that refuses its configuration', 'PLUGIN_FAILED', /wrong key/, (t) => ({
    bundles: {
      puppet: `${FIXTURES}/puppet`,
      faulty: bundle(
        t,
        'faulty',
        "import { ConfigError, definePlugin } from 'khook/plugin';\nexport default definePlugin({ initialize() { throw new ConfigError('the wrong key'); }, start() {} });\n",
      ),
    },
  })),
  born(
    'a plugin that throws as it starts',
    'PLUGIN_RESTARTING',
    /no database/,
    crashing("throw new Error('no database')"),
  ),
  born('a plugin that breaks once', 'PLUGIN_RECYCLED', /a bug in a callback/, {
    bundles: { puppet: `${FIXTURES}/puppet`, breaker: `${FIXTURES}/breaker` },
    plugins: 'plugins: [{ name: breaker, config: { afterMs: 2000 } }]',
    mappings: `mappings: [${MAPPING}, ${MAPPING.replace('puppet', 'breaker')}]`,
  }),
  born('a plugin that blocks its event loop', 'PLUGIN_RECYCLED', /hang|stood still/, {
    plugins: puppet('config: { blockMs: 5000 }, limits: { hangTimeout: 300ms }'),
  }),
  born('a plugin that holds more than it may', 'PLUGIN_RECYCLED', /leak|out_of_memory|memory/, {
    plugins: puppet('config: { holdMb: 200 }'),
  }),
  {
    what: 'a port that somebody else has',
    code: 'PORT_TAKEN',
    says: /EADDRINUSE|already in use/,
    async inject(t) {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      t.after(() => server.close());
      const { port } = server.address() as { port: number };
      return healthy(t, listener(port, port));
    },
  },
  {
    what: 'a port of the webhook that khook itself has',
    code: 'PORT_TAKEN',
    says: /port is in use/,
    async inject(t) {
      const port = await freePort();
      return healthy(t, {
        bundles: { puppet: `${FIXTURES}/puppet`, webhook: 'plugins/webhook' },
        plugins: `plugins: [{ name: webhook, config: { port: ${port}, host: 127.0.0.1 }, permissions: { net: { listen: [${port}] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] } }]`,
        flags: ['--metrics-port', String(port)],
      });
    },
  },
  {
    what: 'a port on which nobody listens',
    code: 'PORT_SILENT',
    says: /nobody takes a connection/,
    async inject(t) {
      const listen = [await freePort()];
      const source = CRASHES.replace('THE_FAULT', 'setInterval(() => undefined, 1000);');
      return healthy(t, {
        bundles: {
          puppet: `${FIXTURES}/puppet`,
          idle: bundle(t, 'idle', source, { permissions: { net: { listen } } }),
        },
        plugins: `plugins: [{ name: idle, permissions: { net: { listen: [${listen}] } } }]`,
      });
    },
  },
  born('a health check that says no', 'PLUGIN_UNHEALTHY', /not healthy/, {
    plugins: `settings: { healthCheckInterval: 1s }\n${puppet('config: { health: bad }')}`,
  }),
  born('a source that is away', 'SOURCE_STALE', /nobody answers/, {
    plugins: `settings: { healthCheckInterval: 1s }\n${puppet('config: { health: stale }')}`,
  }),
  born('a start that takes long', 'PLUGIN_STARTING', /puppet/, { plugins: puppet(WAITS) }),
  born('memory near its limit', 'PLUGIN_MEMORY', /for the last ten seconds/, {
    plugins: puppet('config: { holdMb: 58 }, limits: { memoryMb: 64 }'),
  }),
];

function listener(granted: number, port: number): Files {
  return {
    bundles: { puppet: `${FIXTURES}/puppet`, 'port-holder': `${FIXTURES}/port-holder` },
    plugins: `plugins: [{ name: port-holder, config: { port: ${port}, greeting: hi }, permissions: { net: { listen: [${granted}] } } }]`,
  };
}

export const RULE_FAULTS: readonly Fault[] = [
  born('a slip in an event type', 'HOOK_FAULT', /did you mean happened/, { hooks: { 'h.yaml': hook(typo) } }),
  born('an event type without a mapping', 'HOOK_FAULT', /matches no mapping/, { hooks: { 'h.yaml': hook(foreign) } }),
  born('a mapping that is switched off, and a Hook', 'HOOK_FAULT', /switched off/, {
    mappings: `mappings: [${MAPPING.replace(' }', ', enabled: false }')}]`,
  }),
  born('a mapping of a plugin that is not there', 'HOOK_SOURCE', /did you mean puppet/, {
    mappings: 'mappings: [{ eventSource: pupet, eventType: happened, internalType: Happened }]',
  }),
  born('a mapping of a type that is not sent', 'HOOK_SOURCE', /does not declare/, {
    mappings: 'mappings: [{ eventSource: puppet, eventType: hapenned, internalType: Happened }]',
    hooks: {
      'h.yaml': hook({ eventConfigurations: [{ eventType: 'Happened', agentRef: { name: 'a' }, prompt: 'l' }] }),
    },
  }),
  born('a mapping that is never used', 'MAPPING_UNFED', /does not declare/, {
    mappings: `mappings: [${MAPPING}, { eventSource: puppet, eventType: other, internalType: Other }]`,
  }),
  born('a suspended Hook', 'HOOK_SUSPENDED', /default\/h/, { hooks: { 'h.yaml': hook({ suspend: true }) } }),
  born('a filter that is no CEL', 'HOOK_FILTER', /filter/, { hooks: { 'h.yaml': hook({ filter: 'event.type ==' }) } }),
  born('a prompt that is no template', 'HOOK_FAULT', /template/, { hooks: { 'h.yaml': hook(prompts) } }),
  born('namespaces that have no effect', 'HOOK_FAULT', /spec\.namespaces/, {
    hooks: { 'h.yaml': hook({ namespaces: ['shop'] }, { namespace: 'shop' }) },
  }),
  born('no Hook at all', 'HOOK_NONE', /no Hook/, { hooks: {} }),
];

const AGENT = 'default/a';

export function agentFault(what: string, code: FindingCode, says: RegExp, manners: Manners, files: Files = {}): Fault {
  return happens(what, code, { says, manners, files, does: (host) => host.emit({}) });
}

const PATIENCE = 'settings: { delivery: { timeout: 1s, attempts: 2, initialBackoff: 100ms } }';

export const AGENT_FAULTS: readonly Fault[] = [
  {
    what: 'an agent that is not there',
    code: 'AGENT_UNREACHABLE',
    says: /ECONNREFUSED|cannot be reached/,
    async inject(t) {
      const host = await healthy(t, { flags: ['--agent-url', `http://127.0.0.1:${await freePort()}`] });
      await host.plugin('puppet', 'running');
      await host.emit({});
      return host;
    },
  },
  agentFault('an agent that nobody knows', 'AGENT_UNKNOWN', new RegExp(AGENT), {
    onSend: () => ({ kind: 'says', status: 404, body: 'no such agent' }),
  }),
  agentFault('an agent that wants to know who asks', 'AGENT_REFUSED', /401/, {
    onSend: () => ({ kind: 'says', status: 401, body: 'who are you' }),
  }),
  agentFault('an agent that fails', 'AGENT_FAILING', /500/, {
    onSend: () => ({ kind: 'says', status: 500, body: 'out of tokens' }),
  }),
  agentFault('an agent that has too much to do', 'AGENT_FAILING', /429/, {
    onSend: () => ({ kind: 'says', status: 429, body: 'later' }),
  }),
  agentFault(
    'an agent that hangs',
    'AGENT_SLOW',
    /in time/,
    { onSend: () => ({ kind: 'hangs' }) },
    { plugins: PATIENCE },
  ),
  agentFault('an agent whose task fails', 'AGENT_FAILING', /task/, { states: ['working', 'failed'] }),
];

const limited = 'rateLimit: { eventsPerSecond: 1, burst: 1, whenFull: drop_newest }, config: { count: 20 }';

export const EVENT_FAULTS: readonly Fault[] = [
  born('an event that is not valid', 'EVENT_INVALID', /message/, {
    plugins: puppet('config: { count: 1, messageLength: 0 }'),
  }),
  happens('an event that no mapping knows', 'MAPPING_MISSING', {
    says: /puppet:strange/,
    does: (host) => host.emit({ type: 'strange' }),
  }),
  happens('an event whose mapping is switched off', 'MAPPING_DISABLED', {
    says: /puppet:off/,
    files: {
      mappings: `mappings: [${MAPPING}, { eventSource: puppet, eventType: off, internalType: Off, enabled: false }]`,
    },
    does: (host) => host.emit({ type: 'off' }),
  }),
  happens('an event of another namespace', 'HOOK_NAMESPACE', {
    says: /namespace shop/,
    does: (host) => host.emit({ namespace: 'shop' }),
  }),
  happens('an event that carries no namespace, of a plugin that is for others', 'HOOK_NAMESPACE', {
    says: /Add default to namespaces of plugin puppet/,
    files: { plugins: puppet('namespaces: [shop]') },
    does: (host) => host.emit({}),
  }),
  happens("an event of khook's own namespace", 'HOOK_NAMESPACE', {
    says: /Move the Hook to namespace default\.\n/,
    files: { hooks: { 'h.yaml': hook({}, { namespace: 'shop' }) } },
    does: (host) => host.emit({ namespace: 'default' }),
  }),
  happens('a filter that keeps back everything', 'HOOK_FILTER', {
    says: /kept back/,
    files: { hooks: { 'h.yaml': hook({ filter: 'event.resourceName == "never"' }) } },
    does: (host) => host.emit({}),
  }),
  happens('a filter that fails', 'HOOK_FILTER', {
    says: /failed/,
    files: { hooks: { 'h.yaml': hook({ filter: 'event.metadata.absent.deeper == "x"' }) } },
    does: (host) => host.emit({}),
  }),
  happens('an event that repeats another', 'DEDUP', {
    says: /repeated what had fired/,
    async does(host) {
      await host.emit({});
      await host.emit({});
    },
  }),
  happens('a budget that is used up', 'BUDGET', {
    says: /1 calls of this hour/,
    files: { hooks: { 'h.yaml': hook({ callsPerHour: 1 }) } },
    async does(host) {
      await host.emit({ resourceName: 'one' });
      await host.emit({ resourceName: 'two' });
    },
  }),
  born('a rate limit that drops', 'EVENT_DROPPED', /rate/, { plugins: puppet(limited) }),
];

export const FAULTS: readonly Fault[] = [
  ...CONFIG_FAULTS,
  ...PLUGIN_FAULTS,
  ...RULE_FAULTS,
  ...AGENT_FAULTS,
  ...EVENT_FAULTS,
];
