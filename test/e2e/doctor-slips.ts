/** More faults: slips of whoever writes the files, and agents that are not what they were taken for. */

import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentFault, born, type Fault, happens } from './doctor-faults.ts';
import { bundle, FIXTURES, hook, MAPPING, puppet } from './doctor-support.ts';

const SLIPPED = hook().replace('"Hook"', '"hook"');
const FOREIGN = hook().replace('kagent.dev', 'kagent.dv');
const CONFIGURATION = { eventType: 'happened', agentRef: { name: 'a' }, prompt: 'look' };
const TOO_LARGE = `import { definePlugin } from 'khook/plugin';
export default definePlugin({
  start(ctx) {
    setInterval(() => undefined, 60_000);
    ctx.emit({ type: 'happened', resourceName: 'x', message: 'm'.repeat(3_000_000) }).catch(() => undefined);
  },
});
`;
const UNGRANTED = `import { connect } from 'node:net';
import { definePlugin } from 'khook/plugin';
export default definePlugin({
  start() {
    setInterval(() => undefined, 60_000);
    connect(5432, '10.0.0.9').on('error', () => undefined);
  },
});
`;
const PATIENCE = 'settings: { delivery: { attempts: 2, initialBackoff: 50ms } }';

export const FILE_SLIPS: readonly Fault[] = [
  born('a duration without a unit', 'CONFIG_INVALID', /write the unit: '10s' for seconds/, {
    plugins: 'settings: { loadTimeout: "10" }',
  }),
  born('a mapping with a slip in a field', 'CONFIG_INVALID', /did you mean 'eventType'/, {
    mappings: 'mappings: [{ eventSource: puppet, eventTyp: happened, internalType: Happened }]',
  }),
  born('a slip in the key of all mappings', 'CONFIG_INVALID', /write `mappings:` in place of `mapings:`/, {
    mappings: `mapings: [${MAPPING}]`,
  }),
  born('a Hook with a slip in its kind', 'HOOK_FAULT', /h\.yaml[\s\S]*did you mean 'Hook'/, {
    hooks: { 'h.yaml': SLIPPED },
  }),
  born('a Hook with a slip in its apiVersion', 'HOOK_FAULT', /did you mean 'kagent\.dev\/v1alpha2'/, {
    hooks: { 'h.yaml': FOREIGN },
  }),
  born('a Hook in a file with another ending', 'HOOK_NONE', /h\.yaml\.txt: its name does not end in \.yaml/, {
    hooks: { 'h.yaml.txt': hook() },
  }),
  born('an empty Hook', 'HOOK_NONE', /h\.yaml: holds no Hook/, { hooks: { 'h.yaml': '' } }),
  born('a number in quotes in a manifest', 'PLUGIN_INVALID', /write 1, without quotes/, (t) => ({
    bundles: { puppet: `${FIXTURES}/puppet`, odd: bundle(t, 'odd', '', { apiVersion: '1' }) },
  })),
  born('a slip in the name of a plugin', 'PLUGIN_MISSING', /did you mean 'puppet'/, {
    plugins: 'plugins: [{ name: pupet }]',
  }),
  born('a filter that is no CEL, by its file', 'HOOK_FILTER', /it stands in .*h\.yaml/, {
    hooks: { 'h.yaml': hook({ filter: "event.severity = 'x'" }) },
  }),
  born(
    'a prompt with a slip in a name',
    'HOOK_FAULT',
    /names \{\{\.resourcename\}\}[\s\S]*h\.yaml[\s\S]*Write \{\{\.ResourceName\}\}/,
    {
      hooks: {
        'h.yaml': hook({ eventConfigurations: [{ ...CONFIGURATION, prompt: '{{.resourcename}} {{ .Own }}' }] }),
      },
    },
  ),
  born('a slip in one of two types', 'HOOK_FAULT', /can not fire for all that it lists: eventType: hapened/, {
    hooks: { 'h.yaml': hook({ eventConfigurations: [CONFIGURATION, { ...CONFIGURATION, eventType: 'hapened' }] }) },
  }),
  born('a mapping that is switched off, beside one of no plugin', 'HOOK_FAULT', /puppet:happened is switched off/, {
    mappings: `mappings: [${MAPPING.replace(' }', ', enabled: false }')}, ${MAPPING.replace('puppet', 'other')}]`,
  }),
  happens('a filter that fails, by its Hook and file', 'HOOK_FILTER', {
    says: /The filter of Hook default\/h failed on 1 event[\s\S]*it stands in .*h\.yaml/,
    files: { hooks: { 'h.yaml': hook({ filter: 'event.metadata.count > 3' }) } },
    does: (host) => host.emit({}),
  }),
  born('a rate limit that makes its plugin wait', 'RATE_LIMIT', /wait for its rate limit[\s\S]*raise rateLimit/, {
    plugins: puppet('rateLimit: { eventsPerSecond: 0.01, burst: 1 }, config: { count: 9 }'),
  }),
  born('settings that do not go together', 'CONFIG_INVALID', /must not be longer than[\s\S]*the longer one is used/, {
    plugins: 'settings: { delivery: { initialBackoff: 5m } }',
  }),
  born('what a plugin sends and what is too large for an event', 'EVENT_INVALID', /EVENT_ERR_TOO_LARGE/, (t) => ({
    bundles: { puppet: `${FIXTURES}/puppet`, odd: bundle(t, 'odd', TOO_LARGE) },
  })),
  born('a connection that was not granted, and that nobody misses', 'PLUGIN_DENIED', /refused 1 connection/, (t) => ({
    bundles: { puppet: `${FIXTURES}/puppet`, odd: bundle(t, 'odd', UNGRANTED) },
  })),
  happens('a Hook that was spoilt while it was in force', 'HOOK_FAULT', {
    says: /default\/h stays in force as it was before/,
    does: async ({ directory }) => writeFileSync(join(directory, 'config/hooks/h.yaml'), hook({ timeout: '10' })),
  }),
  happens('configuration in UTF-16', 'CONFIG_INVALID', {
    says: /plugins\.yaml is written in UTF-16[\s\S]*save it as UTF-8/,
    does: async ({ directory }) =>
      writeFileSync(join(directory, 'config/plugins.yaml'), Buffer.from('\uFEFFplugins: []\n', 'utf16le')),
  }),
  happens('a link that leads back to itself', 'CONFIG_INVALID', {
    says: /ELOOP[\s\S]*leads back to itself/,
    async does({ directory }) {
      const file = join(directory, 'config/plugins.yaml');
      symlinkSync(file, `${file}.new`);
      renameSync(`${file}.new`, file);
    },
  }),
  happens('Hooks in a folder below, and a link to none', 'HOOK_NONE', {
    says: /below\/: a folder;[\s\S]*lost\.yaml: a link to what does not exist/,
    files: { hooks: {} },
    async does({ directory }) {
      mkdirSync(join(directory, 'config/hooks/below'));
      symlinkSync('/nowhere/h.yaml', join(directory, 'config/hooks/lost.yaml'));
    },
  }),
];

