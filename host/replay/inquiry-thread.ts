// Runs in a thread of its own, once.
/** Explains every Hook in force by what the host remembers: parsing, compiling and judging cost the host's own loop nothing. */

import { parentPort, workerData } from 'node:worker_threads';
import { hookId } from '../config/hook.ts';
import { eventNames } from './event-names.ts';
import { explainHook, type HookState } from './explain-hook.ts';
import { hooksOf, inOrder, judgeMemory } from './judged-memory.ts';
import type { Miss } from './nearest-misses.ts';
import { type ConfigRead, type EventRead, readRecordingLine } from './recording-line.ts';
import type { Remedy } from './remedy.ts';

export interface InquiryData {
  /** Of a recording. */
  readonly lines: readonly string[];
  /** By `namespace/name`. */
  readonly states: ReadonlyMap<string, HookState>;
}

export interface HookAnswer {
  /** Events. */
  readonly looked: number;
  readonly says: readonly string[];
  readonly faults: readonly Remedy[];
  readonly misses: readonly MissAnswer[];
}

export interface MissAnswer extends Remedy {
  readonly event: {
    readonly id: string;
    readonly plugin: string;
    readonly type: string;
    /** RFC 3339. */
    readonly receivedAt: string;
    readonly resourceName: string;
    readonly namespace: string;
  };
  readonly events: number;
}

/** By `namespace/name`. */
export type InquiryAnswer = ReadonlyMap<string, HookAnswer>;

const { lines, states } = workerData as InquiryData;

parentPort?.postMessage(await answer());

async function answer(): Promise<InquiryAnswer> {
  const read = lines.map(readRecordingLine).filter((line) => typeof line !== 'string');
  const config = read.findLast((line): line is ConfigRead => line.kind === 'config');
  if (config === undefined) throw new Error('the recording did not begin with its configuration');
  const told = read.filter((line): line is EventRead => line.kind === 'event');
  const { scene, events } = await judgeMemory({ config, events: inOrder(told, told.length) });
  return new Map(
    hooksOf({ config }).map((hook) => {
      const id = hookId(hook);
      const snapshot = states.get(id) ?? null;
      const { says, faults, misses } = explainHook(hook, events, { scene, plugins: config.plugins, snapshot });
      return [id, { looked: events.length, says, faults, misses: misses.map(missAnswer) }];
    }),
  );
}

function missAnswer({ event, events, cause, fix, paste }: Miss): MissAnswer {
  const { id, source, type, receivedAt } = event;
  const about = { id, plugin: source, type, receivedAt: new Date(receivedAt).toISOString(), ...eventNames(event) };
  return { cause, fix, ...(paste !== undefined && { paste }), event: about, events };
}
