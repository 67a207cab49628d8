/** What the host can say of an event type without reading a line: mapped (the pool's), or how all of its events end. */

import type { Frame } from '../../ipc/frame.ts';
import type { MappingIndex } from './rules.ts';
import { FOR_THE_POOL } from './task-message.ts';
import { type Cause, type FrameVerdict, VERDICTS } from './verdict.ts';

export type TypeSettlement =
  | { readonly kind: 'mapped' }
  | { readonly kind: 'unmapped' }
  | { readonly kind: 'mapping_disabled' }
  | { readonly kind: 'invalid'; readonly cause: string };

export function settleType(
  type: string,
  by: { readonly plugin: string; readonly declaredTypes: ReadonlySet<string>; readonly mappings: MappingIndex },
): TypeSettlement {
  if (type === '') return { kind: 'invalid', cause: 'type cannot be empty' };
  if (!by.declaredTypes.has(type)) {
    return { kind: 'invalid', cause: `type '${type}' is not declared in the manifest of plugin ${by.plugin}` };
  }
  const mapping = by.mappings.find(by.plugin, type);
  if (mapping === undefined) return { kind: 'unmapped' };
  return mapping.enabled ? { kind: 'mapped' } : { kind: 'mapping_disabled' };
}

/** One unit per type of the frame, as JudgeTask.settled has it. */
export function settledCodes(settlements: readonly TypeSettlement[]): string {
  return String.fromCharCode(
    ...settlements.map(({ kind }) => (kind === 'mapped' ? FOR_THE_POOL : VERDICTS.indexOf(kind))),
  );
}

/** The verdict of a frame of which no type is mapped. */
export function settleFrame(frame: Frame, settlements: readonly TypeSettlement[]): FrameVerdict {
  const codes = settledCodes(settlements);
  let verdicts = codes.length === 1 ? codes.repeat(frame.count) : '';
  for (let i = verdicts.length; i < frame.count; i += 1) verdicts += codes[frame.typeIndex.charCodeAt(i)] ?? '';
  return { verdicts, causes: settledCauses(frame, settlements), firings: [] };
}

/** The causes of events whose type made them invalid. */
export function settledCauses(frame: Frame, settlements: readonly TypeSettlement[]): Cause[] {
  if (settlements.every((settlement) => settlement.kind !== 'invalid')) return [];
  const causes: Cause[] = [];
  for (let index = 0; index < frame.count; index += 1) {
    const settlement = settlements[frame.typeIndex.charCodeAt(index)];
    if (settlement?.kind === 'invalid') causes.push({ index, text: settlement.cause });
  }
  return causes;
}