const answers = (status: number, body: string, headers: Record<string, string> = {}) => ({
  onSend: () => ({ kind: 'says' as const, status, body, headers }),
});
/** An agent somewhere else than the one that is well. */
const elsewhere = (url: string) => ({ plugins: PATIENCE, flags: ['--agent-url', url] });

export const AGENT_SLIPS: readonly Fault[] = [
  agentFault(
    'an agent whose host has a slip in its name',
    'AGENT_UNREACHABLE',
    /nobody knows the name/,
    {},
    elsewhere('http://kagnet.invalid:8083'),
  ),
  agentFault(
    'a page where an agent should be',
    'AGENT_REFUSED',
    /are not A2A[\s\S]*curl -si http/,
    answers(200, '<html>'),
  ),
  agentFault(
    'a log-in before an agent',
    'AGENT_REFUSED',
    /redirect[\s\S]*final URL/,
    answers(302, '', { location: '/in' }),
  ),
  agentFault('an agent that lets nobody in', 'AGENT_REFUSED', /does not let khook in/, answers(403, 'no')),
  agentFault('a proxy that finds prompts too large', 'AGENT_REFUSED', /maxPromptLength/, answers(413, 'no')),
  agentFault(
    'an agent that breaks connections off',
    'AGENT_UNREACHABLE',
    /breaks them off/,
    { onSend: () => ({ kind: 'resets' }) },
    { plugins: PATIENCE },
  ),
  agentFault('an agent that waits for a person', 'AGENT_FAILING', /Answer it where the agent is used/, {
    states: ['input-required'],
  }),
];

export const SLIPS: readonly Fault[] = [...FILE_SLIPS, ...AGENT_SLIPS];
