/** A frame that was judged in parts becomes one verdict again. */

import type { JudgedPart } from './task-message.ts';
import type { Cause, Firing, FrameVerdict } from './verdict.ts';

/** `parts` follow each other without a gap. `causes` are the host's own. A firing that an earlier part has too becomes its repeat. */
export function mergeParts(parts: readonly JudgedPart[], causes: readonly Cause[]): FrameVerdict {
  const [only] = parts;
  if (only !== undefined && parts.length === 1 && causes.length === 0) {
    return { verdicts: only.verdicts, causes: only.causes, firings: only.firings };
  }
  const all = [...parts.flatMap((part) => part.causes), ...causes].sort((a, b) => a.index - b.index);
  return {
    verdicts: parts.map((part) => part.verdicts).join(''),
    causes: all,
    firings: parts.length === 1 ? (only?.firings ?? []) : collapse(parts.flatMap((part) => part.firings)),
  };
}

function collapse(firings: readonly Firing[]): Firing[] {
  const byKey = new Map<string, Firing>();
  for (const firing of firings) {
    const first = byKey.get(firing.dedupKey);
    if (first === undefined) {
      byKey.set(firing.dedupKey, firing);
      continue;
    }
    const repeats = [...first.repeats, firing.index, ...firing.repeats];
    const occurredAt = Math.max(first.occurredAt, firing.occurredAt);
    byKey.set(firing.dedupKey, { ...first, repeats, occurredAt });
  }
  return [...byKey.values()];
}
