import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type BrokenLine, Recording } from '../../../host/replay/recording.ts';
import type { EventRead, RecordingRead } from '../../../host/replay/recording-line.ts';
import { readRecordingLine } from '../../../host/replay/recording-line.ts';
import { tempDir } from '../../support/temp-dir.ts';

export const RECEIVED_AT = '2026-01-01T00:00:00.000Z';
export const START = Date.parse(RECEIVED_AT);

export function configLine(changes: object = {}): string {
  return JSON.stringify({
    kind: 'config',
    format: 1,
    khook: '0.1.0',
    run: 'a',
    at: RECEIVED_AT,
    order: 0,
    redacted: true,
    controllerNamespace: 'kagent',
    dedupWindowMs: 600_000,
    maxPromptLength: 10_000,
    plugins: { kubernetes: { eventTypes: ['pod-restart'], namespaces: null } },
    mappings: [{ eventSource: 'kubernetes', eventType: 'pod-restart', internalType: 'PodRestart' }],
    hooks: [],
    ...changes,
  });
}

export function eventLine(changes: object = {}): string {
  return JSON.stringify({
    kind: 'event',
    id: 'kubernetes-a-1-0',
    source: 'kubernetes',
    type: 'pod-restart',
    receivedAt: RECEIVED_AT,
    timestamp: RECEIVED_AT,
    resourceName: 'api',
    namespace: 'shop',
    message: 'm',
    ...changes,
  });
}

export function eventRead(changes: object = {}): EventRead {
  const read = readRecordingLine(eventLine(changes));
  if (typeof read === 'string' || read.kind !== 'event') throw new Error(`no event: ${JSON.stringify(read)}`);
  return read;
}

export function written(t: Pick<TestContext, 'after'>, text: string | readonly string[]): string {
  const path = join(tempDir(t), 'recording.ndjson');
  writeFileSync(path, typeof text === 'string' ? text : text.map((line) => `${line}\n`).join(''));
  return path;
}

export function opened(
  t: Pick<TestContext, 'after'>,
  text: string | readonly string[],
): { readonly recording: Recording; readonly broken: readonly BrokenLine[]; readonly lines: () => RecordingRead[] } {
  const broken: BrokenLine[] = [];
  const recording = Recording.open(written(t, text), (line) => broken.push(line));
  t.after(() => recording[Symbol.dispose]());
  return { recording, broken, lines: () => [...recording.inOrder()] };
}
