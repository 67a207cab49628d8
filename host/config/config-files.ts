/** The two configuration files, each with what stays in force when it is bad as a whole. */

import { join } from 'node:path';
import type { Environment } from './environment.ts';
import { digest } from './fingerprint.ts';
import type { Mapping } from './mapping.ts';
import { DEFAULT_MAPPINGS, readMappingsFile } from './mappings-file.ts';
import { goodPart, type Part, rejectedPart } from './part.ts';
import type { Positioned } from './place.ts';
import type { PluginEntry } from './plugin-entry.ts';
import { type RejectedEntry, readPluginsFile } from './plugins-file.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';

export interface PluginsContent {
  readonly document: Positioned | null;
  readonly entries: readonly PluginEntry[];
  readonly rejected: readonly RejectedEntry[];
  readonly settings: Settings;
}

export interface FileSources {
  readonly configDirectory: string;
  readonly environment: Environment;
}

export function pluginsFile(sources: FileSources): string {
  return join(sources.configDirectory, 'plugins.yaml');
}

export function mappingsFile(sources: FileSources): string {
  return join(sources.configDirectory, 'event-mappings.yaml');
}

const NO_ENTRIES: PluginsContent = { document: null, entries: [], rejected: [], settings: DEFAULT_SETTINGS };

export function readPlugins(sources: FileSources, last: Part<PluginsContent> | null): Part<PluginsContent> {
  const read = readPluginsFile(pluginsFile(sources), sources.environment.variables);
  if (read.kind === 'bad') return rejectedPart(last ?? goodPart(NO_ENTRIES, digest(null)), read.problems);
  if (read.kind === 'missing') return goodPart(NO_ENTRIES, digest(null));
  const { document, entries, rejected, settings, problems } = read.plugins;
  return { ...goodPart({ document, entries, rejected, settings }, digest(document.value)), problems };
}

export function readMappings(sources: FileSources, last: Part<readonly Mapping[]> | null): Part<readonly Mapping[]> {
  const read = readMappingsFile(mappingsFile(sources), sources.environment.variables);
  if (read.kind === 'bad')
    return rejectedPart(last ?? goodPart(DEFAULT_MAPPINGS, digest(DEFAULT_MAPPINGS)), read.problems);
  const notes = read.note === '' ? [] : [read.note];
  return { ...goodPart(read.mappings, digest(read.mappings)), problems: read.problems, notes };
}
