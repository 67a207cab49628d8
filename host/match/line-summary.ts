// Runs in a pool thread.
/** What a trail shows of an event, read from its line, secrets taken out. A line that is no event is shown as it is. */

import type { LineSummary } from './task-message.ts';
import { safeText } from './text-cap.ts';

const CAP = 1_024;

export function summarizeLine(line: string): LineSummary {
  const event = parseObject(line);
  if (event === null) return { resourceName: '', namespace: '', reason: '', message: safeText(line, CAP) };
  const text = (key: string): string => {
    const value = Object.hasOwn(event, key) ? event[key] : '';
    return typeof value === 'string' ? safeText(value, CAP) : '';
  };
  return {
    resourceName: text('resourceName'),
    namespace: text('namespace'),
    reason: text('reason'),
    message: text('message'),
  };
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
