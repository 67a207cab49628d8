/** The three kinds of configuration file, each with what stays in force when it is bad as a whole. */

import { join } from 'node:path';
import type { Environment } from './environment.ts';
import { digest } from './fingerprint.ts';
import type { Hook } from './hook.ts';
import { readHooksDirectory } from './hooks-directory.ts';
import { keepHooks } from './last-good.ts';
import type { Mapping } from './mapping.ts';
import { DEFAULT_MAPPINGS, readMappingsFile } from './mappings-file.ts';
import type { Positioned } from './place.ts';
import type { PluginEntry } from './plugin-entry.ts';
import { type RejectedEntry, readPluginsFile } from './plugins-file.ts';
import { formatProblem, type Problem } from './problem.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';

/** What one file or folder gave. `digest` is of what is in force; secrets of the environment are not in it. */
export interface Part<Content> {
  readonly content: Content;
  readonly digest: string;
  readonly problems: readonly Problem[];
  /** The file as a whole could not be used: `content` is what was in force before, or the defaults. */
  readonly isRejected: boolean;
  /** For the log; nothing is wrong. */
  readonly notes: readonly string[];
}

export interface PluginsContent {
  readonly document: Positioned | null;
  readonly entries: readonly PluginEntry[];
  readonly rejected: readonly RejectedEntry[];
  readonly settings: Settings;
}

export interface FileSources {
  readonly configDirectory: string;
  /** null: Hooks come from somewhere else (the cluster). */
  readonly hooksDirectory: string | null;
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
  if (read.kind === 'bad') return reject(last ?? good(NO_ENTRIES, digest(null)), read.problems);
  if (read.kind === 'missing') return good(NO_ENTRIES, digest(null));
  const { document, entries, rejected, settings, problems } = read.plugins;
  return { ...good({ document, entries, rejected, settings }, digest(document.value)), problems };
}

export function readMappings(sources: FileSources, last: Part<readonly Mapping[]> | null): Part<readonly Mapping[]> {
  const read = readMappingsFile(mappingsFile(sources), sources.environment.variables);
  if (read.kind === 'bad') return reject(last ?? good(DEFAULT_MAPPINGS, digest(DEFAULT_MAPPINGS)), read.problems);
  const notes = read.note === '' ? [] : [read.note];
  return { ...good(read.mappings, digest(read.mappings)), problems: read.problems, notes };
}

export function readHooks(sources: FileSources, last: Part<readonly Hook[]> | null): Part<readonly Hook[]> {
  if (sources.hooksDirectory === null) return good([], digest([]));
  const namespace = sources.environment.podNamespace;
  const read = readHooksDirectory(sources.hooksDirectory, namespace === null ? {} : { defaultNamespace: namespace });
  const hooks = keepHooks(read.hooks, last?.content ?? [], read.problems);
  const notes = read.warnings.map(formatProblem);
  return { ...good(hooks, digest(hooks)), problems: read.problems, notes };
}

function good<Content>(content: Content, contentDigest: string): Part<Content> {
  return { content, digest: contentDigest, problems: [], isRejected: false, notes: [] };
}

function reject<Content>(inForce: Part<Content>, problems: readonly Problem[]): Part<Content> {
  return { ...inForce, problems, isRejected: true, notes: [] };
}
