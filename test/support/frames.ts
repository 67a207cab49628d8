import type { LedgerFrame } from '../../host/ledger/ledger-frame.ts';
import { type Frame, FrameBuilder } from '../../ipc/frame.ts';

/** A frame of `count` small events, all of one type or of the given types in turn. */
export function frameOf(
  count: number,
  options: { sequence?: number; types?: readonly string[]; line?: string } = {},
): Frame {
  const { sequence = 0, types = ['happened'], line = '{}' } = options;
  const builder = new FrameBuilder();
  for (let n = 0; n < count; n += 1) builder.add(types[n % types.length] ?? '', line);
  return builder.cut(1, sequence);
}

export function outcomesOf(entry: LedgerFrame): (string | null)[] {
  return Array.from({ length: entry.count }, (_, index) => entry.outcome(index));
}
