import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { explain } from '../../host/commands/explain.ts';
import { AppHost } from '../support/app-host.ts';
import { type CommandRun, runCommand } from '../support/command-run.ts';
import { tempDir } from '../support/temp-dir.ts';

const TYPES = ['happened', 'pod-restart', 'pod-pending', 'switched-off', 'not-mapped', 'node-down', 'quota-hit'];
const MAPPINGS = JSON.stringify({
  mappings: [
    { eventSource: 'puppet', eventType: 'happened', internalType: 'Happened' },
    { eventSource: 'puppet', eventType: 'pod-restart', internalType: 'PodRestart', severity: 'warning' },
    { eventSource: 'puppet', eventType: 'pod-pending', internalType: 'PodPending' },
    { eventSource: 'puppet', eventType: 'switched-off', internalType: 'SwitchedOff', enabled: false },
    { eventSource: 'puppet', eventType: 'node-dwon', internalType: 'NodeGone' },
    { eventSource: 'pupet', eventType: 'quota-hit', internalType: 'QuotaHit' },
    { eventSource: 'puppet', eventType: 'undeclared', internalType: 'Undeclared' },
    { eventSource: 'sleeper', eventType: 'asleep', internalType: 'Asleep' },
    { eventSource: 'mute', eventType: 'happened', internalType: 'Happened' },
    { eventSource: 'scoped', eventType: 'disk-full', internalType: 'DiskFull' },
  ],
});

export interface Spec {
  readonly namespace?: string;
  readonly eventType: string;
  readonly [field: string]: unknown;
}

function hookFile(name: string, { namespace = 'shop', eventType, ...rest }: Spec): string {
  const spec = {
    eventConfigurations: [{ eventType, agentRef: { name: 'a' }, prompt: 'look at {{.ResourceName}}' }],
    ...rest,
  };
  return JSON.stringify({ apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata: { name, namespace }, spec });
}

/** The plugin of the fixtures under another name, with other types in its manifest. */
function puppet(t: Pick<TestContext, 'after'>, name: string, eventTypes: readonly string[]): string {
  const folder = join(tempDir(t), name);
  cpSync('test/fixtures/plugins/puppet', folder, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { khook: object };
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ ...manifest, name, khook: { ...manifest.khook, eventTypes } }),
  );
  return folder;
}

interface Entry {
  readonly name: string;
  readonly eventTypes?: readonly string[];
  readonly [field: string]: unknown;
}

export async function start(
  t: Pick<TestContext, 'after'>,
  {
    hooks,
    plugins = [],
    flags = [],
  }: { hooks: Readonly<Record<string, Spec>>; plugins?: readonly Entry[]; flags?: readonly string[] },
): Promise<AppHost> {
  const entries = [{ name: 'puppet', eventTypes: TYPES }, ...plugins];
  const host = await AppHost.start(t, {
    mappings: MAPPINGS,
    hooks: Object.fromEntries(Object.entries(hooks).map(([name, spec]) => [`${name}.yaml`, hookFile(name, spec)])),
    bundles: Object.fromEntries(entries.map(({ name, eventTypes = TYPES }) => [name, puppet(t, name, eventTypes)])),
    plugins: JSON.stringify({ plugins: entries.map(({ eventTypes, ...entry }) => entry) }),
    env: { POD_NAMESPACE: 'kagent' },
    flags: ['--hooks', '{directory}/config/hooks', ...flags],
  });
  for (const { name } of entries) await host.plugin(name, 'running');
  return host;
}

export function explained(host: AppHost, ...args: string[]): Promise<CommandRun> {
  return runCommand(explain, [...args, '--url', `http://127.0.0.1:${host.app.ports.admin}`]);
}

/** Without the trail, and without times, ids and ports, which differ from run to run. */
export function steady(text: string, id: string): readonly string[] {
  return text
    .replaceAll(id, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\b\d\d:\d\d:\d\d\.\d{3}\b/g, 'AT')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g, 'MESSAGE')
    .replace(/\d+(\.\d)? (s|min)\b/g, 'N $2')
    .replace(/127\.0\.0\.1:\d+/g, 'AGENT')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('  AT '));
}
