/** Says what a load brought, as events: everything the first time, afterwards only what is new. */

import type { Emitter } from '../base/emitter.ts';
import { type FileSources, mappingsFile, pluginsFile } from './config-files.ts';
import type { ConfigEvents } from './events.ts';
import { hookId } from './hook.ts';
import type { HookSource } from './hook-source.ts';
import type { Reading } from './loaded-config.ts';
import type { Part } from './part.ts';
import { formatProblem, type Problem } from './problem.ts';

export interface LoadReport {
  readonly before: Reading | null;
  readonly now: Reading;
  readonly sources: FileSources & { readonly hooks: Pick<HookSource, 'place'> };
}

export function announce(emitter: Emitter<ConfigEvents>, { before, now, sources }: LoadReport): void {
  const said = new Set((before?.loaded.problems ?? []).map(formatProblem));
  const isNew = (problem: Problem): boolean => !said.has(formatProblem(problem));
  const texts = new Set<string>();
  for (const problem of now.loaded.problems.filter(isNew)) {
    const text = formatProblem(problem);
    if (!texts.has(text)) emitter.emit('config:problem', problem);
    texts.add(text);
  }
  const rejections: readonly [string, Part<unknown>][] = [
    [pluginsFile(sources), now.plugins],
    [mappingsFile(sources), now.mappings],
  ];
  for (const [file, part] of rejections) {
    if (part.isRejected && part.problems.some(isNew)) emitter.emit('config:rejected', { file });
  }
  announceNotes(emitter, before, now);
  if (before?.mappings.digest !== now.mappings.digest) announceMappings(emitter, now, mappingsFile(sources));
  const isNews = before === null || before.hooks.isRejected || before.hooks.digest !== now.hooks.digest;
  if (isNews && !now.hooks.isRejected) {
    const names = now.loaded.hooks.map(hookId);
    emitter.emit('hooks:loaded', { place: sources.hooks.place, count: names.length, names });
  }
  announceWhole(emitter, { before, now, sources });
}

function announceNotes(emitter: Emitter<ConfigEvents>, before: Reading | null, now: Reading): void {
  const notes = (reading: Reading | null): readonly string[] =>
    reading === null ? [] : [...reading.mappings.notes, ...reading.hooks.notes];
  const said = new Set(notes(before));
  for (const text of new Set(notes(now))) if (!said.has(text)) emitter.emit('config:noted', { text });
}

function announceMappings(emitter: Emitter<ConfigEvents>, { loaded }: Reading, file: string): void {
  for (const { eventSource, eventType, internalType, severity, enabled } of loaded.mappings) {
    emitter.emit('mapping:loaded', { source: eventSource, eventType, internalType, severity, enabled });
  }
  emitter.emit('mappings:loaded', { file, count: loaded.mappings.length });
}

function announceWhole(emitter: Emitter<ConfigEvents>, { before, now, sources }: LoadReport): void {
  const { hash, plans, mappings, hooks } = now.loaded;
  if (before === null) {
    emitter.emit('config:loaded', { hash, plugins: plans.length, mappings: mappings.length, hooks: hooks.length });
    return;
  }
  const changed = changedFiles(before, now, sources);
  if (changed.length > 0) emitter.emit('config:reloaded', { hash, changed });
}

function changedFiles(before: Reading, now: Reading, sources: LoadReport['sources']): readonly string[] {
  const parts = [
    before.plugins.digest === now.plugins.digest ? null : pluginsFile(sources),
    before.mappings.digest === now.mappings.digest ? null : mappingsFile(sources),
    before.hooks.digest === now.hooks.digest ? null : sources.hooks.place,
  ];
  const bundles = [...new Set([...before.stamps.keys(), ...now.stamps.keys()])].filter(
    (file) => before.stamps.get(file) !== now.stamps.get(file),
  );
  return [...parts.filter((part) => part !== null), ...bundles.sort()];
}
