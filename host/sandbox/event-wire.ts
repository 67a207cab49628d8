/** The host's end of the events wire: tells the kinds of message apart and takes nothing that is not the protocol. Runs on the host thread. */

import { textOf } from '../../ipc/errors.ts';
import { type Frame, frameFault } from '../../ipc/frame.ts';
import type { LogRecord, MetricRecord } from '../../ipc/messages.ts';
import type { VesselListener } from './vessel.ts';

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];
const METRICS: readonly string[] = ['counter', 'gauge', 'histogram'];
const MAX_RECORDS = 1_000;
const MAX_LABELS = 16;

/** Hands one message to the listener, or returns what is wrong with it. Messages of another generation are discarded. */
export function readMessage(message: unknown, generation: number, listener: VesselListener): string | null {
  const given = message as Record<string, unknown> | null;
  if (typeof given !== 'object' || given === null) return `a ${typeof message} instead of a message`;
  if (given.generation !== generation) return null;
  switch (given.kind) {
    case 'frame': {
      const fault = frameFault(given);
      if (fault === null) listener.frame(given as unknown as Frame);
      return fault;
    }
    case 'log':
      return readRecords(given.records, isLogRecord, (record) => listener.log(record)) ?? readDropped(given, listener);
    case 'metric':
      return readRecords(given.records, isMetricRecord, (record) => listener.metric(record));
    case 'refused':
      if (!isText(given.code, 64) || !isText(given.message, 8_192)) return 'a refusal without text';
      listener.eventRefused(given.code, given.message);
      return null;
    case 'renew':
      listener.credentialsRefused();
      return null;
    default:
      return `a message of kind ${textOf(given.kind).slice(0, 32)}`;
  }
}

function readDropped(message: Record<string, unknown>, listener: VesselListener): string | null {
  const dropped = message.dropped;
  if (!Number.isSafeInteger(dropped) || (dropped as number) < 0)
    return 'a log message without a count of dropped lines';
  if ((dropped as number) > 0) listener.logsDropped(dropped as number);
  return null;
}

function readRecords<T>(
  records: unknown,
  isRecord: (record: unknown) => record is T,
  take: (record: T) => void,
): string | null {
  if (!Array.isArray(records) || records.length > MAX_RECORDS)
    return `records must be a list of at most ${MAX_RECORDS}`;
  for (const record of records) {
    if (!isRecord(record)) return 'a record of the wrong shape';
    take(record);
  }
  return null;
}

function isLogRecord(record: unknown): record is LogRecord {
  const given = record as LogRecord | null;
  if (typeof given !== 'object' || given === null || !LEVELS.includes(given.level)) return false;
  return isText(given.message, 8_192) && isText(given.fields, 32_768) && Number.isFinite(given.at);
}

function isMetricRecord(record: unknown): record is MetricRecord {
  const given = record as MetricRecord | null;
  if (typeof given !== 'object' || given === null || !METRICS.includes(given.type)) return false;
  if (!isText(given.name, 256) || !isText(given.help, 1_024) || !Number.isFinite(given.value)) return false;
  if (typeof given.labels !== 'object' || given.labels === null) return false;
  const labels = Object.entries(given.labels);
  return labels.length <= MAX_LABELS && labels.every(([name, value]) => name.length <= 256 && isText(value, 1_024));
}

function isText(value: unknown, limit: number): value is string {
  return typeof value === 'string' && value.length <= limit;
}
