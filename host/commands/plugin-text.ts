/** Plugins for a terminal: first what is there, then what keeps one from running and what to paste. */

import { missingGrants } from '../config/grants.ts';
import type { Permissions } from '../config/permissions.ts';
import type { PluginSnapshot, UseSnapshot } from '../http/view.ts';
import { listPermissions, permissionRows } from './permission-rows.ts';
import { plain, textTable } from './text-table.ts';

const MIB = 1024 * 1024;
const MAX_CELL = 64;

export function pluginTable(plugins: readonly PluginSnapshot[]): string {
  if (plugins.length === 0) return 'The host knows no plugin.\n';
  const header = ['NAME', 'VERSION', 'STATE', 'GENERATION', 'ISOLATION', 'MEMORY', 'ASKED', 'GRANTED', 'USED'];
  const rows = plugins.map((plugin) => [
    plugin.name,
    plugin.version,
    plugin.state,
    String(plugin.generation),
    plugin.isolation,
    memory(plugin),
    ...access(plugin),
  ]);
  const troubles = plugins.flatMap(trouble);
  return `${[textTable(header, rows, MAX_CELL), ...troubles.map((lines) => lines.join('\n'))].join('\n\n')}\n`;
}

export function pluginText(plugin: PluginSnapshot): string {
  const { permissions, lastExit, nextStartAt, retryAt } = plugin;
  const restarts = Object.entries(plugin.restarts).map(([reason, count]) => `${reason} ${count}`);
  const facts: readonly (readonly [string, string])[] = [
    ['name', plugin.name],
    ['version', plugin.version],
    ['state', plugin.state],
    ['generation', String(plugin.generation)],
    ['isolation', plugin.isolation],
    ['memory', memory(plugin)],
    ['restarts', restarts.join(', ') || 'none'],
    ...(lastExit === null ? [] : [['last exit', `${lastExit.at} ${lastExit.reason}: ${lastExit.detail}`] as const]),
    ...(nextStartAt === null ? [] : [['next start', nextStartAt] as const]),
    ...(retryAt === null ? [] : [['next try', retryAt] as const]),
    ...useFacts(permissions?.used ?? null),
  ];
  const head = facts.map(([name, value]) => `${`${name}:`.padEnd(14)}${plain(value)}`).join('\n');
  return `${[head, permissionText(plugin), ...trouble(plugin).map((lines) => lines.join('\n'))].join('\n\n')}\n`;
}

function permissionText({ permissions, state }: PluginSnapshot): string {
  if (permissions === null) return `What it asks for is not known: it is ${plain(state)}.`;
  const rows = permissionRows(permissions);
  if (rows.length === 0) return 'It asks for no permission and was granted none.';
  return textTable(['PERMISSION', 'ASKED', 'GRANTED', 'USED'], rows, MAX_CELL);
}

function useFacts(used: UseSnapshot | null): (readonly [string, string])[] {
  if (used === null) return [];
  const { sockets, files, connections, denied } = used;
  const refused = denied.network + denied.files + denied.other;
  const kinds = `network ${denied.network}, files ${denied.files}, other ${denied.other}`;
  return [
    ['sockets', `${sockets.open} open of ${sockets.limit}; ${connections} connections begun`],
    ['files', `${files.open} open of ${files.limit}`],
    ['denied', refused === 0 ? 'nothing' : kinds],
  ];
}

function memory({ memoryBytes, memoryLimitBytes }: PluginSnapshot): string {
  if (memoryLimitBytes === 0) return '-';
  return `${Math.round(memoryBytes / MIB)} of ${Math.round(memoryLimitBytes / MIB)} MB`;
}

function access({ permissions }: PluginSnapshot): [string, string, string] {
  if (permissions === null) return ['?', '?', '-'];
  const { asked, granted, used } = permissions;
  return [listPermissions(asked).join(', ') || 'nothing', grantedWords(asked, granted), usedWords(used)];
}

/** Against what was asked for: that is what one looks for. */
function grantedWords(asked: Permissions, granted: Permissions): string {
  const missing = missingGrants(asked, granted);
  const wanted = listPermissions(asked);
  if (missing === null) return wanted.length === 0 ? '-' : 'all of it';
  return `not ${listPermissions(missing).join(', ')}`;
}

function usedWords(used: UseSnapshot | null): string {
  if (used === null) return '-';
  const { listening, sockets, files, environment, kubernetes, denied } = used;
  const refused = denied.network + denied.files + denied.other;
  const words = [
    ...listening.map((port) => `listens ${port}`),
    ...(sockets.open > 0 ? [count(sockets.open, 'socket')] : []),
    ...(files.open > 0 ? [count(files.open, 'file')] : []),
    ...environment.map((name) => `env ${name}`),
    ...(kubernetes ? ['kubernetes'] : []),
    ...(refused > 0 ? [`${refused} DENIED`] : []),
  ];
  return words.join(', ') || 'nothing';
}

/** What keeps it from running, or from its source, and what changes that. */
function trouble({ name, state, reason, remedy }: PluginSnapshot): (readonly string[])[] {
  if (reason === '') return [];
  const said = reason.trimEnd().split('\n').map(plain).join('\n');
  const paste = remedy.trimEnd().split('\n').map(plain);
  // A reason begins with the state that it is for.
  const why = said.startsWith(`${plain(state)}: `) ? said : `${plain(state)}: ${said}`;
  return [[`${plain(name)} is ${why}`, ...(remedy === '' ? [] : paste)]];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
