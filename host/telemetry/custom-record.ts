/** What is wrong with one record of a custom metric. It comes from a plugin: nothing about it is taken for granted. */

import type { MetricRecord } from '../../ipc/messages.ts';

const METRIC_NAME = /^[a-z][a-z0-9_]{0,63}$/;
const LABEL_NAME = /^[a-z][a-z0-9_]{0,31}$/;
const RESERVED_LABELS = new Set(['plugin', 'le', 'quantile']);
const MAX_LABELS = 8;

export interface RecordFault {
  /** Closed list: a metric label. */
  readonly reason: 'type' | 'name' | 'labels' | 'value';
  readonly detail: string;
}

export function recordFault(record: MetricRecord): RecordFault | null {
  if (typeof record !== 'object' || record === null) return { reason: 'type', detail: 'a record must be an object' };
  if (record.type !== 'counter' && record.type !== 'gauge' && record.type !== 'histogram') {
    return { reason: 'type', detail: 'its type must be counter, gauge or histogram' };
  }
  if (typeof record.name !== 'string' || !METRIC_NAME.test(record.name)) {
    return { reason: 'name', detail: 'its name must match [a-z][a-z0-9_]* and have at most 64 characters' };
  }
  if (typeof record.help !== 'string') return { reason: 'type', detail: 'its help must be text' };
  if (typeof record.value !== 'number' || !Number.isFinite(record.value)) {
    return { reason: 'value', detail: 'its value must be a finite number' };
  }
  if (record.type === 'counter' && record.value < 0) {
    return { reason: 'value', detail: `a counter cannot go down, got ${record.value}` };
  }
  return labelsFault(record.labels);
}

function labelsFault(labels: unknown): RecordFault | null {
  if (typeof labels !== 'object' || labels === null)
    return { reason: 'labels', detail: 'its labels must be an object' };
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) {
    return { reason: 'labels', detail: `it may have ${MAX_LABELS} labels, got ${entries.length}` };
  }
  for (const [name, value] of entries) {
    if (!LABEL_NAME.test(name) || RESERVED_LABELS.has(name)) {
      const detail =
        'a label must match [a-z][a-z0-9_]*, have at most 32 characters and be none of plugin, le, quantile';
      return { reason: 'labels', detail };
    }
    if (typeof value !== 'string') return { reason: 'labels', detail: `the value of label ${name} must be text` };
  }
  return null;
}
